"""What GS1 keys have in common: the check digit and the two character sets (GS1 General Specifications, section 7)."""

from typing import Final

from contract.errors import BadEpc

TEXT: Final = frozenset("!\"%&'()*+,-./0123456789:;<=>?ABCDEFGHIJKLMNOPQRSTUVWXYZ_abcdefghijklmnopqrstuvwxyz")
"""The 82 characters of serial numbers (figure 7.11-1; Tag Data Standard 1.13, table A-1)."""
PART: Final = frozenset("#-/0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ")
"""The 39 characters of component and part numbers (figure 7.11-2; Tag Data Standard 1.13, table G-1)."""


def check_digit(digits: str) -> str:
    """The digit that follows these in a GTIN, SSCC, GLN, ... (section 7.9.1)."""
    return str(-(3 * sum(map(int, digits[::-2])) + sum(map(int, digits[-2::-2]))) % 10)


def checked(digits: str) -> str:
    """The same key, if its last digit is its check digit; raises `BadEpc`."""
    right = check_digit(digits[:-1])
    if digits[-1] != right:
        raise BadEpc(f"the check digit of {digits} should be {right}")
    return digits


def only(text: str, characters: frozenset[str]) -> str:
    """The same text, if it has no others than these characters; raises `BadEpc`."""
    if not characters.issuperset(text):
        strange = "".join(sorted(set(text) - characters))
        raise BadEpc(f"{strange!r} is not allowed in {text!r}")
    return text
