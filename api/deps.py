"""What routes ask for. `Access` is the only way from a request to its caller, and from an id to a tenant or account."""

from collections.abc import Callable
from dataclasses import dataclass
from re import ASCII, compile
from typing import Annotated, cast

from fastapi import Depends, Path, Request, Security
from fastapi.security import HTTPAuthorizationCredentials

from api.auth import BEARER, HEADER, Caller, Doorman
from api.services import Services
from domain.access import Scope
from domain.accounts import Account
from domain.api_keys import ApiKey, is_key_id
from domain.edge_errors import TenantDisabled
from domain.errors import Forbidden, Internal, MissingScope, NotFound
from domain.scans import Execution, ScanResult
from domain.schedules import Schedule
from domain.tenants import PLATFORM, Tenant, TenantStatus

_ID = compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", ASCII)


def services_of(request: Request) -> Services:
    return cast(Services, request.app.state.services)


ServicesDep = Annotated[Services, Depends(services_of)]


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
            raise NotFound
        return self.services.tenants.get(tenant_id)

    def active_tenant(self, tenant_id: str) -> Tenant:
        """A tenant that something is made for. Raises NotFound, TenantDisabled."""
        tenant = self.tenant(tenant_id)
        if tenant.status is TenantStatus.DISABLED:
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

    def account(self, account_id: str, provider: str | None = None) -> Account:
        """An account that the request names, of the provider when one is given. Raises NotFound."""
        store = self.services.accounts
        account = store.get(self._owner(account_id, store.tenant_of), account_id)
        if provider not in (None, account.provider_type):
            raise NotFound
        return account

    def schedule(self, schedule_id: str) -> Schedule:
        """A schedule that the request names. Raises NotFound."""
        store = self.services.scans.schedules
        return store.get(self._owner(schedule_id, store.tenant_of), schedule_id)

    def execution(self, execution_id: str) -> Execution:
        """A run that the request names. Raises NotFound."""
        store = self.services.scans.executions
        return store.get(self._owner(execution_id, store.tenant_of), execution_id)

    def result(self, scan_id: str) -> ScanResult:
        """A scan's result that the request names. Raises NotFound."""
        store = self.services.scans.results
        return store.get(self._owner(scan_id, store.tenant_of), scan_id)

    def api_key(self, key_id: str) -> ApiKey:
        """A key that the request names. Raises NotFound."""
        if not is_key_id(key_id):
            raise NotFound
        store = self.services.api_keys
        if not self.caller.platform:
            return store.get(self._own_tenant, key_id)
        found = store.find(key_id)
        if found is None:
            raise NotFound
        return found

    def _owner(self, thing_id: str, tenant_of: Callable[[str], str]) -> str:
        """The caller's own tenant; for the platform's callers, who name things alone, the thing's."""
        if not _ID.fullmatch(thing_id):
            raise NotFound
        return tenant_of(thing_id) if self.caller.platform else self._own_tenant

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

Provider = Annotated[str, Path(description="The cloud.", examples=["aws"])]
