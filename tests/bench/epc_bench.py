"""EPC identities a second: remembered ones, new ones, and what epcpy takes for the same tags.

Each scheme in turn, several rounds; the best round of each way counts.
"""

import time
from collections.abc import Callable

from epcpy import hex_to_tag_encodable
from figures import Figure, show

from contract.epc import identify
from contract.epc_writing import write_sgtin, write_sscc
from contract.gs1 import check_digit

ROUNDS = 5
TAGS = 2000
GTIN = "09506000134352"


def measure() -> list[Figure]:
    """EPCs a second of both, scheme by scheme."""
    pallets = [f"1061414{number:010d}" for number in range(TAGS)]
    new = {
        "SGTIN-96": [write_sgtin(GTIN, str(serial), 7) for serial in range(TAGS)],
        "SSCC-96": [write_sscc(sscc + check_digit(sscc), 7) for sscc in pallets],
        "SGTIN-198": [write_sgtin(GTIN, f"lot-{serial:06d}", 7) for serial in range(TAGS)],
    }
    plus = [write_sgtin(GTIN, f"lot-{serial:06d}") for serial in range(TAGS)]
    return [
        Figure("SGTIN-96, seen before", *_known(new["SGTIN-96"])),
        *(Figure(f"{scheme}, new", *_beside(epcs, "epcpy, key and URI", _epcpy)) for scheme, epcs in new.items()),
        Figure("SGTIN+, new", TAGS / _best(_each(_new, plus)), "EPCs/s", "epcpy knows none"),
    ]


def _known(epcs: list[str]) -> tuple[float, str, str, float]:
    """A tag at a door is read many times: nearly all look-ups are of this kind."""
    return TAGS / _best(_each(identify, epcs)), "EPCs/s", "without the cache", TAGS / _best(_each(_new, epcs))


def _beside(epcs: list[str], what: str, other: Callable[[str], object]) -> tuple[float, str, str, float]:
    return TAGS / _best(_each(_new, epcs)), "EPCs/s", what, TAGS / _best(_each(other, epcs))


def _new(epc: str) -> object:
    return identify.__wrapped__(epc)


def _epcpy(epc: str) -> object:
    tag = hex_to_tag_encodable(epc)
    return tag.epc_uri, tag.gs1_key()


def _each(function: Callable[[str], object], epcs: list[str]) -> Callable[[], object]:
    return lambda: [function(epc) for epc in epcs]


def _best(run: Callable[[], object]) -> float:
    """Seconds of the quickest round; the first warms up."""
    best = float("inf")
    for _ in range(ROUNDS + 1):
        begun_s = time.perf_counter()
        run()
        best = min(best, time.perf_counter() - begun_s)
    return best


if __name__ == "__main__":
    show("EPC identity", measure())
