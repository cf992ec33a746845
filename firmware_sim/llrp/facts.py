"""What the reader says about itself: capabilities and configuration (LLRP 1.0.1 sections 9 and 12, 16.3.1 for C1G2).

It resembles a four-port reader for the United States (FCC): 81 power levels, 50 channels, five Miller modes.
"""

import struct
from collections.abc import Callable, Mapping
from typing import Literal, NamedTuple

from firmware_sim.errors import BadFrame
from firmware_sim.llrp import impinj
from firmware_sim.llrp.access import MAX_ACCESSSPECS, MAX_OPSPECS
from firmware_sim.llrp.antenna import POWER_LEVELS, SENSITIVITIES, power_dbm, sensitivity_db, write_antenna
from firmware_sim.llrp.frames import tlv
from firmware_sim.llrp.mask import MAX_FILTERS
from firmware_sim.llrp.reportrule import write_report_rule
from firmware_sim.llrp.rospec import GPI_PORTS
from firmware_sim.llrp.settings import GPO_PORTS, Settings
from firmware_sim.llrp.words import Notice, Param, Status

MAX_ROSPECS = 1
_NOBODY, _NO_MODEL = 32473, 1
"""The enterprise number that RFC 5612 keeps for examples."""
_HOP_ORDER = tuple((place * 17 + 5) % 50 for place in range(50))
_ALL_VENDOR_CAPABILITIES, _ALL_VENDOR_CONFIGURATION = 1000, 2000
_LOW, _HIGH, _UNKNOWN = range(3)
"""GPIPortState."""

# ModeIdentifier, DR and conformance, M, forward link, spectral mask, BDR, PIE, min, max and step Tari (ns): 16.3.1.1.3.
_RF_MODES = (
    (0, 0x80, 0, 2, 2, 640_000, 1500, 6_250, 6_250, 0),
    (1, 0x80, 1, 2, 2, 640_000, 1500, 6_250, 6_250, 0),
    (2, 0x80, 2, 0, 3, 274_000, 2000, 20_000, 20_000, 0),
    (3, 0x80, 3, 0, 3, 170_600, 2000, 20_000, 20_000, 0),
    (4, 0x80, 2, 0, 2, 640_000, 1500, 7_140, 7_140, 0),
    (1000, 0x80, 0, 2, 2, 40_000, 1500, 6_250, 25_000, 0),
    (1002, 0x80, 0, 2, 2, 40_000, 1500, 6_250, 25_000, 0),
)


class Facts(NamedTuple):
    """What never changes on one reader."""

    ports: int = 4
    utc: bool = True
    """Whether it has a calendar clock; if not, its times count from its start."""
    vendor: Literal["none", "impinj"] = "impinj"
    firmware: str = "simulated 1.0"
    versions: int = 1
    """Newest protocol version that it speaks: 1 for LLRP 1.0.1, 2 for LLRP 1.1."""


class Condition(NamedTuple):
    """What can be seen of a reader from outside just now."""

    cables: frozenset[int]
    """Ports with an antenna."""
    inputs: frozenset[int]
    """GPI ports that are high."""
    state_value: int
    """LLRPConfigurationStateValue."""


class Wanted(NamedTuple):
    """What a GET_READER_CONFIG asks for; 0 stands for all."""

    antenna: int
    requested: int
    input: int
    output: int
    vendor: tuple[int, ...] = ()
    """RequestedData of each ImpinjRequestedData."""


def capabilities(facts: Facts, requested: int, vendor: tuple[int, ...] = ()) -> bytes:
    """The parameters of a GET_READER_CAPABILITIES_RESPONSE after its status; raises `BadFrame`.

    `vendor` holds the RequestedData of each ImpinjRequestedData.
    """
    gen2 = tlv(Param.C1G2_LLRP_CAPABILITIES, struct.pack(">BH", 0x40, MAX_FILTERS))
    every = (_general(facts), _llrp(facts), _regulatory(), gen2)
    extra = {1001: lambda: impinj.detailed_version(facts.firmware)}
    return _chosen(every, requested, "GET_READER_CAPABILITIES") + _vendor(extra, vendor or (), _ALL_VENDOR_CAPABILITIES)


