"""Answers about runs and their results."""

from typing import Literal, Self

from pydantic import BaseModel, Field

from api.routes.onboarding_schemas import ID
from api.schemas import ProblemAnswer, Unreadable
from domain.accounts import ProviderType
from domain.pages import Page
from domain.scans.notifications import ChannelKind, Delivery, DeliveryState
from domain.scans.scan import Execution, ExecutionStatus, ScanResult, TriggeredBy
from domain.timestamps import parse

PARTIAL = "Whether some checks were decided and others could not be: the findings say which, and why."


class ExecutionAnswer(BaseModel):
    """A run in a list."""

    execution_id: str = Field(examples=[ID])
    started_at: str
    completed_at: str | None
    status: ExecutionStatus
    total_checks: int
    passed_checks: int
    failed_checks: int
    error_checks: int = Field(description="Checks that could not be decided.")
    partial: bool = Field(description=PARTIAL)
    execution_time_seconds: float | None
    triggered_by: TriggeredBy

    @classmethod
    def of(cls, execution: Execution) -> Self:
        return cls(**_summary(execution))


class ExecutionsAnswer(BaseModel):
    """Runs of a schedule, newest first."""

    executions: list[ExecutionAnswer]
    total: int = Field(description="How many runs there were, from a counter.")
    next_cursor: str | None
    unreadable: Unreadable = 0


class DeliveryAnswer(BaseModel):
    """What became of one notification."""

    kind: ChannelKind
    target: str = Field(description="The ARN of a topic; the address of a webhook, up to its host.")
    state: DeliveryState
    at: str
    code: str | None = Field(description="Why it failed.")

    @classmethod
    def of(cls, delivery: Delivery) -> Self:
        return cls.model_validate({**vars(delivery), "target": delivery.shown})


class ExecutionDetailAnswer(ExecutionAnswer):
    """One run."""

    tenant_id: str
    account_id: str
    schedule_id: str
    provider_type: ProviderType
    error_code: str | None = Field(description="Why it failed.")
    problems: list[ProblemAnswer] = Field(description="The same in sentences, and what to do about it.")
    scan_id: str | None = Field(description="Its result, once there is one.")
    deliveries: list[DeliveryAnswer]

    @classmethod
    def of(cls, execution: Execution) -> Self:
        return cls(
            **_summary(execution),
            tenant_id=execution.tenant_id,
            account_id=execution.account_id,
            schedule_id=execution.schedule_id,
            provider_type=execution.provider_type,
            error_code=execution.error_code,
            problems=[ProblemAnswer.of(problem) for problem in execution.problems],
            scan_id=execution.execution_id if execution.result_location else None,
            deliveries=[DeliveryAnswer.of(each) for each in execution.deliveries],
        )


class CancelledAnswer(BaseModel):
    """A run that was told to stop."""

    status: Literal["cancelling"] = "cancelling"
    execution_id: str = Field(examples=[ID])


class ScanResultAnswer(BaseModel):
    """What a scan found, in numbers."""

    scan_id: str = Field(examples=[ID])
    account_id: str
    provider_type: ProviderType
    started_at: str
    completed_at: str
    total_checks: int
    passed_checks: int
    failed_checks: int
    error_checks: int
    partial: bool = Field(description=PARTIAL)

    @classmethod
    def of(cls, result: ScanResult) -> Self:
        return cls(**_result(result))


class ScanResultsAnswer(BaseModel):
    """An account's results, newest first."""

    scan_results: list[ScanResultAnswer]
    next_cursor: str | None
    unreadable: Unreadable = 0

    @classmethod
    def of(cls, page: Page[ScanResult]) -> Self:
        return cls(
            scan_results=[ScanResultAnswer.of(row) for row in page.items],
            next_cursor=page.next_cursor,
            unreadable=len(page.unreadable),
        )


class ScanResultDetailAnswer(ScanResultAnswer):
    """One result, with a link to all that was found."""

    findings_url: str = Field(description="OCSF Compliance Findings as JSON. The link works for five minutes.")

    @classmethod
    def of_link(cls, result: ScanResult, link: str) -> Self:
        return cls(**_result(result), findings_url=link)


def _summary(execution: Execution) -> dict[str, object]:
    seconds = None
    if execution.completed_at:
        seconds = (parse(execution.completed_at) - parse(execution.started_at)).total_seconds()
    return {
        "execution_id": execution.execution_id,
        "started_at": execution.started_at,
        "completed_at": execution.completed_at,
        "status": execution.status,
        "total_checks": execution.counts.total,
        "passed_checks": execution.counts.passed,
        "failed_checks": execution.counts.failed,
        "error_checks": execution.counts.errors,
        "partial": execution.counts.partial,
        "execution_time_seconds": seconds,
        "triggered_by": execution.triggered_by,
    }


def _result(result: ScanResult) -> dict[str, object]:
    return {
        "scan_id": result.scan_id,
        "account_id": result.account_id,
        "provider_type": result.provider_type,
        "started_at": result.started_at,
        "completed_at": result.completed_at,
        "total_checks": result.counts.total,
        "passed_checks": result.counts.passed,
        "failed_checks": result.counts.failed,
        "error_checks": result.counts.errors,
        "partial": result.counts.partial,
    }
