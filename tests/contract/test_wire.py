"""The wire codec: round trip, garbage, bounds."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from contract import topics, wire
from contract.errors import BadMessage, BadTopic
from contract.events import Condition, Event

SIZES = st.integers(min_value=1, max_value=2**62)
NAMES = st.from_regex(r"[a-z0-9-]{1,40}", fullmatch=True)


@st.composite
def conditions(draw):
    return Condition(
        at_us=draw(st.integers(0, 4_102_444_800_000_000)),
        decided_us=draw(st.integers(0, 4_102_444_800_000_000)),
        device=draw(st.text(min_size=1, max_size=100)),
        zone=draw(NAMES),
        quantity=draw(st.sampled_from(["temperature_c", "humidity_pct", "weight_kg", "door_open"])),
        value=draw(st.floats(allow_nan=False, allow_infinity=False)),
    )


@given(events=st.lists(conditions(), min_size=1, max_size=20), first=SIZES, agent=NAMES)
def test_a_batch_survives_the_way(events, first, agent):
    data = wire.encode_batch(agent, "e1", first, 1, tuple(wire.encode(event) for event in events))
    batch = wire.decode_batch(data)
    assert (batch.agent, batch.epoch, batch.first, batch.floor) == (agent, "e1", first, 1)
    assert [wire.decode_event(raw) for raw in batch.events] == events


@given(ack=st.builds(wire.Ack, epoch=st.text(max_size=40), through=SIZES, resend=st.booleans(), renumber=st.booleans()))
def test_an_ack_survives_the_way(ack):
    assert wire.decode_ack(wire.encode(ack)) == ack


@given(data=st.binary(max_size=300))
@pytest.mark.parametrize("decode", [wire.decode_batch, wire.decode_event, wire.decode_ack, wire.decode_status])
def test_garbage_raises_bad_message_and_nothing_else(decode, data):
    with pytest.raises(BadMessage):
        decode(data)


@given(
    data=st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(),
        lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    )
)
@pytest.mark.parametrize("decode", [wire.decode_batch, wire.decode_event, wire.decode_ack, wire.decode_status])
def test_json_that_is_no_message_raises_bad_message(decode, data):
    with pytest.raises(BadMessage):
        decode(msgspec.json.encode(data))


def test_deeply_nested_json_is_refused_and_not_recursed_into():
    with pytest.raises(BadMessage):
        wire.decode_batch(b"[" * 60_000)


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"schema": 99}, "schema 99"),
        ({"first": 0}, "first 0"),
        ({"floor": 0}, "floor 0"),
        ({"floor": 6}, "floor 6"),
        ({"events": []}, "0 events"),
        ({"epoch": ""}, "epoch"),
        ({"first": 2**63}, "63 bits"),
        ({"first": "1"}, r"\$\.first"),
    ],
)
def test_a_batch_that_cannot_be_is_refused_with_its_reason(change, says):
    good = {"schema": 1, "agent": "a", "epoch": "e", "first": 5, "floor": 1, "events": [{}]}
    with pytest.raises(BadMessage, match=says):
        wire.decode_batch(msgspec.json.encode(good | change))


def test_an_oversized_batch_is_refused_before_it_is_parsed():
    with pytest.raises(BadMessage, match="at most"):
        wire.decode_batch(b" " * (wire.MAX_BATCH_BYTES + 1))


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("at_us", -1),
        ("at_us", 2**70),
        ("confidence", 1.5),
        ("epcs", ["XYZ"]),
        ("epcs", ["aa\n"]),
        ("epcs", ["aa" * 63]),
        ("epcs", []),
        ("door", ""),
    ],
)
def test_a_door_pass_outside_its_bounds_names_the_field(field, value):
    from pathlib import Path

    golden = msgspec.json.decode((Path(__file__).parents[2] / "contract/examples/door_pass.json").read_bytes())
    with pytest.raises(BadMessage, match=rf"\$\.{field}"):
        wire.decode_event(msgspec.json.encode(golden | {field: value}))


def test_an_unknown_field_is_skipped_so_that_a_newer_agent_is_understood():
    event: Event = Condition(at_us=1, decided_us=2, device="d", zone="z", quantity="temperature_c", value=1.0)
    newer = msgspec.json.decode(wire.encode(event)) | {"added_later": 1}
    assert wire.decode_event(msgspec.json.encode(newer)) == event


@given(site=NAMES, agent=NAMES, channel=st.sampled_from(["events", "status", "ack", "command", "evidence"]))
def test_a_topic_survives_the_way(site, agent, channel):
    topic = topics.Topic(site, agent, channel)
    assert topics.parse(str(topic)) == topic


@given(text=st.text(max_size=60))
def test_a_strange_topic_raises_bad_topic(text):
    with pytest.raises(BadTopic):
        topics.parse(text)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ('{"epoch":"e","through":-1}', r"\$\.through"),
        ('{"epoch":"e","through":9223372036854775808}', r"\$\.through"),
        ('{"epoch":"e","through":1e3}', r"\$\.through"),
        ('{"epoch":"e","through":NaN}', "malformed"),
        ('{"epoch":"e","through":' + "9" * 4000 + "}", r"\$\.through"),
        ('{"epoch":"' + "e" * 65 + '","through":1}', r"\$\.epoch"),
        ('{"epoch":"\\ud800","through":1}', "surrogate"),
        ('{"epoch":"' + "e" * 5000 + '","through":1}', "at most 4096"),
    ],
)
def test_an_ack_outside_its_bounds_is_refused_with_its_reason(text, says):
    with pytest.raises(BadMessage, match=says):
        wire.decode_ack(text.encode())


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("at_us", "-1"),
        ("at_us", "9" * 30),
        ("made", "-1"),
        ("made", "9223372036854775808"),
        ("waiting", "-1"),
        ("epoch", '"' + "e" * 65 + '"'),
        ("version", '"' + "v" * 101 + '"'),
        ("interval_s", "0"),
        ("interval_s", "1e300"),
        ("interval_s", "1e999"),
    ],
)
def test_a_status_outside_its_bounds_names_the_field(field, value):
    with pytest.raises(BadMessage, match=rf"\$\.{field}"):
        wire.decode_status(f'{{"agent":"a","state":"online","{field}":{value}}}'.encode())


def test_a_batch_of_exactly_the_limit_is_read_and_one_byte_more_is_not():
    empty = wire.encode_batch("a", "e", 1, 1, (b'""',))
    full = wire.encode_batch("a", "e", 1, 1, (b'"' + b"x" * (wire.MAX_BATCH_BYTES - len(empty)) + b'"',))
    assert len(full) == wire.MAX_BATCH_BYTES
    assert len(wire.decode_batch(full).events) == 1
    with pytest.raises(BadMessage, match="at most"):
        wire.decode_batch(full + b" ")
