"""The answer to "does this credential work?": ordered steps and an outcome."""

from dataclasses import dataclass
from enum import StrEnum

from domain.errors import Problem


class StepStatus(StrEnum):
    PASSED = "passed"
    WARNED = "warned"
    FAILED = "failed"
    SKIPPED = "skipped"
    UNKNOWN = "unknown"
    """What a newer version wrote."""


class Outcome(StrEnum):
    ACTIVE = "active"
    ACTIVE_LIMITED = "active_limited"
    """Works, but lacks permissions without which some checks cannot run."""
    REFUSED = "refused"
    UNKNOWN = "unknown"
    """What a newer version wrote. It is no acceptance."""


@dataclass(frozen=True)
class Step:
    """One thing that was proved, or not. A failed step skips those after it."""

    name: str
    status: StepStatus
    code: str = "ok"
    message: str = ""
    remedy: str | None = None
    missing_permissions: tuple[str, ...] = ()

    def as_problem(self) -> Problem:
        return Problem(
            code=self.code,
            message=self.message,
            step=self.name,
            remedy=self.remedy,
            missing_permissions=self.missing_permissions,
        )


REGION_POLICY = "region_policy"
"""The code of a step that limits without a missing permission: some regions are closed to the credential."""


@dataclass(frozen=True)
class Verdict:
    """What validation found. A verdict is an answer, never an exception; trouble on the way is raised instead."""

    outcome: Outcome
    steps: tuple[Step, ...]
    account_number: str | None = None
    """The account that the cloud says this credential belongs to."""
    identity: str | None = None
    """The principal as the cloud names it (for AWS an ARN). Not a secret."""

    @property
    def accepted(self) -> bool:
        return self.outcome in (Outcome.ACTIVE, Outcome.ACTIVE_LIMITED)

    @property
    def problems(self) -> tuple[Problem, ...]:
        return tuple(s.as_problem() for s in self.steps if s.status in (StepStatus.FAILED, StepStatus.WARNED))


def verdict_of(steps: list[Step], *, account_number: str | None = None, identity: str | None = None) -> Verdict:
    """Any failed step refuses; a warning about permissions or regions limits; otherwise the account is active."""
    statuses = {step.status for step in steps}
    if StepStatus.FAILED in statuses:
        outcome = Outcome.REFUSED
    elif any(step.missing_permissions or step.code == REGION_POLICY for step in steps):
        outcome = Outcome.ACTIVE_LIMITED
    else:
        outcome = Outcome.ACTIVE
    return Verdict(outcome=outcome, steps=tuple(steps), account_number=account_number, identity=identity)


@dataclass(frozen=True)
class Expectation:
    """What a credential must match. The external id is always ours, from the account, never the submitted one."""

    external_id: str
    account_number: str | None = None
    """The account proved before, which a later credential must belong to."""
    may_propagate: bool = False
    """Whether a refusal may still be the cloud not knowing what was just made."""
