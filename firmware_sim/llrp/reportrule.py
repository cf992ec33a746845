"""When tags are reported, and what a report holds (ROReportSpec and AccessReportSpec: LLRP 1.0.1 section 13.2)."""

import struct
from enum import IntEnum
from typing import NamedTuple

from firmware_sim.errors import BadFrame
from firmware_sim.llrp import impinj
from firmware_sim.llrp.frames import Parameter, fields, parameters, tlv
from firmware_sim.llrp.impinj import VendorContents
from firmware_sim.llrp.words import Param, Status

_BYTE = struct.Struct(">B")
_WORD = struct.Struct(">H")
_REPORT = struct.Struct(">BH")


class ReportWhen(IntEnum):
    """ROReportTrigger."""

    NONE = 0
    N_OR_END_OF_AISPEC = 1
    N_OR_END_OF_ROSPEC = 2


class AccessReportWhen(IntEnum):
    """AccessReportTrigger."""

    WITH_ROREPORT = 0
    END_OF_ACCESSSPEC = 1


class Contents(NamedTuple):
    """TagReportContentSelector: what a tag report holds besides the EPC."""

    rospec_id: bool = True
    spec_index: bool = True
    inventory_id: bool = True
    antenna: bool = True
    channel: bool = True
    rssi: bool = True
    first_seen: bool = True
    last_seen: bool = True
    seen_count: bool = True
    access_id: bool = False
    crc: bool = False
    pc: bool = False
    vendor: VendorContents = VendorContents()


class ReportRule(NamedTuple):
    """ROReportSpec."""

    when: ReportWhen = ReportWhen.N_OR_END_OF_ROSPEC
    n: int = 0
    """Tag reports in a message; 0 for no limit."""
    contents: Contents = Contents()


def read_report_rule(parameter: Parameter) -> ReportRule:
    """An ROReportSpec; raises `BadFrame`."""
    when, n = fields(_REPORT, parameter.value, "ROReportSpec")
    if when > ReportWhen.N_OR_END_OF_ROSPEC:
        raise BadFrame(Status.PARAMETER_ERROR, f"ROReportSpec: trigger {when} is not of LLRP 1.0.1")
    contents = Contents()
    for one in parameters(parameter.value[_REPORT.size :], "ROReportSpec"):
        if one.type == Param.TAG_REPORT_CONTENT_SELECTOR:
            contents = _read_selector(one, contents)
        elif impinj.subtype_of(one) == impinj.Sub.TAG_REPORT_CONTENT_SELECTOR:
            contents = contents._replace(vendor=impinj.read_contents(one))
    return ReportRule(ReportWhen(when), n, contents)


def write_report_rule(rule: ReportRule) -> bytes:
    """The ROReportSpec parameter of a rule; the vendor's selector only where it asks for something."""
    contents = rule.contents
    bits = sum(bool(flag) << 15 - place for place, flag in enumerate(contents[:10]))
    memory = tlv(Param.C1G2_EPC_MEMORY_SELECTOR, bytes([contents.crc << 7 | contents.pc << 6]))
    selector = tlv(Param.TAG_REPORT_CONTENT_SELECTOR, _WORD.pack(bits) + memory)
    vendor = impinj.write_contents(contents.vendor) if any(contents.vendor) else b""
    return tlv(Param.RO_REPORT_SPEC, _REPORT.pack(rule.when, rule.n) + selector + vendor)


def read_access_report_rule(parameter: Parameter) -> AccessReportWhen:
    """An AccessReportSpec; raises `BadFrame`."""
    (when,) = fields(_BYTE, parameter.value, "AccessReportSpec")
    if when > AccessReportWhen.END_OF_ACCESSSPEC:
        raise BadFrame(Status.PARAMETER_ERROR, f"AccessReportSpec: trigger {when}")
    return AccessReportWhen(when)


def _read_selector(parameter: Parameter, before: Contents) -> Contents:
    (bits,) = fields(_WORD, parameter.value, "TagReportContentSelector")
    on = dict(zip(Contents._fields, (bool(bits >> 15 - place & 1) for place in range(10)), strict=False))
    contents = before._replace(**on)  # type: ignore[arg-type]  # the first ten fields are flags
    for one in parameters(parameter.value[2:], "TagReportContentSelector"):
        if one.type == Param.C1G2_EPC_MEMORY_SELECTOR:
            (flags,) = fields(_BYTE, one.value, "C1G2EPCMemorySelector")
            contents = contents._replace(crc=bool(flags & 0x80), pc=bool(flags & 0x40))
    return contents
