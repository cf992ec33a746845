"""What a tag is to the ledger, whatever coding scheme its EPC has."""

import pytest

from contract.epc_plus import PLUS, write_plus
from contract.epc_writing import write_sgtin, write_sscc
from contract.site import Agent, Item, Site, Zone
from contract.sitepart import Title
from gateway.documents.itemmaster import ItemMaster
from gateway.ledger.house import House, Tag

GTIN = "09506000134352"
TITLE = Title(en="Lemons", zh="柠檬")
SITE = Site(
    site="plant-1",
    title=TITLE,
    agents=[Agent(name="dock")],
    zones=[Zone(name="hall", title=TITLE)],
    items=[Item(sku="lemon-4kg", gtin=GTIN, title=TITLE)],
)
HEADERS = {scheme.name: header for header, scheme in PLUS.items()}
CASES = {
    "sgtin-96": write_sgtin(GTIN, "1", 7),
    "sgtin-96, other prefix length": write_sgtin(GTIN, "1", 11),
    "sgtin-198": write_sgtin(GTIN, "A-1", 7),
    "sgtin+": write_sgtin(GTIN, "A-1"),
    "dsgtin+": write_plus(HEADERS["dsgtin+"], (("01", GTIN), ("21", "A-1")), 2, ("17", "261231")),
    "itip+, first of two pieces": write_plus(HEADERS["itip+"], (("8006", GTIN + "0102"), ("21", "1")), 0),
}


@pytest.mark.parametrize("epc", CASES.values(), ids=CASES.keys())
def test_a_case_has_its_sku_whatever_scheme_its_tag_has(epc: str) -> None:
    for digits in (epc, epc.upper()):
        assert House(SITE).tag(digits) == Tag("unit", "lemon-4kg")
        assert ItemMaster(House(SITE)).no_case(digits) is None


@pytest.mark.parametrize("prefix_digits", [7, None])
def test_a_pallet_is_a_container(prefix_digits: int | None) -> None:
    epc = write_sscc("106141412345678908", prefix_digits)
    assert House(SITE).tag(epc) == Tag("container", None)
    assert ItemMaster(House(SITE)).no_pallet(epc) is None


def test_the_other_pieces_of_an_item_are_no_units_of_their_own() -> None:
    second = write_plus(HEADERS["itip+"], (("8006", GTIN + "0202"), ("21", "1")), 0)
    assert House(SITE).tag(second) == Tag("other", None)


def test_what_is_not_ours_is_other_and_says_why() -> None:
    overflowed = f"{0x30 << 88 | 1 << 85 | 5 << 82 | (10**7) << 58 | 1:024x}"
    for epc, why in [(overflowed, "company prefix 10000000 has more than 7 digits"), ("e2" * 12, "header E2")]:
        assert House(SITE).tag(epc) == Tag("other", None)
        assert why in str(ItemMaster(House(SITE)).no_case(epc))
        assert why in str(ItemMaster(House(SITE)).no_pallet(epc))
