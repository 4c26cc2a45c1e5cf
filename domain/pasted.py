"""What copying does to a value, and how it is undone where only one thing can be meant: invisible characters, blanks
that are none, quotation marks, line breaks written as `\\n` or lost. What may be meant as it is stays as it is, and is
named when it is refused. Every pattern is bounded, so that no text takes longer than its length."""

import json
import re
import unicodedata
from base64 import b64decode
from collections.abc import Callable, Iterator, Mapping

_AT_THE_ENDS = " \t\n\r\f\v\u00a0\u2007\u202f\u3000\ufeff\u200b\u200c\u200d\u2060"
"""Blanks and invisible marks. Signs that end a line or a text elsewhere, such as U+2028, are no damage of copying."""

_DOUBLE, _SINGLE = '"\u201c\u201d\u201e\u201f\u00ab\u00bb', "'`\u2018\u2019\u201a\u201b"
_STRAIGHT = str.maketrans(dict.fromkeys(_DOUBLE, '"') | dict.fromkeys(_SINGLE, "'"))
_MAX_LAYERS = 3

_WRITTEN_BREAK = re.compile(r"(?:\\{1,4}r)?\\{1,4}n|\\{1,4}r")
_DASH = "[-\u2010-\u2015\u2212]"
_BOUNDARY = re.compile(f"{_DASH}{{2,10}}(BEGIN|END) ([A-Z0-9 ]{{1,40}}?) ?{_DASH}{{2,10}}")
_BASE64 = re.compile(r"[A-Za-z0-9+/\s]{16,}={0,2}")


def trimmed(text: str) -> str:
    """Without blanks and invisible marks at its ends, which are part of no value."""
    return text.strip(_AT_THE_ENDS)


def mended(text: str, fits: Callable[[str], bool]) -> str:
    """The first form of a one-line value that is as it should be; the trimmed text when none is."""
    as_it_is = trimmed(text)
    if fits(as_it_is):
        return as_it_is
    return next((form for form in _bared(_cleaned(as_it_is)) if fits(form)), as_it_is)


def mended_pem(text: str) -> str:
    """PEM with its lines and its dashes as they were: from the first BEGIN to the last END, and nothing around them. No
    character that is undone can be part of PEM."""
    if "BEGIN" not in text:
        text = _decoded(text) or text
    text = _WRITTEN_BREAK.sub("\n", _cleaned(text)).replace("\r\n", "\n").replace("\r", "\n")
    text = _BOUNDARY.sub(r"-----\1 \2-----", text)
    begin, end = text.find("-----BEGIN "), text.rfind("-----END ")
    if begin < 0 or end < begin:
        return text.strip()
    closing = text.find("-----", end + 9)
    return text[begin : closing + 5] if closing > 0 else text[begin:].strip()


def mended_object(text: str) -> Mapping[str, object] | None:
    """The JSON object that a text is, also when it is wrapped in base64 or in a JSON text, when its quotation marks
    have been made typographic or single ones, or when line breaks inside its texts are real ones. None for none."""
    clean = _cleaned(text)
    for form in (clean, *_bared(clean), _decoded(clean)):
        for spelt in (form, form.translate(_STRAIGHT), _double(form)):
            found = _object(spelt)
            if found is not None:
                return found
    return None


def damage_in(text: str) -> str:
    """The sentence that names what copying may have done to a value that is refused; empty when nothing is seen. It
    says nothing of the value itself."""
    found = trimmed(text)
    if said := oddity_in(found):
        return said
    if not found.isascii():
        return "It holds a character that is not ASCII, such as a typographic dash or quotation mark: copy it again."
    if "BEGIN " in found and "END " not in found:
        return "Its last line (-----END …) is missing: it was cut off."
    if "BEGIN " not in found and any(map(str.isspace, found)):
        return "It has a blank or a line break inside."
    return ""


def oddity_in(text: str) -> str:
    """The same of a value that any sign may be part of."""
    if any(unicodedata.category(sign) == "Cf" for sign in text):
        return "It holds an invisible character: copy it again, or type it."
    if _is_quoted(text):
        return "It stands in quotation marks: submit it without them, unless they are part of it."
    return ""


def _cleaned(text: str) -> str:
    """Without invisible characters, and with plain blanks for those that only look like one."""
    if text.isascii():
        return trimmed(text)
    kinds = ((sign, unicodedata.category(sign)) for sign in text)
    return trimmed("".join(" " if kind == "Zs" else sign for sign, kind in kinds if kind != "Cf"))


def _bared(text: str) -> Iterator[str]:
    """The text, and then without what stands around it, a layer at a time."""
    yield text
    for _ in range(_MAX_LAYERS):
        inner = trimmed(text.rstrip(",;"))
        if _is_quoted(inner):
            inner = trimmed(inner[1:-1])
        if inner == text:
            return
        text = inner
        yield text


def _is_quoted(text: str) -> bool:
    return len(text) > 1 and any(text[0] in signs and text[-1] in signs for signs in (_DOUBLE, _SINGLE))


def _decoded(text: str) -> str:
    """What a text in base64 says, the empty text when it is none."""
    text = text.strip()
    if not _BASE64.fullmatch(text):
        return ""
    try:
        return _cleaned(b64decode("".join(text.split())).decode())
    except ValueError:
        return ""


def _double(text: str) -> str:
    return text.replace("'", '"') if '"' not in text else text


def _object(text: str) -> Mapping[str, object] | None:
    for _ in range(2):
        try:
            found = json.loads(text, strict=False)
        except (ValueError, RecursionError):
            return None
        if isinstance(found, dict):
            return found
        if not isinstance(found, str):
            return None
        text = found
    return None
