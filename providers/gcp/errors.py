"""What a failed call to Google Cloud means.

Sources: RFC 6749 section 5.2 and "Using OAuth 2.0 for Server to Server Applications" for `error` of the token address;
RFC 8693 section 2.2.2 for that of the exchange of tokens;
"Errors" of the Google Cloud API design guide for `status`; googleapis/googleapis, google/api/error_reason.proto for the
reason in an ErrorInfo. Google says invalid_grant for a wrong signature, an unknown account, a disabled one and a wrong
clock alike, and tells them apart in the description only, which decides nothing here.
"""

from collections.abc import Iterator, Mapping
from enum import StrEnum
from typing import Any

from providers.checks import Sentences
from providers.error_rules import Judge, Passing, Row
from providers.rest import text


class Reason(StrEnum):
    """What the customer has to put right. The values are codes of validation steps."""

    KEY_UNREADABLE = "unreadable_key"
    KEY_UNSUPPORTED = "unsupported_key"
    KEY_REFUSED = "key_refused"
    ACCOUNT_DISABLED = "account_disabled"
    API_DISABLED = "api_disabled"
    PROJECT_SUSPENDED = "project_suspended"
    BLOCKED_BY_POLICY = "blocked_by_policy"
    NO_ACCESS = "no_access"
    UNKNOWN_PROVIDER = "unknown_identity_provider"
    SUBJECT_REFUSED = "subject_refused"
    TOKEN_REFUSED = "identity_token_refused"  # noqa: S105  # the code of a finding
    IMPERSONATION_DENIED = "impersonation_denied"


DISABLED_CLIENTS = ("disabled_client", "deleted_client", "invalid_client", "unauthorized_client")
POLICIES = (
    "SECURITY_POLICY_VIOLATED",
    "ORG_RESTRICTION_VIOLATION",
    "LOCATION_POLICY_VIOLATED",
    "USER_BLOCKED_BY_ADMIN",
    "RESOURCE_USAGE_RESTRICTION_VIOLATED",
)
SUSPENSIONS = ("CONSUMER_SUSPENDED", "CONSUMER_INVALID", "GCP_SUSPENDED", "BILLING_DISABLED")
QUOTAS = ("RATE_LIMIT_EXCEEDED", "RESOURCE_QUOTA_EXCEEDED")

EVERYWHERE = (
    *(Row(status, code, Passing.THROTTLED) for code in QUOTAS for status in (403, 429)),
    Row(403, "SERVICE_DISABLED", Reason.API_DISABLED),
    *(Row(status, code, Reason.PROJECT_SUSPENDED) for code in SUSPENSIONS for status in (400, 403)),
    *(Row(403, code, Reason.BLOCKED_BY_POLICY) for code in POLICIES),
    Row(401, "ACCOUNT_STATE_INVALID", Reason.ACCOUNT_DISABLED),
    # A token that is a moment old: the next attempt gets a new one.
    Row(401, "UNAUTHENTICATED", Passing.UNAVAILABLE),
    # Of our own making: what the token was asked for.
    Row(403, "ACCESS_TOKEN_SCOPE_INSUFFICIENT", Passing.PLATFORM_CONFIG),
)

TABLE = (
    Row(400, "invalid_grant", Reason.KEY_REFUSED, timed=True),
    *(Row(status, code, Reason.ACCOUNT_DISABLED) for code in DISABLED_CLIENTS for status in (400, 401)),
    *(Row(status, "access_denied", Reason.BLOCKED_BY_POLICY) for status in (400, 403)),
    *EVERYWHERE,
    Row(403, "PERMISSION_DENIED", Reason.NO_ACCESS),
    Row(404, "NOT_FOUND", Reason.NO_ACCESS),
)

FEDERATION_TABLE = (
    Row(400, "invalid_target", Reason.UNKNOWN_PROVIDER),
    *(Row(status, "unauthorized_client", Reason.SUBJECT_REFUSED) for status in (400, 401, 403)),
    Row(400, "invalid_grant", Reason.TOKEN_REFUSED, timed=True),
    *EVERYWHERE,
    Row(403, "PERMISSION_DENIED", Reason.IMPERSONATION_DENIED),
    Row(404, "NOT_FOUND", Reason.IMPERSONATION_DENIED),
    Row(400, "FAILED_PRECONDITION", Reason.IMPERSONATION_DENIED),
)
"""Of the exchange of our token and of the loan of the service account, where the same codes mean something else."""

