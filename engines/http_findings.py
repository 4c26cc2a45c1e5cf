"""Reads the answers of an engine elsewhere. They come from outside, so every field has a type and a limit."""

import re
from collections.abc import Mapping
from enum import StrEnum
from typing import Any, TypeVar

from domain.errors import Unavailable
from domain.scans import CheckStatus, EngineProgress, ExecutionStatus, Finding, Severity

MAX_CHARACTERS = 2_048
MAX_STANDARDS = 50
ERROR_CODE = r"[a-z][a-z0-9_]{0,63}"
UNKNOWN_ERROR = "engine_failed"

Choice = TypeVar("Choice", bound=StrEnum)


def malformed() -> Unavailable:
    """For an answer that does not keep the protocol: another version of the engine may do better."""
    return Unavailable("The scan engine's answer cannot be used.")


def progress_of(answer: Mapping[str, Any]) -> EngineProgress:
    """Raises Unavailable."""
    status = _choice(ExecutionStatus, answer, "status")
    percent = answer.get("percent", 0)
    if not isinstance(percent, int):
        raise malformed()
    code = answer.get("error_code")
    if status is ExecutionStatus.FAILED and not (isinstance(code, str) and re.fullmatch(ERROR_CODE, code)):
        code = UNKNOWN_ERROR
    return EngineProgress(status, min(max(percent, 0), 100), code if status is ExecutionStatus.FAILED else None)


def page_of(answer: Mapping[str, Any]) -> tuple[list[Finding], str | None]:
    """The findings of a page and the cursor of the next one. Raises Unavailable."""
    findings, cursor = answer.get("findings"), answer.get("next_cursor")
    if not isinstance(findings, list) or not (cursor is None or isinstance(cursor, str)):
        raise malformed()
    return [_finding(each) for each in findings], cursor


def _finding(given: Any) -> Finding:
    if not isinstance(given, dict):
        raise malformed()
    standards = given.get("standards", [])
    if not isinstance(standards, list) or len(standards) > MAX_STANDARDS:
        raise malformed()
    return Finding(
        check_id=_text(given.get("check_id")),
        title=_text(given.get("title")),
        status=_choice(CheckStatus, given, "status"),
        severity=_choice(Severity, given, "severity"),
        resource=_text(given.get("resource")),
        region=_text(given.get("region")),
        service=_text(given.get("service")),
        message=_text(given.get("message")),
        remedy=_text(given.get("remedy", "")),
        standards=tuple(map(_text, standards)),
    )


def _text(value: Any) -> str:
    if not isinstance(value, str) or len(value) > MAX_CHARACTERS:
        raise malformed()
    return value


def _choice(kind: type[Choice], answer: Mapping[str, Any], name: str) -> Choice:
    try:
        return kind(_text(answer.get(name)))
    except ValueError:
        raise malformed() from None
