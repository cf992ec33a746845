"""TagReportData and READER_EVENT_NOTIFICATION as bytes (LLRP 1.0.1 sections 13.2.3 and 13.2.6)."""

import struct
from typing import NamedTuple

from firmware_sim.llrp import impinj
from firmware_sim.llrp.frames import tlv
from firmware_sim.llrp.reportrule import Contents
from firmware_sim.llrp.words import Param
from firmware_sim.tagmemory import crc16


class Seen(NamedTuple):
    """One entry of a report: a tag at an antenna, singulated `times` times. Times are by the reader's own clock."""

    epc: bytes
    rospec: int
    step: int
    """1 for the first AISpec."""
    inventory: int
    antenna: int
    rssi_cdbm: int
    """In 1/100 dBm."""
    channel: int
    first_us: int
    last_us: int
    times: int
    phase: int
    doppler: int
    pc: int | None = None
    """None where it follows from the length of the EPC."""
    accessspec: int = 0
    results: bytes = b""
    """OpSpecResult parameters of the AccessSpec."""


def tag_report(seen: Seen, contents: Contents, *, utc: bool) -> bytes:
    """One TagReportData parameter with what the selector asks for."""
    if len(seen.epc) == 12:
        parts = [bytes([0x80 | Param.EPC_96]) + seen.epc]
    else:
        parts = [tlv(Param.EPC_DATA, struct.pack(">H", len(seen.epc) * 8) + seen.epc)]
    first, last = (
        (Param.FIRST_SEEN_UTC, Param.LAST_SEEN_UTC) if utc else (Param.FIRST_SEEN_UPTIME, Param.LAST_SEEN_UPTIME)
    )
    pc = protocol_control(seen.epc) if seen.pc is None else seen.pc
    wanted = (
        (contents.rospec_id, Param.ROSPEC_ID, ">I", seen.rospec),
        (contents.spec_index, Param.SPEC_INDEX, ">H", seen.step),
        (contents.inventory_id, Param.INVENTORY_PARAMETER_SPEC_ID, ">H", seen.inventory),
        (contents.antenna, Param.ANTENNA_ID, ">H", seen.antenna),
        (contents.rssi, Param.PEAK_RSSI, ">b", max(-128, min(127, round(seen.rssi_cdbm / 100)))),
        (contents.channel, Param.CHANNEL_INDEX, ">H", seen.channel),
        (contents.first_seen, first, ">Q", seen.first_us),
        (contents.last_seen, last, ">Q", seen.last_us),
        (contents.seen_count, Param.TAG_SEEN_COUNT, ">H", min(65535, seen.times)),
        (contents.pc, Param.C1G2_PC, ">H", pc),
        (contents.crc, Param.C1G2_CRC, ">H", crc16(pc.to_bytes(2, "big") + seen.epc)),
        (contents.access_id, Param.ACCESSSPEC_ID, ">I", seen.accessspec),
    )
    parts += [bytes([0x80 | kind]) + struct.pack(layout, value) for wish, kind, layout, value in wanted if wish]
    parts.append(seen.results)
    parts.append(impinj.tag_data(contents.vendor, seen.phase, seen.rssi_cdbm, seen.doppler))
    return tlv(Param.TAG_REPORT_DATA, b"".join(parts))


def event(at_us: int, kind: Param, value: bytes = b"", *, utc: bool) -> bytes:
    """The body of a READER_EVENT_NOTIFICATION with one event."""
    stamp = tlv(Param.UTC_TIMESTAMP if utc else Param.UPTIME, struct.pack(">Q", at_us))
    return tlv(Param.EVENT_NOTIFICATION_DATA, stamp + tlv(kind, value))


def protocol_control(epc: bytes) -> int:
    """The PC word of a tag with this EPC: its length in words in the upper five bits (Gen2 section 6.3.2.1.2.2)."""
    return (len(epc) + 1) // 2 << 11
