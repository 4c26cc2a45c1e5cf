"""Signatures of the payloads that pass through Temporal.

Whoever can write to the namespace could start our workflows, send them updates and answer their steps. So each payload
carries an HMAC in its metadata, over its bytes and over the place that it is for: namespace, workflow, and of an
activity its type and id. The data itself stays readable JSON.
"""

import hmac
import struct
import threading
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import Enum, StrEnum

from temporalio.api.common.v1 import Payload
from temporalio.api.failure.v1 import Failure
from temporalio.exceptions import ApplicationError

from domain.commands import CommandKeys, CommandKind, CommandOutcome, CountUnsigned, UnsignedCommands
from domain.errors import OnboardingError, UnsignedCommand

SIGNATURE = "signature"
"""The metadata entry. Its value is `<version> <key> <month> <HMAC-SHA-256 in hexadecimal>`."""

REFUSED_ENCODING = b"refused/unsigned"
"""In place of the encoding of a payload that is refused: only a converter that raises knows it."""

MONTHS_BACK = 4
"""How old a signature may be: the longest onboarding lasts 90 days."""

MONTHS_AHEAD = 1
"""A clock that is behind another one's meets the month to come."""

PAUSE = timedelta(seconds=30)
"""Between two tries to get a new month's key, while the last one serves on."""

_VERSION = b"1"


class Way(StrEnum):
    """Whether a payload is on its way to the code that acts on it, or back: an answer is never taken for a command."""

    THERE = "there"
    BACK = "back"


class _Finding(Enum):
    SIGNED, UNSIGNED, WRONG = range(3)


@dataclass(frozen=True)
class Place:
    """What a payload is for. Without an activity it is the workflow itself."""

    namespace: str
    workflow_id: str
    activity_type: str = ""
    activity_id: str = ""

    def label(self, way: Way) -> bytes:
        parts = (way, self.namespace, self.workflow_id, self.activity_type, self.activity_id)
        return _joined(*[part.encode() for part in parts])


def uncounted(kind: CommandKind, outcome: CommandOutcome) -> None:
    """Count nothing."""


def utc_now() -> datetime:
    return datetime.now(UTC)


class _Months:
    """The month of a moment, the one before, and those whose signatures are accepted, as they stand in one."""

    def __init__(self, now: datetime) -> None:
        self._of = (now.year, now.month)
        self.present, self.before = _shifted(now, 0), _shifted(now, -1)
        months = [_shifted(now, months) for months in range(-MONTHS_BACK, MONTHS_AHEAD + 1)]
        self.accepted = {month.encode(): month for month in months}

    def covers(self, now: datetime) -> bool:
        return self._of == (now.year, now.month)


