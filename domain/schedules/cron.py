"""Cron expressions of five fields, read as cron programs read them.

Each field becomes the list of its values, which is what Temporal is given: written out, an expression has one reading.
What cron programs read in different ways is refused.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass

ALIASES = ("@yearly", "@annually", "@monthly", "@weekly", "@daily", "@midnight", "@hourly")
MAX_CHARACTERS = 256

_BLANKS = re.compile(r"[ \t\u00a0]+")
_PART = re.compile(r"(\*|[0-9]{1,2}|[a-z]{3})(?:-([0-9]{1,2}|[a-z]{3}))?(?:/([0-9]{1,2}))?", re.ASCII)
_SPECIAL = re.compile(r"[#lwhr]", re.ASCII)
_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_DAYS = ("sun", "mon", "tue", "wed", "thu", "fri", "sat")


class Unreadable(ValueError):
    """Its text is a sentence for people, `code` is that of the problem."""

    def __init__(self, message: str, *, code: str = "invalid") -> None:
        super().__init__(message)
        self.message = message
        self.code = code


@dataclass(frozen=True)
class _Field:
    name: str
    first: int
    last: int
    names: Sequence[str] = ()

    def value(self, text: str) -> int:
        """Raises Unreadable."""
        number = int(text) if text.isdigit() else self._named(text)
        if not self.first <= number <= (7 if self.names is _DAYS else self.last):
            raise Unreadable(f"The {self.name} is a number from {self.first} to {self.last}{self._also}.")
        return number

    @property
    def _also(self) -> str:
        also = " or 7 for Sunday" if self.names is _DAYS else ""
        return f"{also}, or a name such as {self.names[1]}" if self.names else also

    def _named(self, text: str) -> int:
        return self.names.index(text) + self.first if text in self.names else -1


_FIELDS = (
    _Field("minute", 0, 59),
    _Field("hour", 0, 23),
    _Field("day of the month", 1, 31),
    _Field("month", 1, 12, _MONTHS),
    _Field("day of the week", 0, 6, _DAYS),
)


def tidied(expression: str) -> str:
    """With one blank between two fields, however many there were, and a word in small letters."""
    plain = _BLANKS.sub(" ", expression).strip()
    return plain.lower() if plain.startswith("@") else plain


def canonical(expression: str) -> str:
    """The expression with every field written out, `*` where it is every value. Raises Unreadable."""
    if len(expression) > MAX_CHARACTERS:
        raise Unreadable(f"A cron expression has at most {MAX_CHARACTERS} characters.", code="too_long")
    expression = tidied(expression)
    if expression.startswith("@"):
        if expression in ALIASES:
            return expression
        raise Unreadable(f"The known words are {', '.join(ALIASES)}.")
    texts = expression.lower().split(" ")
    if len(texts) != len(_FIELDS):
        raise Unreadable("Write five fields: minute, hour, day of the month, month, day of the week.")
    if not {texts[2], texts[4]} & {"*", "?"}:
        # Cron programs fire when either matches, the server only when both do.
        raise Unreadable("Restrict the day of the month or the day of the week, not both.", code="both_days")
    return " ".join(_listed(field, text) for field, text in zip(_FIELDS, texts, strict=True))


def written_out(expression: str) -> str:
    """What the server is given: it reads a value with a step in a way of its own. An expression that was stored before
    it was refused stays as it is."""
    try:
        return canonical(expression)
    except Unreadable:
        return expression


def _listed(field: _Field, text: str) -> str:
    if text == "?" and field in (_FIELDS[2], _FIELDS[4]):
        return "*"
    values = {value for part in text.split(",") for value in _values(field, part)}
    return "*" if len(values) > field.last - field.first else ",".join(map(str, sorted(values)))


def _values(field: _Field, part: str) -> Sequence[int]:
    match = _PART.fullmatch(part)
    if match is None or (match[1] == "*" and match[2]):
        raise Unreadable(_why_not(field, part))
    step = int(match[3] or 1)
    if not 1 <= step <= field.last - field.first + (match[1] != "*"):
        raise Unreadable(f"The step of the {field.name} is a number from 1 to {field.last - field.first}.")
    first, last = _bounds(field, match)
    sunday = field.names is _DAYS
    return [value % 7 if sunday else value for value in range(first, last + 1, step)]


def _bounds(field: _Field, match: re.Match[str]) -> tuple[int, int]:
    """A single value with a step goes on to the end of its field."""
    if match[1] == "*":
        return field.first, field.last
    first = field.value(match[1])
    if match[2]:
        last = field.value(match[2])
        if last <= first:
            raise Unreadable(f"A range of the {field.name} goes from a smaller value to a larger one.")
        return first, last
    if not match[3]:
        return first, first
    return (first % 7 if field.names is _DAYS else first), field.last


def _why_not(field: _Field, part: str) -> str:
    if "#" in part or (_SPECIAL.search(part) and not any(name in part for name in field.names)):
        return f"The {field.name} takes no L, W, #, H or R: cron programs read them in different ways."
    if "?" in part:
        return "A ? stands alone, in the day of the month or the day of the week."
    return f"The {field.name} is *, a value, a range or a list of these, with a step behind a slash."
