"""Reads the answers of an engine elsewhere. They come from outside, so every field has a type and a limit.

One odd finding costs no scan. What is too long is cut, with a mark; statuses and severities are understood as Prowler,
Trivy and AWS Security Hub write them; what cannot be used at all becomes an `error` that says which finding it was, and
which field. Only an answer whose frame is not the protocol's is refused, and for good: asking again would not mend it.
"""

import re
from collections.abc import Mapping
from enum import StrEnum
from hashlib import sha256
from typing import Any, TypeVar

from domain.errors import InvalidInput, Problem
from domain.scans.scan import GLOBAL, UNUSABLE, CheckStatus, EngineProgress, ExecutionStatus, Finding, Severity

Choice = TypeVar("Choice", bound=StrEnum)

MAX_CHARACTERS = 2_048
MAX_STANDARDS = 256
"""Prowler maps a finding to up to 208."""
MAX_STANDARD_CHARACTERS = 256
MARK = "…"
ERROR_CODE = r"[a-z][a-z0-9_]{0,63}"
UNKNOWN_ERROR = "engine_failed"
BAD_ANSWER = "engine_bad_answer"

STATUSES = {
    **dict.fromkeys(("pass", "passed"), CheckStatus.PASS),
    # One that was muted in the engine is still there: an engine hides nothing from us.
    **dict.fromkeys(("fail", "failed", "muted"), CheckStatus.FAIL),
    **dict.fromkeys(
        ("error", "warning", "manual", "unknown", "not_available", "not_applicable", "exception"), CheckStatus.ERROR
    ),
}
MUTED = "The engine has it muted."
SEVERITIES = {
    **dict.fromkeys(("low", "informational", "info", "negligible", "none"), Severity.LOW),
    # Nobody has rated it yet, which is no reason to put it last.
    **dict.fromkeys(("medium", "moderate", "unknown", "undefined"), Severity.MEDIUM),
    **dict.fromkeys(("high", "important"), Severity.HIGH),
    "critical": Severity.CRITICAL,
}


def bad_answer(what: str) -> InvalidInput:
    """For an answer that does not keep the protocol. `what` names the part, and never quotes it."""
    message = f"The scan engine's answer cannot be used: {what}. Those who run the engine can mend it."
    return InvalidInput(message, problems=[Problem(BAD_ANSWER, message)])


def progress_of(answer: Mapping[str, Any]) -> EngineProgress:
    """Raises InvalidInput."""
    given = answer.get("status")
    if not isinstance(given, str) or given not in set(ExecutionStatus) - {ExecutionStatus.UNKNOWN}:
        raise bad_answer("status is none of running, completed, failed, cancelled")
    percent, code = _percent(answer.get("percent")), answer.get("error_code")
    if given != ExecutionStatus.FAILED:
        return EngineProgress(ExecutionStatus(given), percent)
    known = isinstance(code, str) and re.fullmatch(ERROR_CODE, code)
    return EngineProgress(ExecutionStatus.FAILED, percent, code if known else UNKNOWN_ERROR)


def page_of(answer: Mapping[str, Any], *, first: int, account_number: str) -> tuple[list[Finding], str | None]:
    """The findings of a page, of which the first has this number in the scan, and the cursor of the next page. Raises
    InvalidInput."""
    findings, cursor = answer.get("findings"), answer.get("next_cursor")
    if not isinstance(findings, list):
        raise bad_answer("findings is not a list")
    if not (cursor is None or isinstance(cursor, str)):
        raise bad_answer("next_cursor is neither text nor null")
    return [_read(each, number, account_number) for number, each in enumerate(findings, first)], cursor or None


def _percent(given: Any) -> int:
    """0 for what is no number: how far an engine is decides nothing."""
    return int(min(given, 100)) if isinstance(given, int | float) and given > 0 else 0


class _Unusable(Exception):
    """Names the field that a finding cannot do without."""


def _read(given: Any, number: int, account_number: str) -> Finding:
    try:
        return _finding(given)
    except _Unusable as field:
        return Finding(
            check_id=UNUSABLE,
            title="What the engine found can be read",
            status=CheckStatus.ERROR,
            severity=Severity.MEDIUM,
            resource=f"{account_number}/finding/{number}",
            region=GLOBAL,
            service="account",
            message=f"Finding {number} of the scan engine, counted from 0, cannot be used: {field}.",
            remedy="Those who run the engine can mend it.",
        )


def _finding(given: Any) -> Finding:
    if not isinstance(given, dict):
        raise _Unusable("it is not an object")
    check_id = _identifier(given, "check_id")
    resource = _identifier(given, "resource")
    status = _choice(STATUSES, given, "status")
    title = _text(given, "title") or check_id
    message = _text(given, "message") or title
    if _word(given["status"]) == "muted":
        message = f"{_cut(message, MAX_CHARACTERS - len(MUTED) - 1)} {MUTED}"
    return Finding(
        check_id=check_id,
        title=title,
        status=status,
        severity=SEVERITIES["unknown"] if given.get("severity") is None else _choice(SEVERITIES, given, "severity"),
        resource=resource,
        region=_identifier(given, "region", otherwise=GLOBAL),
        service=_identifier(given, "service", otherwise="unknown"),
        message=message,
        remedy=_text(given, "remedy"),
        standards=_standards(given.get("standards")),
    )


def _text(given: Mapping[str, Any], name: str) -> str:
    """Empty for null and for what is missing."""
    value = given.get(name)
    if value is None:
        return ""
    if not isinstance(value, str):
        raise _Unusable(f"{name} is not text")
    return _cut(_whole(value), MAX_CHARACTERS)


def _identifier(given: Mapping[str, Any], name: str, *, otherwise: str = "") -> str:
    """Two that differ stay different when they are cut, so that no finding passes for another one."""
    value = given.get(name)
    if value in (None, ""):
        value = otherwise
    if not isinstance(value, str) or not value:
        raise _Unusable(f"{name} is missing or is not text")
    whole = _whole(value)
    if len(whole) <= MAX_CHARACTERS:
        return whole
    digest = sha256(whole.encode()).hexdigest()[:16]
    return f"{whole[: MAX_CHARACTERS - len(digest) - 1]}{MARK}{digest}"


def _choice(kinds: Mapping[str, Choice], given: Mapping[str, Any], name: str) -> Choice:
    value = given.get(name)
    if not isinstance(value, str) or _word(value) not in kinds:
        raise _Unusable(f"{name} is missing or not known")
    return kinds[_word(value)]


def _word(value: str) -> str:
    return re.sub(r"[\s-]+", "_", value[:64].strip().lower())


def _standards(given: Any) -> tuple[str, ...]:
    if given is None:
        return ()
    if not isinstance(given, list):
        return (f"{MARK} left out, because they are not a list",)
    texts = [each for each in given if isinstance(each, str)]
    different = tuple(dict.fromkeys(_cut(_whole(each), MAX_STANDARD_CHARACTERS) for each in texts))
    kept = different if len(different) <= MAX_STANDARDS else different[: MAX_STANDARDS - 1]
    left_out = len(given) - len(texts) + len(different) - len(kept)
    return (*kept, f"{MARK} and {left_out} more") if left_out else kept


def _cut(text: str, limit: int) -> str:
    return text if len(text) <= limit else text[: limit - len(MARK)] + MARK


def _whole(text: str) -> str:
    """Halves of characters, which JSON can hold and UTF-8 cannot, become question marks."""
    return text.encode(errors="replace").decode()