class Signer:
    """Signs and checks. `key_name` stands in each signature; keys are derived when their month is first met."""

    def __init__(
        self,
        keys: CommandKeys,
        *,
        key_name: str,
        unsigned: UnsignedCommands = UnsignedCommands.REFUSE,
        count: CountUnsigned = uncounted,
        now: Callable[[], datetime] = utc_now,
    ) -> None:
        self._keys = keys
        self._name = key_name.encode()
        self._unsigned = unsigned
        self._count = count
        self._now = now
        self._known = _Months(now())
        self._derived: dict[str, hmac.HMAC] = {}
        self._deriving = threading.Lock()
        self._next_try = datetime.min.replace(tzinfo=UTC)

    @property
    def generation(self) -> int:
        """The month that is signed with now, as a number that grows: 202611."""
        return int(self._month().replace("-", ""))

    def prepare(self) -> None:
        """Derive the keys that are used first. Raises Unavailable and PlatformConfig."""
        months = self._months()
        self.derive([months.present, months.before])

    def lacking(self, payloads: Sequence[Payload] = ()) -> list[str]:
        """The months whose keys are still to be derived, to check the payloads or, without any, to sign."""
        months = self._months()
        if payloads:
            named = [months.accepted.get(_parts(each.metadata.get(SIGNATURE, b""))[2]) for each in payloads]
        else:
            named = [months.present] if self._now() >= self._next_try else []
        return [month for month in named if month and month not in self._derived]

    def derive(self, months: Iterable[str]) -> None:
        """Blocks: it is a call of KMS for each. Raises Unavailable and PlatformConfig."""
        for month in months:
            try:
                self._key(month)
            except OnboardingError:
                self._next_try = self._now() + PAUSE
                raise

    def sign(self, payload: Payload, label: bytes) -> None:
        month = self._month()
        mac = self._mac(payload, label, month)
        payload.metadata[SIGNATURE] = b" ".join((_VERSION, self._name, month.encode(), mac))

    def accepts(self, payloads: Sequence[Payload], *labels: bytes, kind: CommandKind, counted: bool = True) -> bool:
        """Whether all of them may be acted on. Where there is none, nothing says that it comes from us."""
        findings = [self._best(payload, labels) for payload in payloads] or [_Finding.UNSIGNED]
        return self._admit(findings, kind, counted=counted)

    def sign_failure(self, failure: Failure, label: bytes) -> None:
        """The code and the text of an error decide as much as a result does."""
        if (node := _decisive(failure)) is not None:
            node.encoded_attributes.Clear()
            node.encoded_attributes.metadata["encoding"] = b"json/plain"
            node.encoded_attributes.data = b"{}"
            self.sign(node.encoded_attributes, label + _content(node))

    def accepts_failure(self, failure: Failure, label: bytes, *, counted: bool = True) -> bool:
        """What the server itself says, a timeout or a cancellation, has no signature and stops things only."""
        if (node := _decisive(failure)) is None:
            return True
        finding = self._find(node.encoded_attributes, label + _content(node))
        return self._admit([finding], CommandKind.RESULT, counted=counted)

    def _admit(self, findings: Sequence[_Finding], kind: CommandKind, *, counted: bool) -> bool:
        if all(finding is _Finding.SIGNED for finding in findings):
            return True
        let_in = self._unsigned is UnsignedCommands.COUNT and _Finding.WRONG not in findings
        if counted:
            self._count(kind, CommandOutcome.LET_IN if let_in else CommandOutcome.REFUSED)
        return let_in

    def _best(self, payload: Payload, labels: Iterable[bytes]) -> _Finding:
        found = _Finding.UNSIGNED
        for label in labels:
            found = self._find(payload, label)
            if found is not _Finding.WRONG:
                break
        return found

    def _find(self, payload: Payload, label: bytes) -> _Finding:
        version, name, month, mac = _parts(payload.metadata.get(SIGNATURE, b""))
        accepted = self._months().accepted.get(month)
        if accepted is None or name != self._name or version != _VERSION:
            return _Finding.UNSIGNED
        ours = self._mac(payload, label, accepted)
        return _Finding.SIGNED if hmac.compare_digest(mac, ours) else _Finding.WRONG

    def _mac(self, payload: Payload, label: bytes, month: str) -> bytes:
        parts, metadata = [label], payload.metadata
        for name in sorted(metadata):
            if name != SIGNATURE:
                parts += (name.encode(), metadata[name])
        mac = self._key(month).copy()
        mac.update(_joined(*parts, payload.data))
        return mac.hexdigest().encode()

    def _month(self) -> str:
        """The present one; for as long as its key cannot be had, the one before, which is accepted all the same."""
        months = self._months()
        if months.present in self._derived:
            return months.present
        if self._now() < self._next_try and months.before in self._derived:
            return months.before
        try:
            self.derive([months.present])
        except OnboardingError:
            if months.before not in self._derived:
                raise
            return months.before
        return months.present

    def _months(self) -> "_Months":
        now = self._now()
        if not self._known.covers(now):
            self._known = _Months(now)
        return self._known

    def _key(self, month: str) -> hmac.HMAC:
        """An HMAC over nothing yet, to be copied: that takes half the time of beginning one."""
        if month not in self._derived:
            with self._deriving:
                if month not in self._derived:
                    self._derived[month] = hmac.new(self._keys.derive(month), digestmod="sha256")
        return self._derived[month]


def refuse(payload: Payload) -> None:
    """Make a payload one that cannot be converted, and hold nothing of it."""
    payload.Clear()
    payload.metadata["encoding"] = REFUSED_ENCODING


def refusal() -> ApplicationError:
    return ApplicationError(UnsignedCommand.default_message, type=UnsignedCommand.code, non_retryable=True)


def generation_of(payload: Payload) -> int:
    """The month that a payload says it was signed in; 0 without a signature. Nothing is checked."""
    digits = _parts(payload.metadata.get(SIGNATURE, b""))[2].replace(b"-", b"")
    return int(digits) if digits.isdigit() and len(digits) == 6 else 0


def _parts(signature: bytes) -> list[bytes]:
    """Version, key, month and HMAC; empty ones of anything else."""
    parts = signature.split(b" ")
    return parts if len(parts) == 4 else [b""] * 4


def _decisive(failure: Failure) -> Failure | None:
    """The application failure that a workflow or a caller sees behind the envelopes of activities and children."""
    node = failure
    while node.HasField("cause") and node.WhichOneof("failure_info") in _ENVELOPES:
        node = node.cause
    return node if node.HasField("application_failure_info") else None


_ENVELOPES = ("activity_failure_info", "child_workflow_execution_failure_info")


def _content(node: Failure) -> bytes:
    info = node.application_failure_info
    details = (detail.data for detail in info.details.payloads)
    return _joined(node.message.encode(), info.type.encode(), bytes([info.non_retryable]), *details)


def _joined(*parts: bytes) -> bytes:
    """Each with its length before it, so that no two sequences make the same bytes."""
    return b"".join([piece for part in parts for piece in (_LENGTH.pack(len(part)), part)])


_LENGTH = struct.Struct(">Q")


def _shifted(now: datetime, months: int) -> str:
    year, month = divmod(now.year * 12 + now.month - 1 + months, 12)
    return f"{year:04d}-{month + 1:02d}"
