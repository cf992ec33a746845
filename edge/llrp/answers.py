"""What a reader's answers say: its abilities, the ROSpecs it holds, and why it refuses."""

from typing import NamedTuple

from edge.errors import Blinded, Held
from edge.llrp.body import Fields
from edge.llrp.powers import Power


class Abilities(NamedTuple):
    """What we need to know of GET_READER_CAPABILITIES_RESPONSE (LLRP 1.0.1 section 9.2)."""

    antennas: int
    powers: tuple[Power, ...]
    """Weakest first; empty if it does not tell."""
    holds_reports: bool
    warns: bool
    """Before its report buffer is full."""
    inputs: int = 0
    """GPI ports."""
    vendor: int = 0


def abilities(answer: Fields) -> Abilities:
    """The abilities in an answer that carries all capabilities."""
    device, llrp = below(answer, "GeneralDeviceCapabilities"), below(answer, "LLRPCapabilities")
    return Abilities(
        antennas=number(device, "MaxNumberOfAntennaSupported"),
        powers=_powers(answer),
        holds_reports=bool(llrp.get("SupportsEventAndReportHolding")),
        warns=bool(llrp.get("CanReportBufferFillWarning")),
        inputs=number(below(device, "GPIOCapabilities"), "NumGPIs"),
        vendor=number(device, "DeviceManufacturerName"),
    )


def _powers(answer: Fields) -> tuple[Power, ...]:
    """TransmitPowerLevelTableEntry (section 9.2.4.1.1): an index, and hundredths of a dBm."""
    table = below(below(answer, "RegulatoryCapabilities"), "UHFBandCapabilities")
    powers = []
    for entry in each(table, "TransmitPowerLevelTableEntry"):
        match entry:
            case {"Index": int(index), "TransmitPowerValue": int(hundredths)}:
                powers.append(Power(index, hundredths / 100))
    return tuple(sorted(powers, key=lambda power: (power.dbm, power.index)))


def check_greeting(event: Fields, advice: str) -> None:
    """Raises `Held` with that advice where the status of a ConnectionAttemptEvent (section 13.2.6.11) says that another
    client holds the reader, `Blinded` for any other that is no success."""
    status = event.get("Status")
    if status in _HELD:
        raise Held(f"another client holds the reader: {advice}")
    if status != "Success":
        raise Blinded(f"the reader refuses the connection: {status}")


_HELD = (
    "Failed_A_Client_Initiated_Connection_Already_Exists",
    "Failed_A_Reader_Initiated_Connection_Already_Exists",
)


def below(fields: Fields, name: str) -> Fields:
    """The parameter of that name, or an empty one; of several the first."""
    return next(iter(each(fields, name)), {})


def each(fields: Fields, name: str) -> list[Fields]:
    """All parameters of that name."""
    value = fields.get(name)
    return [one for one in (value if isinstance(value, list) else [value]) if isinstance(one, dict)]


def number(fields: Fields, name: str) -> int:
    """The field of that name, or 0."""
    value = fields.get(name)
    return value if isinstance(value, int) else 0


def refusal(answer: Fields) -> str:
    """Why an answer's LLRPStatus (section 14.2.2) is not a success, or nothing."""
    status = below(answer, "LLRPStatus")
    code = status.get("StatusCode", "no LLRPStatus")
    if code == "M_Success":
        return ""
    words = [str(code), str(status.get("ErrorDescription", ""))]
    inner: Fields = status
    while inner := below(inner, "ParameterError"):
        words.append(f"parameter {inner.get('ParameterType')}: {inner.get('ErrorCode')}")
    return ", ".join(word for word in words if word)
