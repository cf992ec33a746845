"""Files of LLRP frames: real ones against their XML twins, and what `decode_file` makes of any others."""

import re
import struct
from datetime import datetime
from pathlib import Path
from xml.etree import ElementTree

from hypothesis import given
from hypothesis import strategies as st
from llrpdata import golden_frames, message, plain_tag, tlv, tv

from edge.llrp.body import Fields, Value
from edge.llrp.frames import decode_file

KEEPALIVE = message(62, b"")
REPORT = message(61, plain_tag(1) + plain_tag(2))
GREETING = message(63, tlv(246, tlv(128, struct.pack(">Q", 1)) + tlv(256, b"\0\0")))


# Real frames


def test_every_real_frame_decodes_as_its_xml_twin_says() -> None:
    frames = tags = 0
    for file in golden_frames():
        decoded = list(decode_file(file.read_bytes()))
        twins = xml_messages(file.with_suffix(".xml"))
        if "dx301" in file.stem:  # the twin holds broken XML; the binary its answers: one ERROR_MESSAGE for each
            assert [frame["type"] for frame in decoded] == ["ERROR_MESSAGE"] * len(twins)
            assert all(frame["fields"] == {"LLRPStatus": SUCCESS} for frame in decoded)
            frames += len(decoded)
            continue
        assert len(decoded) == len(twins)
        for frame, twin in zip(decoded, twins, strict=True):
            assert "error" not in frame
            assert (frame["type"], frame["id"]) == (plain_name(twin.tag), int(twin.attrib["MessageID"]))
            if frame["type"] == "RO_ACCESS_REPORT":
                expected = [xml_tag(tag) for tag in twin]
                assert frame["tags"] == expected
                tags += len(expected)
            else:
                fields = xml_fields(twin)
                if file.stem == "ADD_ROSPEC2":
                    fields = swap_session_bits(fields)
                assert normal(frame["fields"]) == fields
            frames += 1
    assert frames == 24 + 78 + 13
    assert tags > 100


def swap_session_bits(value: Value) -> Value:
    """The Java toolkit wrote the two bits of Session 1 as 10; by the standard, and for every reader, that is 2."""
    if isinstance(value, list):
        return [swap_session_bits(inner) for inner in value]
    if isinstance(value, dict):
        return {name: "2" if name == "Session" else swap_session_bits(inner) for name, inner in value.items()}
    return value


SUCCESS = {"StatusCode": "M_Success", "ErrorDescription": ""}


def xml_messages(file: Path) -> list[ElementTree.Element]:
    root = ElementTree.fromstring(file.read_text(encoding="utf-8"))
    return list(root) if plain_name(root.tag) == "packetSequence" else [root]


def plain_name(tag: str) -> str:
    return tag.rsplit("}", 1)[-1]


def xml_tag(report: ElementTree.Element) -> Fields:
    """A TagReportData of the XML in the form that `decode_file` gives."""
    names = {
        "AntennaID": "antenna", "PeakRSSI": "rssi_dbm", "TagSeenCount": "count", "ChannelIndex": "channel",
        "FirstSeenTimestampUTC": "first_seen_us", "LastSeenTimestampUTC": "last_seen_us", "ROSpecID": "rospec",
        "SpecIndex": "spec_index", "InventoryParameterSpecID": "inventory_spec", "C1G2_PC": "pc", "C1G2_CRC": "crc",
    }  # fmt: skip
    tag: Fields = {}
    for parameter in report:
        (field,) = parameter
        name, text = plain_name(parameter.tag), field.text or ""
        if name in ("EPCData", "EPC_96"):
            tag["epc"] = text.lower()
            bits = int(field.attrib.get("Count", 96))
            if bits % 8:
                tag["epc_bits"] = bits
        else:
            tag[names[name]] = microseconds(text) if name.endswith("UTC") else int(text)
    return tag


def microseconds(text: str) -> int:
    moment = datetime.fromisoformat(text.replace("Z", "+00:00"))
    return int(moment.timestamp()) * 1_000_000 + moment.microsecond


def xml_fields(element: ElementTree.Element) -> Fields:
    """Fields and parameters of an XML message, as text in lower case; what stands several times is a list."""
    out: Fields = {}
    for child in element:
        value: Value = xml_fields(child) if len(child) else normal_text(child.text or "")
        name = plain_name(child.tag)
        before = out.get(name)
        out[name] = value if before is None else [*(before if isinstance(before, list) else [before]), value]
    return out


def normal_text(text: str) -> str:
    text = text.strip().lower()
    return str(microseconds(text.upper())) if re.match(r"\d{4}-\d\d-\d\dt", text) else text


def normal(value: Value) -> Value:
    """What was decoded, in the same form."""
    if isinstance(value, dict):
        if set(value) == {"Bits", "Hex"}:
            return normal(value["Hex"])
        return {name: normal(inner) for name, inner in value.items()}
    if isinstance(value, list):
        if value and all(isinstance(inner, dict) for inner in value):
            return [normal(inner) for inner in value]
        return " ".join(f"{word:04x}" if len(value) > 2 and isinstance(word, int) else str(word) for word in value)
    return str(value).lower()


