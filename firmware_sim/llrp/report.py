"""TagReportData and READER_EVENT_NOTIFICATION as bytes (LLRP 1.0.1 sections 13.2.3 and 13.2.6)."""

import struct
from typing import NamedTuple

from firmware_sim.llrp.frames import custom, tlv
from firmware_sim.llrp.rospec import Contents
from firmware_sim.llrp.words import IMPINJ, Param

_PHASE, _RSSI, _DOPPLER = 56, 57, 68


class Seen(NamedTuple):
    """One entry of a report: a tag at an antenna, singulated `times` times. Times are by the reader's own clock."""

    epc: bytes
    rospec: int
    step: int
    """1 for the first AISpec."""
    inventory: int
    antenna: int
    rssi_dbm: int
    channel: int
    first_us: int
    last_us: int
    times: int
    phase: int
    doppler: int


def _tv(kind: int, layout: str, value: int) -> bytes:
    return bytes([0x80 | kind]) + struct.pack(layout, value)


def tag_report(seen: Seen, contents: Contents, *, utc: bool) -> bytes:
    """One TagReportData parameter with what the selector asks for."""
    bits = len(seen.epc) * 8
    if len(seen.epc) == 12:
        parts = [bytes([0x80 | Param.EPC_96]) + seen.epc]
    else:
        parts = [tlv(Param.EPC_DATA, struct.pack(">H", bits) + seen.epc)]
    first, last = (
        (Param.FIRST_SEEN_UTC, Param.LAST_SEEN_UTC) if utc else (Param.FIRST_SEEN_UPTIME, Param.LAST_SEEN_UPTIME)
    )
    wanted = (
        (contents.rospec_id, Param.ROSPEC_ID, ">I", seen.rospec),
        (contents.spec_index, Param.SPEC_INDEX, ">H", seen.step),
        (contents.inventory_id, Param.INVENTORY_PARAMETER_SPEC_ID, ">H", seen.inventory),
        (contents.antenna, Param.ANTENNA_ID, ">H", seen.antenna),
        (contents.rssi, Param.PEAK_RSSI, ">b", max(-128, min(127, seen.rssi_dbm))),
        (contents.channel, Param.CHANNEL_INDEX, ">H", seen.channel),
        (contents.first_seen, first, ">Q", seen.first_us),
        (contents.last_seen, last, ">Q", seen.last_us),
        (contents.seen_count, Param.TAG_SEEN_COUNT, ">H", min(65535, seen.times)),
        (contents.pc, Param.C1G2_PC, ">H", protocol_control(seen.epc)),
        (contents.crc, Param.C1G2_CRC, ">H", crc16(seen.epc)),
        (contents.access_id, Param.ACCESSSPEC_ID, ">I", 0),
    )
    parts += [_tv(kind, layout, value) for wish, kind, layout, value in wanted if wish]
    vendor = (
        (contents.phase, _PHASE, ">H", seen.phase),
        (contents.fine_rssi, _RSSI, ">h", seen.rssi_dbm * 100),
        (contents.doppler, _DOPPLER, ">h", seen.doppler),
    )
    parts += [custom(IMPINJ, subtype, struct.pack(layout, value)) for wish, subtype, layout, value in vendor if wish]
    return tlv(Param.TAG_REPORT_DATA, b"".join(parts))


def event(at_us: int, kind: Param, value: bytes = b"", *, utc: bool) -> bytes:
    """The body of a READER_EVENT_NOTIFICATION with one event."""
    stamp = tlv(Param.UTC_TIMESTAMP if utc else Param.UPTIME, struct.pack(">Q", at_us))
    return tlv(Param.EVENT_NOTIFICATION_DATA, stamp + tlv(kind, value))


def protocol_control(epc: bytes) -> int:
    """The PC word of a tag with this EPC: its length in words in the upper five bits (Gen2 section 6.3.2.1.2.2)."""
    return (len(epc) + 1) // 2 << 11


def crc16(epc: bytes) -> int:
    """StoredCRC over PC and EPC (Gen2 annex F: polynomial 0x1021, preset 0xFFFF, ones' complement)."""
    value = 0xFFFF
    for byte in struct.pack(">H", protocol_control(epc)) + epc:
        value ^= byte << 8
        for _ in range(8):
            value = (value << 1 ^ (0x1021 if value & 0x8000 else 0)) & 0xFFFF
    return value ^ 0xFFFF
