"""GS1 keys as URIs, against what the tags themselves say."""

import random
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contract.epc import identify
from contract.epc_writing import write_sgtin
from contract.errors import BadEpc
from contract.gs1 import TEXT
from gateway.epcis.gs1uri import canonical, digital_link, parse

HEADERS = [0x2C, 0x2D, 0x2E, *range(0x30, 0x35), *range(0x36, 0x3A), *range(0x3C, 0x42), *range(0xF0, 0xFC)]


def test_a_tags_uri_names_the_key_that_the_tag_holds() -> None:
    chance = random.Random(7)
    met = Counter[str | None]()
    for _ in range(12_000):
        size = chance.choice([96, 112, 176, 208, 240])
        digits = (chance.choice(["0", "00", "000", "5", "9", "07"]) for _ in range(60))
        bits = f"{chance.choice(HEADERS):08b}{chance.getrandbits(3):03b}{chance.randrange(7):03b}"
        bits += f"{chance.getrandbits(12):012b}"
        bits += "".join(f"{int(text):0{chance.choice([3, 4, 7, 11])}b}" for text in digits)
        identity = identify(f"{int(bits.ljust(size, '0')[:size], 2):0{size // 4}x}")
        if identity.elements:
            met[identity.scheme] += 1
            assert parse(identity.uri).elements == identity.elements
            assert canonical(identity.uri) == digital_link(identity.elements)
    assert len(met) >= 12, met


@given(st.text(st.sampled_from(sorted(TEXT)), min_size=1, max_size=20), st.none() | st.integers(6, 12))
def test_any_serial_is_read_as_it_was_written(serial: str, prefix_digits: int | None) -> None:
    key = parse(identify(write_sgtin("09506000134352", serial, prefix_digits)).uri)
    assert (key.get("01"), key.get("21"), key.prefix_digits) == ("09506000134352", serial, prefix_digits)


@pytest.mark.parametrize(
    ("uri", "key"),
    [
        ("urn:epc:class:lgtin:9506000.013435.L%2F1", "https://id.gs1.org/01/09506000134352/10/L%2F1"),
        ("urn:epc:idpat:sgtin:9506000.013435.*", "https://id.gs1.org/01/09506000134352"),
        ("urn:epc:id:pgln:9506000.11111", "https://id.gs1.org/417/9506000111117"),
        ("https://shop.example/a/gtin/9506000134352/lot/x?17=260101", "https://id.gs1.org/01/09506000134352/10/x"),
        ("https://id.gs1.org/01/09506000134352/22/2A/10/L1/21/7#top", "https://id.gs1.org/01/09506000134352/21/7"),
        ("https://example.org/00/00/095060000000000015/", "https://id.gs1.org/00/095060000000000015"),
    ],
)
def test_other_ways_to_name_a_key_mean_the_same(uri: str, key: str) -> None:
    assert canonical(uri) == key
    assert canonical(key) == key


@given(
    st.sampled_from(
        ["urn:epc:id:", "urn:epc:id:sgtin:", "urn:epc:idpat:sgtin:", "https://id.gs1.org/", "https://x/253/", ""]
    ),
    st.text(alphabet=st.sampled_from("0123456789.:/*%?#é²"), max_size=40) | st.text(max_size=20),
)
def test_any_text_is_a_key_or_refused(start: str, rest: str) -> None:
    try:
        key = parse(start + rest)
    except BadEpc:
        assert canonical(start + rest) == start + rest
    else:
        assert canonical(start + rest) == digital_link(key.elements)
