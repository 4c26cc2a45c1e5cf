"""Bodies and answers of tenants."""

from dataclasses import replace
from typing import Literal, Self

from pydantic import BaseModel, Field

from api.routes.onboarding_schemas import TENANT
from api.schemas import Line, Name, RequestBody, Unreadable, example
from domain.callers.tenants import Tenant, TenantStatus
from domain.pages import Page


class CreateTenantRequest(RequestBody):
    model_config = example({"tenant_name": "Acme", "description": "EU customer"})

    tenant_name: Name = Field(description="Unique, whatever its capitals; 1 to 128 characters on one line.")
    description: Line = Field("", max_length=1000, description="Up to 1,000 characters on one line.")


class ChangeTenantRequest(RequestBody):
    model_config = example({"status": "disabled"})

    tenant_name: Name | None = Field(None, description="A new name; unique, 1 to 128 characters on one line.")
    description: Line | None = Field(None, max_length=1000, description="Up to 1,000 characters on one line.")
    status: Literal["active", "disabled"] | None = Field(
        None,
        description="Callers of a disabled tenant read and revoke keys, and change nothing. Nobody makes an "
        "onboarding, a schedule or a key for it, and no scan begins. What exists stays.",
    )

    def applied_to(self, tenant: Tenant, *, at: str) -> Tenant:
        """The successor of `tenant`. A field that is null or left out stays."""
        return replace(
            tenant,
            tenant_name=tenant.tenant_name if self.tenant_name is None else self.tenant_name,
            description=tenant.description if self.description is None else self.description,
            status=tenant.status if self.status is None else TenantStatus(self.status),
            updated_at=at,
            version=tenant.version + 1,
        )


class TenantAnswer(BaseModel):
    """A customer company of the platform."""

    tenant_id: str = Field(examples=[TENANT])
    tenant_name: str = Field(examples=["Acme"])
    description: str
    status: TenantStatus
    created_at: str = Field(examples=["2026-11-24T09:30:00.000Z"])
    updated_at: str

    @classmethod
    def of(cls, tenant: Tenant) -> Self:
        return cls.model_validate(tenant, from_attributes=True)


class TenantsAnswer(BaseModel):
    """A page of all tenants."""

    tenants: list[TenantAnswer]
    next_cursor: str | None = Field(description="Where to go on; null on the last page.")
    unreadable: Unreadable = 0

    @classmethod
    def of(cls, page: Page[Tenant]) -> Self:
        return cls(
            tenants=[TenantAnswer.of(tenant) for tenant in page.items],
            next_cursor=page.next_cursor,
            unreadable=len(page.unreadable),
        )
