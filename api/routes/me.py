"""The route that tells a caller who it is."""

from typing import Literal, Self

from pydantic import BaseModel, Field

from api.auth.access import AccessDep
from api.auth.authenticator import Caller
from api.auth.permissions import Tenancy, needs, new_router
from api.http.openapi import errors
from api.routes.key_schemas import KEY_ID
from api.routes.onboarding_schemas import TENANT
from domain.callers.access import Role, Scope

router = new_router("/me", tag="callers")


class CallerAnswer(BaseModel):
    """Who calls, and what it may do."""

    kind: Literal["api_key", "token"] = Field(description="An API key, or an access token of the trusted issuer.")
    tenant_id: str | None = Field(
        description="The one tenant whose things it reaches; null for the platform's callers, who reach all.",
        examples=[TENANT],
    )
    role: Role | None = Field(description="Null for a key with scopes of its own, and for a token.")
    scopes: list[Scope] = Field(description="Everything that it may do, by its role or by itself.")
    key_id: str | None = Field(description="Null for a token.", examples=[KEY_ID])
    expires_at: str = Field(examples=["2027-11-24T09:30:00.000Z"])

    @classmethod
    def of(cls, caller: Caller) -> Self:
        return cls(
            kind="token" if caller.key_id is None else "api_key",
            tenant_id=caller.tenant_id,
            role=caller.role,
            scopes=sorted(caller.scopes),
            key_id=caller.key_id,
            expires_at=caller.expires_at,
        )


@router.get("", dependencies=[needs(None, Tenancy.OWN)], responses=errors(), summary="Who am I")
async def get_caller(access: AccessDep) -> CallerAnswer:
    """Any key or token that is valid may ask, also one of a disabled tenant."""
    return CallerAnswer.of(access.caller)
