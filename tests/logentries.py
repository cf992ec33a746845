"""Any entry that the log can hold, for hypothesis: drawn from the types of the records, so that new kinds join in."""

import typing

import msgspec.inspect as types
from hypothesis import strategies as st

from gateway.records import LogEntry

TAGS = (
    "30344242c0d1ec0000000001",
    "3054442428348f8000000002",
    "31544244280000000100000000"[:24],
    "e28011700000020a1b2c3d4e",
    "00",
    "36" + "ff" * 20,
)
NAMES = (
    *("lemon-4kg", "dock-1", "cold-gate", "receiving", "cold-room", "line-a", "4711", "09506000134352"),
    *("https://erp.example/po/12", "urn:epc:id:pgln:9506000.11111", "9506000111117:47/11"),
)


def entries(kinds: tuple[type, ...] = typing.get_args(LogEntry)) -> st.SearchStrategy[LogEntry]:
    """Entries of some kinds."""
    return st.one_of([_value(types.type_info(kind)) for kind in kinds])


def _value(kind: types.Type) -> st.SearchStrategy[typing.Any]:
    match kind:
        case types.Metadata():
            return _value(kind.type)
        case types.StructType():
            fields = {field.name: _value(field.type) for field in kind.fields}
            return st.fixed_dictionaries(fields).map(lambda values: kind.cls(**values))
        case types.IntType():
            return st.integers(kind.ge if kind.ge is not None else -(2**40), kind.le if kind.le is not None else 2**40)
        case types.FloatType():
            return st.floats(kind.ge, kind.le, allow_nan=False, allow_infinity=False)
        case types.BoolType():
            return st.booleans()
        case types.NoneType():
            return st.none()
        case types.StrType():
            return _text(kind)
        case types.LiteralType():
            return st.sampled_from(kind.values)
        case types.UnionType():
            return st.one_of([_value(one) for one in kind.types])
        case types.VarTupleType():
            return st.lists(_value(kind.item_type), min_size=kind.min_length or 0, max_size=3).map(tuple)
        case types.TupleType():
            return st.tuples(*map(_value, kind.item_types))
        case types.DictType():
            return st.dictionaries(_value(kind.key_type), _value(kind.value_type), max_size=2)
        case _:
            raise AssertionError(f"no values for {kind}")


def _text(kind: types.StrType) -> st.SearchStrategy[str]:
    if kind.pattern is None:
        least, most = kind.min_length or 0, min(kind.max_length or 100, 100)
        return st.sampled_from(NAMES) | st.text(st.characters(codec="utf-8"), min_size=least, max_size=most)
    if "a-f" in kind.pattern:
        return st.sampled_from(TAGS)
    return st.from_regex(kind.pattern.removesuffix(r"(?!\n)").removesuffix("$") + r"\Z", alphabet="0123456789-")
