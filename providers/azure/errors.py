"""What a failed call to Entra ID or to Azure Resource Manager means.

Sources: "Microsoft Entra authentication and authorization error codes" for the AADSTS numbers, which Microsoft may
change: so the OAuth `error` decides in the end, and a number only tells more. "Troubleshoot Azure Resource Manager
errors" for the other codes. The numbers arrive with 400 or 401, and which of both is not documented for each.
"""

from collections.abc import Mapping
from enum import StrEnum
from typing import Any

from providers.checks import Sentences
from providers.error_rules import Judge, Passing, Row
from providers.rest import text


class Reason(StrEnum):
    """What the customer has to put right. The values are codes of validation steps."""

    UNKNOWN_TENANT = "unknown_tenant"
    OTHER_CLOUD = "other_cloud"
    UNKNOWN_APP = "unknown_application"
    APP_DISABLED = "application_disabled"
    WRONG_SECRET = "wrong_secret"  # noqa: S105  # the code of a finding
    EXPIRED = "expired_credential"
    CERTIFICATE_REFUSED = "certificate_refused"
    CERTIFICATE_EXPIRED = "certificate_expired"
    CERTIFICATE_UNREADABLE = "certificate_unreadable"
    KEY_UNSUPPORTED = "key_unsupported"
    KEY_MISMATCH = "key_mismatch"
    CREDENTIAL_REFUSED = "credential_refused"
    OTHER_IDENTITY = "other_identity"
    BLOCKED_BY_POLICY = "blocked_by_policy"
    NO_SUBSCRIPTIONS = "tenant_without_azure"
    UNKNOWN_SUBSCRIPTION = "unknown_subscription"
    OTHER_TENANT = "other_tenant"
    NO_ROLE = "no_role"
    ACCOUNT_NOT_ACTIVE = "account_not_active"


REFUSALS = {
    "90002": Reason.UNKNOWN_TENANT,
    "900023": Reason.UNKNOWN_TENANT,
    "90038": Reason.OTHER_CLOUD,
    "900382": Reason.OTHER_CLOUD,
    "900432": Reason.OTHER_CLOUD,
    "700016": Reason.UNKNOWN_APP,
    "700011": Reason.UNKNOWN_APP,
    "7000229": Reason.UNKNOWN_APP,
    "7000112": Reason.APP_DISABLED,
    "70001": Reason.APP_DISABLED,
    "1000031": Reason.APP_DISABLED,
    "7000215": Reason.WRONG_SECRET,
    "7000222": Reason.EXPIRED,
    "700027": Reason.CERTIFICATE_REFUSED,
    "700030": Reason.CERTIFICATE_REFUSED,
    "50012": Reason.CERTIFICATE_REFUSED,
    "53003": Reason.BLOCKED_BY_POLICY,
    "53011": Reason.BLOCKED_BY_POLICY,
    "530032": Reason.BLOCKED_BY_POLICY,
    "530035": Reason.BLOCKED_BY_POLICY,
    "500011": Reason.NO_SUBSCRIPTIONS,
    "unauthorized_client": Reason.UNKNOWN_APP,
    "5000224": Reason.ACCOUNT_NOT_ACTIVE,
    "5000225": Reason.ACCOUNT_NOT_ACTIVE,
    "invalid_client": Reason.CREDENTIAL_REFUSED,
    "invalid_resource": Reason.NO_SUBSCRIPTIONS,
}
"""Of the token call. The last three are OAuth's own words, for numbers that are new."""

NOT_ACTIVE = (
    "DisabledSubscription",
    "ReadOnlyDisabledSubscription",
    "SubscriptionDisabled",
    "SubscriptionNotRegistered",
)
"""Of Resource Manager, for a subscription that is disabled, not paid or not registered yet."""

TABLE = (
    *(Row(None, code, Passing.THROTTLED) for code in ("90055", "50196")),
    *(Row(None, code, Passing.UNAVAILABLE) for code in ("temporarily_unavailable", "90006", "90012", "90024")),
    *(Row(None, code, Passing.UNAVAILABLE) for code in ("90033", "90090", "50000")),
    *(Row(None, code, Passing.CLOCK_SKEW) for code in ("700024", "500133")),
    Row(400, "50013", Reason.CERTIFICATE_REFUSED, timed=True),
    Row(401, "50013", Reason.CERTIFICATE_REFUSED, timed=True),
    *(Row(status, code, reason) for code, reason in REFUSALS.items() for status in (400, 401)),
    Row(401, "InvalidAuthenticationTokenTenant", Reason.OTHER_TENANT),
    # A token that is a moment old: the next attempt gets a new one.
    *(Row(401, code, Passing.UNAVAILABLE) for code in ("InvalidAuthenticationToken", "ExpiredAuthenticationToken")),
    Row(401, "AuthenticationFailed", Passing.UNAVAILABLE),
    *(Row(status, code, Reason.ACCOUNT_NOT_ACTIVE) for code in NOT_ACTIVE for status in (400, 403, 404, 409)),
    Row(403, "AuthorizationFailed", Reason.NO_ROLE),
    Row(404, "SubscriptionNotFound", Reason.UNKNOWN_SUBSCRIPTION),
    Row(400, "InvalidSubscriptionId", Reason.UNKNOWN_SUBSCRIPTION),
)

