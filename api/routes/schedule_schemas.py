"""Bodies and answers of schedules."""

from typing import Annotated, Literal, Self

from pydantic import BaseModel, BeforeValidator, Field, StringConstraints
from pydantic.config import JsonDict

from api.routes.onboarding_schemas import ID, TENANT
from api.schemas import Id, Line, Name, ProblemAnswer, RequestBody, Unreadable, Whole, example
from domain.accounts import ProviderType
from domain.pages import Page
from domain.scans.notifications import ChannelKind, NotificationSettings
from domain.schedules.cadence import MAX_INTERVAL_SECONDS
from domain.schedules.schedule import Preview, Schedule, ScheduleStatus, ScheduleType

MOST_PLACES, MOST_SERVICES = 100, 200

Place = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9-]{1,64}$")]
Service = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_.:-]{1,64}$")]
Text = Annotated[Line, StringConstraints(max_length=256)]
Cron = Annotated[Text, BeforeValidator(lambda sent: sent.replace("\t", " ") if isinstance(sent, str) else sent)]
"""Fields may stand apart by tabs, which no other text may hold."""
Kind = Literal["cron", "interval", "one_time"]
NAME = "A name for people: 1 to 128 characters on one line."
DESCRIPTION = "Up to 1,000 characters on one line."
TYPE = "Which of cron_expression, interval_seconds and run_at is read."
CRON = (
    "Five fields, names of months and days, or a word such as @daily. Only one of the two day fields is restricted. "
    "A value with a step goes on to the end of its field, as croniter reads it: 1/2 is 1, 3, 5."
)
EVERY = "Counted from the creation of the schedule; the platform sets the shortest one, an hour by default."
INTERVAL: JsonDict = {"minimum": 1, "maximum": MAX_INTERVAL_SECONDS}
"""Said and not checked here: the shortest one is a setting, and the rules of a cadence refuse with both."""
ZONE = "An IANA time zone, in upper or lower case; a cron expression is read in it."
REGIONS = f"At most {MOST_PLACES}; none means all."
SERVICES = f"At most {MOST_SERVICES}; none means all."
EXCLUDED = f"Services that are left out, at most {MOST_SERVICES}."
ON_SUCCESS = "Whether the channels are told of a scan that completed."
ON_FAILURE = "Whether the channels are told of a scan that failed."
RUN_AT = "When a one_time schedule fires, with its offset from UTC: 2027-01-31T02:00:00+01:00."


class EmptyRequest(RequestBody):
    """Nothing has to be said."""

    model_config = example({})


class WebhookChannel(RequestBody):
    url: str = Field(
        min_length=1,
        max_length=2048,
        description="https, and reachable from the internet. It is sealed; who may not write schedules, and "
        "lists, see it up to its host. Sent back as it is shown, it stays.",
    )
    secret: str | None = Field(
        None,
        min_length=16,
        max_length=256,
        repr=False,
        description="Signs what is sent. After whsec_ comes a key in base64, as in Standard Webhooks; any other text "
        "is the key itself. It is not shown again; without one the present secret stays.",
        json_schema_extra={"writeOnly": True},
    )


class SnsChannel(RequestBody):
    topic_arn: str = Field(
        min_length=1,
        max_length=256,
        description="A topic that lets the platform publish, in an AWS account that the tenant has onboarded.",
    )


class NotificationChannels(RequestBody):
    webhook: WebhookChannel | None = Field(None, description="Is sent a signed POST.")
    sns: SnsChannel | None = Field(None, description="Is published to.")


class PreviewCadenceRequest(RequestBody):
    """When it fires."""

    model_config = example({"schedule_type": "cron", "cron_expression": "0 2 * * *"})

    schedule_type: Kind = Field(description=TYPE)
    cron_expression: Cron | None = Field(None, description=CRON)
    interval_seconds: Whole | None = Field(None, description=EVERY, json_schema_extra=INTERVAL)
    run_at: Text | None = Field(None, description=RUN_AT)
    timezone: Text = Field("UTC", description=ZONE)


class CreateScheduleRequest(PreviewCadenceRequest):
    model_config = example(
        {
            "tenant_id": TENANT,
            "account_id": ID,
            "name": "Nightly",
            "schedule_type": "cron",
            "cron_expression": "0 2 * * *",
            "timezone": "Europe/Berlin",
        }
    )

    tenant_id: Id = Field(description="The tenant that the account belongs to.")
    account_id: Id = Field(description="An active account of the tenant.")
    name: Name = Field(description=NAME)
    description: Line = Field("", max_length=1000, description=DESCRIPTION)
    regions: list[Place] = Field([], max_length=MOST_PLACES, description=REGIONS)
    services: list[Service] = Field([], max_length=MOST_SERVICES, description=SERVICES)
    exclude_services: list[Service] = Field([], max_length=MOST_SERVICES, description=EXCLUDED)
    notify_on_success: bool = Field(False, description=ON_SUCCESS)
    notify_on_failure: bool = Field(True, description=ON_FAILURE)
    notification_channels: NotificationChannels = Field(
        NotificationChannels(), description="Who is told; nobody by default."
    )


