"""What a failed AWS call means: the customer's mistake, our own, or trouble that passes.

A pure function of facts, so that the whole table can be tested row by row. It decides by AWS's codes and by whose
credential signed the call, never by a message: the same code that says "your key is wrong" on the customer's call says
"the platform is misconfigured" on ours.
"""

import re
from dataclasses import dataclass
from enum import StrEnum

from domain.errors import ClockSkew, PlatformConfig, Throttled, Trouble, Unavailable
from providers.checks import Refused
from providers.error_rules import MAX_RETRY_AFTER_SECONDS


class Signer(StrEnum):
    """Whose credential signed the call."""

    PLATFORM = "platform"
    CUSTOMER = "customer"


class Kind(StrEnum):
    """How the call failed."""

    RESPONSE = "response"
    """AWS answered with an error."""
    NETWORK = "network"
    """No answer, or one that is not AWS's: refused, reset, timed out, garbled."""
    TLS = "tls"
    """The server's certificate is not trusted: our CA bundle or our proxy."""
    PARAMETERS = "parameters"
    """The SDK refused the values before it sent anything."""
    SDK = "sdk"
    """The SDK cannot make the call: no credentials, no region, no such endpoint."""


class Reason(StrEnum):
    """What the customer has to put right. The values are codes of validation steps."""

    UNKNOWN_KEY = "unknown_key"
    WRONG_SECRET = "wrong_secret"  # noqa: S105  # the code of a finding
    EXPIRED = "expired_credential"
    ACCESS_DENIED = "access_denied"
    INVALID_INPUT = "invalid_input"
    ACCOUNT_NOT_ACTIVE = "account_not_active"


@dataclass(frozen=True)
class Failure:
    """The facts of one failed call."""

    kind: Kind
    signer: Signer
    code: str = ""
    status: int = 0
    """HTTP status, 0 when there was no answer."""
    clock_differs: bool = False
    """Whether the answer's Date is so far from our clock that no signature of ours can be right."""
    retry_after: float | None = None
    """Seconds, as AWS asked for."""


REASONS = {
    "InvalidClientTokenId": Reason.UNKNOWN_KEY,
    "UnrecognizedClientException": Reason.UNKNOWN_KEY,
    "InvalidAccessKeyId": Reason.UNKNOWN_KEY,
    "AuthFailure": Reason.UNKNOWN_KEY,
    "SignatureDoesNotMatch": Reason.WRONG_SECRET,
    "InvalidSignatureException": Reason.WRONG_SECRET,
    "ExpiredToken": Reason.EXPIRED,
    "ExpiredTokenException": Reason.EXPIRED,
    "AccessDenied": Reason.ACCESS_DENIED,
    "AccessDeniedException": Reason.ACCESS_DENIED,
    "UnauthorizedOperation": Reason.ACCESS_DENIED,
    "ValidationError": Reason.INVALID_INPUT,
    # An account whose registration, verification or payment is not done, or that AWS has closed.
    "OptInRequired": Reason.ACCOUNT_NOT_ACTIVE,
    "SubscriptionRequired": Reason.ACCOUNT_NOT_ACTIVE,
    "SubscriptionRequiredException": Reason.ACCOUNT_NOT_ACTIVE,
    "NotSignedUp": Reason.ACCOUNT_NOT_ACTIVE,
    "PendingVerification": Reason.ACCOUNT_NOT_ACTIVE,
    "Blocked": Reason.ACCOUNT_NOT_ACTIVE,
    "AccountProblem": Reason.ACCOUNT_NOT_ACTIVE,
}

THROTTLED = {
    "Throttling",
    "ThrottlingException",
    "ThrottledException",
    "RequestThrottled",
    "RequestThrottledException",
    "RequestLimitExceeded",
    "TooManyRequestsException",
    "SlowDown",
}
UNAVAILABLE = {"ServiceUnavailable", "InternalFailure", "InternalError", "InternalServiceError"}
CLOCK_SKEW = {"RequestExpired", "RequestTimeTooSkewed"}
SIGNER_IS_AT_FAULT = {Reason.UNKNOWN_KEY, Reason.WRONG_SECRET, Reason.EXPIRED, Reason.ACCOUNT_NOT_ACTIVE}


def judge(failure: Failure) -> Trouble | Refused:
    """The exception to raise for a failed call. What is not in the table is ours to look at, never the customer's."""
    match failure.kind:
        case Kind.RESPONSE:
            return _judge_response(failure)
        case Kind.NETWORK:
            return _unavailable(failure)
        case Kind.PARAMETERS:
            return Refused(Reason.INVALID_INPUT)
        case _:
            return _misconfigured(failure)


def _judge_response(failure: Failure) -> Trouble | Refused:
    reason = REASONS.get(failure.code)
    if failure.code in CLOCK_SKEW or (reason is Reason.WRONG_SECRET and failure.clock_differs):
        return ClockSkew()
    if failure.code in THROTTLED or failure.status == 429:
        return Throttled("AWS asks the platform to slow down; try again shortly.", retry_after=_wait(failure))
    if failure.code in UNAVAILABLE or failure.status >= 500:
        return _unavailable(failure)
    if reason is None or (failure.signer is Signer.PLATFORM and reason in SIGNER_IS_AT_FAULT):
        return _misconfigured(failure)
    return Refused(reason)


def _unavailable(failure: Failure) -> Unavailable:
    message = "AWS does not answer properly at the moment; your credential is not at fault."
    return Unavailable(message, retry_after=_wait(failure))


def _misconfigured(failure: Failure) -> PlatformConfig:
    """Names AWS's code for the operators, when it looks like one."""
    what = failure.code if re.fullmatch(r"[A-Za-z][A-Za-z0-9.]{2,63}", failure.code) else failure.kind.value
    return PlatformConfig(
        f"The platform cannot use AWS ({what}); the operators have been told. Your credential is not at fault."
    )


def _wait(failure: Failure) -> float | None:
    return None if failure.retry_after is None else min(failure.retry_after, MAX_RETRY_AFTER_SECONDS)
