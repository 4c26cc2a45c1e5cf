"""An exported audit trail: JSON lines, one kind of thing after the other, enough to be checked without the platform."""

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from domain.audit.events import AuditEvent
from domain.audit.trail import AuditDigest, Note, SealedEvent, Seen, Trail, fingerprint
from domain.errors import InvalidInput
from domain.timestamps import parse

MAX_LINE_BYTES = 1024 * 1024
"""A digest of 99 events is a fiftieth of it."""


@dataclass(frozen=True)
class Heading:
    """The first line. Of the keys only the name is to be believed when it is known from elsewhere."""

    tenant_id: str
    exported_at: str
    settled: int
    public_keys: tuple[str, ...]
    """In PEM form."""


def line(kind: str, content: Heading | AuditEvent | Note | AuditDigest) -> str:
    fields = content._asdict() if isinstance(content, Note) else asdict(content)
    return json.dumps({"kind": kind, **fields}, separators=(",", ":"))


@dataclass
class _Found:
    """What was read so far."""

    heading: Heading | None = None
    events: list[Seen] = field(default_factory=list)
    waiting: dict[str, Note] = field(default_factory=dict)
    digests: list[AuditDigest] = field(default_factory=list)
    lines: int = 0


def read(path: Path) -> tuple[Heading, Trail]:
    """Raises InvalidInput for a file that is none of these."""
    found = _Found()
    try:
        with path.open("rb") as file:
            for text in _lines(file):
                _take(found, json.loads(text))
    except (OSError, ValueError, TypeError, KeyError, AttributeError, RecursionError):
        after = f" Its first {found.lines} lines can be read." if found.lines else ""
        raise InvalidInput(f"The file cannot be read as an exported audit trail.{after}") from None
    heading = found.heading
    if heading is None:
        raise InvalidInput("The file is no exported audit trail: it is empty.")
    return heading, Trail(heading.tenant_id, heading.settled, found.events, found.waiting, found.digests)


def _lines(file: Any) -> Iterator[bytes]:
    while text := file.readline(MAX_LINE_BYTES + 1):
        if len(text) > MAX_LINE_BYTES:
            raise ValueError("The line is too long.")
        yield text


def _take(found: _Found, content: dict[str, Any]) -> None:
    """The heading comes first and once."""
    kind = content.pop("kind")
    if (kind == "trail") != (found.heading is None):
        raise ValueError("The heading is not where it should be.")
    match kind:
        case "trail":
            found.heading = _heading(content)
        case "event":
            event = AuditEvent(**content)
            found.events.append(Seen(_text(event.event_id), fingerprint(event)))
        case "waiting":
            note = Note(**content)
            found.waiting[_text(note.event_id)] = note._replace(written_at=_text(note.written_at))
        case "digest":
            found.digests.append(digest_of(content))
        case _:
            raise ValueError("There is no such kind of line.")
    found.lines += 1


def _heading(content: dict[str, Any]) -> Heading:
    heading = Heading(**{**content, "public_keys": tuple(map(_text, content["public_keys"]))})
    parse(heading.exported_at)
    if not isinstance(heading.settled, int):
        raise TypeError
    return heading


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError
    return value


def digest_of(content: Mapping[str, Any]) -> AuditDigest:
    events: Iterable[dict[str, Any]] = content["events"]
    digest = AuditDigest(**{**content, "events": tuple(SealedEvent(**event) for event in events)})
    if not isinstance(digest.sequence, int):
        raise TypeError
    for text in (digest.until, digest.signature, *(event.event_id for event in digest.events)):
        _text(text)
    return digest
