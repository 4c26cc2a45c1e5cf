"""The API as one ASGI application, from its services. It imports no adapter and reads no setting."""

import json
import re
from functools import cached_property
from typing import Any, cast

from fastapi import APIRouter, Depends, FastAPI
from starlette.routing import BaseRoute
from starlette.types import Receive, Scope, Send

from api.auth.access import access
from api.auth.authenticator import Doorman, KeyRing
from api.auth.last_used import KeyUses
from api.auth.permissions import declared
from api.http import docs_page
from api.http.errors import HANDLERS
from api.http.hardening import Edge
from api.http.openapi import DESCRIPTION, PREFIX
from api.http.openapi_document import completed
from api.http.rate_limits import RateLimiter, within_address_rate, within_caller_rate, within_health_rate
from api.http.static_answers import Stored
from api.routes import (
    accounts,
    audit,
    credentials,
    executions,
    health,
    identity,
    keys,
    me,
    methods,
    onboarding,
    schedules,
    tenants,
)
from api.routes.health import HealthMonitor
from api.services import Services
from domain.accounts import ProviderType

_CALLED = [Depends(within_address_rate), Depends(access), Depends(within_caller_rate)]
"""In this order: whoever comes too often costs no look-up."""


def _routes() -> list[BaseRoute]:
    every = APIRouter(generate_unique_id_function=lambda route: route.name)
    every.include_router(declared(health.router), prefix=PREFIX, dependencies=[Depends(within_health_rate)])
    every.include_router(declared(identity.router), dependencies=[Depends(within_address_rate)])
    # Every other route has a caller. `accounts` comes before `onboarding`, whose ids would match its paths.
    for module in (me, tenants, keys, accounts, methods, onboarding, credentials, schedules, executions, audit):
        every.include_router(declared(module.router), prefix=PREFIX, dependencies=_CALLED)
    every.include_router(declared(docs_page.router), dependencies=[Depends(within_address_rate)])
    return every.routes


_ROUTES = _routes()
"""They hold no state, so the applications of a process share them, and with them what FastAPI works out of them at the
first request."""


_CLOUD_IN_PATH = re.compile(rf"(?<={PREFIX}/onboarding/)({'|'.join(ProviderType)})(?=/)", re.IGNORECASE)


def _servers(public_url: str | None) -> list[dict[str, Any]]:
    """The page may call its own origin only, and may have been opened at another address than the public one."""
    public = [{"url": public_url, "description": "Where callers reach the API."}] if public_url else []
    return [{"url": "/", "description": "Where this document is."}, *public]


class Api(FastAPI):
    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """A cloud may be written in capitals, as the platform before this one did."""
        if scope["type"] == "http":
            scope["path"] = _CLOUD_IN_PATH.sub(lambda found: found[0].lower(), scope["path"])
        await super().__call__(scope, receive, send)

    def openapi(self) -> dict[str, Any]:
        if self.openapi_schema is None:
            catalogue = cast(Services, self.state.services).catalogue
            self.openapi_schema = completed(super().openapi(), catalogue)
        return self.openapi_schema

    @cached_property
    def document(self) -> Stored:
        return Stored(json.dumps(self.openapi(), separators=(",", ":")).encode(), "application/json")


def create_app(services: Services, edge: Edge | None = None) -> FastAPI:
    """The application. Nothing is connected and nobody is asked until the first request."""
    edge = edge or Edge()
    app = Api(
        title="Threat Engine Onboarding",
        version=services.version,
        description=DESCRIPTION,
        contact={"name": "The platform's operators"},
        license_info={"name": "Apache 2.0", "identifier": "Apache-2.0"},
        servers=_servers(services.public_url),
        openapi_url=None,
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
        routes=_ROUTES,
        middleware=edge.middleware(),
        exception_handlers=HANDLERS,
        # FastAPI's own telemetry would record refused input and the text of errors.
        telemetry={"tracing": False, "metrics": False, "logs": False, "auto_configure": False},
    )
    app.state.services = services
    ring = KeyRing(services.api_keys, uses=KeyUses(services.api_keys))
    app.state.doorman = Doorman(ring, services.tokens)
    app.state.rates = RateLimiter(
        edge.rates, edge.rate_store, on_outage=edge.on_rate_outage, proxies=edge.trusted_proxies
    )
    app.state.health = HealthMonitor(services)
    return app
