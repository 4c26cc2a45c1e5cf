"""What a failed call to IBM Cloud's IAM means.

IBM publishes no list of its BXNIM codes. Those here are in answers that users and IBM's own SDKs quote: 0415 (the key
could not be found), 0462 (it is disabled), 0439 (it, or its session, is no longer valid; the sources differ). The other
04xx codes are refusals of what was submitted for a token.
"""

import re
from collections.abc import Mapping
from enum import StrEnum
from typing import Any

from providers.checks import Sentences
from providers.error_rules import Judge, Passing, Row
from providers.rest import text


class Reason(StrEnum):
    """What the customer has to put right. The values are codes of validation steps."""

    UNKNOWN_KEY = "unknown_key"
    KEY_DISABLED = "key_disabled"
    EXPIRED = "expired_credential"
    KEY_REFUSED = "key_refused"
    ACCESS_DENIED = "access_denied"
    OTHER_IDENTITY = "other_identity"


REFUSED_FOR_TOKEN = "BXNIM04xxE"  # noqa: S105  # the name of a family of codes
OF_IBM = "iam"
"""What `codes` adds to the codes of an answer in IBM's own form, so that a proxy's page is not taken for one."""

TOKEN_TABLE = (
    *(Row(status, "BXNIM0415E", Reason.UNKNOWN_KEY) for status in (400, 401)),
    *(Row(status, "BXNIM0462E", Reason.KEY_DISABLED) for status in (400, 401)),
    *(Row(status, "BXNIM0439E", Reason.EXPIRED) for status in (400, 401)),
    *(Row(status, REFUSED_FOR_TOKEN, Reason.KEY_REFUSED) for status in (400, 401)),
)
"""Of the token call."""

TABLE = (
    # A token that is a moment old: the next attempt gets a new one.
    Row(401, OF_IBM, Passing.UNAVAILABLE),
    Row(403, OF_IBM, Reason.ACCESS_DENIED),
    Row(404, OF_IBM, Reason.UNKNOWN_KEY),
)
"""Of the calls that the token is for."""

TOKEN_JUDGE = Judge("IBM Cloud", TOKEN_TABLE)
JUDGE = Judge("IBM Cloud", TABLE)

NEW_KEY = "Make a new API key of the service ID, or run the script again, and submit the key that is shown."

SENTENCES: Sentences = {
    Reason.UNKNOWN_KEY: ("IBM Cloud knows no such API key: it was deleted, or copied incompletely.", NEW_KEY),
    Reason.KEY_DISABLED: (
        "The API key is disabled.",
        "Enable it under Manage, Access (IAM), API keys, or make a new one, and submit it.",
    ),
    Reason.EXPIRED: ("The API key is no longer valid: it has expired, or its session was ended.", NEW_KEY),
    Reason.KEY_REFUSED: (
        "IBM Cloud refuses the API key: it is wrong, or its account is suspended or cancelled.",
        f"See the state of the account under Manage, Account. If it is active: {NEW_KEY}",
    ),
    Reason.ACCESS_DENIED: (
        "IBM Cloud does not let this API key see its own details.",
        "Run the script again, or assign the role Viewer on the IAM Identity service to the service ID.",
    ),
    Reason.OTHER_IDENTITY: (
        "The token that IBM Cloud gave is for another identity than the API key's.",
        NEW_KEY,
    ),
}


def codes(body: Mapping[str, Any]) -> tuple[str, ...]:
    """The token call writes `errorCode`, the others a list of `errors`; then the families that the codes are of."""
    errors = body.get("errors")
    first = errors[0] if isinstance(errors, list) and errors else None
    written = (text(body, "errorCode"), text(first, "message_code"), text(first, "code"))
    found = tuple(code for code in written if code)
    family = (REFUSED_FOR_TOKEN,) if any(re.fullmatch(r"BXNIM04[0-9]{2}E", code) for code in found) else ()
    return (*found, *family, OF_IBM) if found else ()
