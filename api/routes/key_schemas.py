"""Bodies and answers of API keys."""

from typing import Literal, Self

from pydantic import BaseModel, Field

from api.http.schema_messages import HOLDER
from api.routes.onboarding_schemas import TENANT
from api.schemas import Id, Name, RequestBody, Unreadable, Whole, example
from domain.callers.access import PLATFORM_SCOPES, Role, Scope
from domain.callers.api_keys import DAYS, MAX_DAYS, ApiKey
from domain.callers.tenants import PLATFORM
from domain.errors import InvalidInput, Problem
from domain.pages import Page

KEY_ID = "7h2k9q4m1x8c5v0b"

RoleName = Literal["admin", "operator", "viewer", "integration"]
ScopeName = Literal[
    "tenants:admin",
    "accounts:read",
    "accounts:write",
    "credentials:write",
    "schedules:read",
    "schedules:write",
    "scans:run",
    "audit:read",
    "keys:admin",
]


class CreateApiKeyRequest(RequestBody):
    model_config = example({"tenant_id": TENANT, "name": "Portal", "role": "operator"})

    tenant_id: Id = Field(
        json_schema_extra={"format": HOLDER},
        description="Whose things it may reach; `platform` for a key that reaches every tenant's.",
    )
    name: Name = Field(description="What it is for, 1 to 128 characters on one line.")
    role: RoleName | None = Field(None, description="What it may do, by a name. Send this or `scopes`.")
    scopes: list[ScopeName] | None = Field(
        None, min_length=1, max_length=len(Scope), description="What it may do, one by one. Send this or `role`."
    )
    expires_in_days: Whole = Field(
        DAYS,
        ge=1,
        le=MAX_DAYS,
        description="How long it is valid, 1 to 365 days; up to 3,650 when the platform's callers make it.",
    )

    def granted(self) -> tuple[Role | None, tuple[Scope, ...]]:
        """The role, or the scopes. Raises InvalidInput for both, neither, and a scope that no tenant's key can have."""
        if self.role is not None and self.scopes is not None:
            raise _refused("contradiction", "Send role or scopes, not both.", "/scopes")
        if self.role is not None:
            return Role(self.role), ()
        if self.scopes is None:
            raise _refused("missing", "Send a role, or scopes.", "/role")
        scopes = {Scope(name) for name in self.scopes}
        if self.tenant_id != PLATFORM and scopes & PLATFORM_SCOPES:
            raise _refused("contradiction", "The scope tenants:admin is for keys of the platform only.", "/scopes")
        return None, tuple(sorted(scopes))

    def refuse_long_life(self) -> None:
        """Raises InvalidInput for a key that its maker, whose own may end soon, could leave behind for years."""
        if self.expires_in_days > DAYS:
            message = f"A key of more than {DAYS} days is made by a platform administrator; ask for {DAYS} or fewer."
            raise _refused("out_of_range", message, "/expires_in_days")


class ApiKeyMadeAnswer(BaseModel):
    """A key that was just made."""

    key_id: str = Field(examples=[KEY_ID])
    api_key: str | None = Field(description="The key itself: shown this once, null when the request is repeated.")
    prefix: str = Field(examples=[f"tek_{KEY_ID}"], description="The part of the key that is no secret.")
    expires_at: str = Field(examples=["2027-11-24T09:30:00.000Z"])


class ApiKeyAnswer(BaseModel):
    """What is known of a key."""

    key_id: str = Field(examples=[KEY_ID])
    tenant_id: str = Field(examples=[TENANT], json_schema_extra={"format": HOLDER})
    name: str = Field(examples=["Portal"])
    prefix: str = Field(examples=[f"tek_{KEY_ID}"])
    role: Role | None
    scopes: list[Scope] = Field(description="Everything that it may do, by its role or by itself.")
    created_at: str = Field(examples=["2026-11-24T09:30:00.000Z"])
    expires_at: str
    revoked_at: str | None
    last_used_at: str | None = Field(description="To the hour.")

    @classmethod
    def of(cls, key: ApiKey) -> Self:
        return cls(
            key_id=key.key_id,
            tenant_id=key.tenant_id,
            name=key.name,
            prefix=key.prefix,
            role=key.role,
            scopes=sorted(key.held),
            created_at=key.created_at,
            expires_at=key.expires_at,
            revoked_at=key.revoked_at,
            last_used_at=key.last_used_at,
        )


class ApiKeysAnswer(BaseModel):
    """A page of keys."""

    api_keys: list[ApiKeyAnswer]
    next_cursor: str | None = Field(description="Where to go on; null on the last page.")
    unreadable: Unreadable = 0

    @classmethod
    def of(cls, page: Page[ApiKey]) -> Self:
        return cls(
            api_keys=[ApiKeyAnswer.of(key) for key in page.items],
            next_cursor=page.next_cursor,
            unreadable=len(page.unreadable),
        )


class ApiKeyRevokedAnswer(BaseModel):
    """A key that is refused from now on."""

    status: Literal["revoked"] = "revoked"
    key_id: str = Field(examples=[KEY_ID])
    revoked_at: str = Field(examples=["2026-11-24T09:30:00.000Z"])


def _refused(code: str, message: str, pointer: str) -> InvalidInput:
    return InvalidInput(problems=[Problem(code, message, pointer=pointer)])
