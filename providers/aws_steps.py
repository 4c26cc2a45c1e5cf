"""The steps that prove an AWS credential, in order, and the sentences they answer with.

A credential of either method becomes a session with the customer's account: a role by assuming it, a key by using it.
From then on both are proved alike. No sentence contains a submitted value.
"""

from collections.abc import Sequence
from typing import Protocol

from domain.credentials import Credential
from domain.errors import PlatformConfig
from domain.validation import Expectation, Step, Verdict, verdict_of
from providers.aws_arns import parse_arn
from providers.aws_failures import Reason
from providers.aws_permissions import PERMISSIONS, SIMULATE
from providers.proving import Refused, Sentences, failed, judge_permissions, passed, run_steps

GRANT = (
    "Grant the permissions listed to this role or user; our template grants all of them. Where they are granted "
    "already, a policy of your organisation or a permissions boundary denies them: exempt this role or user there."
)

SENTENCES: Sentences = {
    Reason.UNKNOWN_KEY: (
        "AWS does not know this access key: its id is wrong, or the key is inactive or deleted.",
        "Look the key up in IAM; make it active or create a new one, and submit it again.",
    ),
    Reason.WRONG_SECRET: (
        "The secret access key does not belong to this access key id.",
        "Submit the secret that AWS showed when the key was made; if it is lost, create a new key.",
    ),
    Reason.EXPIRED: (
        "The credential has expired.",
        "Submit a long-lived access key of an IAM user, or use an IAM role.",
    ),
    Reason.ACCESS_DENIED: (
        "AWS denies this credential a call that every credential may make.",
        "Remove the policy that denies sts:GetCallerIdentity and submit again.",
    ),
    Reason.INVALID_INPUT: (
        "AWS does not accept the submitted values as they are written.",
        "Copy them again from the AWS console and submit again.",
    ),
}


class CustomerSession(Protocol):
    """Calls that the customer's credential signs. Every method raises Refused or Trouble."""

    def caller(self) -> str:
        """The ARN that AWS knows the credential under."""

    def denied(self, principal_arn: str, actions: Sequence[str]) -> frozenset[str]:
        """Those of the actions that the principal's policies do not allow."""

    def probe(self, action: str) -> None:
        """Use one of the required permissions."""


class Proof(Protocol):
    """What is special to one way of giving access: the first three steps."""

    @property
    def session(self) -> CustomerSession: ...

    @property
    def principal_arn(self) -> str:
        """The role or user whose policies decide."""

    @property
    def caller_arn(self) -> str:
        """Who AWS says the credential is; empty until `identify` has passed."""

    def shape(self) -> Step: ...
    def identify(self) -> Step: ...
    def trust(self) -> Step: ...


def prove(proof: Proof, credential: Credential, expectation: Expectation) -> Verdict:
    """Run the steps until one fails. Raises Trouble when no verdict is possible now."""
    steps = run_steps(
        (
            ("shape", proof.shape),
            ("identify", proof.identify),
            ("trust", proof.trust),
            ("ownership", lambda: ownership(proof, credential, expectation)),
            ("permissions", lambda: permissions(proof)),
        ),
        SENTENCES,
    )
    account_number = parse_arn(proof.caller_arn).account_number or None
    return verdict_of(steps, account_number=account_number, identity=proof.caller_arn or None)


def ownership(proof: Proof, credential: Credential, expectation: Expectation) -> Step:
    """The account that answered is the one that was meant."""
    proved = parse_arn(proof.caller_arn).account_number
    submitted = credential.reveal("account_number")
    if proved != parse_arn(proof.principal_arn).account_number or (submitted and submitted != proved):
        return failed(
            "ownership",
            "other_account",
            message="The credential works, but belongs to another AWS account than the one submitted with it.",
            remedy="Correct the account number, or submit the credential of the account that you mean.",
        )
    if expectation.account_number and expectation.account_number != proved:
        return failed(
            "ownership",
            "account_changed",
            message="The credential works, but belongs to another AWS account than the one onboarded here.",
            remedy="Submit a credential of the same AWS account, or onboard the other one as a new account.",
        )
    return passed("ownership", "The credential belongs to the AWS account that was meant.")


def permissions(proof: Proof) -> Step:
    """The principal's policies tell about the whole published list. For the required permissions, trying them has the
    last word: an organisation's or a session's policy can deny what the principal's own policies allow."""
    denied = _denied(proof)
    missing = tuple(
        permission.name
        for permission in PERMISSIONS
        if (not _works(proof.session, permission.name) if permission.required else permission.name in denied)
    )
    blind = "AWS did not let us look at the policies" if SIMULATE in missing else None
    return judge_permissions(PERMISSIONS, missing, remedy=GRANT, unseen_because=blind)


def _denied(proof: Proof) -> frozenset[str]:
    try:
        return proof.session.denied(proof.principal_arn, [permission.name for permission in PERMISSIONS])
    except Refused as refusal:
        if refusal.reason is Reason.ACCESS_DENIED:
            return frozenset({SIMULATE})
        raise


def _works(session: CustomerSession, action: str) -> bool:
    try:
        session.probe(action)
    except Refused as refusal:
        if refusal.reason is Reason.ACCESS_DENIED:
            return False
        # The credential was proved a moment ago. Either it was revoked meanwhile, which the next attempt
        # finds out, or the customer has our region switched off.
        raise PlatformConfig from None
    return True
