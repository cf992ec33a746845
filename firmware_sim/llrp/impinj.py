"""The extensions of vendor 25882 that this reader has (Octane LLRP; Impinj's published LLRP definitions).

They are off on every new connection until the client sends IMPINJ_ENABLE_EXTENSIONS; parameters of this vendor are
refused before that. Readers may be more lenient, a client must not rely on it.

Custom parameter: | TLV head, type 1023 | vendor (32) | subtype (32) | value |
Custom message:   | LLRP head, type 1023 | vendor (32) | subtype (8) | value |
"""

import struct
from enum import IntEnum
from typing import NamedTuple

from firmware_sim.errors import BadFrame
from firmware_sim.llrp.frames import Parameter, custom, fields, parameters
from firmware_sim.llrp.words import Param, Status

VENDOR = 25882
MODEL = 2_001_002
ENABLE_EXTENSIONS, EXTENSIONS_ENABLED = 21, 22
"""Subtypes of custom messages."""
MESSAGE_HEAD = struct.Struct(">IB")

_HEAD = struct.Struct(">II")
_WORD = struct.Struct(">H")
_LONG = struct.Struct(">I")
_PAIR = struct.Struct(">HH")


class Sub(IntEnum):
    """Subtypes of custom parameters."""

    REQUESTED_DATA = 21
    INVENTORY_SEARCH_MODE = 23
    DETAILED_VERSION = 29
    READER_TEMPERATURE = 37
    LINK_MONITOR = 38
    REPORT_BUFFER = 39
    TAG_REPORT_CONTENT_SELECTOR = 50
    ENABLE_PHASE = 52
    ENABLE_PEAK_RSSI = 53
    PHASE = 56
    PEAK_RSSI = 57
    ENABLE_DOPPLER = 67
    DOPPLER = 68


class SearchMode(IntEnum):
    """ImpinjInventorySearchMode: whether tags that were read are read again while they remember it."""

    READER_SELECTED = 0
    SINGLE_TARGET = 1
    DUAL_TARGET = 2


class VendorContents(NamedTuple):
    """ImpinjTagReportContentSelector: the vendor's fields in tag reports."""

    phase: bool = False
    peak_rssi: bool = False
    doppler: bool = False


class LinkMonitor(NamedTuple):
    """ImpinjLinkMonitorConfiguration: hang up on a client that leaves so many keepalives unacknowledged."""

    enabled: bool = False
    threshold: int = 0


def subtype_of(parameter: Parameter) -> int | None:
    """The subtype of one of this vendor's parameters; None for any other. Raises `BadFrame`."""
    if parameter.type != Param.CUSTOM:
        return None
    vendor, subtype = fields(_HEAD, parameter.value, "Custom")
    return subtype if vendor == VENDOR else None


def read_contents(parameter: Parameter) -> VendorContents:
    """An ImpinjTagReportContentSelector; raises `BadFrame`."""
    inner = parameters(parameter.value[_HEAD.size :], "ImpinjTagReportContentSelector")
    on = {subtype_of(one) for one in inner if subtype_of(one) in _SWITCHES and _word(one) == 1}
    return VendorContents(*(subtype in on for subtype in _SWITCHES))


def write_contents(contents: VendorContents) -> bytes:
    """The selector again, for GET_READER_CONFIG."""
    switches = (custom(VENDOR, subtype, _WORD.pack(on)) for subtype, on in zip(_SWITCHES, contents, strict=True))
    return custom(VENDOR, Sub.TAG_REPORT_CONTENT_SELECTOR, b"".join(switches))


_SWITCHES = (Sub.ENABLE_PHASE, Sub.ENABLE_PEAK_RSSI, Sub.ENABLE_DOPPLER)
"""In the order of `VendorContents`."""


def read_link_monitor(parameter: Parameter) -> LinkMonitor:
    """An ImpinjLinkMonitorConfiguration; raises `BadFrame`."""
    mode, threshold = fields(_PAIR, parameter.value[_HEAD.size :], "ImpinjLinkMonitorConfiguration")
    if mode > 1:
        raise BadFrame(Status.PARAMETER_ERROR, f"ImpinjLinkMonitorConfiguration: mode {mode}")
    return LinkMonitor(mode == 1, threshold)


def read_search_mode(parameter: Parameter) -> SearchMode:
    """An ImpinjInventorySearchMode; raises `BadFrame` for one that this reader has not."""
    mode = _word(parameter)
    if mode not in SearchMode.__members__.values():
        raise BadFrame(Status.UNSUPPORTED_PARAMETER, f"ImpinjInventorySearchMode: this reader has no mode {mode}")
    return SearchMode(mode)


def requested(data: bytes, where: str) -> tuple[int, ...]:
    """The RequestedData of each ImpinjRequestedData in a run of parameters; raises `BadFrame`."""
    wanted = [one for one in parameters(data, where) if subtype_of(one) == Sub.REQUESTED_DATA]
    return tuple(fields(_LONG, one.value[_HEAD.size :], "ImpinjRequestedData")[0] for one in wanted)


def detailed_version(firmware: str) -> bytes:
    """ImpinjDetailedVersion: model, serial number, software, firmware, FPGA and board, each as a string."""
    words = (text.encode() for text in ("Simulated R420", "370-00-00-00", firmware, firmware, "1.0", "1.0"))
    return custom(VENDOR, Sub.DETAILED_VERSION, b"".join(_WORD.pack(len(word)) + word for word in words))


def link_monitor(monitor: LinkMonitor) -> bytes:
    """ImpinjLinkMonitorConfiguration."""
    return custom(VENDOR, Sub.LINK_MONITOR, _PAIR.pack(monitor.enabled, monitor.threshold))


def temperature() -> bytes:
    """ImpinjReaderTemperature, in degrees Celsius."""
    return custom(VENDOR, Sub.READER_TEMPERATURE, _WORD.pack(36))


def report_buffer() -> bytes:
    """ImpinjReportBufferConfiguration: normal."""
    return custom(VENDOR, Sub.REPORT_BUFFER, _WORD.pack(0))


def tag_data(contents: VendorContents, phase: int, rssi_cdbm: int, doppler: int) -> bytes:
    """What a selector adds to a TagReportData: phase (4096ths of a turn), RSSI (1/100 dBm), Doppler (1/16 Hz)."""
    return b"".join(
        custom(VENDOR, subtype, struct.pack(layout, value))
        for wish, subtype, layout, value in (
            (contents.phase, Sub.PHASE, ">H", phase),
            (contents.peak_rssi, Sub.PEAK_RSSI, ">h", rssi_cdbm),
            (contents.doppler, Sub.DOPPLER, ">h", doppler),
        )
        if wish
    )


def _word(parameter: Parameter) -> int:
    return fields(_WORD, parameter.value[_HEAD.size :], "Custom")[0]
