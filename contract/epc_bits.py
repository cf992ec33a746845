"""The bits of an EPC, read from left to right."""

from contract.errors import BadEpc


class Bits:
    """What is left to read of an EPC memory bank, from bit 20h on."""

    __slots__ = ("_value", "left")

    def __init__(self, epc: str) -> None:
        """`epc` in hexadecimal."""
        self._value = int(epc, 16)
        self.left = 4 * len(epc)

    def take(self, size: int) -> int:
        """The next `size` bits as an unsigned integer; raises `BadEpc` where fewer are left."""
        left = self.left - size
        if left < 0:
            raise BadEpc(f"cut off: {-left} bits are missing")
        number = self._value >> left
        self._value -= number << left
        self.left = left
        return number

    @property
    def padding(self) -> bool:
        """Only zeros are left, if anything."""
        return self._value == 0

    @property
    def rest(self) -> str:
        """What is left, as binary digits."""
        return f"{self._value:0{self.left}b}" if self.left else ""


def padded(bits: str) -> str:
    """Binary digits as lower-case hexadecimal, with zeros up to a whole word (TDS 1.13, table 15-1)."""
    size = -len(bits) % 16 + len(bits)
    return f"{int(bits.ljust(size, '0'), 2):0{size // 4}x}"
