"""The body of any LLRP message as plain values, by the vocabulary of `words`.

Thorough and slow: for messages that come once a connection, and for people. Reports at full rate go through `report`.
A parameter begins with one of two headers (LLRP 1.0.1 section 16.2.1):

    TV   |1|  Type (7)    |  value, of a length that the type says
    TLV  |  Reserved (6)  |  Type (10)  |  Length (16), header included  |  value ...
"""

from edge.errors import BadFrame
from edge.llrp.words import ENUMERATIONS, MESSAGES, PARAMETERS, Field, Word

Value = int | str | list["Value"] | dict[str, "Value"]
Fields = dict[str, Value]

MAX_DEPTH = 12
"""Parameters within parameters; the deepest legal nesting is 7."""


def read_message(number: int, body: bytes, offset: int = 0) -> Fields:
    """Fields and parameters of a message; what stands several times is a list.

    `offset` is the body's place in the stream. Raises `BadFrame` where the body is not what the standard says.
    """
    return _read(MESSAGES[number], body, offset, 0)


def _read(word: Word, data: bytes, offset: int, depth: int) -> Fields:
    if depth > MAX_DEPTH:
        raise BadFrame(offset, f"more than {MAX_DEPTH} parameters within each other")
    bits = _Bits(data, offset)
    out: Fields = {}
    for field in word.fields:
        value = bits.take(field, word.name)
        if field.name != "_":
            out[field.name] = value
    position = bits.position // 8
    while position < len(data):
        name, value, size = _parameter(data, position, offset, depth)
        _put(out, name, value)
        position += size
    return out


def _put(out: Fields, name: str, value: Value) -> None:
    before = out.get(name)
    if before is None:
        out[name] = value
    elif isinstance(before, list):
        before.append(value)
    else:
        out[name] = [before, value]


def _parameter(data: bytes, position: int, offset: int, depth: int) -> tuple[str, Fields, int]:
    """Name, fields and whole size of the parameter at `position`."""
    here = offset + position
    if data[position] & 0x80:
        number = data[position] & 0x7F
        word = PARAMETERS.get(number)
        if word is None:
            raise BadFrame(here, f"TV parameter {number} is unknown, so its length is")
        start, end = position + 1, position + tv_size(word)
    else:
        if position + 4 > len(data):
            raise BadFrame(here, "parameter header cut off")
        number = (data[position] << 8 | data[position + 1]) & 0x3FF
        size = data[position + 2] << 8 | data[position + 3]
        if size < 4:
            raise BadFrame(here, f"parameter {number} with length {size}")
        word = PARAMETERS.get(number) if number > 127 else None
        start, end = position + 4, position + size
    if end > len(data):
        raise BadFrame(here, f"parameter {number} of {end - position} bytes where {len(data) - position} are left")
    if word is None:
        return "Unknown", {"Type": number, "Data": data[start:end].hex()}, end - position
    return word.name, _read(word, data[start:end], offset + start, depth + 1), end - position


def tv_size(word: Word) -> int:
    """Octets of a TV parameter, header included."""
    widths = (12 * 8 if field.kind == "hex12" else int(field.kind[1:]) for field in word.fields)
    return 1 + sum(widths) // 8


class _Bits:
    """Reads the fields of one message or parameter from left to right."""

    def __init__(self, data: bytes, offset: int) -> None:
        self.data = data
        self.offset = offset
        self.position = 0
        """In bits."""

    def take(self, field: Field, owner: str) -> Value:
        kind, names = field.kind, ENUMERATIONS.get(field.values, {})
        where = f"{owner}.{field.name}"
        match kind:
            case "hex*":
                return self._octets(len(self.data) - self.position // 8, where).hex()
            case "hex12":
                return self._octets(12, where).hex()
            case "utf8v":
                return self._octets(self._integer(16, where), where).decode("utf-8", "replace")
            case "u1v":
                bits = self._integer(16, where)
                return {"Bits": bits, "Hex": self._octets((bits + 7) // 8, where).hex()}
            case "u8v" | "u16v" | "u32v":
                width, count = int(kind[1:-1]), self._integer(16, where)
                values = self._octets(count * width // 8, where)
                step = width // 8
                numbers = (int.from_bytes(values[i : i + step], "big") for i in range(0, len(values), step))
                return [names.get(number, number) for number in numbers]
        width = int(kind[1:])
        number = self._integer(width, where)
        if kind[0] == "s" and number >> width - 1:
            number -= 1 << width
        return names.get(number, number)

    def _integer(self, width: int, where: str) -> int:
        first, end = self.position // 8, self.position + width
        last = (end + 7) // 8
        if last > len(self.data):
            raise BadFrame(self.offset + first, f"{where} cut off")
        self.position = end
        return int.from_bytes(self.data[first:last], "big") >> last * 8 - end & (1 << width) - 1

    def _octets(self, count: int, where: str) -> bytes:
        first = self.position // 8
        if first + count > len(self.data):
            raise BadFrame(self.offset + first, f"{where} of {count} bytes where {len(self.data) - first} are left")
        self.position += count * 8
        return self.data[first : first + count]


TV_SIZES: dict[int, int] = {number: tv_size(word) for number, word in PARAMETERS.items() if number < 128}
"""Octets of every TV parameter, header included."""
