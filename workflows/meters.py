"""What workflows measure of themselves, through the workflow's own meter: that one is silent while a history is
replayed, so nothing is counted twice."""

from datetime import datetime

from temporalio import workflow

from domain.accounts import ProviderType
from domain.errors import AccountAlreadyOnboarded, SealBroken
from domain.metrics import (
    AUDIT_SEALED_AT,
    ONBOARDING_DURATION,
    OTHER,
    REFUSALS,
    SECONDS,
    SUBMISSION_DURATION,
    Metric,
)
from domain.onboarding import OnboardingState, SubmissionOutcome
from domain.validation import StepStatus

REFUSAL_CODES = frozenset(
    {
        *("malformed", "other_partition", "external_id_mismatch", "temporary_key"),
        *("role_not_assumable", "unknown_key", "wrong_secret", "expired_credential", "access_denied", "invalid_input"),
        *("unsafe_trust", "root_key", "other_account", "account_changed"),
        *("missing_permissions", "limited_permissions"),
        *(AccountAlreadyOnboarded.code, SealBroken.code),
    }
)
"""The codes of a validation's steps. Any other one is counted as `other`, so that no label can grow."""

REFUSAL_STEPS = frozenset({"shape", "identify", "trust", "ownership", "permissions", "claim", "seal"})


def ended(provider: ProviderType, state: OnboardingState) -> None:
    """The onboarding has come to its final state."""
    seconds = (workflow.now() - workflow.info().start_time).total_seconds()
    _record(ONBOARDING_DURATION, seconds, {"provider": provider.value, "outcome": state.value})


def answered(provider: ProviderType, outcome: SubmissionOutcome, since: datetime) -> None:
    """A submission that was accepted at `since` has its outcome."""
    seconds = (workflow.now() - since).total_seconds()
    _record(SUBMISSION_DURATION, seconds, {"provider": provider.value, "result": outcome.result.value})
    for step in outcome.steps:
        if step.status is StepStatus.FAILED:
            labels = {"provider": provider.value, "step": _known(step.name, REFUSAL_STEPS)}
            labels["code"] = _known(step.code, REFUSAL_CODES)
            workflow.metric_meter().create_counter(REFUSALS.name, REFUSALS.meaning).add(1, labels)


def sealed(began: datetime) -> None:
    """All audit events that were due when this sealing began are sealed. A time, because a sealer that stands still
    changes nothing any more, and a time grows old by itself."""
    gauge = workflow.metric_meter().create_gauge(AUDIT_SEALED_AT.name, AUDIT_SEALED_AT.meaning)
    gauge.set(int(began.timestamp()))


def _record(metric: Metric, seconds: float, labels: dict[str, str]) -> None:
    meter = workflow.metric_meter()
    meter.create_histogram_float(metric.name, metric.meaning, SECONDS).record(seconds, labels)


def _known(value: str, values: frozenset[str]) -> str:
    return value if value in values else OTHER
