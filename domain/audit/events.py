"""Who did what: the event that is written with every change, in the same transaction."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from uuid import NAMESPACE_URL, uuid5

from domain.callers.tenants import PLATFORM


@dataclass(frozen=True)
class Origin:
    """Who asked, and in which request. It travels in every workflow input and update."""

    actor: str
    """`key:<id>` for an API key, `cli` for the operators' command line, `system` for the platform itself."""
    request_id: str


@dataclass(frozen=True)
class AuditEvent:
    """One state change. Its id follows from the operation, so a repeated write is recognised as the same one."""

    event_id: str
    tenant_id: str
    at: str
    actor: str
    request_id: str
    action: str
    """`noun.past_participle`, for example `account.activated`."""
    target: str
    """`noun:<id>`."""
    outcome: str = "ok"
    details: Mapping[str, str] = field(default_factory=dict)
    """Codes, counts and ids. Never a value that was submitted."""


@dataclass(frozen=True)
class AuditFilter:
    """Which events are wanted; an empty filter wants all."""

    action: str | None = None
    actor: str | None = None
    target: str | None = None
    since: str = ""
    """Events from this moment on."""
    until: str | None = None
    """Events before this moment."""

    def wants(self, event: AuditEvent) -> bool:
        exact = ((self.action, event.action), (self.actor, event.actor), (self.target, event.target))
        in_time = self.since <= event.at and (self.until is None or event.at < self.until)
        return in_time and all(wanted in (None, found) for wanted, found in exact)


EVERYTHING = AuditFilter()


def audit_event(
    origin: Origin,
    *,
    operation: str,
    tenant_id: str,
    action: str,
    target: str,
    at: str,
    outcome: str = "ok",
    details: Mapping[str, str] | None = None,
) -> AuditEvent:
    """Build an event. `operation` names the operation uniquely (for a workflow: its run and step; for an HTTP request:
    its request id), so that doing it again gives the same event id."""
    return AuditEvent(
        event_id=f"{at}#{uuid5(NAMESPACE_URL, f'{tenant_id}/{operation}/{action}')}",
        tenant_id=tenant_id,
        at=at,
        actor=origin.actor,
        request_id=origin.request_id,
        action=action,
        target=target,
        outcome=outcome,
        details=dict(details or {}),
    )


def for_platform(event: AuditEvent) -> AuditEvent:
    """Return the same event for the platform's own trail. A tenant whose trail vanishes as a whole is still named
    there."""
    return replace(event, tenant_id=PLATFORM)


def consequence(
    event: AuditEvent, *, action: str, target: str, outcome: str = "ok", details: Mapping[str, str] | None = None
) -> AuditEvent:
    """An event of what was decided together with the change that `event` tells of: written with it, in its name."""
    return audit_event(
        Origin(event.actor, event.request_id),
        operation=f"{event.event_id}/{target}",
        tenant_id=event.tenant_id,
        action=action,
        target=target,
        at=event.at,
        outcome=outcome,
        details=details,
    )
