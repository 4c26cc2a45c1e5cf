"""DER, as far as keys need it: values with a one-byte tag and a definite length (ITU-T X.690). Reads a level at a time,
so a deep structure costs nothing, and it never computes with what it reads."""

SEQUENCE, INTEGER, OCTET_STRING, OID = 0x30, 0x02, 0x04, 0x06
MAX_LENGTH_BYTES = 4

Value = tuple[int, bytes]
"""Tag and content."""


class Damaged(ValueError):
    """It is no DER, or not of the structure that is needed."""


def values(der: bytes) -> list[Value]:
    """The values that follow one another. Raises Damaged."""
    found: list[Value] = []
    position = 0
    while position < len(der):
        tag, start, end = _header(der, position)
        if end > len(der):
            raise Damaged
        found.append((tag, der[start:end]))
        position = end
    return found


def sequence(der: bytes) -> list[Value]:
    """The members of the one sequence that `der` is. Raises Damaged."""
    match values(der):
        case [(tag, content)] if tag == SEQUENCE:
            return values(content)
    raise Damaged


def number(content: bytes) -> int:
    """The content of an integer, which is not negative where keys are concerned. Raises Damaged."""
    if not content or content[0] >= 0x80:
        raise Damaged
    return int.from_bytes(content)


def _header(der: bytes, position: int) -> tuple[int, int, int]:
    """Tag, start and end of the value at a position."""
    try:
        tag, length, start = der[position], der[position + 1], position + 2
    except IndexError:
        raise Damaged from None
    if length >= 0x80:
        size = length - 0x80
        if not 1 <= size <= MAX_LENGTH_BYTES:
            raise Damaged
        length, start = int.from_bytes(der[start : start + size]), start + size
    return tag, start, start + length