JUDGE = Judge("Google Cloud", TABLE)
FEDERATION = Judge("Google Cloud", FEDERATION_TABLE)

JUST_MADE = (
    *(Reason.KEY_REFUSED, Reason.NO_ACCESS, Reason.API_DISABLED),
    *(Reason.UNKNOWN_PROVIDER, Reason.SUBJECT_REFUSED, Reason.TOKEN_REFUSED, Reason.IMPERSONATION_DENIED),
)
"""What Google also answers for a moment after something was made: keys, roles and services that are new take up to
minutes to be known everywhere (IAM, "Access change propagation")."""

SENTENCES: Sentences = {
    Reason.KEY_UNREADABLE: (
        "The private key in the key file cannot be read.",
        "Submit the whole content of the key file, exactly as Google made it.",
    ),
    Reason.KEY_UNSUPPORTED: (
        "The private key cannot be used: it must be an RSA key of 2048 to 4096 bits.",
        "Make a new key of the service account, as the script does, and submit its key file.",
    ),
    Reason.KEY_REFUSED: (
        "Google does not accept the key. It was deleted, disabled or has expired, it is not a key of this service "
        "account, or the service account is deleted or disabled.",
        "Check the service account and its keys under IAM & Admin, Service Accounts; make a new key there, or run the "
        "script again, and submit the new key file. A key that was made a moment ago may need a minute.",
    ),
    Reason.ACCOUNT_DISABLED: (
        "The service account is disabled or deleted.",
        "Enable it under IAM & Admin, Service Accounts, or run the script again and submit what it makes.",
    ),
    Reason.API_DISABLED: (
        "A service that the proof needs is not enabled in the service account's project.",
        "Run the script again, or enable cloudresourcemanager.googleapis.com there with `gcloud services enable`, and "
        "for a pool also iamcredentials.googleapis.com and sts.googleapis.com. What was enabled a moment ago may need "
        "a few minutes.",
    ),
    Reason.PROJECT_SUSPENDED: (
        "Google has suspended the project of the service account, or its billing is off.",
        "Read what is wrong in the Google Cloud console, put it right, and submit again.",
    ),
    Reason.BLOCKED_BY_POLICY: (
        "A policy of the organisation keeps this service account from the project, such as VPC Service Controls.",
        "Let the service account in with an access level or an ingress rule, and submit again.",
    ),
    Reason.NO_ACCESS: (
        "The service account may not see the project, or there is no such project.",
        "Check the project ID, and run the script, which grants the role on the project. A role that was granted a "
        "moment ago may need a few minutes.",
    ),
    Reason.UNKNOWN_PROVIDER: (
        "There is no such workload identity pool or provider, or it is disabled or deleted.",
        "Check project_number, pool_id and provider_id, and run the script, which makes or restores all of them.",
    ),
    Reason.SUBJECT_REFUSED: (
        "The identity provider's attribute condition does not let in this account of the platform.",
        "Run the script that we give for this account, or set the condition to assertion.sub == '<the external id that "
        "we gave for it>'.",
    ),
    Reason.TOKEN_REFUSED: (
        "The identity provider does not accept this platform's token: it trusts another issuer or audience, maps "
        "google.subject to something else than assertion.sub, or Google could not fetch this platform's keys.",
        "Run the script again, which sets issuer and mapping, and leave the allowed audiences at their default.",
    ),
    Reason.IMPERSONATION_DENIED: (
        "The pool may not use the service account, or the service account is deleted or disabled.",
        "Check service_account_email, and run the script, which lets the pool use it as a Workload Identity User. What "
        "was granted a moment ago may need a few minutes.",
    ),
}


def codes(body: Mapping[str, Any]) -> tuple[str, ...]:
    """The reasons of ErrorInfo, then `status`; of the token addresses OAuth's `error`."""
    found = (*_reasons(body), text(body, "error", "status"), text(body, "error"))
    return tuple(code for code in found if code)


def _reasons(body: Mapping[str, Any]) -> Iterator[str]:
    error = body.get("error")
    details = error.get("details") if isinstance(error, Mapping) else None
    for detail in details[:8] if isinstance(details, list) else ():
        yield text(detail, "reason")
