"""The body of any LLRP message as plain values, by the vocabulary of `words`.

Thorough: every parameter, every field. For messages that come once a connection, and for people; reports at full rate
go through `report`. A parameter begins with one of two headers (LLRP 1.0.1 section 16.2.1):

    TV   |1|  Type (7)    |  value, of a length that the type says
    TLV  |  Reserved (6)  |  Type (10)  |  Length (16), header included  |  value ...

TV types are 1 to 127 and stand within a parameter, TLV types begin at 128. A TV type that nobody knows has a length
that nobody knows: what follows it within its parameter is kept as octets, and what follows the parameter is read.
"""

from collections.abc import Callable, Mapping
from struct import Struct
from typing import Final, NamedTuple

from edge.errors import BadFrame
from edge.llrp.enumerations import ENUMERATIONS
from edge.llrp.words import MESSAGES, PARAMETERS, PARAMETERS_1_0_1, Field, Word

Value = int | str | list["Value"] | dict[str, "Value"]
Fields = dict[str, Value]

MAX_DEPTH: Final = 12
"""Parameters within parameters; the deepest legal nesting is 7."""
FIRST_TLV: Final = 128
TLV: Final = Struct(">HH")


def read_message(number: int, body: bytes, offset: int = 0, version: int = 1) -> Fields:
    """Fields and parameters of a message; what stands several times is a list.

    `offset` is the body's place in the stream, `version` that of the message's header: bits that LLRP 1.1 has given a
    meaning are no fields in a message of version 1. Raises `BadFrame` where the body is not what the standard says.
    """
    return _Reading(body, offset, _PARAMETERS[min(version, 2)]).word(_MESSAGES[number], 0, len(body), 0)


class _Pick(NamedTuple):
    """A field that shares an integer with others, or has names for its values."""

    name: str
    place: int
    """Of the integer among the unpacked ones."""
    shift: int
    mask: int
    names: Mapping[int, str]


class _Shape(NamedTuple):
    """How a word is read: its fields of fixed width at once, then those that say their own length."""

    word: Word
    size: int
    """Octets of the fields of fixed width."""
    unpack: Callable[[bytes, int], tuple[int, ...]]
    names: tuple[str, ...]
    """Of the unpacked integers; of one that several fields share, the first of these."""
    picks: tuple[_Pick, ...]
    """What is more to those integers, in the order of the fields."""
    rest: tuple[Field, ...]


