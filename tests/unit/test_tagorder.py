"""What a person orders: one EPC, at one reader."""

from pathlib import Path

import pytest

from contract.epc import identify
from contract.errors import BadEpc
from contract.site_file import load
from edge.errors import TagTrouble
from edge.tagorder import reader, wish

GTIN = "09506000134352"
SITE_FILE = Path(__file__).parents[2] / "configs" / "site.yaml"


def test_an_item_a_pallet_or_bare_bits() -> None:
    assert identify(wish(gtin=GTIN, serial="123", prefix_digits=7).epc.hex()).scheme == "sgtin-96"
    assert identify(wish(gtin=GTIN, serial="123").epc.hex()).scheme == "sgtin+"
    assert identify(wish(sscc="106141412345678908", prefix_digits=7).epc.hex()).sscc == "106141412345678908"
    order = wish(epc="F90095201234567891235", password="C0ffee01", lock=True)
    assert (order.epc.hex(), order.password, order.lock) == ("f90095201234567891235000", 0xC0FFEE01, True)
    assert wish(epc="000").epc == bytes(2)


@pytest.mark.parametrize(
    ("order", "why"),
    [
        ({}, "name one EPC"),
        ({"gtin": GTIN}, "name one EPC"),
        ({"serial": "1", "epc": "30"}, "name one EPC"),
        ({"gtin": GTIN, "serial": "1", "sscc": "106141412345678908"}, "name one EPC"),
        ({"epc": "xyz"}, "no EPC in hexadecimal"),
        ({"epc": ""}, "no EPC in hexadecimal"),
        ({"epc": "0" * 125}, "no EPC in hexadecimal"),
        ({"epc": "30", "password": "1234"}, "8 hexadecimal digits"),
        ({"epc": "30", "password": "0x123456"}, "8 hexadecimal digits"),
    ],
)
def test_what_is_no_order_is_told(order: dict[str, str], why: str) -> None:
    with pytest.raises(TagTrouble, match=why):
        wish(**order)  # type: ignore[arg-type]  # as typer gives it: all of them texts


def test_a_key_that_is_wrong_is_told() -> None:
    with pytest.raises(BadEpc, match="check digit"):
        wish(gtin="09506000134353", serial="1")


def test_a_reader_of_the_site_file_or_any_other() -> None:
    site = load(SITE_FILE)
    known = site.doors[0].readers[0]
    assert reader(site, known.name, None, None) == (known, known.antennas)
    assert reader(site, known.name, None, 2) == (known, {2})
    at, antennas = reader(None, None, "10.0.0.7:15084", None)
    assert (at.host, at.port, antennas) == ("10.0.0.7", 15084, {0})
    at, antennas = reader(site, None, "bench.local", 3)
    assert (at.host, at.port, antennas) == ("bench.local", 5084, {3})


@pytest.mark.parametrize(
    ("name", "place", "why"),
    [
        (None, None, "name one reader"),
        ("x", "host", "name one reader"),
        ("nobody", None, "no reader is called 'nobody': there are "),
        (None, "host:", "no HOST"),
        (None, ":5084", "no HOST"),
        (None, "host:99999", "no HOST"),
    ],
)
def test_no_such_reader(name: str | None, place: str | None, why: str) -> None:
    with pytest.raises(TagTrouble, match=why):
        reader(load(SITE_FILE), name, place, None)
    with pytest.raises(TagTrouble, match="name one reader"):
        reader(None, "x", None, None)
