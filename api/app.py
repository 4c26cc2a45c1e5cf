"""The API as one ASGI application, from its services. It imports no adapter and reads no setting."""

from fastapi import Depends, FastAPI
from starlette.middleware import Middleware

from api import accounts, docs, executions, health, methods, onboarding, schedules, submissions, tenants
from api.auth import KeyRing
from api.deps import access
from api.failures import HANDLERS, LastHandler
from api.health import HealthMonitor
from api.openapi import DESCRIPTION, PREFIX
from api.requests import RequestMiddleware
from api.services import Services


def create_app(services: Services) -> FastAPI:
    """The application. Nothing is connected and nobody is asked until the first request."""
    app = FastAPI(
        title="Threat Engine Onboarding",
        version=services.version,
        description=DESCRIPTION,
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
        generate_unique_id_function=lambda route: route.name,
        middleware=[Middleware(RequestMiddleware), Middleware(LastHandler)],
        exception_handlers=HANDLERS,
        # FastAPI's own telemetry would record refused input and the text of errors.
        telemetry={"tracing": False, "metrics": False, "logs": False, "auto_configure": False},
    )
    app.state.services = services
    app.state.keys = KeyRing(services.api_keys)
    app.state.health = HealthMonitor(services)
    app.include_router(health.router, prefix=PREFIX)
    # Every other route has a caller. `accounts` comes before `onboarding`, whose ids would match its paths.
    for module in (accounts, methods, submissions, onboarding, tenants, schedules, executions):
        app.include_router(module.router, prefix=PREFIX, dependencies=[Depends(access)])
    app.include_router(docs.router)
    docs.mount_assets(app)
    return app
