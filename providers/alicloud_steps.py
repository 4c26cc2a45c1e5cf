"""The last two steps, which are the same for a key and for a role."""

from domain.credentials import Credential
from domain.validation import Expectation, Step
from providers.alicloud_calls import Session
from providers.alicloud_description import account_of
from providers.alicloud_failures import JUDGES, Reason, Signer
from providers.alicloud_permissions import PERMISSIONS, PROBES
from providers.proving import Refused, failed, judge_permissions, passed

GRANT = (
    "Run our script again, or grant the actions listed to this RAM user or role. Where they are granted already, a "
    "control policy of your resource directory denies them: exempt this user or role there."
)


def ownership(proved: str, credential: Credential, expectation: Expectation) -> Step:
    """The account that answered is the one that was meant."""
    meant = {credential.reveal("account_number"), account_of(credential.reveal("role_arn"))} - {""}
    if meant - {proved}:
        return failed(
            "ownership",
            "other_account",
            message="The credential works, but belongs to another AliCloud account than the one submitted with it.",
            remedy="Correct the account number, or submit the credential of the account that you mean.",
        )
    if expectation.account_number and expectation.account_number != proved:
        return failed(
            "ownership",
            "account_changed",
            message="The credential works, but belongs to another AliCloud account than the one onboarded here.",
            remedy="Submit a credential of the same account, or onboard the other one as a new account.",
        )
    return passed("ownership", "The credential belongs to the AliCloud account that was meant.")


def permissions(session: Session) -> Step:
    missing = [permission.name for permission in PERMISSIONS if not _is_granted(session, permission.name)]
    return judge_permissions(PERMISSIONS, missing, remedy=GRANT)


def _is_granted(session: Session, action: str) -> bool:
    try:
        session.call(PROBES[action])
    except Refused as refusal:
        if refusal.reason is Reason.ACCESS_DENIED:
            return False
        # The credential was proved a moment ago. It was taken away meanwhile, which the next attempt finds out, or
        # this service of AliCloud has not heard of it yet.
        raise JUDGES[Signer.CUSTOMER].unavailable() from None
    return True
