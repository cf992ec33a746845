"""What a client changes about the reader with SET_READER_CONFIG (LLRP 1.0.1 section 12.1.3)."""

import struct
from typing import NamedTuple

from firmware_sim.errors import BadFrame
from firmware_sim.llrp import impinj
from firmware_sim.llrp.antenna import AntennaSetting, antenna_of, changed
from firmware_sim.llrp.frames import Parameter, fields, parameters
from firmware_sim.llrp.impinj import LinkMonitor
from firmware_sim.llrp.reportrule import AccessReportWhen, ReportRule, read_access_report_rule, read_report_rule
from firmware_sim.llrp.rospec import GPI_PORTS
from firmware_sim.llrp.words import Param, Status

GPO_PORTS = 4


class Settings(NamedTuple):
    """What SET_READER_CONFIG changes; the defaults are the factory's."""

    antennas: tuple[AntennaSetting, ...]
    """By port, from 1."""
    keepalive_ms: int = 0
    hold: bool = False
    """HoldEventsAndReportsUponReconnect."""
    report: ReportRule = ReportRule()
    access_report: AccessReportWhen = AccessReportWhen.WITH_ROREPORT
    notices: frozenset[int] = frozenset()
    """Kinds of `Notice` that the client wants."""
    inputs: frozenset[int] = frozenset()
    """GPI ports that are enabled: the others trigger nothing and tell nothing."""
    outputs: frozenset[int] = frozenset()
    """GPO ports that are high."""
    link_monitor: LinkMonitor = LinkMonitor()

    def antenna(self, port: int) -> AntennaSetting:
        """How an antenna is driven where no ROSpec says otherwise."""
        return self.antennas[port - 1]


def factory(ports: int) -> Settings:
    """The settings of a reader with so many antennas, fresh from the factory."""
    return Settings((AntennaSetting(),) * ports)


def set_reader_config(settings: Settings, body: bytes) -> tuple[Settings, bool]:
    """The settings after a SET_READER_CONFIG, and whether it asked for a factory reset; raises `BadFrame`."""
    (flags,) = fields(_BYTE, body, "SET_READER_CONFIG")
    reset = bool(flags & 0x80)
    settings = factory(len(settings.antennas)) if reset else settings
    for parameter in parameters(body[_BYTE.size :], "SET_READER_CONFIG"):
        settings = _changed(settings, parameter)
    return settings, reset


_BYTE = struct.Struct(">B")
_KEEPALIVE = struct.Struct(">BI")
_STATE = struct.Struct(">HB")


def _changed(settings: Settings, parameter: Parameter) -> Settings:
    """Settings with one parameter of SET_READER_CONFIG applied; raises `BadFrame`."""
    value = parameter.value
    match parameter.type:
        case Param.KEEPALIVE_SPEC:
            periodic, interval_ms = fields(_KEEPALIVE, value, "KeepaliveSpec")
            if periodic > 1:
                raise BadFrame(Status.PARAMETER_ERROR, f"KeepaliveSpec: trigger {periodic}")
            return settings._replace(keepalive_ms=interval_ms if periodic else 0)
        case Param.RO_REPORT_SPEC:
            return settings._replace(report=read_report_rule(parameter))
        case Param.ACCESS_REPORT_SPEC:
            return settings._replace(access_report=read_access_report_rule(parameter))
        case Param.EVENTS_AND_REPORTS:
            (flags,) = fields(_BYTE, value, "EventsAndReports")
            return settings._replace(hold=bool(flags & 0x80))
        case Param.EVENT_NOTIFICATION_SPEC:
            return settings._replace(notices=_wanted(value, settings.notices))
        case Param.ANTENNA_CONFIGURATION:
            return settings._replace(antennas=_driven(settings.antennas, parameter))
        case Param.GPI_CURRENT_STATE:
            return settings._replace(inputs=_switched(settings.inputs, value, GPI_PORTS, "GPIPortCurrentState"))
        case Param.GPO_WRITE_DATA:
            return settings._replace(outputs=_switched(settings.outputs, value, GPO_PORTS, "GPOWriteData"))
        case Param.CUSTOM:
            if impinj.subtype_of(parameter) == impinj.Sub.LINK_MONITOR:
                return settings._replace(link_monitor=impinj.read_link_monitor(parameter))
            return settings
        case Param.ANTENNA_PROPERTIES:
            raise BadFrame(Status.UNSUPPORTED_PARAMETER, "AntennaProperties: this reader cannot set an antenna's gain")
    raise BadFrame(Status.UNEXPECTED_PARAMETER, f"SET_READER_CONFIG: parameter {parameter.type} does not belong here")


def _driven(before: tuple[AntennaSetting, ...], parameter: Parameter) -> tuple[AntennaSetting, ...]:
    """Each antenna's setting after an AntennaConfiguration for one or, with 0, for all."""
    named = antenna_of(parameter)
    if named > len(before):
        raise BadFrame(Status.PARAMETER_ERROR, f"AntennaConfiguration: antenna {named} of {len(before)}")
    return tuple(
        changed(setting, parameter) if named in (0, port) else setting for port, setting in enumerate(before, start=1)
    )


def _switched(before: frozenset[int], value: bytes, ports: int, where: str) -> frozenset[int]:
    port, flags = fields(_STATE, value, where)
    if not 1 <= port <= ports:
        raise BadFrame(Status.PARAMETER_ERROR, f"{where}: port {port}, this reader has {ports}")
    return before | {port} if flags & 0x80 else before - {port}


def _wanted(data: bytes, before: frozenset[int]) -> frozenset[int]:
    for parameter in parameters(data, "ReaderEventNotificationSpec"):
        kind, flags = fields(_STATE, parameter.value, "EventNotificationState")
        before = before | {kind} if flags & 0x80 else before - {kind}
    return before
