"""Everything that can go wrong, as one tree.

OnboardingError
├── UserError                    the caller can put it right; never retried
│   ├── InvalidInput             carries the list of problems
│   │   ├── MalformedBody        the body is not acceptable JSON of the declared shape
│   │   └── CredentialRefused    validation found what to put right
│   ├── Unauthenticated
│   ├── Forbidden
│   │   └── MissingScope         the message names the scope
│   ├── NotFound                 missing, or another tenant's: the same answer
│   ├── (domain.edge_errors)     what the API alone refuses
│   ├── IdempotencyMismatch      same Idempotency-Key, other body
│   ├── PayloadTooLarge
│   ├── UnsupportedMediaType
│   └── Conflict
│       ├── AlreadyExists
│       ├── AccountAlreadyOnboarded
│       ├── OnboardingClosed
│       ├── Busy                 passes by itself; the caller may repeat the request
│       │   ├── SubmissionInProgress
│       │   └── ScanRunning
│       ├── NoEngine
│       ├── StaleVersion
│       └── UnknownValue         a newer version wrote it; this one must not write over it
├── Trouble                      passes by itself; retried; may carry retry_after
│   ├── Throttled
│   ├── Unavailable
│   ├── Propagating              the cloud does not know yet what was just made
│   ├── NotYet                   what is waited for is not finished
│   ├── ClockSkew                our clock: page the operators
│   └── PlatformConfig           our TLS, proxy, region or principal: page the operators
├── SealBroken                   a sealed credential does not open
├── UnsignedCommand              came through Temporal without our signature for its place
├── UnreadableRow                a stored record has another form
└── Internal                     a bug; the cause is named by its class only

A message is a sentence of ours that may be shown to a caller, without an input value. Decide on classes and codes.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar


@dataclass(frozen=True)
class Problem:
    """One thing to put right: where it is (a JSON pointer, or a validation step), what it is and what to do."""

    code: str
    message: str
    pointer: str | None = None
    step: str | None = None
    remedy: str | None = None
    missing_permissions: tuple[str, ...] = ()


class OnboardingError(Exception):
    """Root of the tree."""

    code: ClassVar[str] = "error"
    default_message: ClassVar[str] = "The request failed."

    def __init__(self, message: str | None = None) -> None:
        self.message = message or self.default_message
        super().__init__(self.message)


class UserError(OnboardingError):
    """The caller can put it right."""

    code = "user_error"


class InvalidInput(UserError):
    """The input makes no sense; `problems` lists everything found, not only the first."""

    code = "invalid_input"
    default_message = "The request is not valid; see the problems listed."

    def __init__(self, message: str | None = None, problems: Sequence[Problem] = ()) -> None:
        super().__init__(message)
        self.problems = tuple(problems)


class MalformedBody(InvalidInput):
    """The body is not acceptable JSON, or not of the declared shape."""

    code = "malformed_body"
    default_message = "The request body is malformed; see the problems listed."


class CredentialRefused(InvalidInput):
    """The cloud refuses the credential, or it lacks what scanning needs."""

    code = "credential_refused"
    default_message = "The credential was refused; see the problems listed."


class Unauthenticated(UserError):
    """No credential of the caller, or one that is unknown, expired or revoked."""

    code = "unauthenticated"
    default_message = "Send a valid API key or access token as 'Authorization: Bearer …', or the key in 'X-API-Key'."


class Forbidden(UserError):
    """The caller is known and may not do this."""

    code = "forbidden"
    default_message = "The caller may not do that."


class MissingScope(Forbidden):
    """The caller has not the scope that this needs; the message names it."""

    code = "missing_scope"
    default_message = "This needs a scope that the caller does not have."

    def __init__(self, message: str | None = None, *, scope: str | None = None) -> None:
        named = f"This needs the scope {scope}, which the caller does not have."
        super().__init__(message or (named if scope else None))
        self.scope = scope


class NotFound(UserError):
    """Missing, or another tenant's: both answer the same. `pointer` says where the request names it."""

    code = "not_found"
    default_message = "There is no such thing here."

    def __init__(self, message: str | None = None, *, pointer: str | None = None) -> None:
        super().__init__(message)
        self.pointer = pointer


class IdempotencyMismatch(UserError):
    """The Idempotency-Key was used before with another body."""

    code = "idempotency_mismatch"
    default_message = "This Idempotency-Key was used with a different request; send a new key."


class PayloadTooLarge(UserError):
    """The body is over the limit."""

    code = "payload_too_large"
    default_message = "The request body is too large."


class UnsupportedMediaType(UserError):
    """The body is not JSON."""

    code = "unsupported_media_type"
    default_message = "Send the body as application/json."


class Conflict(UserError):
    """The request does not fit the present state."""

    code = "conflict"
    default_message = "The request conflicts with the present state."


