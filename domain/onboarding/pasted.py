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

_WRITTEN_BREAK = re.compile(r"(?:\\{1,4}r)?\\{1,4}n|\\{1,4}r|\\{1,4}u000[aAdD]")
_ESCAPED_SLASH = re.compile(r"\\{1,16}/")
_DASH = "[-\u2010-\u2015\u2212]"
_BOUNDARY = re.compile(f"{_DASH}{{2,10}}(BEGIN|END) ([A-Z0-9 ]{{1,40}}?) ?{_DASH}{{2,10}}")
_BASE64 = re.compile(r"[A-Za-z0-9+/_\s-]{16,}={0,2}")
_FROM_URLS = str.maketrans("-_", "+/")
_NAME = re.compile(r"(?:export |\$env:)?(?P<mark>[\"']?)[A-Za-z][A-Za-z0-9_]{0,40}(?P=mark)(?: ?= ?|: )")
"""What stands before a value in a settings file, a shell or a list of outputs: `region=`, `RoleArn: `. A colon without
a blank after it is part of many values."""
_BRACKETS = ("{}", "<>", "()", "[]")


def trimmed(text: str) -> str:
    """Without blanks and invisible marks at its ends, which are part of no value."""
    return text.strip(_AT_THE_ENDS)


def mended(text: str, fits: Callable[[str], bool]) -> str:
    """The first form of a one-line value that is as it should be; the trimmed text when none is."""
    as_it_is = trimmed(text)
    if fits(as_it_is):
        return as_it_is
    forms = [*_bared(_cleaned(as_it_is))]
    # As consoles show an account's number: 1234-5678-9012.
    numbers = (digits for form in forms if (digits := re.sub("[ -]", "", form)).isdecimal())
    return next((form for form in (*forms, *numbers) if fits(form)), as_it_is)


def mended_pem(text: str) -> str:
    """PEM with its lines and its dashes as they were: from the first BEGIN to the last END, and nothing around them. No
    character that is undone can be part of PEM."""
    if "BEGIN" not in text:
        text = next((found for form in _bared(_cleaned(text)) if (found := _decoded(form))), text)
    # JSON may write a line break as a number, and a slash with a backslash before it.
    text = _ESCAPED_SLASH.sub("/", _cleaned(text))
    text = _WRITTEN_BREAK.sub("\n", text).replace("\r\n", "\n").replace("\r", "\n")
    text = _BOUNDARY.sub(r"-----\1 \2-----", text)
    begin, end = text.find("-----BEGIN "), text.rfind("-----END ")
    if begin < 0 or end < begin:
        return text.strip()
    closing = text.find("-----", end + 9)
    return text[begin : closing + 5] if closing > 0 else text[begin:].strip()


def mended_object(text: str) -> Mapping[str, object] | None:
    """The JSON object that a text is, also when it is wrapped in base64 or in a JSON text, when something stands before
    or after it, when its quotation marks have been made typographic or single ones or have backslashes before them, or
    when line breaks inside its texts are real ones. None for none."""
    clean = _cleaned(text)
    for form in (clean, *_bared(clean), *map(_decoded, _bared(clean)), _braced(clean)):
        for spelt in (form, form.translate(_STRAIGHT), _double(form), f'"{form}"'):
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
    if "BEGIN " in found and "PRIVATE KEY-----" not in found:
        return "There is no private key in it: this is a public key, a certificate or the like."
    if "BEGIN " not in found and any(map(str.isspace, found)):
        return "It has a blank or a line break inside."
    return ""


def has_private_key(pem: str) -> bool:
    """Whether a private key begins in it, and anything ends after that."""
    begin = pem.find("PRIVATE KEY-----")
    return begin >= 0 and pem.find("-----END ", begin) >= 0


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
        if named := _NAME.match(inner):
            inner = inner[named.end() :]
        elif _is_quoted(inner) or inner[:1] + inner[-1:] in _BRACKETS:
            inner = trimmed(inner[1:-1])
        if inner == text:
            return
        text = inner
        yield text


def _is_quoted(text: str) -> bool:
    return len(text) > 1 and any(text[0] in signs and text[-1] in signs for signs in (_DOUBLE, _SINGLE))


def _decoded(text: str) -> str:
    """What a text in base64 says, the empty text when it is none."""
    text = "".join(text.split()).translate(_FROM_URLS)
    if not _BASE64.fullmatch(text):
        return ""
    try:
        bare = text.rstrip("=")
        held = b64decode(bare + "=" * (-len(bare) % 4))
        # PowerShell encodes a text in UTF-16, with a mark before it or without.
        utf16 = "utf-16-le" if held[1:2] == b"\0" else "utf-16" if held[:1] in b"\xff\xfe" else ""
        return _cleaned(held.decode(utf16 or "utf-8"))
    except ValueError:
        return ""


def _braced(text: str) -> str:
    """From the first brace to the last one."""
    begin, end = text.find("{"), text.rfind("}")
    return text[begin : end + 1] if 0 <= begin < end else ""


def _double(text: str) -> str:
    return text.replace("'", '"') if '"' not in text else text


def _object(text: str) -> Mapping[str, object] | None:
    for _ in range(_MAX_LAYERS):
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
