"""What routes ask for. `Access` is the only way from a request to its caller, and from an id to a tenant or account."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from re import ASCII, compile
from typing import Annotated, Protocol, TypeVar, cast

from fastapi import Depends, Path, Query, Request, Security
from fastapi.security import HTTPAuthorizationCredentials
from pydantic import BeforeValidator

from api.auth.authenticator import BEARER, HEADER, Caller, Doorman
from api.http.schema_messages import HOLDER
from api.services import Services
from domain.accounts import Account, ProviderType
from domain.callers.access import Scope
from domain.callers.api_keys import ApiKey, is_key_id
from domain.callers.tenants import PLATFORM, Tenant, TenantStatus
from domain.edge_errors import TenantDisabled
from domain.errors import Forbidden, Internal, MissingScope, NotFound
from domain.scans.scan import Execution, ScanResult
from domain.schedules.schedule import Schedule

_ID = compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", ASCII)

ID_FORM = "its id is a UUID in lower case"
KEY_ID_FORM = "its id is the 16 letters and digits after tek_"

Thing = TypeVar("Thing", covariant=True)


def services_of(request: Request) -> Services:
    return cast(Services, request.app.state.services)


ServicesDep = Annotated[Services, Depends(services_of)]


class Owned(Protocol[Thing]):
    """A store whose things are tenants'."""

    def tenant_of(self, thing_id: str, /) -> str: ...

    def get(self, tenant_id: str, thing_id: str, /) -> Thing: ...


@contextmanager
def named(thing: str, name: str) -> Iterator[None]:
    """What is missing in here is that thing, which the request names in `name`. A text that cannot be an id answers as
    a missing one does, so every answer says what an id is."""
    try:
        yield
    except NotFound:
        raise missing(thing, name) from None


def missing(thing: str, name: str) -> NotFound:
    form = KEY_ID_FORM if name == "key_id" else ID_FORM
    return NotFound(f"There is no such {thing} here; {form}.", pointer=f"/{name}")


@dataclass(frozen=True)
class Access:
    """What the caller may reach. Another tenant's thing answers as a missing one does, and an id that cannot be one of
    ours is missing too, so that no store sees it. The methods read a store: call them in a thread."""

    caller: Caller
    services: Services

    def require(self, scope: Scope) -> None:
        """Raises MissingScope."""
        if scope not in self.caller.scopes:
            raise MissingScope(scope=scope)

    def administer(self) -> None:
        """For what belongs to no tenant. Raises Forbidden."""
        if not self.caller.platform:
            raise Forbidden

    def tenant(self, tenant_id: str) -> Tenant:
        """A tenant that the request names. Raises NotFound."""
        if not _ID.fullmatch(tenant_id) or not (self.caller.platform or self.caller.tenant_id == tenant_id):
            raise missing("tenant", "tenant_id")
        with named("tenant", "tenant_id"):
            return self.services.tenants.get(tenant_id)

    def active_tenant(self, tenant_id: str) -> Tenant:
        """A tenant that something is made for. Raises NotFound, TenantDisabled."""
        tenant = self.tenant(tenant_id)
        if tenant.status is not TenantStatus.ACTIVE:
            raise TenantDisabled
        return tenant

    def change(self) -> None:
        """For what a tenant's caller changes of its own. Raises TenantDisabled."""
        if self.caller.tenant_id is not None:
            self.active_tenant(self.caller.tenant_id)

    def key_holder(self, tenant_id: str, *, making: bool = False) -> str:
        """A tenant whose keys the request names; `platform` stands for the platform. Raises NotFound, and for one that
        is to be made TenantDisabled."""
        if tenant_id == PLATFORM and self.caller.platform:
            return PLATFORM
        return (self.active_tenant if making else self.tenant)(tenant_id).tenant_id

    def account(self, account_id: str, provider: str | None = None, *, thing: str = "account") -> Account:
        """An account that the request names, of the provider when one is given. An onboarding has its account's id.
        Raises NotFound."""
        store = self.services.accounts
        account = self._found(thing, f"{thing}_id", account_id, store)
        if provider not in (None, account.provider_type):
            raise missing(thing, f"{thing}_id")
        return account

    def schedule(self, schedule_id: str) -> Schedule:
        """A schedule that the request names. Raises NotFound."""
        return self._found("schedule", "schedule_id", schedule_id, self.services.scans.schedules)

    def execution(self, execution_id: str) -> Execution:
        """A run that the request names. Raises NotFound."""
        return self._found("execution", "execution_id", execution_id, self.services.scans.executions)

    def result(self, scan_id: str) -> ScanResult:
        """A scan's result that the request names. Raises NotFound."""
        return self._found("scan result", "scan_id", scan_id, self.services.scans.results)

    def api_key(self, key_id: str) -> ApiKey:
        """A key that the request names. Raises NotFound."""
        if not is_key_id(key_id):
            raise missing("API key", "key_id")
        store = self.services.api_keys
        with named("API key", "key_id"):
            found = store.find(key_id) if self.caller.platform else store.get(self._own_tenant, key_id)
            if found is None:
                raise NotFound
        return found

    def _found(self, thing: str, name: str, thing_id: str, store: "Owned[Thing]") -> Thing:
        """A platform's caller names things alone, and the store knows their tenants."""
        if not _ID.fullmatch(thing_id):
            raise missing(thing, name)
        with named(thing, name):
            owner = store.tenant_of(thing_id) if self.caller.platform else self._own_tenant
            return store.get(owner, thing_id)

    @property
    def _own_tenant(self) -> str:
        if self.caller.tenant_id is None:
            raise Internal
        return self.caller.tenant_id


def access(
    request: Request,
    services: ServicesDep,
    bearer: Annotated[HTTPAuthorizationCredentials | None, Security(BEARER)],
    header: Annotated[str | None, Security(HEADER)],
) -> Access:
    """The dependency of every route that is not public. Raises Unauthenticated."""
    doorman = cast(Doorman, request.app.state.doorman)
    caller = doorman.recognise(bearer, header, request.state.request_id)
    request.state.principal = caller.principal
    return Access(caller, services)


AccessDep = Annotated[Access, Depends(access)]


def lower(sent: object) -> object:
    """A cloud may be written in capitals."""
    return sent.lower() if isinstance(sent, str) else sent


Holder = Annotated[
    str, Query(description="`platform` is for the platform's callers.", json_schema_extra={"format": HOLDER})
]

Provider = Annotated[ProviderType, Path(description="The cloud.", examples=["aws"])]

ProviderFilter = Annotated[ProviderType | None, BeforeValidator(lower), Query(description="Accounts of this cloud.")]
