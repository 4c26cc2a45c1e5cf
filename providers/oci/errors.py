"""What a failed OCI call means. Statuses and codes are those of Oracle's list (docs.oracle.com, "API Errors")."""

from collections.abc import Mapping
from enum import StrEnum
from typing import Any

from providers.checks import Sentences
from providers.error_rules import Passing, Row
from providers.rest import text


class Reason(StrEnum):
    """What the customer has to put right. The values are codes of validation steps."""

    NOT_AUTHENTICATED = "not_authenticated"
    NOT_AUTHORIZED = "not_authorized"
    ACCOUNT_NOT_ACTIVE = "account_not_active"


NOT_ACTIVE = ("TenancySuspended", "TenantSuspended", "AccountSuspended", "SubscriptionSuspended", "AccountDisabled")

TABLE = (
    # OCI gives the same answer for an unknown user, tenancy or key, for a wrong signature, and for a clock that is off
    # by more than five minutes.
    Row(401, "NotAuthenticated", Reason.NOT_AUTHENTICATED, timed=True),
    # What a user may not see, OCI says it cannot find.
    Row(404, "NotAuthorizedOrNotFound", Reason.NOT_AUTHORIZED),
    Row(404, "NamespaceNotFound", Reason.NOT_AUTHORIZED),
    Row(404, "BucketNotFound", Reason.NOT_AUTHORIZED),
    Row(403, "NotAuthorized", Reason.NOT_AUTHORIZED),
    # A service that the tenancy has not been opted in to.
    Row(402, "SignUpRequired", Reason.NOT_AUTHORIZED),
    Row(403, "SignUpRequired", Reason.NOT_AUTHORIZED),
    *(Row(None, code, Reason.ACCOUNT_NOT_ACTIVE) for code in NOT_ACTIVE),
    Row(402, None, Reason.ACCOUNT_NOT_ACTIVE),
    Row(None, "TooManyRequests", Passing.THROTTLED),
    Row(429, None, Passing.THROTTLED),
    Row(409, "IncorrectState", Passing.UNAVAILABLE),
    Row(409, "ExternalServerIncorrectState", Passing.UNAVAILABLE),
)

SENTENCES: Sentences = {
    Reason.ACCOUNT_NOT_ACTIVE: (
        "The tenancy is not active: Oracle has suspended it, or a payment is not done.",
        "Sign in to the tenancy, settle what is open under Billing & Cost Management, and submit again.",
    ),
    Reason.NOT_AUTHENTICATED: (
        "OCI does not accept the key for this user of this tenancy in this region.",
        "OCI does not say why, so check four things and submit again. 1. The fingerprint is listed among the API keys "
        "of the user. 2. The user is the one whose OCID was submitted, is active, and may use API keys. 3. The tenancy "
        "is the one that the user belongs to. 4. The tenancy is subscribed to the region. A key that was added a "
        "moment ago may need a minute.",
    ),
    Reason.NOT_AUTHORIZED: (
        "OCI does not let this user see its own tenancy.",
        "Run our script, which grants what scanning needs, and submit again.",
    ),
}


def codes(body: Mapping[str, Any]) -> tuple[str, ...]:
    """The body of an error is {"code": …, "message": …}."""
    found = text(body, "code")
    return (found,) if found else ()
