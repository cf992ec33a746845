"""What a client changes about the reader with SET_READER_CONFIG (LLRP 1.0.1 section 12.1.4)."""

import struct
from typing import NamedTuple

from firmware_sim.errors import BadFrame
from firmware_sim.llrp.frames import Parameter, fields, parameters
from firmware_sim.llrp.rospec import ReportRule, read_report_rule
from firmware_sim.llrp.words import Param, Status


class Settings(NamedTuple):
    """What SET_READER_CONFIG changes; the defaults are the factory's."""

    keepalive_ms: int = 0
    hold: bool = False
    """HoldEventsAndReportsUponReconnect."""
    report: ReportRule = ReportRule()
    notices: frozenset[int] = frozenset()
    """Kinds of `Notice` that the client wants."""


def set_reader_config(settings: Settings, body: bytes) -> tuple[Settings, bool]:
    """The settings after a SET_READER_CONFIG, and whether it asked for a factory reset; raises `BadFrame`."""
    (flags,) = fields(_BYTE, body, "SET_READER_CONFIG")
    reset = bool(flags & 0x80)
    settings = Settings() if reset else settings
    for parameter in parameters(body[_BYTE.size :], "SET_READER_CONFIG"):
        settings = _changed(settings, parameter)
    return settings, reset


_BYTE = struct.Struct(">B")
_KEEPALIVE = struct.Struct(">BI")
_STATE = struct.Struct(">HB")
_ACCEPTED = {
    Param.ANTENNA_PROPERTIES, Param.ANTENNA_CONFIGURATION, Param.ACCESS_REPORT_SPEC, Param.GPI_CURRENT_STATE,
    Param.GPO_WRITE_DATA, Param.CUSTOM,
}  # fmt: skip


def _changed(settings: Settings, parameter: Parameter) -> Settings:
    """Settings with one parameter of SET_READER_CONFIG applied; raises `BadFrame`."""
    value = parameter.value
    if parameter.type == Param.KEEPALIVE_SPEC:
        periodic, interval_ms = fields(_KEEPALIVE, value, "KeepaliveSpec")
        if periodic > 1:
            raise BadFrame(Status.PARAMETER_ERROR, f"KeepaliveSpec: trigger {periodic}")
        return settings._replace(keepalive_ms=interval_ms if periodic else 0)
    if parameter.type == Param.RO_REPORT_SPEC:
        return settings._replace(report=read_report_rule(parameter))
    if parameter.type == Param.EVENTS_AND_REPORTS:
        (flags,) = fields(_BYTE, value, "EventsAndReports")
        return settings._replace(hold=bool(flags & 0x80))
    if parameter.type == Param.EVENT_NOTIFICATION_SPEC:
        return settings._replace(notices=_wanted(value, settings.notices))
    if parameter.type in _ACCEPTED:
        return settings
    raise BadFrame(Status.UNEXPECTED_PARAMETER, f"SET_READER_CONFIG: parameter {parameter.type} does not belong here")


def _wanted(data: bytes, before: frozenset[int]) -> frozenset[int]:
    for parameter in parameters(data, "ReaderEventNotificationSpec"):
        kind, flags = fields(_STATE, parameter.value, "EventNotificationState")
        before = before | {kind} if flags & 0x80 else before - {kind}
    return before
