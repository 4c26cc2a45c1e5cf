"""Names that people give: what may stand in them, and when two of them are the same one.

A name with an invisible character, or with letters of another form, looks like another's name. Whoever reads it, in a
list or in the audit trail, takes one for the other.
"""

import unicodedata

MAX_CHARACTERS = 128
NOT_IN_A_NAME = (
    "A name holds no invisible characters (zero-width or direction marks, soft hyphens, fillers, private ones) and no "
    "line breaks. Remove them, or type the name anew."
)

_CATEGORIES = frozenset({"Cc", "Cf", "Cn", "Co", "Cs", "Zl", "Zp"})
"""Controls, format characters, what is not assigned, private and broken ones, separators of lines and paragraphs."""
_BLANK = frozenset("\u034f\u115f\u1160\u17b4\u17b5\u2800\u3164\uffa0")
"""They count as letters, marks or symbols, and show nothing."""


def has_hidden(text: str) -> bool:
    """Return whether a text holds a character that nobody sees."""
    return any(unicodedata.category(sign) in _CATEGORIES or sign in _BLANK or _is_selector(sign) for sign in text)


def tidied(text: str) -> str:
    """Return the name in its composed form, with plain blanks in place of those that only look like one, and none
    around it."""
    plain = "".join(" " if unicodedata.category(sign) == "Zs" else sign for sign in text)
    return unicodedata.normalize("NFC", plain).strip()


def folded(name: str) -> str:
    """Return what names are compared by: neither case nor the width or form of letters tells two of them apart."""
    return " ".join(unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", name).casefold()).split())


def _is_selector(sign: str) -> bool:
    return "\ufe00" <= sign <= "\ufe0f" or "\U000e0100" <= sign <= "\U000e01ef"