def configuration(settings: Settings, condition: Condition, wanted: Wanted) -> bytes:
    """The parameters of a GET_READER_CONFIG_RESPONSE after its status; raises `BadFrame`."""
    antennas = _ports(wanted.antenna, len(settings.antennas), "antenna")
    inputs, outputs = _ports(wanted.input, GPI_PORTS, "GPI"), _ports(wanted.output, GPO_PORTS, "GPO")
    cables = condition.cables
    every = (
        tlv(Param.IDENTIFICATION, struct.pack(">BH", 0, 8) + bytes.fromhex("001625fffe100001")),
        b"".join(tlv(Param.ANTENNA_PROPERTIES, struct.pack(">BHh", (p in cables) << 7, p, 800)) for p in antennas),
        b"".join(write_antenna(port, settings.antenna(port)) for port in antennas),
        write_report_rule(settings.report),
        _notices(settings.notices),
        tlv(Param.ACCESS_REPORT_SPEC, bytes([settings.access_report])),
        tlv(Param.CONFIGURATION_STATE, struct.pack(">I", condition.state_value)),
        tlv(Param.KEEPALIVE_SPEC, struct.pack(">BI", settings.keepalive_ms > 0, settings.keepalive_ms)),
        b"".join(_input(port, settings, condition) for port in inputs),
        b"".join(
            tlv(Param.GPO_WRITE_DATA, struct.pack(">HB", port, (port in settings.outputs) << 7)) for port in outputs
        ),
        tlv(Param.EVENTS_AND_REPORTS, bytes([settings.hold << 7])),
    )
    extra = {
        2004: impinj.temperature,
        2005: lambda: impinj.link_monitor(settings.link_monitor),
        2006: impinj.report_buffer,
    }
    if wanted.requested == 0:  # in the message, unlike in RequestedData, notifications stand before reports
        every = (*every[:3], every[4], every[3], *every[5:])
    return _chosen(every, wanted.requested, "GET_READER_CONFIG") + _vendor(
        extra, wanted.vendor, _ALL_VENDOR_CONFIGURATION
    )


def _chosen(every: tuple[bytes, ...], requested: int, where: str) -> bytes:
    if requested > len(every):
        raise BadFrame(Status.FIELD_ERROR, f"{where}: RequestedData {requested}")
    return b"".join(every) if requested == 0 else every[requested - 1]


def _vendor(every: Mapping[int, Callable[[], bytes]], wanted: tuple[int, ...], everything: int) -> bytes:
    """The vendor's parameters that were asked for; what this reader has not is left out."""
    return b"".join(write() for number, write in every.items() if number in wanted or everything in wanted)


def _ports(wanted: int, count: int, what: str) -> list[int]:
    if wanted > count:
        raise BadFrame(Status.FIELD_ERROR, f"GET_READER_CONFIG: {what} {wanted}, this reader has {count}")
    return [wanted] if wanted else list(range(1, count + 1))


def _general(facts: Facts) -> bytes:
    words = facts.firmware.encode()
    vendor, model = (impinj.VENDOR, impinj.MODEL) if facts.vendor == "impinj" else (_NOBODY, _NO_MODEL)
    fixed = struct.pack(">HHIIH", facts.ports, facts.utc << 14, vendor, model, len(words)) + words
    levels = range(1, SENSITIVITIES + 1)
    sensitivity = [tlv(Param.RECEIVE_SENSITIVITY, struct.pack(">HH", n, sensitivity_db(n))) for n in levels]
    protocols = [tlv(Param.PER_ANTENNA_AIR_PROTOCOL, struct.pack(">HHB", p, 1, 1)) for p in range(1, facts.ports + 1)]
    gpio = tlv(Param.GPIO_CAPABILITIES, struct.pack(">HH", GPI_PORTS, GPO_PORTS))
    return tlv(Param.GENERAL_DEVICE_CAPABILITIES, fixed + b"".join(sensitivity) + gpio + b"".join(protocols))


def _llrp(facts: Facts) -> bytes:
    can_warn, state_aware, can_hold = 0x40, 0x10 if facts.vendor == "none" else 0, 0x08
    return tlv(
        Param.LLRP_CAPABILITIES,
        struct.pack(
            ">BBHIIIII", can_warn | state_aware | can_hold, 1, 0, MAX_ROSPECS, 32, 16, MAX_ACCESSSPECS, MAX_OPSPECS
        ),
    )


def _regulatory() -> bytes:
    levels = (
        tlv(Param.TRANSMIT_POWER, struct.pack(">HH", n, round(100 * power_dbm(n)))) for n in range(1, POWER_LEVELS + 1)
    )
    frequencies = struct.pack(">50I", *(902_750 + 500 * place for place in _HOP_ORDER))
    hops = tlv(Param.FREQUENCY_HOP_TABLE, struct.pack(">BBH", 1, 0, 50) + frequencies)
    modes = (tlv(Param.UHF_RF_MODE, struct.pack(">IBBBBIIIII", *mode)) for mode in _RF_MODES)
    band = b"".join(levels) + tlv(Param.FREQUENCY_INFORMATION, b"\x80" + hops)
    band += tlv(Param.UHF_RF_MODE_TABLE, b"".join(modes))
    return tlv(Param.REGULATORY_CAPABILITIES, struct.pack(">HH", 840, 1) + tlv(Param.UHF_BAND_CAPABILITIES, band))


def _input(port: int, settings: Settings, condition: Condition) -> bytes:
    """GPIPortCurrentState; the level of a disabled input is unknown."""
    enabled = port in settings.inputs
    level = (_HIGH if port in condition.inputs else _LOW) if enabled else _UNKNOWN
    return tlv(Param.GPI_CURRENT_STATE, struct.pack(">HBB", port, enabled << 7, level))


def _notices(wanted: frozenset[int]) -> bytes:
    states = (tlv(Param.EVENT_NOTIFICATION_STATE, struct.pack(">HB", kind, (kind in wanted) << 7)) for kind in Notice)
    return tlv(Param.EVENT_NOTIFICATION_SPEC, b"".join(states))
