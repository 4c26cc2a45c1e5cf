"""From the bodies of schedules to the rows that they wish for. Everything that can be told without the cloud or the
server is told here, all of it at once."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

from api.routes.schedule_schemas import (
    ChangeScheduleRequest,
    CreateScheduleRequest,
    NotificationChannels,
    PreviewCadenceRequest,
)
from domain.accounts import Account, ProviderType
from domain.errors import InvalidInput, NoEngine, Problem
from domain.scans.notifications import MASK, SIGNING_BYTES, Channel, ChannelKind, NotificationSettings, signing_key
from domain.scans.ports import ChannelPolicy
from domain.scans.scopes import EngineOffer
from domain.scans.scopes import problems_of as problems_of_scope
from domain.schedules.cadence import problems_of, tidied
from domain.schedules.obstacles import REFUSED, UNUSABLE
from domain.schedules.schedule import MISSED, Cadence, ScanScope, Schedule, ScheduleStatus, ScheduleType
from domain.timestamps import stamp

_CADENCE = ("schedule_type", "cron_expression", "interval_seconds", "run_at", "timezone")
_SCOPE = ("regions", "services", "exclude_services")
WEBHOOK, TOPIC = "/notification_channels/webhook", "/notification_channels/sns/topic_arn"
_YEARS = range(2000, 2100)
"""Those that Temporal Schedules know, with a year to spare for every offset."""


@dataclass(frozen=True)
class Wishes:
    """Turns bodies into rows. Raises InvalidInput with every problem."""

    channels: ChannelPolicy
    offers: Mapping[ProviderType, EngineOffer]
    min_interval_seconds: int
    owns: Callable[[str, str], bool]
    """Whether a tenant has onboarded the AWS account of that number."""

    def new(self, body: CreateScheduleRequest, account: Account, *, schedule_id: str, at: str, by: str) -> Schedule:
        schedule = Schedule(
            schedule_id=schedule_id,
            tenant_id=account.tenant_id,
            account_id=account.account_id,
            provider_type=account.provider_type,
            name=body.name,
            description=body.description,
            cadence=cadence_of(body),
            scope=ScanScope(tuple(body.regions), tuple(body.services), tuple(body.exclude_services)),
            notifications=NotificationSettings(
                on_success=body.notify_on_success,
                on_failure=body.notify_on_failure,
                channels=_channels(body.notification_channels),
            ),
            created_at=at,
            updated_at=at,
            created_by=by,
        )
        return self._checked(schedule, cadence_is_new=True, scope_is_new=True, sent=body.notification_channels)

    def changed(self, schedule: Schedule, changes: ChangeScheduleRequest) -> Schedule:
        sent = {name: value for name in changes.model_fields_set if (value := getattr(changes, name)) is not None}
        plain = {name: sent[name] for name in ("name", "description") if name in sent}
        scope = replace(schedule.scope, **{name: tuple(sent[name]) for name in _SCOPE if name in sent})
        cadence = _cadence(schedule.cadence, {name: sent[name] for name in _CADENCE if name in sent})
        successor = replace(
            schedule,
            **plain,
            scope=scope,
            cadence=cadence,
            notifications=_notifications(schedule.notifications, sent),
            spec_version=schedule.spec_version + 1,
            **_status(schedule, changes, cadence_is_new=cadence != schedule.cadence),
        )
        return self._checked(
            successor,
            cadence_is_new=fires_anew(schedule, successor),
            scope_is_new=scope != schedule.scope,
            sent=changes.notification_channels,
            before=schedule,
        )

    def cadence(self, body: PreviewCadenceRequest) -> Cadence:
        cadence = cadence_of(body)
        self._raise(self._cadence_problems(cadence))
        return cadence

    def _checked(
        self,
        schedule: Schedule,
        *,
        cadence_is_new: bool,
        scope_is_new: bool,
        sent: NotificationChannels | None,
        before: Schedule | None = None,
    ) -> Schedule:
        """Raises NoEngine too, for a schedule that is to fire."""
        problems = list(self._cadence_problems(schedule.cadence)) if cadence_is_new else []
        offer = self.offers.get(schedule.provider_type)
        if offer is None and cadence_is_new and schedule.fires:
            raise NoEngine
        if offer is not None and scope_is_new:
            problems += problems_of_scope(schedule.scope, offer)
        kept = before.notifications.channels if before else ()
        for channel in schedule.notifications.channels:
            problems += self._channel_problems(channel, schedule.tenant_id) if channel not in kept else ()
        problems += _secret_problems(sent)
        self._raise(problems)
        return schedule

    def _channel_problems(self, channel: Channel, tenant_id: str) -> Sequence[Problem]:
        if channel.is_open and channel.target == channel.shown:
            message = f"This is an address as it is shown, with {MASK} for what is kept back; send the whole address."
            return [Problem("masked", message, f"{WEBHOOK}/url")]
        if problems := self.channels.problems(channel):
            return problems
        number = channel.owner_number
        if number is not None and not self.owns(tenant_id, number):
            message = (
                "The topic is in an AWS account that this tenant has not onboarded. Onboard that account first, or "
                "name a topic of one that is active."
            )
            return [Problem("foreign_account", message, TOPIC)]
        return []

    def _cadence_problems(self, cadence: Cadence) -> Iterator[Problem]:
        yield from problems_of(cadence, now=datetime.now(UTC), min_interval_seconds=self.min_interval_seconds)

    def _raise(self, problems: Any) -> None:
        if found := list(problems):
            raise InvalidInput(problems=found)


def fires_anew(before: Schedule, after: Schedule) -> bool:
    """Whether it has to be asked again when it fires: the moment of a one-time schedule may pass while it is paused."""
    return after.cadence != before.cadence or (after.fires and not before.fires)


def cadence_of(body: PreviewCadenceRequest) -> Cadence:
    """Raises InvalidInput for a moment that cannot be read."""
    return _cadence(Cadence(ScheduleType(body.schedule_type)), body.model_dump(include=set(_CADENCE)))


def _cadence(before: Cadence, sent: dict[str, Any]) -> Cadence:
    """Another type begins anew; within one type what is not sent stays."""
    kind = ScheduleType(sent.pop("schedule_type", before.schedule_type))
    if kind is not before.schedule_type:
        before = Cadence(kind, timezone=before.timezone)
    if sent.get("run_at") is not None:
        sent["run_at"] = _moment(sent["run_at"])
    return tidied(replace(before, **sent))


def _moment(text: str) -> str:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        moment = None
    if moment is None or moment.tzinfo is None:
        message = "Write run_at as a date and time with its offset, such as 2027-01-31T02:00:00Z."
        raise InvalidInput(problems=[Problem("invalid", message, "/run_at")])
    if moment.year not in _YEARS:
        raise InvalidInput(problems=[Problem("out_of_range", "Name a time to come, before the year 2100.", "/run_at")])
    return stamp(moment.replace(microsecond=0))


def _notifications(before: NotificationSettings, sent: dict[str, Any]) -> NotificationSettings:
    """The signing secret stays until another one comes, or the webhook goes."""
    channels = before.channels
    if "notification_channels" in sent:
        # Who sends back an address as it is shown means the one that is stored.
        stored = {(channel.kind, channel.shown): channel for channel in before.channels}
        channels = tuple(
            stored.get((each.kind, each.target), each) for each in _channels(sent["notification_channels"])
        )
    signed = any(channel.kind is ChannelKind.WEBHOOK for channel in channels)
    return NotificationSettings(
        on_success=sent.get("notify_on_success", before.on_success),
        on_failure=sent.get("notify_on_failure", before.on_failure),
        channels=channels,
        signing=before.signing if signed else None,
    )


def _channels(sent: NotificationChannels) -> tuple[Channel, ...]:
    found = []
    if sent.webhook is not None:
        found.append(Channel(ChannelKind.WEBHOOK, sent.webhook.url))
    if sent.sns is not None:
        found.append(Channel(ChannelKind.SNS, sent.sns.topic_arn))
    return tuple(found)


def _secret_problems(sent: NotificationChannels | None) -> list[Problem]:
    secret = sent.webhook.secret if sent and sent.webhook else None
    try:
        signing_key(secret or "")
    except ValueError:
        least, most = SIGNING_BYTES[0], SIGNING_BYTES[-1]
        message = f"After whsec_ write the key in base64: {least} to {most} bytes, with its padding."
        return [Problem("invalid", message, f"{WEBHOOK}/secret")]
    return []


def _status(schedule: Schedule, changes: ChangeScheduleRequest, *, cadence_is_new: bool) -> dict[str, Any]:
    """A one-time schedule that has fired or missed its moment, and one whose cadence could not be followed, is active
    again with a new one, unless something else is wished."""
    wished = {ScheduleStatus(changes.status)} if changes.status else set()
    if changes.enabled is not None:
        wished.add(ScheduleStatus.ACTIVE if changes.enabled else ScheduleStatus.PAUSED)
    if len(wished) > 1:
        message = "enabled and status say different things; send one of them."
        raise InvalidInput(problems=[Problem("contradiction", message, "/status")])
    is_over = schedule.status is ScheduleStatus.COMPLETED or schedule.status_reason in (MISSED, REFUSED, UNUSABLE)
    if not wished and cadence_is_new and is_over:
        wished.add(ScheduleStatus.ACTIVE)
    if not wished:
        return {}
    return {"status": wished.pop(), "status_reason": None, "problems": ()}
