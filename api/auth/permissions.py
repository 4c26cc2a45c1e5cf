"""What a route asks of its caller. Every route declares it, where it is defined: one without is an error at import."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from fastapi import APIRouter, Depends, params
from fastapi.routing import APIRoute
from starlette.concurrency import run_in_threadpool

from api.auth.access import AccessDep
from api.http.parameters import Parameters, check_parameters
from domain.callers.access import CHANGING, Scope


class Tenancy(StrEnum):
    """Whose things a route deals with. `Access` is how each comes to its tenant; here stands which way that is."""

    NAMED = "named"
    """The request names the tenant, or it is the caller's own. Another one is not found."""
    OWNED = "owned"
    """The request names a thing of a tenant. Another tenant's is not found."""
    PLATFORM = "platform"
    """What belongs to no tenant. Only the platform's callers may."""
    OWN = "own"
    """The caller itself, and nothing that another one has."""
    NONE = "none"
    """The same for every tenant."""


@dataclass(frozen=True)
class Requirement:
    """The dependency that refuses a caller, before anything of the request is read."""

    scope: Scope | None
    """None where it is enough to be known."""
    tenancy: Tenancy

    async def __call__(self, access: AccessDep) -> None:
        """Raises MissingScope, Forbidden, TenantDisabled."""
        if self.scope is not None:
            access.require(self.scope)
        if self.tenancy is Tenancy.PLATFORM:
            access.administer()
        if self.scope in CHANGING:
            await run_in_threadpool(access.change)


def needs(scope: Scope | None, tenancy: Tenancy) -> Any:
    """For the `dependencies` of a route. Without a scope every caller may that is known."""
    return Depends(Requirement(scope, tenancy))


async def everyone() -> None:
    """Lets everybody in."""


PUBLIC: Any = Depends(everyone)
"""For the `dependencies` of a router whose routes ask nobody who they are."""


class DeclaredRoute(APIRoute):
    """Raises TypeError unless exactly one declaration is among its dependencies. The OpenAPI document shows it."""

    def __init__(
        self,
        path: str,
        endpoint: Callable[..., Any],
        *,
        dependencies: Sequence[params.Depends] | None = None,
        openapi_extra: dict[str, Any] | None = None,
        **settings: Any,
    ) -> None:
        declared = [each.dependency for each in dependencies or () if _is_declaration(each.dependency)]
        if len(declared) != 1:
            raise TypeError(f"The route {path} must declare one scope with its tenancy, or that it is public.")
        extra = {**_shown(declared[0]), **(openapi_extra or {})}
        # FastAPI makes the route anew when its router is included: the check is not to be doubled.
        others = [each for each in dependencies or () if each.dependency is not check_parameters]
        super().__init__(
            path, endpoint, dependencies=[*others, Depends(check_parameters)], openapi_extra=extra, **settings
        )
        self.parameters = Parameters(self.dependant)


def new_router(prefix: str = "", *, tag: str, public: bool = False) -> APIRouter:
    """A router whose routes declare what they ask."""
    dependencies = [PUBLIC] if public else []
    return APIRouter(prefix=prefix, tags=[tag], route_class=DeclaredRoute, dependencies=dependencies)


def declared(made: APIRouter) -> APIRouter:
    """The router. Raises TypeError when one of its routes could have been defined without a declaration."""
    for route in made.routes:
        if not isinstance(route, DeclaredRoute):
            raise TypeError("Every route must be of a router that asks for declarations.")
    return made


def _is_declaration(dependency: object) -> bool:
    return isinstance(dependency, Requirement) or dependency is everyone


def _shown(declared: object) -> dict[str, Any]:
    if isinstance(declared, Requirement):
        asked = {} if declared.scope is None else {"x-required-scope": declared.scope.value}
        return {**asked, "x-tenancy": declared.tenancy.value}
    return {}
