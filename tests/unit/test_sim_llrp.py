"""The simulator's own LLRP codec: sllurp reads what it writes, golden bytes, and garbage."""

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sllurp.llrp import LLRPMessage
from sllurp.llrp_proto import LLRPROSpec

from firmware_sim.errors import BadFrame
from firmware_sim.llrp.frames import Parameter, encode, parameters, status
from firmware_sim.llrp.impinj import VendorContents
from firmware_sim.llrp.report import Seen, protocol_control, tag_report
from firmware_sim.llrp.reportrule import Contents, ReportRule, ReportWhen, read_report_rule, write_report_rule
from firmware_sim.llrp.rospec import AiStop, Observe, Start, State, Stop, read_rospec
from firmware_sim.llrp.words import Message, Param, Status
from firmware_sim.tagmemory import crc16

FLAGS = st.lists(st.booleans(), min_size=15, max_size=15).map(
    lambda flags: Contents(*flags[:12], vendor=VendorContents(*flags[12:]))
)
WORD, LONG = st.integers(0, 0xFFFF), st.integers(0, 0xFFFFFFFF)
TIME = st.integers(0, 2**63)
SEEN = st.builds(
    Seen,
    epc=st.binary(min_size=1, max_size=62),
    rospec=LONG,
    step=WORD,
    inventory=WORD,
    antenna=WORD,
    rssi_cdbm=st.integers(-12_800, 12_700),
    channel=WORD,
    first_us=TIME,
    last_us=TIME,
    times=WORD,
    phase=st.integers(0, 4095),
    doppler=st.integers(-32768, 32767),
    pc=st.none(),
    accessspec=LONG,
    results=st.just(b""),
)


@given(SEEN, FLAGS, st.booleans())
def test_sllurp_reads_our_tag_reports_as_they_were_meant(seen: Seen, contents: Contents, utc: bool) -> None:
    data = encode(Message.RO_ACCESS_REPORT, 9, tag_report(seen, contents, utc=utc) * 2)
    first, second = LLRPMessage(msgbytes=data).msgdict["RO_ACCESS_REPORT"]["TagReportData"]
    assert first == second
    clock = "UTC" if utc else "Uptime"
    expected = {
        "EPC": seen.epc.hex().encode(),
        **({"EPC-96": seen.epc.hex().encode()} if len(seen.epc) == 12 else {}),
        **({"ROSpecID": seen.rospec} if contents.rospec_id else {}),
        **({"SpecIndex": seen.step} if contents.spec_index else {}),
        **({"InventoryParameterSpecID": seen.inventory} if contents.inventory_id else {}),
        **({"AntennaID": seen.antenna} if contents.antenna else {}),
        **({"PeakRSSI": round(seen.rssi_cdbm / 100)} if contents.rssi else {}),
        **({"ChannelIndex": seen.channel} if contents.channel else {}),
        **({f"FirstSeenTimestamp{clock}": seen.first_us} if contents.first_seen else {}),
        **({f"LastSeenTimestamp{clock}": seen.last_us} if contents.last_seen else {}),
        **({"TagSeenCount": seen.times} if contents.seen_count else {}),
        **({"AccessSpecID": seen.accessspec} if contents.access_id else {}),
        **({"C1G2PC": protocol_control(seen.epc)} if contents.pc else {}),
        **({"C1G2CRC": crc16(protocol_control(seen.epc).to_bytes(2, "big") + seen.epc)} if contents.crc else {}),
        **({"ImpinjRFPhaseAngle": seen.phase} if contents.vendor.phase else {}),
        **({"ImpinjPeakRSSI": seen.rssi_cdbm} if contents.vendor.peak_rssi else {}),
        **({"ImpinjRFDopplerFrequency": seen.doppler} if contents.vendor.doppler else {}),
    }
    assert first == expected


def test_a_tag_report_has_these_very_bytes() -> None:
    epc = bytes.fromhex("303435fc8803d056d15b963f")
    seen = Seen(epc, 1, 1, 1, 3, -6_000, 7, 1_700_000_000_000_000, 1_700_000_000_000_500, 2, 0, 0)
    contents = Contents(spec_index=False, inventory_id=False, access_id=False)
    golden = (
        "00f00033 8d303435fc8803d056d15b963f 8900000001 810003 86c4 8700078200060a24181e4000 8400060a24181e41f4 880002"
    )
    assert tag_report(seen, contents, utc=True).hex() == golden.replace(" ", "")


def test_the_crc_is_that_of_the_standard() -> None:
    # CRC-16/GENIBUS of "123456789" is 0xD64E.
    assert crc16(b"123456789") == reference_crc(b"123456789") == 0xD64E
    assert crc16(bytes.fromhex("3000e2001160200d014820103fe3")) == reference_crc(
        bytes.fromhex("3000e2001160200d014820103fe3")
    )