class ChangeScheduleRequest(RequestBody):
    model_config = example({"status": "paused"})

    name: Name | None = Field(None, description=NAME)
    description: Line | None = Field(None, max_length=1000, description=DESCRIPTION)
    schedule_type: Kind | None = Field(None, description=f"{TYPE} With another type the fields of the old one go.")
    cron_expression: Cron | None = Field(None, description=CRON)
    interval_seconds: Whole | None = Field(None, description=EVERY, json_schema_extra=INTERVAL)
    run_at: Text | None = Field(None, description=RUN_AT)
    timezone: Text | None = Field(None, description=ZONE)
    regions: list[Place] | None = Field(None, max_length=MOST_PLACES, description=REGIONS)
    services: list[Service] | None = Field(None, max_length=MOST_SERVICES, description=SERVICES)
    exclude_services: list[Service] | None = Field(None, max_length=MOST_SERVICES, description=EXCLUDED)
    notify_on_success: bool | None = Field(None, description=ON_SUCCESS)
    notify_on_failure: bool | None = Field(None, description=ON_FAILURE)
    notification_channels: NotificationChannels | None = Field(None, description="Replaces all channels.")
    enabled: bool | None = Field(None, description="The same as status: true is active, false is paused.")
    status: Literal["active", "paused"] | None = Field(
        None,
        description="active also resumes a schedule that the platform stopped, unless what stopped it is still there "
        "(409). A one_time schedule that has fired, or missed its moment, becomes active with a new run_at.",
    )


class CreatedAnswer(BaseModel):
    """A schedule that was made."""

    schedule_id: str = Field(examples=[ID])
    name: str
    next_run_at: str | None
    status: Literal["created"] = "created"


class ScheduleAnswer(BaseModel):
    """One schedule."""

    schedule_id: str = Field(examples=[ID])
    tenant_id: str = Field(examples=[TENANT])
    account_id: str
    provider_type: ProviderType
    name: str
    description: str
    schedule_type: ScheduleType
    cron_expression: str | None
    interval_seconds: int | None
    run_at: str | None
    timezone: str
    regions: list[str]
    services: list[str]
    exclude_services: list[str]
    notify_on_success: bool
    notify_on_failure: bool
    notification_channels: dict[str, dict[str, object]] = Field(
        examples=[{"webhook": {"url": "https://hooks.example/scan", "signed": True}}]
    )
    status: ScheduleStatus
    status_reason: str | None = Field(
        description="Why the platform stopped it: `failed_repeatedly`, `missed`, or what stands in the way of its "
        "scans (`no_engine`, `tenant_disabled`, `account_not_active`, `unusable_cadence`, `refused_by_scheduler`, "
        "`unreadable_row`)."
    )
    problems: list[ProblemAnswer] = Field(description="What led to that, and what to do about it.")
    enabled: bool
    next_run_at: str | None = Field(description="Null when it does not fire, or when Temporal cannot be asked now.")
    last_run_at: str | None
    last_skipped_at: str | None = Field(description="When it was last to fire and nothing was scanned.")
    last_skip_reason: str | None = Field(description="Why; a code such as `scan_running` or `no_engine`.")
    running_execution_id: str | None
    run_count: int
    success_count: int
    failure_count: int
    created_at: str
    updated_at: str
    created_by: str

    @classmethod
    def of(cls, schedule: Schedule, next_run_at: str | None, *, in_full: bool = False) -> Self:
        """`in_full` for whoever may see the address of a webhook, which the schedule has opened then."""
        cadence, scope, told = schedule.cadence, schedule.scope, schedule.notifications
        return cls.model_validate(
            {
                **vars(schedule),
                **vars(cadence),
                "regions": list(scope.regions),
                "services": list(scope.services),
                "exclude_services": list(scope.exclude_services),
                "notify_on_success": told.on_success,
                "notify_on_failure": told.on_failure,
                "notification_channels": _shown(told, in_full=in_full),
                "problems": [ProblemAnswer.of(problem) for problem in schedule.problems],
                "enabled": schedule.fires,
                "last_skipped_at": schedule.last_skip.at if schedule.last_skip else None,
                "last_skip_reason": schedule.last_skip.reason if schedule.last_skip else None,
                "next_run_at": next_run_at,
            }
        )


class SchedulesAnswer(BaseModel):
    """A page of schedules. With a filter a page may be short, even empty, and not be the last."""

    schedules: list[ScheduleAnswer]
    next_cursor: str | None = Field(description="Where to go on; null on the last page.")
    unreadable: Unreadable = 0

    @classmethod
    def of(cls, page: Page[Schedule], next_runs: dict[str, str]) -> Self:
        found = [ScheduleAnswer.of(row, next_runs.get(row.schedule_id)) for row in page.items]
        return cls(schedules=found, next_cursor=page.next_cursor, unreadable=len(page.unreadable))


class DeletedAnswer(BaseModel):
    """A schedule that is gone. What it ran stays."""

    status: Literal["deleted"] = "deleted"
    schedule_id: str


class TriggeredAnswer(BaseModel):
    """A scan that was started."""

    status: Literal["triggered"] = "triggered"
    scan_id: str = Field(examples=[ID])
    message: str = "The scan has started."


class PreviewAnswer(BaseModel):
    """When a cadence fires next, as the Temporal server computes it."""

    fire_times: list[str] = Field(examples=[["2026-11-26T01:00:00.000Z"]])
    notes: list[str] = Field(description="What happens when the clocks next change.")

    @classmethod
    def of(cls, preview: Preview) -> Self:
        return cls(fire_times=list(preview.fire_times), notes=list(preview.notes))


def _shown(told: NotificationSettings, *, in_full: bool) -> dict[str, dict[str, object]]:
    shown: dict[str, dict[str, object]] = {}
    for channel in told.channels:
        if channel.kind is ChannelKind.WEBHOOK:
            shown["webhook"] = {"url": channel.target if in_full else channel.shown, "signed": told.signing is not None}
        elif channel.kind is ChannelKind.SNS:
            shown["sns"] = {"topic_arn": channel.target}
    return shown