class _Reading:
    """Reads one message from left to right."""

    def __init__(self, data: bytes, offset: int, parameters: Mapping[int, _Shape]) -> None:
        self._data = data
        self._offset = offset
        self._parameters = parameters

    def word(self, shape: _Shape, position: int, end: int, depth: int) -> Fields:
        """A message or parameter, whose header has been read."""
        after = position + shape.size
        if after > end:
            raise self._cut_off(shape, position, end)
        values = shape.unpack(self._data, position)
        out: Fields = dict(zip(shape.names, values, strict=True))
        for name, place, shift, mask, names in shape.picks:
            value = values[place] >> shift & mask
            out[name] = names.get(value, value)
        position = after
        for field in shape.rest:
            out[field.name], position = self._variable(shape.word, field, position, end)
        while position < end:
            name, inner, position = self._parameter(position, end, depth)
            _put(out, name, inner)
        return out

    def _parameter(self, position: int, end: int, depth: int) -> tuple[str, Fields, int]:
        """Name and fields of the parameter at `position`, and the place behind it."""
        here, data = self._offset + position, self._data
        if depth == MAX_DEPTH:
            raise BadFrame(here, f"more than {MAX_DEPTH} parameters within each other")
        if data[position] & 0x80:
            number = data[position] & 0x7F
            start, size = position + 1, TV_SIZES.get(number, 0)
            if not depth or not number:
                raise BadFrame(here, f"TV parameter {number} {'outside of any other' if number else 'is none'}")
            if not size:
                return "Unknown", {"Type": number, "Data": data[start:end].hex()}, end
        else:
            if position + 4 > end:
                raise BadFrame(here, "parameter header cut off", "cut_off")
            number, size = TLV.unpack_from(data, position)
            number, start = number & 0x3FF, position + 4
            if size < 4 or number < FIRST_TLV:
                raise BadFrame(here, f"parameter {number} with length {size}")
        after = position + size
        if after > end:
            raise BadFrame(here, f"parameter {number} of {size} bytes where {end - position} are left", "cut_off")
        shape = self._parameters.get(number)
        if shape is None:
            return "Unknown", {"Type": number, "Data": data[start:after].hex()}, after
        return shape.word.name, self.word(shape, start, after, depth + 1), after

    def _variable(self, word: Word, field: Field, position: int, end: int) -> tuple[Value, int]:
        """A field that says its own length, and the place behind it."""
        match field.kind:
            case "hex*":
                return self._data[position:end].hex(), end
            case "hex12":
                return self._octets(word, field, position, 12, end).hex(), position + 12
        count = int.from_bytes(self._octets(word, field, position, 2, end), "big")
        position += 2
        match field.kind:
            case "utf8v":
                octets = self._octets(word, field, position, count, end)
                return octets.decode("utf-8", "replace"), position + count
            case "u1v":
                octets = self._octets(word, field, position, (count + 7) // 8, end)
                return {"Bits": count, "Hex": octets.hex()}, position + len(octets)
        width = int(field.kind[1:-1]) // 8
        octets, names = self._octets(word, field, position, count * width, end), _names(field)
        numbers = (int.from_bytes(octets[at : at + width], "big") for at in range(0, len(octets), width))
        return [names.get(number, number) for number in numbers], position + len(octets)

    def _octets(self, word: Word, field: Field, position: int, count: int, end: int) -> bytes:
        if position + count > end:
            words = f"{word.name}.{field.name} of {count} bytes where {end - position} are left"
            raise BadFrame(self._offset + position, words, "cut_off")
        return self._data[position : position + count]

    def _cut_off(self, shape: _Shape, position: int, end: int) -> BadFrame:
        """The error that names the first field which is not all there."""
        bits = 0
        for field in shape.word.fields:
            before, bits = bits, bits + _width(field)
            if position + (bits + 7) // 8 > end:
                break
        name = "reserved bits" if field.name == "_" else field.name
        return BadFrame(self._offset + position + before // 8, f"{shape.word.name}.{name} cut off", "cut_off")


def _put(out: Fields, name: str, value: Value) -> None:
    before = out.get(name)
    if before is None:
        out[name] = value
    elif isinstance(before, list):
        before.append(value)
    else:
        out[name] = [before, value]


def _names(field: Field) -> Mapping[int, str]:
    return ENUMERATIONS[field.values] if field.values else {}


_CODES: Final = {"u8": "B", "u16": "H", "u32": "I", "u64": "Q", "s8": "b", "s16": "h"}
_SHARED: Final = {8: "B", 16: "H"}


def _shape(word: Word) -> _Shape:
    rest = list(word.fields)
    form, names, picks = ">", list[str](), list[_Pick]()
    while rest and rest[0].kind[1:].isdigit():
        shared = [rest.pop(0)]
        while (width := sum(map(_width, shared))) % 8:
            shared.append(rest.pop(0))
        if all(field.name == "_" for field in shared):
            form += f"{width // 8}x"
            continue
        form += _CODES.get(shared[0].kind) or _SHARED[width]
        left, several = width, len(shared) > 1
        for field in shared:
            left -= _width(field)
            if field.name != "_" and (several or field.values):
                picks.append(_Pick(field.name, len(names), left, (1 << _width(field)) - 1, _names(field)))
        names.append(next(field.name for field in shared if field.name != "_"))
    fixed = Struct(form)
    return _Shape(word, fixed.size, fixed.unpack_from, tuple(names), tuple(picks), tuple(rest))


def _width(field: Field) -> int:
    return int(field.kind[1:])


_MESSAGES: Final = {number: _shape(word) for number, word in MESSAGES.items()}
_PARAMETERS: Final = {
    version: {number: _shape(word) for number, word in words.items()}
    for version, words in ((1, PARAMETERS_1_0_1), (2, PARAMETERS))
}

TV_SIZES: Final[dict[int, int]] = {
    number: 1 + shape.size + sum(12 for field in shape.rest if field.kind == "hex12")
    for number, shape in _PARAMETERS[2].items()
    if number < FIRST_TLV
}
"""Octets of every TV parameter, header included."""
