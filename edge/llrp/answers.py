"""What a reader's answers say: its abilities, and why it refuses."""

from typing import NamedTuple

from edge.llrp.body import Fields


class Abilities(NamedTuple):
    """What we need to know of GET_READER_CAPABILITIES_RESPONSE (LLRP 1.0.1 section 9.2)."""

    antennas: int
    powers: tuple[int, ...]
    """Indexes of the power table, weakest first."""
    holds_reports: bool
    warns: bool
    """Before its report buffer is full."""


def abilities(answer: Fields) -> Abilities:
    """The abilities in an answer that carries all capabilities."""
    device, llrp = below(answer, "GeneralDeviceCapabilities"), below(answer, "LLRPCapabilities")
    antennas = device.get("MaxNumberOfAntennaSupported")
    table = below(below(answer, "RegulatoryCapabilities"), "UHFBandCapabilities").get("TransmitPowerLevelTableEntry")
    levels = []
    for entry in table if isinstance(table, list) else [table]:
        match entry:
            case {"Index": int(index), "TransmitPowerValue": int(power)}:
                levels.append((power, index))
    return Abilities(
        antennas=antennas if isinstance(antennas, int) else 0,
        powers=tuple(index for _, index in sorted(levels)),
        holds_reports=bool(llrp.get("SupportsEventAndReportHolding")),
        warns=bool(llrp.get("CanReportBufferFillWarning")),
    )


def below(fields: Fields, name: str) -> Fields:
    """The parameter of that name, or an empty one; of several the first."""
    value = fields.get(name)
    if isinstance(value, list) and value:
        value = value[0]
    return value if isinstance(value, dict) else {}


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