JUDGE = Judge("Azure", TABLE)

JUST_MADE = (Reason.UNKNOWN_APP, Reason.WRONG_SECRET, Reason.CERTIFICATE_REFUSED, Reason.NO_ROLE)
"""What Entra ID and Azure also answer for a moment after something was made: their replicas take seconds to agree,
about a new secret too."""

AGAIN = "Look it up on the overview page of the app registration in the Azure portal, and submit it again."
NEW_SECRET = "Make a new client secret under Certificates & secrets, and submit its value."  # noqa: S105
UPLOAD = "Upload the certificate to the app registration, under Certificates & secrets, and submit again."

SENTENCES: Sentences = {
    Reason.UNKNOWN_TENANT: ("Microsoft Entra ID knows no tenant of this ID.", AGAIN),
    Reason.OTHER_CLOUD: (
        "The tenant belongs to a national cloud of Azure, and only the global one is supported.",
        "Submit a subscription of the global Azure cloud.",
    ),
    Reason.UNKNOWN_APP: (
        "The tenant has no application of this client ID, or the application has no service principal there.",
        "Check that client_id is the application (client) ID and tenant_id that of the same app registration; "
        "otherwise run the script again, which makes both.",
    ),
    Reason.APP_DISABLED: (
        "The application or its service principal is disabled.",
        "Enable sign-in for it under Enterprise applications, Properties, and submit again.",
    ),
    Reason.WRONG_SECRET: (
        "The client secret is not one of this application's. Often its ID was copied in place of its value.",
        NEW_SECRET,
    ),
    Reason.EXPIRED: ("The client secret has expired.", NEW_SECRET),
    Reason.CERTIFICATE_REFUSED: (
        "The certificate is not registered for this application, or its private key is not the registered one's.",
        UPLOAD,
    ),
    Reason.CERTIFICATE_EXPIRED: (
        "The certificate has expired.",
        "Make a new certificate, upload it to the app registration, and submit it.",
    ),
    Reason.CERTIFICATE_UNREADABLE: (
        "client_certificate cannot be read: it must hold one certificate and one private key as PEM text, and "
        "passphrase must be the private key's own, or be left out when the key is not encrypted.",
        "Paste the whole PEM file, from the first -----BEGIN to the last -----END, and check the pass phrase.",
    ),
    Reason.KEY_UNSUPPORTED: (
        "The private key cannot be used: it must be an RSA key of 2048 to 4096 bits, with an exponent such as 65537, "
        "and its encryption must be one that openssl makes by default, of 50000 rounds at most.",
        "Make a new certificate with an RSA key of 2048 bits, upload it, and submit it. For another encryption write "
        "the key anew: openssl pkcs8 -topk8 -in key.pem -out new-key.pem.",
    ),
    Reason.KEY_MISMATCH: (
        "The private key does not belong to the certificate.",
        "Submit the certificate together with the private key that it was made with.",
    ),
    Reason.CREDENTIAL_REFUSED: ("Microsoft Entra ID refuses the credential of this application.", NEW_SECRET),
    Reason.OTHER_IDENTITY: (
        "The token that Microsoft Entra ID gave names another tenant or application than the one submitted.",
        AGAIN,
    ),
    Reason.BLOCKED_BY_POLICY: (
        "A Conditional Access policy of the tenant blocks this service principal.",
        "Exempt the service principal from the policy, or add this platform's addresses to the allowed locations.",
    ),
    Reason.NO_SUBSCRIPTIONS: (
        "Azure Resource Manager is not set up in this tenant, so the tenant has no subscription.",
        "Submit the tenant that the subscription belongs to.",
    ),
    Reason.UNKNOWN_SUBSCRIPTION: (
        "Azure knows no subscription of this ID.",
        "Look the ID up under Subscriptions in the Azure portal, and submit it again.",
    ),
    Reason.OTHER_TENANT: (
        "The subscription belongs to another tenant than the service principal.",
        "Submit a service principal of the subscription's own tenant.",
    ),
    Reason.ACCOUNT_NOT_ACTIVE: (
        "The subscription or its tenant is not active: Azure has disabled it, for a payment or for want of use, or it "
        "is not set up yet.",
        "See its state and what is owed under Subscriptions in the Azure portal, have it enabled, and submit again.",
    ),
    Reason.NO_ROLE: (
        "The service principal has no role on this subscription, or there is no such subscription.",
        "Run the script, which assigns the role, or assign Reader at the scope of the subscription. A role that was "
        "assigned a moment ago may need a few minutes.",
    ),
}


def codes(body: Mapping[str, Any]) -> tuple[str, ...]:
    """Entra ID: the AADSTS numbers, then OAuth's `error`. Resource Manager: the `code` inside `error`."""
    numbers = body.get("error_codes")
    numbered = (
        tuple(str(number) for number in numbers[:8] if isinstance(number, int)) if isinstance(numbers, list) else ()
    )
    named = (text(body, "error"), text(body, "error", "code"))
    return numbered + tuple(code for code in named if code)
