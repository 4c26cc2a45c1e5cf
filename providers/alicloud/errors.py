"""What a failed AliCloud call means. Codes are those of "Common error codes" and of AssumeRole (www.alibabacloud.com).

Whose key signed the call decides too: the code that says "your key is wrong" on the customer's call says "the platform
is misconfigured" on ours.
"""

from collections.abc import Mapping
from dataclasses import replace
from enum import StrEnum
from typing import Any

from providers.checks import Sentences
from providers.error_rules import Judge, Passing, Row
from providers.rest import text


class Signer(StrEnum):
    """Whose key signed the call."""

    PLATFORM = "platform"
    CUSTOMER = "customer"


class Reason(StrEnum):
    """What the customer has to put right. The values are codes of validation steps."""

    UNKNOWN_KEY = "unknown_key"
    KEY_DISABLED = "key_disabled"
    WRONG_SECRET = "wrong_secret"  # noqa: S105  # the code of a finding
    ACCESS_DENIED = "access_denied"
    UNKNOWN_ROLE = "unknown_role"
    INVALID_INPUT = "invalid_input"
    ACCOUNT_NOT_ACTIVE = "account_not_active"


DENIED = "AccessDeniedDetail"
"""What `codes` adds to a body that says why RAM denies the call; the code beside it differs between services."""

NOT_ACTIVE = (
    *("InvalidAccountStatus", "Account.Arrearage", "NotEnoughBalance", "InArrears", "UserDisable", "UserDisabled"),
    *("AccountSuspended", "ServiceNotActivated", "ServiceNotOpened", "ServiceNotEnabled", "UserNotOpened"),
)

TABLE = (
    # AliCloud throttles with status 400: Throttling, Throttling.User, Throttling.Api.
    Row(None, "Throttling", Passing.THROTTLED),
    Row(429, None, Passing.THROTTLED),
    Row(None, "ServiceUnavailable", Passing.UNAVAILABLE),
    Row(None, "ServiceUnavailableTemporary", Passing.UNAVAILABLE),
    Row(None, "InternalError", Passing.UNAVAILABLE),
    Row(None, "InternalFailure", Passing.UNAVAILABLE),
    # The next attempt has another nonce.
    Row(None, "SignatureNonceUsed", Passing.UNAVAILABLE),
    Row(None, "InvalidTimeStamp", Passing.CLOCK_SKEW),
    Row(None, "IllegalTimestamp", Passing.CLOCK_SKEW),
    Row(None, "InvalidAccessKeyId.Inactive", Reason.KEY_DISABLED),
    Row(None, "InvalidAccessKeyId", Reason.UNKNOWN_KEY),
    Row(None, "SignatureDoesNotMatch", Reason.WRONG_SECRET),
    # An account that owes money, is closed, or has not opened the service.
    *(Row(None, code, Reason.ACCOUNT_NOT_ACTIVE) for code in NOT_ACTIVE),
    Row(404, "EntityNotExist.Role", Reason.UNKNOWN_ROLE),
    Row(400, "InvalidParameter.RoleArn", Reason.INVALID_INPUT),
    Row(403, DENIED, Reason.ACCESS_DENIED),
    Row(403, "NoPermission", Reason.ACCESS_DENIED),
    Row(403, "NotAuthorized", Reason.ACCESS_DENIED),
    Row(403, "Forbidden", Reason.ACCESS_DENIED),
)

KEY_IS_AT_FAULT = {Reason.UNKNOWN_KEY, Reason.KEY_DISABLED, Reason.WRONG_SECRET, Reason.ACCOUNT_NOT_ACTIVE}

PLATFORM_TABLE = (
    # A policy of our own user denies it, not the trust policy of the customer's role.
    Row(403, "AccountLevelIdentityBasedPolicy", Passing.PLATFORM_CONFIG),
    *(replace(row, meaning=Passing.PLATFORM_CONFIG) if row.meaning in KEY_IS_AT_FAULT else row for row in TABLE),
)

JUDGES = {
    Signer.PLATFORM: Judge("AliCloud", PLATFORM_TABLE),
    Signer.CUSTOMER: Judge("AliCloud", TABLE),
}

SENTENCES: Sentences = {
    Reason.UNKNOWN_KEY: (
        "AliCloud does not know this AccessKey: its ID is wrong, or the pair is deleted.",
        "Look the AccessKey up in the RAM console, or create a new pair, and submit it again.",
    ),
    Reason.KEY_DISABLED: (
        "AliCloud knows this AccessKey, but it is disabled.",
        "Enable it in the RAM console or create a new pair, and submit it again.",
    ),
    Reason.WRONG_SECRET: (
        "The AccessKey secret does not belong to this AccessKey ID.",
        "Submit the secret that AliCloud showed when the pair was made; if it is lost, create a new pair.",
    ),
    Reason.ACCESS_DENIED: (
        "AliCloud denies this credential a call that every credential may make.",
        "Remove the policy that denies sts:GetCallerIdentity and submit again.",
    ),
    Reason.UNKNOWN_ROLE: (
        "There is no role of this name in the account.",
        "Run our script, and submit the role's ARN as the script prints it.",
    ),
    Reason.ACCOUNT_NOT_ACTIVE: (
        "The AliCloud account is not active: it owes money, is suspended, or has not opened a service that scanning "
        "needs.",
        "Sign in to the account, settle what is owed under Expenses, or open the service in its console, and submit "
        "again.",
    ),
    Reason.INVALID_INPUT: (
        "AliCloud does not accept the submitted values as they are written.",
        "Copy them again from the output of the script and submit again.",
    ),
}


def codes(body: Mapping[str, Any]) -> tuple[str, ...]:
    """The code in the body of an error, and what it begins with: InvalidAccessKeyId.NotFound, InvalidAccessKeyId."""
    code = text(body, "Code")
    denied = (DENIED, text(body, DENIED, "PolicyType")) if isinstance(body.get(DENIED), Mapping) else ()
    return tuple(found for found in (code, code.partition(".")[0], *denied) if found)