# Any file


@given(st.binary(max_size=600))
def test_a_file_of_anything_decodes_to_messages_and_errors(data: bytes) -> None:
    for one in decode_file(data + REPORT + data):
        assert ("type" in one) or ("error" in one and "offset" in one)


def test_a_file_cut_off_in_the_middle_says_so_and_the_rest_is_read() -> None:
    decoded = list(decode_file(REPORT[:50] + GREETING + KEEPALIVE))
    assert [one.get("type") for one in decoded if "error" not in one] == ["READER_EVENT_NOTIFICATION", "KEEPALIVE"]
    assert [one["offset"] for one in decoded if "error" in one]
    (last,) = list(decode_file(KEEPALIVE[:7]))
    assert last == {"error": "7 bytes of an unfinished message", "offset": 0}


def test_a_body_with_wrong_lengths_names_the_place() -> None:
    (one,) = decode_file(message(30, tlv(287, b"\0\0\0\xff")))
    assert one["type"] == "ADD_ROSPEC_RESPONSE"
    assert one["error"] == "LLRPStatus.ErrorDescription of 255 bytes where 0 are left"
    nested = b""
    for _ in range(200):
        nested = tlv(209, nested)
    (deep,) = decode_file(message(40, nested))
    assert "within each other" in str(deep["error"])


def test_unknown_parameters_are_kept_as_they_are() -> None:
    (one,) = decode_file(message(30, tlv(287, bytes(4)) + tlv(900, b"\x01\x02")))
    assert one["fields"] == {"LLRPStatus": SUCCESS, "Unknown": {"Type": 900, "Data": "0102"}}


def test_a_file_of_zeros_is_one_error() -> None:
    assert list(decode_file(bytes(5_000_000))) == [
        {"error": "no LLRP header: reserved bits 0, version 0", "offset": 0},
    ]


def test_the_keys_of_a_report_are_those_that_others_rely_on() -> None:
    (decoded,) = decode_file(message(61, plain_tag(5), message_id=9))
    assert (decoded["type"], decoded["id"]) == ("RO_ACCESS_REPORT", 9)
    (tag,) = decoded["tags"]
    assert tag["epc"] == "30" + f"{5:022x}"
    assert (tag["antenna"], tag["rssi_dbm"], tag["count"]) == (2, -55, 1)
    assert tag["first_seen_us"] == tag["last_seen_us"] == 1_700_000_000_000_005


def test_what_llrp_1_1_added_is_read_in_its_own_version_only() -> None:
    able = tlv(287, bytes(4)) + tlv(327, b"\xfc\0\5")
    old, new = decode_file(message(11, able) + b"\x08" + message(11, able)[1:])
    assert old["fields"]["C1G2LLRPCapabilities"] == {
        "CanSupportBlockErase": 1,
        "CanSupportBlockWrite": 1,
        "MaxNumSelectFiltersPerQuery": 5,
    }
    assert new["fields"]["C1G2LLRPCapabilities"]["CanSupportXPC"] == 1
    (version,) = decode_file(b"\x08" + message(56, b"\1\2" + tlv(287, bytes(4)))[1:])
    assert version == {
        "type": "GET_SUPPORTED_VERSION_RESPONSE",
        "id": 7,
        "fields": {"CurrentVersion": 1, "SupportedVersion": 2, "LLRPStatus": SUCCESS},
    }


def test_what_was_done_to_a_tag_is_told_by_name() -> None:
    done = tlv(349, struct.pack(">BHH2H", 0, 3, 2, 0xE280, 0x1160)) + tlv(350, struct.pack(">BHH", 2, 4, 0))
    (decoded,) = decode_file(message(61, tlv(240, tv(13, bytes(12)) + tv(16, struct.pack(">I", 9)) + done)))
    (tag,) = decoded["tags"]
    assert tag["access_spec"] == 9
    assert tag["other"] == {
        "C1G2ReadOpSpecResult": {"Result": "Success", "OpSpecID": 3, "ReadData": [0xE280, 0x1160]},
        "C1G2WriteOpSpecResult": {"Result": "Tag_Memory_Locked_Error", "OpSpecID": 4, "NumWordsWritten": 0},
    }


def test_an_unknown_tv_parameter_costs_what_stands_behind_it_in_its_parameter() -> None:
    strange = tlv(240, tv(13, bytes(12)) + tv(1, b"\0\2") + tv(99, b"\x86\xc4"))
    (decoded,) = decode_file(message(61, strange + plain_tag(1)))
    first, second = decoded["tags"]
    assert first == {"epc": "00" * 12, "antenna": 2, "other": {"Unknown": {"Type": 99, "Data": "86c4"}}}
    assert second["epc"] == "30" + f"{1:022x}"
