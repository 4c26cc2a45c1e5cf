"""The steps that prove an AWS credential, in order, and the sentences they answer with.

A credential of either method becomes a session with the customer's account: a role by assuming it, a key by using it.
From then on both are proved alike. No sentence contains a submitted value.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from enum import StrEnum
from typing import Protocol

from domain.errors import PlatformConfig, Trouble
from domain.onboarding.catalogue import Permission
from domain.onboarding.credentials import Credential
from domain.onboarding.validation import Expectation, Step, Verdict, verdict_of
from providers.aws.arns import parse_arn
from providers.aws.errors import Reason
from providers.aws.permissions import CHANGING, PERMISSIONS, PROBES, SIMULATE
from providers.checks import (
    Refused,
    Sentences,
    failed,
    judge_permissions,
    over_privileged,
    passed,
    region_closed,
    run_steps,
)

GRANT = (
    "Grant the permissions listed to this role or user; our template grants all of them. Where they are granted "
    "already, a policy of your organisation or a permissions boundary denies them: exempt this role or user there. AWS "
    "needs some seconds until a new policy is known everywhere; with just_created we ask again for 15 seconds."
)

OPEN = (
    "Nothing has to be done while you use no closed region. Otherwise exempt this role or user from that policy, or "
    "switch the region on."
)
FEWER = (
    "Grant what is published and nothing more: deploy our template, which makes such a role, and submit it; or detach "
    "what this role or user does not need for scanning, such as AdministratorAccess or a policy with Action *."
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
    Reason.ACCOUNT_NOT_ACTIVE: (
        "The credential works, but AWS has not activated this account for its services, or has suspended it: its "
        "registration, its verification or a payment is not done.",
        "Sign in to the account, and finish what AWS asks for under Billing and Account, or in its e-mails. A new "
        "account can take up to a day. Then submit again.",
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

    @property
    def home(self) -> str:
        """The region that we ask first."""

    def elsewhere(self) -> Iterator[str]:
        """Other regions to ask, for an account to which that one is closed."""

    def denied(self, principal_arn: str, actions: Sequence[str], *, region: str) -> frozenset[str]:
        """Those of the actions that the principal's policies do not allow in the region."""

    def probe(self, action: str, *, region: str) -> None:
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


def prove(
    proof: Proof, credential: Credential, expectation: Expectation, published: Sequence[Permission] = PERMISSIONS
) -> Verdict:
    """Run the steps until one fails. Raises Trouble when no verdict is possible now."""
    steps = run_steps(
        (
            ("shape", proof.shape),
            ("identify", proof.identify),
            ("trust", proof.trust),
            ("ownership", lambda: ownership(proof, credential, expectation)),
            ("permissions", lambda: permissions(proof, expectation, published)),
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


def permissions(proof: Proof, expectation: Expectation, published: Sequence[Permission]) -> tuple[Step, ...]:
    """The principal's policies tell about the whole published list. For the required permissions, trying them has the
    last word: an organisation's or a session's policy can deny what the principal's own policies allow."""
    session = proof.session
    region, refusals = _tried(session)
    denied = _denied(proof, [permission.name for permission in published], region)
    missing = tuple(
        permission.name
        for permission in published
        if (permission.name in refusals if permission.required else permission.name in denied)
    )
    blind = "AWS did not let us look at the policies" if SIMULATE in missing else None
    step = judge_permissions(
        published,
        missing,
        remedy=GRANT,
        unseen_because=blind,
        may_propagate=expectation.may_propagate,
    )
    if region != session.home:
        step = region_closed(step, session.home, remedy=OPEN)
    may_change = not denied.issuperset(CHANGING) and SIMULATE not in denied
    return (over_privileged("role or user", FEWER), step) if may_change else (step,)


def _tried(session: CustomerSession) -> tuple[str, Mapping[str, StrEnum]]:
    """The region that was asked, and why AWS refuses those of the required permissions that it refuses there. Ours may
    be closed to the account, by a policy of its organisation or because it is not switched on: then another one that
    answers tells."""
    region = session.home
    refusals = _refusals(session, PROBES, region)
    regional = [action for action, probe in PROBES.items() if probe.regional]
    whole = all(action in refusals for action in regional) and not any(
        probe.service == "iam" and action in refusals for action, probe in PROBES.items()
    )
    if whole and Reason.ACCOUNT_NOT_ACTIVE not in refusals.values():
        for other in session.elsewhere():
            with suppress(Trouble):  # of a region that cannot be reached from here either
                if not _refusals(session, regional[:1], other):
                    region, refusals = other, _refusals(session, PROBES, other)
                    break
    if Reason.ACCOUNT_NOT_ACTIVE in refusals.values():
        raise Refused(Reason.ACCOUNT_NOT_ACTIVE)
    if set(refusals.values()) - {Reason.ACCESS_DENIED}:
        # The credential was proved a moment ago, so it was revoked meanwhile, which the next attempt finds out.
        raise PlatformConfig
    return region, refusals


def _refusals(session: CustomerSession, actions: Iterable[str], region: str) -> Mapping[str, StrEnum]:
    found: dict[str, StrEnum] = {}
    for action in actions:
        try:
            session.probe(action, region=region)
        except Refused as refusal:
            found[action] = refusal.reason
    return found


def _denied(proof: Proof, names: Sequence[str], region: str) -> frozenset[str]:
    try:
        asked = [*names, *CHANGING]
        return proof.session.denied(proof.principal_arn, asked, region=region)
    except Refused as refusal:
        if refusal.reason is Reason.ACCESS_DENIED:
            return frozenset({SIMULATE})
        raise
