"""How every cloud's credential is proved: named steps in order, of which the first failure skips the rest."""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from enum import StrEnum

from domain.errors import InvalidInput, Propagating
from domain.onboarding.catalogue import AuthMethod, Permission, parse_credential
from domain.onboarding.credentials import Credential
from domain.onboarding.pasted import oddity_in
from domain.onboarding.validation import Step, StepStatus

SPREADING_SECONDS = 5.0
"""Between two looks at permissions that may still be spreading."""

Sentences = Mapping[StrEnum, tuple[str, str]]
"""For each reason of a refusal what it says, and what to do."""


class Refused(Exception):
    """The cloud's answer is about the customer's side. Never leaves the provider: a step makes a finding of it."""

    def __init__(self, reason: StrEnum) -> None:
        super().__init__(reason.value)
        self.reason = reason


def passed(name: str, message: str) -> Step:
    return Step(name, StepStatus.PASSED, message=message)


def warned(name: str, code: str, *, message: str, remedy: str) -> Step:
    return Step(name, StepStatus.WARNED, code=code, message=message, remedy=remedy)


def failed(name: str, code: str, *, message: str, remedy: str) -> Step:
    return Step(name, StepStatus.FAILED, code=code, message=message, remedy=remedy)


def refused(name: str, reason: StrEnum, sentences: Sentences) -> Step:
    message, remedy = sentences[reason]
    return failed(name, reason.value, message=message, remedy=remedy)


def suspecting(step: Step, name: str, text: str) -> Step:
    """The step, which also names what copying may have done to a field that was not refused for its form."""
    named = oddity_in(text)
    return replace(step, message=f"{step.message} Look at {name}. {named}") if named else step


def over_privileged(who: str, remedy: str) -> Step:
    """The warning about a credential that may do far more than look. It is no reason to refuse: the customer decides
    what to risk; what we and engines do with it is narrowed anyway."""
    message = f"This {who} may change or delete things in the account, which scanning never needs."
    return warned("privileges", "over_privileged", message=message, remedy=remedy)


def region_closed(step: Step, region: str, *, remedy: str) -> Step:
    """The step of permissions of an account to which a region of ours is closed, with a word about that: whatever else
    is missing, there it cannot be scanned."""
    said = (
        f"{step.message} The region {region} is closed to this credential, by a policy of your organisation or because "
        "it is not switched on: it, and others that are closed, cannot be scanned."
    )
    if step.status is StepStatus.PASSED:
        return warned("permissions", "region_policy", message=said, remedy=remedy)
    return replace(step, message=said, remedy=f"{step.remedy} {remedy}")


def run_steps(steps: Sequence[tuple[str, Callable[[], Step | tuple[Step, ...]]]], sentences: Sentences) -> list[Step]:
    """Run the steps until one fails. One may find more than one thing; the last of them says whether it failed. Trouble
    passes through: then no verdict is possible now."""
    done: list[Step] = []
    for name, step in steps:
        if done and done[-1].status in (StepStatus.FAILED, StepStatus.SKIPPED):
            message = "Not checked, because an earlier step failed."
            done.append(Step(name, StepStatus.SKIPPED, code="skipped", message=message))
            continue
        try:
            found = step()
            done += found if isinstance(found, tuple) else (found,)
        except Refused as refusal:
            done.append(refused(name, refusal.reason, sentences))
    return done


def malformed(method: AuthMethod, credential: Credential) -> Step | None:
    """The failed step that says everything that is wrong with the fields, None when nothing is."""
    try:
        parse_credential(method, credential.reveal_all())
    except InvalidInput as error:
        sentences = " ".join(problem.message for problem in error.problems)
        [first, *others] = error.problems
        if first.remedy and not others:
            return failed("shape", first.code, message=sentences, remedy=first.remedy)
        return failed("shape", "malformed", message=sentences, remedy="Correct the fields named and submit again.")
    return None


def without_damage(methods: Iterable[AuthMethod], credential: Credential) -> Credential:
    """The credential as its fields should be, where they can be put right: also one that was stored as it was."""
    for method in methods:
        if method.credential_type == credential.credential_type:
            try:
                return parse_credential(method, credential.reveal_all())
            except InvalidInput:
                return credential  # `malformed` says what is wrong with it
    return credential


def judge_permissions(
    permissions: Sequence[Permission],
    missing: Collection[str],
    *,
    remedy: str,
    unseen_because: str | None = None,
    may_propagate: bool = False,
) -> Step:
    """The step of a published list: all granted, some optional ones missing, or a required one. Every gap is named.
    `unseen_because` says why nobody can tell about the permissions that are not in `missing`. Raises Propagating while
    a gap may still be the cloud not knowing what was just granted."""
    gaps = tuple(permission.name for permission in permissions if permission.name in missing)
    if gaps and may_propagate:
        raise Propagating("The cloud does not know all permissions yet.", retry_after=SPREADING_SECONDS)
    if not gaps:
        return passed("permissions", "Every permission that scanning uses is granted.")
    refuses = any(permission.required for permission in permissions if permission.name in missing)
    required = "Required permissions are missing" if refuses else "The required permissions are granted"
    extent = f"{len(gaps)} of the {len(permissions)} permissions that scanning uses are missing."
    if unseen_because:
        extent = f"The others are unknown, because {unseen_because}."
    return Step(
        "permissions",
        StepStatus.FAILED if refuses else StepStatus.WARNED,
        code="missing_permissions" if refuses else "limited_permissions",
        message=f"{required}. {extent}",
        remedy=remedy,
        missing_permissions=gaps,
    )
