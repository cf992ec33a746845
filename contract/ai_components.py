"""Components of values in the bits of a tag (GS1 Tag Data Standard 2.1, section 14.5).

Each reads itself from the bits; those that stand in the keys of EPCs are written, too.
"""

from calendar import monthrange
from collections.abc import Callable, Iterator
from typing import Final, NamedTuple, Protocol

from contract.epc_bits import Bits
from contract.errors import BadEpc
from contract.gs1 import TEXT, only


class Component(Protocol):
    """One way to say a value in bits; both methods raise `BadEpc`."""

    def read(self, bits: Bits) -> str:
        """The value that stands next."""

    def write(self, value: str) -> str:
        """The value as binary digits."""


def _decimal(number: int, digits: int) -> str:
    text = f"{number:0{digits}d}" if digits else ""
    if len(text) != digits:
        raise BadEpc(f"{text} has more than {digits} digits")
    return text


def _size(digits: int) -> int:
    """Bits that hold so many digits as an integer (table B)."""
    most: int = 10**digits - 1
    return most.bit_length()


class Digits(NamedTuple):
    """Fixed-length numeric: 4 bits a digit (section 14.5.4)."""

    digits: int

    def read(self, bits: Bits) -> str:
        text = f"{bits.take(4 * self.digits):0{self.digits}x}"
        if not text.isdecimal():
            raise BadEpc(f"{text} is no number")
        return text

    def write(self, value: str) -> str:
        if len(value) != self.digits or not (value.isascii() and value.isdecimal()):
            raise BadEpc(f"{value!r} is not of {self.digits} digits")
        return f"{int(value, 16):0{4 * self.digits}b}"


class Number(NamedTuple):
    """Variable-length numeric string without encoding indicator: | digits (`size`) | integer | (section 14.5.13)."""

    most: int
    size: int

    def read(self, bits: Bits) -> str:
        count = bits.take(self.size)
        if count > self.most:
            raise BadEpc(f"{count} digits where {self.most} are the most")
        return _decimal(bits.take(_size(count)), count) if count else ""

    def write(self, value: str) -> str:
        if not 0 < len(value) <= self.most or not (value.isascii() and value.isdecimal()):
            raise BadEpc(f"{value!r} is not of 1 to {self.most} digits")
        return f"{len(value):0{self.size}b}{int(value):0{_size(len(value))}b}"


_BASE64: Final = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
_CODE40: Final = "\0ABCDEFGHIJKLMNOPQRSTUVWXYZ-.:0123456789"


class Text(NamedTuple):
    """Variable-length alphanumeric (section 14.5.6, table E).

    | encoding (3) | characters (`size`) | characters ...

    0  an integer          1, 2  4 bits a hexadecimal digit, upper or lower case
    3  6 bits (base 64)    4     7 bits (ASCII)      5  16 bits for three (URN code 40)
    """

    most: int
    size: int
    characters: frozenset[str] = TEXT

    def read(self, bits: Bits) -> str:
        encoding, count = bits.take(3), bits.take(self.size)
        if encoding > 5:
            raise BadEpc(f"encoding indicator {encoding} is reserved")
        if count > self.most:
            raise BadEpc(f"{count} characters where {self.most} are the most")
        text = _TEXT_READERS[encoding](bits, count) if count else ""
        return only(text, self.characters)

    def write(self, value: str) -> str:
        if not 0 < len(value) <= self.most:
            raise BadEpc(f"{value!r} is not of 1 to {self.most} characters")
        only(value, self.characters)
        encoded = (f"{encoding:03b}{len(value):0{self.size}b}{body}" for encoding, body in _encodings(value))
        return min(encoded, key=len)


def _read_hex(bits: Bits, count: int) -> str:
    return f"{bits.take(4 * count):0{count}x}"


def _read_base64(bits: Bits, count: int) -> str:
    return "".join(_BASE64[bits.take(6)] for _ in range(count))


def _read_ascii(bits: Bits, count: int) -> str:
    return "".join(chr(bits.take(7)) for _ in range(count))


