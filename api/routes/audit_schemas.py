"""Answers about the audit trail."""

from typing import Self

from pydantic import BaseModel, Field

from api.http.schema_messages import HOLDER
from api.routes.onboarding_schemas import TENANT
from api.schemas import Unreadable
from domain.audit.events import AuditEvent
from domain.pages import Page


class AuditEventAnswer(BaseModel):
    """One thing that was done."""

    event_id: str = Field(description="Sorts as the events do.")
    tenant_id: str = Field(examples=[TENANT], json_schema_extra={"format": HOLDER})
    at: str = Field(examples=["2026-11-24T09:30:00.000Z"])
    actor: str = Field(examples=["key:0123456789abcdef"], description="Who asked for it.")
    request_id: str = Field(description="`X-Request-Id` of the request that asked for it.")
    action: str = Field(examples=["account.activated"])
    target: str = Field(examples=["account:3f1d5a52-8c1e-4a44-9a55-0d2a9a3f4b1c"])
    outcome: str = Field(examples=["ok"])
    details: dict[str, str] = Field(description="Codes, counts and ids.")

    @classmethod
    def of(cls, event: AuditEvent) -> Self:
        return cls.model_validate(event, from_attributes=True)


class AuditEventsAnswer(BaseModel):
    """A page of a tenant's events."""

    events: list[AuditEventAnswer]
    next_cursor: str | None = Field(description="Where to go on; null on the last page. A filtered page may be empty.")
    unreadable: Unreadable = 0

    @classmethod
    def of(cls, page: Page[AuditEvent]) -> Self:
        return cls(
            events=[AuditEventAnswer.of(event) for event in page.items],
            next_cursor=page.next_cursor,
            unreadable=len(page.unreadable),
        )