class AlreadyExists(Conflict):
    """A thing of that name is there already."""

    code = "already_exists"
    default_message = "That name is taken; choose another."


class AccountAlreadyOnboarded(Conflict):
    """The cloud account is active under another account id of the same tenant."""

    code = "account_already_onboarded"
    default_message = "This cloud account is already onboarded in this tenant; use the existing account."


class Busy(Conflict):
    """Something of the kind is being done at this moment, so the same request can succeed later."""

    code = "busy"
    default_message = "Another request is being worked on; wait for its end, then repeat."


class SubmissionInProgress(Busy):
    """A credential is being validated at this moment."""

    code = "submission_in_progress"
    default_message = "A credential is being validated now; wait for its result, then submit again."


class OnboardingClosed(Conflict):
    """The onboarding has ended, or activation has begun and cannot be undone by a cancel."""

    code = "onboarding_closed"
    default_message = "This onboarding has ended; start a new one."


class ScanRunning(Busy):
    """The schedule's scan is running. `execution_id` is that of the one that runs, when it is known; the message then
    names it."""

    code = "scan_running"
    default_message = "A scan of this schedule is running; wait for its end or cancel it."

    def __init__(self, message: str | None = None, *, execution_id: str | None = None) -> None:
        named = f"The scan {execution_id} of this schedule is running; wait for its end or cancel it."
        super().__init__(message or (named if execution_id else None))
        self.execution_id = execution_id


class NoEngine(Conflict):
    """Nothing scans this cloud here."""

    code = "no_engine"
    default_message = "Nothing scans this cloud here; the operators have to configure an engine for it."


class StaleVersion(Conflict):
    """The row changed since it was read."""

    code = "stale_version"
    default_message = "The record changed meanwhile; read it again and repeat the change."


class UnknownValue(Conflict):
    """The record holds a value of a newer version, which a write of this one would lose."""

    code = "unknown_value"
    default_message = (
        "The record holds a value that this version of the platform does not know, so it was not changed; "
        "the operators have to bring the newer version back."
    )


class Trouble(OnboardingError):
    """Passes by itself. `retry_after` is in seconds, None when nothing is known."""

    code = "trouble"
    default_message = "A dependency has trouble; try again shortly."

    def __init__(self, message: str | None = None, *, retry_after: float | None = None) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class Throttled(Trouble):
    """A dependency asks us to slow down."""

    code = "throttled"
    default_message = "A dependency asks us to slow down; try again shortly."


class Unavailable(Trouble):
    """A dependency does not answer, or answers that it is out of order."""

    code = "unavailable"
    default_message = "A dependency is unavailable; try again shortly."


class Propagating(Trouble):
    """The cloud does not know yet what the customer just made."""

    code = "propagating"
    default_message = "The cloud does not know the new role yet."


class NotYet(Trouble):
    """Nothing is wrong: what is waited for is not finished. `retry_after` says when to look again."""

    code = "not_yet"
    default_message = "It is not finished yet; look again later."


class ClockSkew(Trouble):
    """Our clock is wrong."""

    code = "clock_skew"
    default_message = "The platform's clock disagrees with the cloud's; the operators have been told."


class PlatformConfig(Trouble):
    """Our own TLS, proxy, region or principal is wrong: never the customer's fault."""

    code = "platform_config"
    default_message = "The platform is misconfigured; the operators have been told. Your credential is not at fault."


class SealBroken(OnboardingError):
    """A sealed credential does not open in its context."""

    code = "seal_broken"
    default_message = "The sealed credential does not belong to this submission."


class UnsignedCommand(OnboardingError):
    """What came through Temporal does not carry our signature for its place: it is unsigned, altered or moved."""

    code = "unsigned_command"
    default_message = "This did not come from the platform, so nothing was done; the operators have been told."


class UnreadableRow(OnboardingError):
    """A stored record does not have the form that this version knows. Neither the caller nor time can put it right."""

    code = "unreadable_row"
    default_message = (
        "This record is stored in a form that cannot be read; the operators can find it with `python cli.py doctor`."
    )


class Internal(OnboardingError):
    """A bug."""

    code = "internal"
    default_message = "Something went wrong on our side."


def error_of(code: str | None, message: str) -> OnboardingError:
    """The error of that code, for one that comes back from a workflow; `Internal` when the code is none of ours, and
    without the message, which may then be anybody's."""
    kind = _BY_CODE.get(code or "")
    return kind(message) if kind else Internal()


def _tree(kind: type[OnboardingError]) -> dict[str, type[OnboardingError]]:
    found = {kind.code: kind}
    for child in kind.__subclasses__():
        found.update(_tree(child))
    return found


_BY_CODE = _tree(OnboardingError)

CODES = frozenset(_BY_CODE)
"""Every code of the tree."""
