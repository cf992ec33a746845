"""What a person orders on the command line: which EPC, at which reader."""

import string
from collections.abc import Iterable

from contract.epc_bits import padded
from contract.epc_writing import write_sgtin, write_sscc
from contract.portals import Reader
from contract.site import Site
from edge.errors import TagTrouble
from edge.llrp.commission import Wish

LLRP_PORT = 5084
MAX_EPC_WORDS = 31


def wish(
    *,
    gtin: str | None = None,
    serial: str | None = None,
    sscc: str | None = None,
    epc: str | None = None,
    prefix_digits: int | None = None,
    password: str | None = None,
    lock: bool = False,
) -> Wish:
    """A tag for one item (`gtin` and `serial`), one pallet (`sscc`), or with an EPC in hexadecimal.

    Raises `TagTrouble` for an order that is no order, `BadEpc` for a key that is wrong.
    """
    if sum(key is not None for key in (gtin, sscc, epc)) != 1 or (gtin is None) != (serial is None):
        raise TagTrouble("name one EPC: --gtin with --serial, or --sscc, or --epc")
    if epc is None:
        epc = write_sscc(sscc, prefix_digits) if sscc else write_sgtin(gtin or "", serial or "", prefix_digits)
    return Wish(_words(epc), None if password is None else _password(password), lock)


def reader(
    site: Site | None, name: str | None, place: str | None, antenna: int | None
) -> tuple[Reader, frozenset[int]]:
    """A reader of the site file by its name, or one at HOST[:PORT], and its antennas; 0 means all.

    Raises `TagTrouble`.
    """
    if (name is None) == (place is None) or (name is not None and site is None):
        raise TagTrouble("name one reader: --config with --reader, or --host")
    if site is not None and name is not None:
        chosen = _named(site, name)
        return chosen, chosen.antennas if antenna is None else frozenset({antenna})
    return _at(place or ""), frozenset({antenna or 0})


def _at(place: str) -> Reader:
    host, colon, port = place.partition(":")
    if not host or (colon and not (port.isdecimal() and 0 < int(port) < 65536)):
        raise TagTrouble(f"{place!r} is no HOST[:PORT]")
    return Reader(name="reader", host=host, port=int(port or LLRP_PORT))


def _named(site: Site, name: str) -> Reader:
    readers: list[Reader] = [reader for door in site.doors for reader in door.readers]
    readers += site.zone_readers
    for one in readers:
        if one.name == name:
            return one
    raise TagTrouble(f"no reader is called {name!r}: there are {_listed(one.name for one in readers)}")


def _listed(names: Iterable[str]) -> str:
    return ", ".join(names) or "none"


def _words(epc: str) -> bytes:
    """Whole words; zeros behind an EPC that ends within one (Tag Data Standard 1.13, table 15-1)."""
    if not epc or set(epc) - set(string.hexdigits) or len(epc) > 4 * MAX_EPC_WORDS:
        raise TagTrouble(f"{epc!r} is no EPC in hexadecimal: expected 1 to {4 * MAX_EPC_WORDS} digits")
    return bytes.fromhex(padded(f"{int(epc, 16):0{4 * len(epc)}b}"))


def _password(text: str) -> int:
    if len(text) != 8 or set(text) - set(string.hexdigits):
        raise TagTrouble("an access password has 8 hexadecimal digits")
    return int(text, 16)