def _read_code40(bits: Bits, count: int) -> str:
    text = "".join(_three(bits.take(16) - 1) for _ in range(-(-count // 3)))
    if text[count:].strip("\0"):
        raise BadEpc(f"characters behind the end of {text[:count]!r}")
    return text[:count]


def _three(number: int) -> str:
    if not 0 <= number < 40**3:
        raise BadEpc(f"{number + 1} is no URN code 40")
    return _CODE40[number // 1600] + _CODE40[number // 40 % 40] + _CODE40[number % 40]


_TEXT_READERS: Final[tuple[Callable[[Bits, int], str], ...]] = (
    lambda bits, count: _decimal(bits.take(_size(count)), count),
    lambda bits, count: _read_hex(bits, count).upper(),
    _read_hex,
    _read_base64,
    _read_ascii,
    _read_code40,
)


def _encodings(value: str) -> Iterator[tuple[int, str]]:
    """Each encoding that can say it."""
    used = set(value)
    if used <= set("0123456789"):
        yield 0, f"{int(value):0{_size(len(value))}b}"
    for encoding, digits in ((1, "0123456789ABCDEF"), (2, "0123456789abcdef")):
        if used <= set(digits):
            yield encoding, f"{int(value, 16):0{4 * len(value)}b}"
    if used <= set(_BASE64):
        yield 3, "".join(f"{_BASE64.index(character):06b}" for character in value)
    yield 4, "".join(f"{ord(character):07b}" for character in value)
    if used <= set(_CODE40[1:]):
        threes = (value[at : at + 3].ljust(3, "\0") for at in range(0, len(value), 3))
        yield 5, "".join(f"{_code40(three):016b}" for three in threes)


def _code40(three: str) -> int:
    first, second, third = map(_CODE40.index, three)
    return 1600 * first + 40 * second + third + 1


class Delimited(NamedTuple):
    """Delimited/terminated numeric: 4 bits a digit, then 1111, or 1110 and the rest as `Text` (section 14.5.5)."""

    most: int
    characters: frozenset[str] = TEXT

    def read(self, bits: Bits) -> str:
        digits = ""
        while (digit := bits.take(4)) < 10:
            digits += str(digit)
        if digit < 14:
            raise BadEpc(f"{digit} is no digit")
        text = self._text.read(bits) if digit == 14 else ""
        if not digits or len(digits + text) > self.most or (digit == 14) != (not text[:1].isdigit() and text != ""):
            raise BadEpc(f"{digits + text!r} is not of digits, then other characters, {self.most} in all")
        return digits + text

    def write(self, value: str) -> str:
        tail = value.lstrip("0123456789")
        digits = value[: len(value) - len(tail)]
        if not digits or len(value) > self.most:
            raise BadEpc(f"{value!r} does not begin with digits, or has more than {self.most} characters")
        head = "".join(f"{int(digit):04b}" for digit in digits)
        return head + ("1110" + self._text.write(tail) if tail else "1111")

    @property
    def _text(self) -> Text:
        return Text(self.most, 5, self.characters)


class Date(NamedTuple):
    """YYMMDD: | year (7) | month (4) | day (5) |, day 0 for the whole month (section 14.5.8)."""

    def read(self, bits: Bits) -> str:
        return _date(bits)

    def write(self, value: str) -> str:
        if len(value) != 6 or not (value.isascii() and value.isdecimal()):
            raise BadEpc(f"{value!r} is no date YYMMDD")
        year, month, day = int(value[:2]), int(value[2:4]), int(value[4:])
        _check_date(year, month, day)
        return f"{year:07b}{month:04b}{day:05b}"


def _date(bits: Bits) -> str:
    year, month, day = bits.take(7), bits.take(4), bits.take(5)
    _check_date(year, month, day)
    return f"{year:02d}{month:02d}{day:02d}"


def _check_date(year: int, month: int, day: int) -> None:
    """The century is not said; 2000 + year has the leap days of any that can be meant."""
    if year > 99 or not 1 <= month <= 12 or day > monthrange(2000 + year, month)[1]:
        raise BadEpc(f"{year:02d}{month:02d}{day:02d} is no date")


class Read(NamedTuple):
    """A component that we only read."""

    reader: Callable[[Bits], str]

    def read(self, bits: Bits) -> str:
        return self.reader(bits)

    def write(self, value: str) -> str:
        raise BadEpc(f"{value!r}: this kind of value is not written")


def fixed(digits: int) -> Read:
    """Fixed-bit-length numeric string (section 14.5.2)."""
    return Read(lambda bits: _decimal(bits.take(_size(digits)), digits))


def _clock(bits: Bits, parts: int) -> str:
    """A date, then hour, minute and second in 5, 6 and 6 bits, as many as `parts` says (sections 14.5.9, 14.5.11)."""
    date, values = _date(bits), [bits.take(size) for size in (5, 6, 6)[:parts]]
    if values[:1] > [24] or (values[:1] == [24] and any(values[1:])) or any(value > 59 for value in values[1:]):
        raise BadEpc(f"{values} is no time")
    return date + "".join(f"{value:02d}" for value in values)


MINUTE: Final = Read(lambda bits: _clock(bits, 2))
MOMENT: Final = Read(lambda bits: _clock(bits, (1, 2, 3, 0)[bits.take(2)]))
DATES: Final = Read(lambda bits: "".join(_date(bits) for _ in range(bits.take(1) + 1)))
BIT: Final = Read(lambda bits: str(bits.take(1)))
MINUS: Final = Read(lambda bits: "-" * bits.take(1))
SEQUENCE: Final = Read(lambda bits: "/".join(Digits(2).read(bits)))
COUNTRY: Final = Read(lambda bits: only(_read_base64(bits, 2), frozenset(_BASE64[:26])))
