"""What the reader says about itself: capabilities and configuration (LLRP 1.0.1 sections 9 and 12, 17 for C1G2).

It resembles a four-port reader for the United States (FCC): 81 power levels, 50 channels, five Miller modes.
"""

import struct
from typing import NamedTuple

from firmware_sim.errors import BadFrame
from firmware_sim.llrp.access import MAX_ACCESSSPECS
from firmware_sim.llrp.frames import tlv
from firmware_sim.llrp.rospec import write_report_rule
from firmware_sim.llrp.settings import Settings
from firmware_sim.llrp.words import IMPINJ, Notice, Param, Status

MAX_ROSPECS = 1
_MODEL = 2_001_002
_GPIO = 4
_POWER_LEVELS = 81
_HOP_ORDER = tuple((place * 17 + 5) % 50 for place in range(50))

# ModeIdentifier, DR and conformance, M, forward link, spectral mask, BDR, PIE, min, max and step Tari (ns): 17.3.1.1.3.
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
    vendor: int = IMPINJ
    firmware: str = "simulated 1.0"


def capabilities(facts: Facts, requested: int) -> bytes:
    """The parameters of a GET_READER_CAPABILITIES_RESPONSE after its status; raises `BadFrame`."""
    every = (_general(facts), _llrp(), _regulatory(), tlv(Param.C1G2_LLRP_CAPABILITIES, struct.pack(">BH", 0x40, 2)))
    if requested > len(every):
        raise BadFrame(Status.FIELD_ERROR, f"GET_READER_CAPABILITIES: RequestedData {requested}")
    return b"".join(every) if requested == 0 else every[requested - 1]


def configuration(facts: Facts, settings: Settings, requested: int, antenna: int, connected: frozenset[int]) -> bytes:
    """The parameters of a GET_READER_CONFIG_RESPONSE after its status; raises `BadFrame`."""
    ports = [antenna] if antenna else list(range(1, facts.ports + 1))
    if antenna > facts.ports:
        raise BadFrame(Status.FIELD_ERROR, f"GET_READER_CONFIG: antenna {antenna}, this reader has {facts.ports}")
    every = (
        tlv(Param.IDENTIFICATION, struct.pack(">BH", 0, 8) + bytes.fromhex("001625fffe100001")),
        b"".join(tlv(Param.ANTENNA_PROPERTIES, struct.pack(">BHh", (p in connected) << 7, p, 800)) for p in ports),
        b"".join(_antenna(port) for port in ports),
        write_report_rule(settings.report),
        _notices(settings.notices),
        tlv(Param.ACCESS_REPORT_SPEC, b"\0"),
        tlv(Param.CONFIGURATION_STATE, struct.pack(">I", 0)),
        tlv(Param.KEEPALIVE_SPEC, struct.pack(">BI", settings.keepalive_ms > 0, settings.keepalive_ms)),
        b"".join(tlv(Param.GPI_CURRENT_STATE, struct.pack(">HBB", port, 0, 0)) for port in range(1, _GPIO + 1)),
        b"".join(tlv(Param.GPO_WRITE_DATA, struct.pack(">HB", port, 0)) for port in range(1, _GPIO + 1)),
        tlv(Param.EVENTS_AND_REPORTS, bytes([settings.hold << 7])),
    )
    if requested > len(every):
        raise BadFrame(Status.FIELD_ERROR, f"GET_READER_CONFIG: RequestedData {requested}")
    return b"".join(every) if requested == 0 else every[requested - 1]


def _general(facts: Facts) -> bytes:
    words = facts.firmware.encode()
    fixed = struct.pack(">HHIIH", facts.ports, facts.utc << 14, facts.vendor, _MODEL, len(words)) + words
    sensitivity = [tlv(Param.RECEIVE_SENSITIVITY, struct.pack(">HH", 1, 0))]
    sensitivity += [tlv(Param.RECEIVE_SENSITIVITY, struct.pack(">HH", n, n + 8)) for n in range(2, 43)]
    protocols = [tlv(Param.PER_ANTENNA_AIR_PROTOCOL, struct.pack(">HHB", p, 1, 1)) for p in range(1, facts.ports + 1)]
    gpio = tlv(Param.GPIO_CAPABILITIES, struct.pack(">HH", _GPIO, _GPIO))
    return tlv(Param.GENERAL_DEVICE_CAPABILITIES, fixed + b"".join(sensitivity) + gpio + b"".join(protocols))


def _llrp() -> bytes:
    can_warn_and_hold = 0x40 | 0x08
    return tlv(
        Param.LLRP_CAPABILITIES,
        struct.pack(">BBHIIIII", can_warn_and_hold, 1, 0, MAX_ROSPECS, 32, 16, MAX_ACCESSSPECS, 8),
    )


def _regulatory() -> bytes:
    levels = (tlv(Param.TRANSMIT_POWER, struct.pack(">HH", n, 975 + 25 * n)) for n in range(1, _POWER_LEVELS + 1))
    frequencies = struct.pack(">50I", *(902_750 + 500 * place for place in _HOP_ORDER))
    hops = tlv(Param.FREQUENCY_HOP_TABLE, struct.pack(">BBH", 1, 0, 50) + frequencies)
    modes = (tlv(Param.UHF_RF_MODE, struct.pack(">IBBBBIIIII", *mode)) for mode in _RF_MODES)
    band = b"".join(levels) + tlv(Param.FREQUENCY_INFORMATION, b"\x80" + hops)
    band += tlv(Param.UHF_RF_MODE_TABLE, b"".join(modes))
    return tlv(Param.REGULATORY_CAPABILITIES, struct.pack(">HH", 840, 1) + tlv(Param.UHF_BAND_CAPABILITIES, band))


def _antenna(port: int) -> bytes:
    control = tlv(Param.C1G2_RF_CONTROL, struct.pack(">HH", 1000, 0))
    singulation = tlv(Param.C1G2_SINGULATION_CONTROL, struct.pack(">BHI", 2 << 6, 32, 0))
    return tlv(
        Param.ANTENNA_CONFIGURATION,
        struct.pack(">H", port)
        + tlv(Param.RF_RECEIVER, struct.pack(">H", 1))
        + tlv(Param.RF_TRANSMITTER, struct.pack(">HHH", 1, 1, _POWER_LEVELS))
        + tlv(Param.C1G2_INVENTORY_COMMAND, b"\0" + control + singulation),
    )


def _notices(wanted: frozenset[int]) -> bytes:
    states = (tlv(Param.EVENT_NOTIFICATION_STATE, struct.pack(">HB", kind, (kind in wanted) << 7)) for kind in Notice)
    return tlv(Param.EVENT_NOTIFICATION_SPEC, b"".join(states))
