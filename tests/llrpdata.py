"""Recorded data and reports made to order, for the tests of the RFID side."""

import csv
import os
import struct
from pathlib import Path
from typing import NamedTuple

import pytest

DATA = Path(os.environ.get("TRUECOUNT_DATA", Path(__file__).parents[1] / ".." / "shared" / "data"))


class Walk(NamedTuple):
    """One recorded pass: the tag went from the outside antennas to the inside ones."""

    file: Path
    inside: set[int]
    outside: set[int]


def recorded_walks() -> list[Walk]:
    """The real passes; skips the test where they are not at hand."""
    truth = DATA / "passes" / "truth.csv"
    if not truth.is_file():
        pytest.skip(f"no recorded passes in {DATA}: set TRUECOUNT_DATA")
    with truth.open(newline="") as file:
        return [
            Walk(truth.parent / row["file"], _antennas(row["end_side_antennas"]), _antennas(row["start_side_antennas"]))
            for row in csv.DictReader(file)
        ]


def golden_frames() -> list[Path]:
    """The LLRP Toolkit's binary files, each with an XML twin; skips the test where they are not at hand."""
    files = golden_files()
    if not files:
        pytest.skip(f"no LLRP frames in {DATA}: set TRUECOUNT_DATA")
    return files


def golden_files() -> list[Path]:
    """The same, or none."""
    return sorted((DATA / "llrp").glob("*/*.bin"))


def message(number: int, body: bytes, message_id: int = 7) -> bytes:
    """A whole LLRP message, version 1."""
    return struct.pack(">HII", 0x400 | number, 10 + len(body), message_id) + body


def tlv(number: int, value: bytes) -> bytes:
    """A TLV parameter."""
    return struct.pack(">HH", number, 4 + len(value)) + value


def tv(number: int, value: bytes) -> bytes:
    """A TV parameter."""
    return bytes([0x80 | number]) + value


def plain_tag(serial: int, *, vendor: bool = False) -> bytes:
    """A TagReportData as readers send it: EPC-96, antenna, RSSI, channel, both times, count."""
    at_us = 1_700_000_000_000_000 + serial
    value = tv(13, bytes([0x30]) + serial.to_bytes(11, "big")) + tv(9, struct.pack(">I", 1))
    value += tv(1, struct.pack(">H", serial % 4 + 1)) + tv(6, struct.pack(">b", -50 - serial % 20))
    value += tv(7, struct.pack(">H", serial % 50)) + tv(2, struct.pack(">Q", at_us)) + tv(4, struct.pack(">Q", at_us))
    value += tv(8, struct.pack(">H", 1))
    if vendor:
        value += _impinj(56, serial % 4096) + _impinj(57, 65536 - 5000 - serial % 20) + _impinj(68, serial % 100)
    return tlv(240, value)


def _impinj(subtype: int, value: int) -> bytes:
    return tlv(1023, struct.pack(">IIH", 25882, subtype, value))


def _antennas(text: str) -> set[int]:
    return {int(antenna) for antenna in text.split()}
