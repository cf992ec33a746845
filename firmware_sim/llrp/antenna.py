"""How the reader drives one antenna: power, sensitivity, Gen2 session, Select filters (LLRP 1.0.1 sections 16.2.6.6 to
16.2.6.8 and 16.3.1.2), from the reader's configuration and from what an ROSpec says otherwise.
"""

import struct
from typing import NamedTuple

from firmware_sim.errors import BadFrame
from firmware_sim.llrp import impinj
from firmware_sim.llrp.frames import Parameter, fields, parameters, tlv
from firmware_sim.llrp.impinj import SearchMode
from firmware_sim.llrp.mask import MAX_FILTERS, Filter, read_filter
from firmware_sim.llrp.words import Param, Status

POWER_LEVELS = 81
POWER_STEP_DB = 0.25
LOWEST_DBM = 10.0
SENSITIVITIES = 42

_WORD = struct.Struct(">H")
_BYTE = struct.Struct(">B")
_TRANSMITTER = struct.Struct(">HHH")
_RF_CONTROL = struct.Struct(">HH")
_SINGULATION = struct.Struct(">BHI")


class AntennaSetting(NamedTuple):
    """AntennaConfiguration; the defaults are the factory's."""

    power: int = POWER_LEVELS
    """Index into the power table, from 1; the last is the highest."""
    sensitivity: int = 1
    """Index into the sensitivity table, from 1, the best."""
    session: int = 2
    mode: int = 1000
    tari: int = 0
    population: int = 32
    transit_ms: int = 0
    state_aware: bool = False
    targets_one_state: bool = False
    """C1G2TagInventoryStateAwareSingulationAction: only tags in one state of their inventoried flag answer."""
    filters: tuple[Filter, ...] = ()
    search: SearchMode = SearchMode.READER_SELECTED
    raw_filters: bytes = b""
    """The filters as they came."""

    @property
    def attenuation_db(self) -> float:
        """Below the highest power."""
        return (POWER_LEVELS - self.power) * POWER_STEP_DB

    @property
    def deafness_db(self) -> int:
        """Below the best sensitivity."""
        return sensitivity_db(self.sensitivity)

    @property
    def single_target(self) -> bool:
        """Whether a tag that was read stays silent until its session lets it forget (Gen2 section 6.3.2.10)."""
        return self.search == SearchMode.SINGLE_TARGET or (self.state_aware and self.targets_one_state)


def sensitivity_db(index: int) -> int:
    """Entry of the ReceiveSensitivityTable, in dB below the best."""
    return 0 if index == 1 else index + 8


def power_dbm(index: int) -> float:
    """Entry of the TransmitPowerLevelTable."""
    return LOWEST_DBM + POWER_STEP_DB * (index - 1)


def antenna_of(parameter: Parameter) -> int:
    """The antenna that an AntennaConfiguration is about, 0 for all; raises `BadFrame`."""
    return fields(_WORD, parameter.value, "AntennaConfiguration")[0]


def changed(before: AntennaSetting, parameter: Parameter) -> AntennaSetting:
    """The setting after an AntennaConfiguration, which leaves what it does not name; raises `BadFrame`."""
    setting = before
    for one in parameters(parameter.value[_WORD.size :], "AntennaConfiguration"):
        if one.type == Param.RF_TRANSMITTER:
            hops, _, power = fields(_TRANSMITTER, one.value, "RFTransmitter")
            _within(hops, 1, "RFTransmitter: HopTableID")
            _within(power, POWER_LEVELS, "RFTransmitter: TransmitPower")
            setting = setting._replace(power=power or POWER_LEVELS)
        elif one.type == Param.RF_RECEIVER:
            (sensitivity,) = fields(_WORD, one.value, "RFReceiver")
            _within(sensitivity, SENSITIVITIES, "RFReceiver: ReceiverSensitivity")
            setting = setting._replace(sensitivity=sensitivity or 1)
        elif one.type == Param.C1G2_INVENTORY_COMMAND:
            setting = _commanded(setting, one)
    return setting


def write_antenna(port: int, setting: AntennaSetting) -> bytes:
    """The AntennaConfiguration of a setting (without what a vendor added)."""
    control = tlv(Param.C1G2_RF_CONTROL, _RF_CONTROL.pack(setting.mode, setting.tari))
    singulation = _SINGULATION.pack(setting.session << 6, setting.population, setting.transit_ms)
    return tlv(
        Param.ANTENNA_CONFIGURATION,
        _WORD.pack(port)
        + tlv(Param.RF_RECEIVER, _WORD.pack(setting.sensitivity))
        + tlv(Param.RF_TRANSMITTER, _TRANSMITTER.pack(1, 1, setting.power))
        + tlv(
            Param.C1G2_INVENTORY_COMMAND,
            bytes([setting.state_aware << 7])
            + setting.raw_filters
            + control
            + tlv(Param.C1G2_SINGULATION_CONTROL, singulation),
        ),
    )


def _commanded(before: AntennaSetting, parameter: Parameter) -> AntennaSetting:
    """A C1G2InventoryCommand. Its filters replace all that were there."""
    (flags,) = fields(_BYTE, parameter.value, "C1G2InventoryCommand")
    inner = list(parameters(parameter.value[_BYTE.size :], "C1G2InventoryCommand"))
    named = [one for one in inner if one.type == Param.C1G2_FILTER]
    if len(named) > MAX_FILTERS:
        raise BadFrame(Status.OVERFLOW_PARAMETER, f"C1G2InventoryCommand: {len(named)} filters, {MAX_FILTERS} at most")
    setting = before._replace(
        state_aware=bool(flags & 0x80),
        filters=tuple(read_filter(one) for one in named),
        raw_filters=b"".join(one.raw for one in named),
    )
    for one in inner:
        if one.type == Param.C1G2_SINGULATION_CONTROL:
            session, population, transit_ms = fields(_SINGULATION, one.value, "C1G2SingulationControl")
            extra = parameters(one.value[_SINGULATION.size :], "C1G2SingulationControl")
            setting = setting._replace(
                session=session >> 6,
                population=population,
                transit_ms=transit_ms,
                targets_one_state=any(other.type == Param.C1G2_STATE_AWARE_SINGULATION for other in extra),
            )
        elif one.type == Param.C1G2_RF_CONTROL:
            mode, tari = fields(_RF_CONTROL, one.value, "C1G2RFControl")
            setting = setting._replace(mode=mode, tari=tari)
        elif impinj.subtype_of(one) == impinj.Sub.INVENTORY_SEARCH_MODE:
            setting = setting._replace(search=impinj.read_search_mode(one))
    return setting


def _within(value: int, most: int, what: str) -> None:
    """0 is what clients send who leave the choice to the reader."""
    if value > most:
        raise BadFrame(Status.PARAMETER_ERROR, f"{what} {value}: this reader has 1 to {most}")
