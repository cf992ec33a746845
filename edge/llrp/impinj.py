"""What Impinj added to LLRP and we use: a finer signal strength, phase, Doppler, and the reader's own link monitor.

A reader of this vendor takes its extensions only after IMPINJ_ENABLE_EXTENSIONS, once a connection. The numbers are
those of Impinj's published LLRP definitions (Octane LLRP), which Wireshark's dissector and sllurp's tables agree with.
"""

from struct import pack
from typing import Final

from edge.llrp.body import Fields
from edge.llrp.request import custom, message

VENDOR: Final = 25882
"""IANA private enterprise number, which GeneralDeviceCapabilities names as the manufacturer."""
CONTENTS: Final = {"EnableRFPhaseAngle": 1, "EnablePeakRSSI": 1, "EnableRFDopplerFrequency": 1}
"""ImpinjTagReportContentSelector, as sllurp wants it."""
_EXTENSIONS_ENABLED: Final = 22
ENABLE_EXTENSIONS: Final = pack(">IBI", VENDOR, 21, 0)
"""Body of an IMPINJ_ENABLE_EXTENSIONS: vendor, subtype, 32 reserved bits."""
_REQUESTED_DATA, _LINK_MONITOR = 21, 38
_LINK_MONITOR_CONFIGURATION: Final = 2005
"""ImpinjRequestedDataType."""


def enable_extensions(message_id: int) -> bytes:
    """IMPINJ_ENABLE_EXTENSIONS."""
    return message("CUSTOM_MESSAGE", message_id, ENABLE_EXTENSIONS)


def extensions_enabled(answer: Fields) -> bool:
    """Whether a CUSTOM_MESSAGE is IMPINJ_ENABLE_EXTENSIONS_RESPONSE with a status of success (LLRPStatus, code 0)."""
    ours = answer.get("VendorIdentifier") == VENDOR and answer.get("MessageSubtype") == _EXTENSIONS_ENABLED
    data = str(answer.get("Data", ""))
    return ours and data[:4] == "011f" and data[8:12] == "0000"


def link_monitor(missed: int) -> bytes:
    """ImpinjLinkMonitorConfiguration: the reader hangs up after so many keepalives without an acknowledgement.

    So a reader whose client died without a word is free for the next one.
    """
    return custom(VENDOR, _LINK_MONITOR, pack(">HH", 1, missed))


def ask_link_monitor() -> bytes:
    """ImpinjRequestedData, for a GET_READER_CONFIG: without it, the reader does not tell of its link monitor."""
    return custom(VENDOR, _REQUESTED_DATA, pack(">I", _LINK_MONITOR_CONFIGURATION))


def monitored(custom_parameter: Fields) -> int | None:
    """The number of an ImpinjLinkMonitorConfiguration, 0 where it is off; None for any other parameter."""
    if (custom_parameter.get("VendorIdentifier"), custom_parameter.get("ParameterSubtype")) != (VENDOR, _LINK_MONITOR):
        return None
    data = str(custom_parameter.get("Data", ""))
    return int(data[4:8], 16) if data[:4] == "0001" and len(data) == 8 else 0
