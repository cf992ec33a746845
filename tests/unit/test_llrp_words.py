"""Our vocabulary of LLRP beside that of another client, which was made from the LLRP Toolkit's own definition."""

from importlib.util import find_spec, module_from_spec

import pytest

from edge.llrp.enumerations import ENUMERATIONS
from edge.llrp.words import BARE, MESSAGES, NUMBERS, PARAMETERS, PARAMETERS_1_0_1, Field, Word

SPEC = find_spec("pyllrp.llrpdef")
assert SPEC is not None
assert SPEC.loader is not None
llrpdef = module_from_spec(SPEC)  # a copy of our own: the client empties the one that it has imported
SPEC.loader.exec_module(llrpdef)

KINDS = {
    "bool": "u1", "bits:2": "u2", "uintbe:8": "u8", "uintbe:16": "u16", "uintbe:32": "u32", "uintbe:64": "u64",
    "uintbe:96": "hex12", "intbe:8": "s8", "intbe:16": "s16", "string": "utf8v", "bitarray": "u1v", "array:8": "u8v",
    "array:16": "u16v", "array:32": "u32v", "bytesToEnd": "hex*",
}  # fmt: skip
NAMES = {one["name"]: dict(one["choices"]) for one in llrpdef.enums}


def standard(words: list[dict[str, object]]) -> dict[int, dict[str, object]]:
    """Those of the standard, by number: a vendor's all bear the number of custom ones."""
    return {word["typeNum"]: word for word in words if not str(word["name"]).upper().startswith("IMPINJ")}  # type: ignore[misc]


THEIRS = [
    *((MESSAGES, number, word) for number, word in standard(llrpdef.messages).items()),
    *((PARAMETERS_1_0_1, number, word) for number, word in standard(llrpdef.parameters).items()),
]


@pytest.mark.parametrize(("ours", "number", "word"), THEIRS, ids=[str(word["name"]) for _, _, word in THEIRS])
def test_every_word_of_llrp_1_0_1_is_spelt_and_encoded_as_in_the_toolkit(
    ours: dict[int, Word], number: int, word: dict[str, list[dict[str, str]]]
) -> None:
    assert ours[number].name == word["name"]
    assert [encoded(field) for field in word.get("fields", ())] == [(one.name, one.kind) for one in ours[number].fields]
    for their, field in zip(word.get("fields", ()), ours[number].fields, strict=True):
        named(their, field)


def encoded(field: dict[str, str]) -> tuple[str, str]:
    if field["type"].startswith("skip:"):
        return "_", "r" + field["type"].removeprefix("skip:")
    return field["name"], KINDS[field["type"]]


def named(their: dict[str, str], field: Field) -> None:
    """LLRP 1.1 has added values at the end of some enumerations."""
    if "enumeration" in their:
        ours = ENUMERATIONS[field.values]
        assert {value: ours.get(value) for value in NAMES[their["enumeration"]]} == NAMES[their["enumeration"]]
    else:
        assert not field.values


def test_llrp_1_1_knows_all_of_1_0_1_with_the_same_lengths() -> None:
    for number, word in PARAMETERS_1_0_1.items():
        assert bits(PARAMETERS[number]) == bits(word)
    assert PARAMETERS[20].name == "C1G2XPCW2"
    assert MESSAGES.keys() >= BARE
    assert NUMBERS["RO_ACCESS_REPORT"] == 61


def bits(word: Word) -> int:
    return sum(int(field.kind[1:]) for field in word.fields if field.kind[1:].isdigit())
