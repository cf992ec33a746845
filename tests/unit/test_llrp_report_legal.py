"""RO_ACCESS_REPORT: whatever LLRP 1.0.1 and 1.1 allow gives the same tags as two slower decoders."""

import struct
from random import Random
from typing import Any

import llrplegal
from hypothesis import given
from hypothesis import strategies as st
from llrpdata import message
from sllurp.llrp import LLRPMessage

from edge.llrp.body import Fields, Value, read_message
from edge.llrp.frames import Frame, Frames
from edge.llrp.report import ReportDecoder, TagReport

REPORT = 61
SEEDS = st.integers(0, 2**32 - 1)


@given(SEEDS)
def test_any_legal_report_gives_the_tags_that_a_thorough_walk_finds(seed: int) -> None:
    chance = Random(seed)
    body = llrplegal.report(chance)
    assert ReportDecoder(carry=False).decode(body) == walked(body)


@given(SEEDS)
def test_what_was_decoded_before_does_not_matter(seed: int) -> None:
    chance = Random(seed)
    used = ReportDecoder(carry=False)
    for _ in range(3):
        body = llrplegal.report(chance)
        assert used.decode(body) == ReportDecoder(carry=False).decode(body)


@given(SEEDS)
def test_any_legal_report_gives_the_tags_that_sllurp_finds(seed: int) -> None:
    """Leaving out what sllurp cannot read: bit counts that are no multiple of 8, and what stands outside of tags."""
    chance = Random(seed)
    body = b"".join(llrplegal.tag(chance, sllurp_shape(chance)) for _ in range(chance.randint(1, 9)))
    theirs = LLRPMessage(msgbytes=message(REPORT, body)).msgdict["RO_ACCESS_REPORT"]["TagReportData"]
    assert [as_sllurp(tag) for tag in ReportDecoder(carry=False).decode(body)] == [only_ours(tag) for tag in theirs]


@given(SEEDS, st.integers(1, 2))
def test_both_versions_of_the_standard_are_framed_and_decoded(seed: int, version: int) -> None:
    chance = Random(seed)
    body = llrplegal.report(chance)
    frames = Frames()
    frames.feed(struct.pack(">HII", version << 10 | REPORT, 10 + len(body), 5) + body)
    frame = frames.take()
    assert isinstance(frame, Frame)
    assert (frame.version, frame.body) == (version, body)
    assert tags_of(frame.fields()) == tags_of(read_message(REPORT, body, version=version))


def walked(body: bytes) -> list[TagReport]:
    """The tags by `read_message`: parameter by parameter, each by its definition."""
    return [_walked(tag) for tag in tags_of(read_message(REPORT, body, version=2))]


def tags_of(fields: Fields) -> list[Fields]:
    return [tag for tag in every(fields.get("TagReportData")) if isinstance(tag, dict)]


def every(value: Value | None) -> list[Value]:
    """What stands once, or several times, or not at all."""
    if value is None:
        return []
    return value if isinstance(value, list) else [value]


def _walked(tag: Fields) -> TagReport:
    values: dict[str, Any] = dict.fromkeys(TagReport.__struct_fields__) | {"uptime": False}
    fine = None
    for name, parameter in ((name, one) for name, found in tag.items() for one in every(found)):
        match name, parameter:
            case "EPC_96" | "EPCData", {"EPC": epc}:
                values["epc"] = epc["Hex"] if isinstance(epc, dict) else epc
            case "Custom", {"VendorIdentifier": 25882, "ParameterSubtype": 56, "Data": str(data)}:
                values["phase"] = int(data, 16)
            case "Custom", {"VendorIdentifier": 25882, "ParameterSubtype": 57, "Data": str(data)}:
                fine = struct.unpack(">h", bytes.fromhex(data))[0] / 100
            case "Custom", {"VendorIdentifier": 25882, "ParameterSubtype": 68, "Data": str(data)}:
                values["doppler"] = struct.unpack(">h", bytes.fromhex(data))[0]
            case str(), dict() if name in OURS:
                values[OURS[name]] = next(iter(parameter.values()))
                if "Timestamp" in name:
                    values["uptime"] = name.endswith("Uptime")
    if fine is not None:
        values["rssi_dbm"] = fine
    return TagReport(**values)


OURS = {
    "AntennaID": "antenna", "PeakRSSI": "rssi_dbm", "ChannelIndex": "channel", "TagSeenCount": "seen",
    "FirstSeenTimestampUTC": "first_seen_us", "LastSeenTimestampUTC": "last_seen_us",
    "FirstSeenTimestampUptime": "first_seen_us", "LastSeenTimestampUptime": "last_seen_us",
}  # fmt: skip


def sllurp_shape(chance: Random) -> list[llrplegal.Part]:
    while True:
        shape = llrplegal.tag_shape(chance)
        (tag,) = tags_of(read_message(REPORT, llrplegal.tag(chance, shape), version=2))
        bits = [one["EPC"]["Bits"] for one in every(tag.get("EPCData"))]  # type: ignore[call-overload, index]
        if all(count % 8 == 0 and count for count in bits) and not {"Unknown", "OpSpecID"} & tag.keys():
            return shape


def as_sllurp(tag: TagReport) -> dict[str, Any]:
    first, last = ("FirstSeenTimestampUptime", "LastSeenTimestampUptime") if tag.uptime else (
        "FirstSeenTimestampUTC", "LastSeenTimestampUTC")  # fmt: skip
    named = {
        "EPC": tag.epc.encode(), "AntennaID": tag.antenna, "ChannelIndex": tag.channel, "TagSeenCount": tag.seen,
        first: tag.first_seen_us, last: tag.last_seen_us, "rssi": tag.rssi_dbm,
        "ImpinjRFPhaseAngle": tag.phase, "ImpinjRFDopplerFrequency": tag.doppler,
    }  # fmt: skip
    return {name: value for name, value in named.items() if value is not None}


def only_ours(tag: dict[str, Any]) -> dict[str, Any]:
    wanted = {"EPC", "AntennaID", "ChannelIndex", "TagSeenCount", "FirstSeenTimestampUTC", "LastSeenTimestampUTC",
              "FirstSeenTimestampUptime", "LastSeenTimestampUptime", "ImpinjRFPhaseAngle",
              "ImpinjRFDopplerFrequency"}  # fmt: skip
    found = {name: value for name, value in tag.items() if name in wanted}
    rssi = tag["ImpinjPeakRSSI"] / 100 if "ImpinjPeakRSSI" in tag else tag.get("PeakRSSI")
    return found if rssi is None else found | {"rssi": rssi}
