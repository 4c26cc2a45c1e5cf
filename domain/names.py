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
_LOOKING_LIKE = str.maketrans(
    # Cyrillic, Greek and Armenian letters, and forms of Latin ones: small, and alike in small or in capital letters.
    "\u0430\u0432\u0441\u0501\u0435\u04bb\u043d\u0456\u0458\u043a\u04cf\u043c\u043e\u0440"
    "\u051b\u0455\u0442\u0443\u0475\u051d\u0445"
    "\u03b1\u03b2\u03b5\u03b7\u03b9\u03ba\u03bc\u03bd\u03bf\u03c1\u03c4\u03c5\u03c7\u03b6"
    "\u0585\u057d\u0570\u0578\u0581\u0131\u0251\u0261",
    "abcdehhijklmopqstyvwxabehikmnoptyxzouhngiag",
)
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
    """Return what names are compared by: neither case nor the width, form or alphabet of letters that look alike tells
    two of them apart."""
    letters = unicodedata.normalize("NFKD", unicodedata.normalize("NFKC", name).casefold())
    return " ".join(unicodedata.normalize("NFKC", letters.translate(_LOOKING_LIKE)).split())


def _is_selector(sign: str) -> bool:
    return "\ufe00" <= sign <= "\ufe0f" or "\U000e0100" <= sign <= "\U000e01ef"
