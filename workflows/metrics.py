"""What workflows measure of themselves, through the workflow's own meter: that one is silent while a history is
replayed, so nothing is counted twice."""

from collections.abc import Iterator
from datetime import datetime
from itertools import product

from temporalio import workflow

from domain.accounts import ProviderType
from domain.errors import AccountAlreadyOnboarded, SealBroken
from domain.metrics import (
    AUDIT_EVENTS_SEALED,
    AUDIT_SEALED_AT,
    DELIVERIES,
    ONBOARDING_DURATION,
    ONBOARDINGS_ENDED,
    OTHER,
    REFUSALS,
    SCAN_CHECKS,
    SCAN_COMPLETED_AT,
    SCAN_DURATION,
    SCANS_ENDED,
    SCANS_SKIPPED,
    SCHEDULE_DRIFT,
    SECONDS,
    SUBMISSION_DURATION,
    SUBMISSIONS,
    Metric,
)
from domain.onboarding.messages import OnboardingState, Result, SubmissionOutcome
from domain.onboarding.validation import StepStatus
from domain.scans.notifications import ChannelKind, DeliveryState
from domain.scans.scan import Counts, Leaving, ScanEnd, ScanState
from workflows.ids import ONBOARDING_QUEUE, SCANS_QUEUE

REFUSAL_CODES = frozenset(
    {
        *("malformed", "other_partition", "external_id_mismatch", "temporary_key"),
        *("role_not_assumable", "unknown_key", "wrong_secret", "expired_credential", "access_denied", "invalid_input"),
        *("unsafe_trust", "role_name_not_allowed", "root_key", "other_account", "account_changed"),
        *("missing_permissions", "limited_permissions", "region_policy", "over_privileged", "account_not_active"),
        *(AccountAlreadyOnboarded.code, SealBroken.code),
    }
)
"""The codes of a validation's steps. Any other one is counted as `other`, so that no label can grow."""

REFUSAL_STEPS = frozenset({"shape", "identify", "trust", "ownership", "permissions", "privileges", "claim", "seal"})


def ended(provider: ProviderType, state: OnboardingState) -> None:
    """The onboarding has come to its final state."""
    seconds = (workflow.now() - workflow.info().start_time).total_seconds()
    labels = {"provider": provider.value, "outcome": state.value}
    _record(ONBOARDING_DURATION, seconds, labels)
    _count(ONBOARDINGS_ENDED, labels)


def answered(provider: ProviderType, outcome: SubmissionOutcome, since: datetime) -> None:
    """A submission that was accepted at `since` has its outcome."""
    seconds = (workflow.now() - since).total_seconds()
    labels = {"provider": provider.value, "result": outcome.result.value}
    _record(SUBMISSION_DURATION, seconds, labels)
    _count(SUBMISSIONS, labels)
    for step in outcome.steps:
        if step.status is StepStatus.FAILED:
            step_and_code = {"step": _known(step.name, REFUSAL_STEPS), "code": _known(step.code, REFUSAL_CODES)}
            _count(REFUSALS, {"provider": provider.value, **step_and_code})


def scan_skipped(reason: Leaving) -> None:
    """A run has ended without a scan."""
    _count(SCANS_SKIPPED, {"reason": reason.value})


def scan_ended(provider: ProviderType, end: ScanEnd) -> None:
    """A scan has come to its end, whichever."""
    labels = {"provider": provider.value, "outcome": end.status.value}
    _record(SCAN_DURATION, (workflow.now() - workflow.info().start_time).total_seconds(), labels)
    _count(SCANS_ENDED, labels)
    if end.result:
        for status, number in _by_status(end.result.counts).items():
            _count(SCAN_CHECKS, {"provider": provider.value, "status": status}, number)
        gauge = workflow.metric_meter().create_gauge(SCAN_COMPLETED_AT.name, SCAN_COMPLETED_AT.meaning)
        gauge.set(int(workflow.now().timestamp()), {"provider": provider.value})


def delivered(channel: ChannelKind, state: DeliveryState) -> None:
    """A notification was delivered, or given up."""
    _count(DELIVERIES, {"channel": channel.value, "state": state.value})


def _by_status(counts: Counts) -> dict[str, int]:
    return {"passed": counts.passed, "failed": counts.failed, "error": counts.errors}


def sealed(began: datetime) -> None:
    """All audit events that were due when this sealing began are sealed. A time, because a sealer that stands still
    changes nothing any more, and a time grows old by itself."""
    gauge = workflow.metric_meter().create_gauge(AUDIT_SEALED_AT.name, AUDIT_SEALED_AT.meaning)
    gauge.set(int(began.timestamp()))


def _count(metric: Metric, labels: dict[str, str], number: int = 1) -> None:
    workflow.metric_meter().create_counter(metric.name, metric.meaning).add(number, labels)


def _record(metric: Metric, seconds: float, labels: dict[str, str]) -> None:
    meter = workflow.metric_meter()
    meter.create_histogram_float(metric.name, metric.meaning, SECONDS).record(seconds, labels)


def _known(value: str, values: frozenset[str]) -> str:
    return value if value in values else OTHER


# Every series from the beginning

_PROVIDERS = tuple(provider.value for provider in ProviderType)
_ENDS_OF_ONBOARDINGS = tuple(state.value for state in OnboardingState if state.final)
_ENDS_OF_SCANS = (ScanState.COMPLETED.value, ScanState.FAILED.value, ScanState.CANCELLED.value)
_OF_A_DELIVERY = (DeliveryState.DELIVERED.value, DeliveryState.FAILED.value)
_BY_ONBOARDING = {"task_queue": ONBOARDING_QUEUE, "workflow_type": "OnboardAccount"}
_BY_SCAN = {"task_queue": SCANS_QUEUE, "workflow_type": "RunScan"}
_BY_SEALING = {"task_queue": ONBOARDING_QUEUE, "activity_type": "seal_trail"}
_BY_SWEEP = {"task_queue": ONBOARDING_QUEUE, "activity_type": "find_drift"}


def known_series() -> Iterator[tuple[Metric, dict[str, str]]]:
    """Yield each counter's series that can be known before it counts, with the labels that the SDK adds except the
    namespace. Prometheus sees no increase in a series that begins at 1, so a worker serves them all from 0 on."""
    for metric, origin, values in (
        (ONBOARDINGS_ENDED, _BY_ONBOARDING, (_PROVIDERS, _ENDS_OF_ONBOARDINGS)),
        (SUBMISSIONS, _BY_ONBOARDING, (_PROVIDERS, tuple(result.value for result in Result))),
        (REFUSALS, _BY_ONBOARDING, (_PROVIDERS, (*sorted(REFUSAL_STEPS), OTHER), (*sorted(REFUSAL_CODES), OTHER))),
        (SCANS_ENDED, _BY_SCAN, (_PROVIDERS, _ENDS_OF_SCANS)),
        (SCANS_SKIPPED, _BY_SCAN, (tuple(reason.value for reason in Leaving),)),
        (SCAN_CHECKS, _BY_SCAN, (_PROVIDERS, tuple(_by_status(Counts())))),
        (DELIVERIES, _BY_SCAN, (tuple(kind.value for kind in ChannelKind), _OF_A_DELIVERY)),
        (SCHEDULE_DRIFT, _BY_SWEEP, (("astray", "orphan", "abandoned", "missed"),)),
        (AUDIT_EVENTS_SEALED, _BY_SEALING, (("in_time", "late"),)),
    ):
        for combination in product(*values):
            yield metric, {**dict(zip(metric.labels, combination, strict=True)), **origin}
