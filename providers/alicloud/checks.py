"""The last two steps, which are the same for a key and for a role."""

import re
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from enum import StrEnum

from domain.errors import Trouble
from domain.onboarding.catalogue import Permission
from domain.onboarding.credentials import Credential
from domain.onboarding.validation import Expectation, Step
from providers.alicloud.calls import Session
from providers.alicloud.description import account_of
from providers.alicloud.errors import JUDGES, Reason, Signer
from providers.alicloud.permissions import ELSEWHERE, PROBES, REGION, REQUIRED, Call
from providers.checks import Refused, failed, judge_permissions, over_privileged, passed, region_closed
from providers.rest import text

GRANT = (
    "Run our script again, or grant the actions listed to this RAM user or role. Where they are granted already, a "
    "control policy of your resource directory denies them: exempt this user or role there."
)


OPEN = "Nothing has to be done while you use no closed region. Otherwise exempt this user or role from that policy."
FEWER = "Attach the policy that the script makes in place of AdministratorAccess or the like."
FULL_POWER = re.compile(r"AdministratorAccess|PowerUserAccess|Aliyun[A-Za-z0-9]+FullAccess")
"""AliCloud's own policies that change things, of everything or of one service."""
MAX_GROUPS = 10


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


def permissions(
    session: Session, expectation: Expectation, published: Sequence[Permission], *, identity: str
) -> tuple[Step, ...]:
    region, refusals = _tried(session, [PROBES[each.name] for each in published if each.name in PROBES])
    missing = [name for name, reason in refusals.items() if reason is Reason.ACCESS_DENIED]
    step = judge_permissions(published, missing, remedy=GRANT, may_propagate=expectation.may_propagate)
    if region != REGION:
        step = region_closed(step, REGION, remedy=OPEN)
    return (over_privileged("RAM user", FEWER), step) if _administers(session, identity) else (step,)


def _tried(session: Session, calls: Sequence[Call]) -> tuple[str, Mapping[str, StrEnum]]:
    """The region that was asked, and why AliCloud refuses what it refuses there. Ours may be closed to the account."""
    refusals = _refusals(session, calls, REGION)
    regional = {call.action for call in calls if call.regional and call.action in REQUIRED}
    if regional <= set(refusals) and all(PROBES[action].regional for action in refusals):
        for region in ELSEWHERE:
            with suppress(Trouble):  # of a region that cannot be reached from here either
                if not _refusals(session, [PROBES["ecs:DescribeRegions"]], region):
                    return region, _refusals(session, calls, region)
    return REGION, refusals


def _refusals(session: Session, calls: Iterable[Call], region: str) -> Mapping[str, StrEnum]:
    found: dict[str, StrEnum] = {}
    for call in calls:
        try:
            session.call(call.moved_to(region))
        except Refused as refusal:
            if refusal.reason is Reason.ACCOUNT_NOT_ACTIVE and call.action not in REQUIRED:
                continue  # a service that the account has not opened: there is nothing to look at
            if refusal.reason is Reason.ACCOUNT_NOT_ACTIVE:
                raise
            if refusal.reason is not Reason.ACCESS_DENIED:
                # The credential was proved a moment ago. It was taken away meanwhile, which the next attempt finds
                # out, or this service of AliCloud has not heard of it yet.
                raise JUDGES[Signer.CUSTOMER].unavailable() from None
            found[call.action] = refusal.reason
    return found


def _administers(session: Session, identity: str) -> bool:
    """Whether a RAM user, or a group that it is in, has one of AliCloud's own policies of power. Who may not even ask
    has none; the session of a role is narrowed to the published actions, so that what more the role may do is neither
    seen nor used."""
    user = identity.partition(":user/")[2]
    if not user:
        return False
    of_user = {"UserName": user}
    held = _names(session, Call("ram:ListPoliciesForUser", of_user), "Policies", "Policy", "PolicyName")
    for group in _names(session, Call("ram:ListGroupsForUser", of_user), "Groups", "Group", "GroupName")[:MAX_GROUPS]:
        asked = Call("ram:ListPoliciesForGroup", {"GroupName": group})
        held += _names(session, asked, "Policies", "Policy", "PolicyName")
    return any(map(FULL_POWER.fullmatch, held))


def _names(session: Session, call: Call, outer: str, inner: str, name: str) -> list[str]:
    """What an answer of RAM lists; nothing when it is not given."""
    try:
        found = session.call(call).get(outer)
    except (Refused, Trouble):
        return []
    entries = found.get(inner) if isinstance(found, Mapping) else None
    return [text(entry, name) for entry in entries] if isinstance(entries, list) else []
