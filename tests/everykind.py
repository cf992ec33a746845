"""One log entry of every kind that there is, with everything filled in that may be left out."""

import itertools
from typing import Any, get_args

import msgspec
from msgspec import inspect

from contract import events
from gateway import records
from gateway.history.measurements import exception_point, points_of
from gateway.history.words import Point
from gateway.ledger.storage.exceptionlog import ExceptionChange, ExceptionState
from gateway.records import LogEntry, LogRow

AT_US = 1_795_000_000_000_000


def entries() -> list[LogEntry]:
    """Of each kind one, and one more for each further word of its own words. Only their types are those of a site."""
    found: list[LogEntry] = []
    for kind in (*get_args(events.Event), *get_args(records.Record)):
        told = inspect.type_info(kind)
        assert isinstance(told, inspect.StructType)
        entry = msgspec.structs.replace(_filled(told), at_us=AT_US)
        found.append(entry)
        for field in told.fields:
            for word in _words(field.type)[1:]:
                found.append(msgspec.structs.replace(entry, **{field.name: word}))
    return found


def _words(kind: inspect.Type) -> tuple[Any, ...]:
    match kind:
        case inspect.LiteralType(values=values):
            return tuple(values)
        case inspect.UnionType(types=types):
            return sum((_words(one) for one in types), ())
        case _:
            return ()


def points(site: str = "north") -> list[Point]:
    """What a history gets of them, with a level and exceptions in every state."""
    found: list[Point] = []
    for n, entry in enumerate(entries(), 1):
        kind = str(type(entry).__struct_config__.tag)
        times = {"at_us": AT_US, "decided_us": AT_US, "recorded_us": AT_US + 1_000_000}
        row = LogRow(id=n, agent="dock-edge", epoch="e", seq=n, kind=kind, body=msgspec.json.encode(entry), **times)
        found += points_of(site, row, entry)
    found.append(Point("level", (("site", site), ("sku", "lemon-4kg"), ("zone", "cold")), {"units": 42}, AT_US * 1000))
    change = _filled(inspect.type_info(ExceptionChange))
    for n, (kind, state) in enumerate(itertools.product(("missing", "excursion"), get_args(ExceptionState))):
        changed = msgspec.structs.replace(change, kind=kind, state=state, recorded_us=AT_US)
        found += [exception_point(site, changed, n), exception_point(site, changed, 1000 + n)]
    return found


def _filled(kind: inspect.Type) -> Any:
    match kind:
        case inspect.StructType(cls=cls, fields=fields):
            return cls(**{field.name: _filled(field.type) for field in fields})
        case inspect.UnionType(types=types):
            return _filled(next(one for one in types if not isinstance(one, inspect.NoneType)))
        case inspect.LiteralType(values=values):
            return values[0]
        case inspect.BoolType():
            return False
        case inspect.IntType():
            return 7
        case inspect.FloatType():
            return 0.5
        case inspect.StrType():
            return "x"
        case inspect.VarTupleType(item_type=item) | inspect.ListType(item_type=item):
            return (_filled(item),)
        case inspect.TupleType(item_types=items):
            return tuple(_filled(item) for item in items)
        case inspect.DictType(value_type=value):
            return {"reads": _filled(value)}
        case _:
            raise AssertionError(f"say what a {kind} looks like")