def reference_crc(data: bytes) -> int:
    """CRC-16/GENIBUS by long division over bits, written the other way round."""
    register = 0xFFFF
    for bit in "".join(f"{byte:08b}" for byte in data):
        top = register >> 15 ^ int(bit)
        register = (register << 1 & 0xFFFF) ^ (0x1021 * top)
    return register ^ 0xFFFF


def rospec_of(**arguments: object) -> Parameter:
    spec = LLRPROSpec(None, 7, **arguments)
    data = LLRPMessage(msgdict={"ADD_ROSPEC": {"ID": 1, "ROSpecID": 7, "ROSpec": dict(spec)}}).msgbytes[10:]
    (parameter,) = parameters(data, "ADD_ROSPEC")
    return parameter


def test_an_rospec_written_by_sllurp_is_understood() -> None:
    vendor = {"EnableRFPhaseAngle": True, "EnablePeakRSSI": False, "EnableRFDopplerFrequency": True}
    wanted = {"EnablePeakRSSI": True, "EnableFirstSeenTimestamp": True, "EnableROSpecID": False}
    spec = read_rospec(
        rospec_of(
            antennas=(1, 3),
            duration_sec=2.5,
            report_every_n_tags=4,
            report_timeout_ms=900,
            tag_content_selector=wanted,
            impinj_tag_content_selector=vendor,
        ),
        ports=4,
    )
    assert (spec.id, spec.start, spec.stop_ms) == (7, Start.IMMEDIATE, 2500)
    (step,) = spec.steps
    assert step.antennas == frozenset({1, 3})
    assert step.inventory_id == 1
    assert step.stop == AiStop(Stop.OBSERVATION, 900, Observe.N_TAGS, 4, 0)
    assert spec.report is not None
    assert spec.report.when == ReportWhen.N_OR_END_OF_AISPEC
    contents = spec.report.contents
    assert (contents.rospec_id, contents.rssi, contents.first_seen, contents.channel) == (False, True, True, False)
    assert contents.vendor == VendorContents(phase=True, peak_rssi=False, doppler=True)
    assert spec.as_parameter(State.ACTIVE)[9] == State.ACTIVE
    assert spec.as_parameter(State.DISABLED) == spec.raw


def test_antenna_zero_means_all_antennas() -> None:
    assert read_rospec(rospec_of(antennas=(0,)), ports=4).steps[0].antennas == frozenset()


@given(FLAGS, st.sampled_from(ReportWhen), WORD)
def test_a_report_rule_comes_back_from_its_bytes(contents: Contents, when: ReportWhen, n: int) -> None:
    (parameter,) = parameters(write_report_rule(ReportRule(when, n, contents)), "test")
    assert read_report_rule(parameter) == ReportRule(when, n, contents)


@given(st.sampled_from(Status), st.text(max_size=50))
def test_sllurp_reads_our_status(code: Status, text: str) -> None:
    data = encode(Message.ERROR_MESSAGE, 1, status(code, text))
    read = LLRPMessage(msgbytes=data).msgdict["ERROR_MESSAGE"]["LLRPStatus"]
    assert read["ErrorDescription"] == text.encode()
    assert ("FieldError" in read) == (code == Status.FIELD_ERROR)


@given(st.binary(max_size=200))
def test_garbage_is_parameters_or_one_clear_error(data: bytes) -> None:
    try:
        found = list(parameters(data, "the test"))
    except BadFrame as error:
        reason = str(error)
    else:
        assert b"".join(parameter.raw for parameter in found) == data
        return
    assert reason.startswith("the test: ")


@given(st.binary(max_size=120))
def test_garbage_is_an_rospec_or_one_clear_error(data: bytes) -> None:
    try:
        read_rospec(Parameter(Param.ROSPEC, data, b"\0\0\0\0" + data), ports=4)
    except BadFrame as error:
        code = error.status
    else:
        return
    assert code != Status.SUCCESS


@pytest.mark.parametrize("missing", [Param.RO_BOUNDARY_SPEC, Param.AISPEC])
def test_a_missing_part_is_named(missing: Param) -> None:
    whole = rospec_of()
    inner = [one for one in parameters(whole.value[6:], "test") if one.type != missing]
    with pytest.raises(BadFrame) as caught:
        read_rospec(whole._replace(value=whole.value[:6] + b"".join(one.raw for one in inner)), ports=4)
    assert caught.value.status == Status.MISSING_PARAMETER


def test_a_frame_has_its_header() -> None:
    assert encode(Message.KEEPALIVE, 5) == struct.pack(">HII", 1 << 10 | 62, 10, 5)
