"""What a caller reaches through `Access`, and what a route's declaration asks: by themselves, without a request."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from types import SimpleNamespace
from typing import Any, NoReturn

import pytest
from fastapi import APIRouter, Depends

from api.auth.access import Access, lower
from api.auth.authenticator import Caller
from api.auth.permissions import PUBLIC, DeclaredRoute, Requirement, Tenancy, declared, needs, new_router
from api.http.parameters import check_parameters
from domain.callers.access import CHANGING, Scope
from domain.callers.tenants import PLATFORM, TenantStatus
from domain.edge_errors import TenantDisabled
from domain.errors import Forbidden, Internal, MissingScope, NotFound
from tests.stores.samples import a_key, new_account, new_id, new_tenant

KEY_ID = "a" * 16
OURS, THEIRS = replace(new_tenant(), tenant_id=new_id()), replace(new_tenant(), tenant_id=new_id())
ACCOUNT = replace(new_account(OURS.tenant_id), account_id=new_id())
KEY = replace(a_key(OURS.tenant_id), key_id=KEY_ID)
NAMING: dict[str, Callable[[Access, str], object]] = {
    "account": Access.account,
    "schedule": Access.schedule,
    "execution": Access.execution,
    "result": Access.result,
}
NAMES = {"account": "account", "schedule": "schedule", "execution": "execution", "result": "scan result"}
ID_OF = {name: f"/{name}_id" for name in NAMING} | {"result": "/scan_id"}


class OfTenants:
    """A store with one thing of a tenant. It answers nobody else, and says who has it to whoever asks."""

    def __init__(self, tenant_id: str, thing_id: str, thing: object) -> None:
        self._place, self._thing = (tenant_id, thing_id), thing

    def get(self, tenant_id: str, thing_id: str) -> Any:
        if (tenant_id, thing_id) != self._place:
            raise NotFound
        return self._thing

    def tenant_of(self, thing_id: str) -> str:
        if thing_id != self._place[1]:
            raise NotFound
        return self._place[0]

    def find(self, thing_id: str) -> Any:
        return self._thing if thing_id == self._place[1] else None


class Tenants:
    def __init__(self, *tenants: Any) -> None:
        self._rows: Mapping[str, Any] = {tenant.tenant_id: tenant for tenant in tenants}

    def get(self, tenant_id: str) -> Any:
        if tenant_id not in self._rows:
            raise NotFound
        return self._rows[tenant_id]


def caller(tenant_id: str | None, *scopes: Scope) -> Caller:
    return Caller("key:1", tenant_id, tenant_id is None, scopes=frozenset(scopes or Scope), request_id="r")


def access(tenant_id: str | None, *scopes: Scope, status: TenantStatus = TenantStatus.ACTIVE) -> Access:
    """Of a caller of that tenant, or of the platform. Every store has one thing, which is `OURS`."""
    held = {name: OfTenants(OURS.tenant_id, ACCOUNT.account_id, ACCOUNT) for name in ("schedules", "executions")}
    services: Any = SimpleNamespace(
        tenants=Tenants(replace(OURS, status=status), THEIRS),
        accounts=OfTenants(OURS.tenant_id, ACCOUNT.account_id, ACCOUNT),
        api_keys=OfTenants(OURS.tenant_id, KEY_ID, KEY),
        scans=SimpleNamespace(**held, results=OfTenants(OURS.tenant_id, ACCOUNT.account_id, ACCOUNT)),
    )
    return Access(caller(tenant_id, *scopes), services)


@pytest.mark.parametrize("name", sorted(NAMING))
def test_a_thing_is_its_tenants_and_the_platforms(name: str):
    ask, thing_id = NAMING[name], ACCOUNT.account_id
    assert ask(access(OURS.tenant_id), thing_id) is ACCOUNT
    assert ask(access(None), thing_id) is ACCOUNT
    for reach, asked in ((access(THEIRS.tenant_id), thing_id), (access(OURS.tenant_id), new_id())):
        with pytest.raises(NotFound, match=f"no such {NAMES[name]} here; its id is a UUID") as missing:
            ask(reach, asked)
        assert missing.value.pointer == ID_OF[name]
    with pytest.raises(NotFound) as nobodys:
        ask(access(None), new_id())
    with pytest.raises(NotFound) as no_id:
        ask(access(None), "..")
    assert (str(no_id.value), no_id.value.pointer) == (str(nobodys.value), ID_OF[name])


class Untouched:
    """A store that nobody may ask."""

    def __getattr__(self, name: str) -> NoReturn:
        raise AssertionError(name)


AN_ID = "0d5b7f2e-9c1a-4e6b-8f3d-2a7c4b9e1f60"


@pytest.mark.parametrize("text", ["", "..", "x" * 5000, AN_ID.upper(), f"{AN_ID}\n", "é" * 36])
def test_what_cannot_be_an_id_is_missing_and_no_store_sees_it(text: str):
    store = Untouched()
    scans = SimpleNamespace(schedules=store, executions=store, results=store)
    services: Any = SimpleNamespace(tenants=store, accounts=store, api_keys=store, scans=scans)
    for reach in (Access(caller(None), services), Access(caller(text or "t"), services)):
        for ask in (*NAMING.values(), Access.tenant, Access.api_key):
            with pytest.raises(NotFound):
                ask(reach, text)


def test_an_account_is_of_the_provider_that_is_named():
    for provider in (None, "aws"):
        assert access(OURS.tenant_id).account(ACCOUNT.account_id, provider) is ACCOUNT
    with pytest.raises(NotFound) as missing:
        access(OURS.tenant_id).account(ACCOUNT.account_id, "gcp", thing="onboarding")
    assert missing.value.pointer == "/onboarding_id"


def test_a_key_is_its_tenants_and_the_platforms():
    assert access(OURS.tenant_id).api_key(KEY_ID) is KEY
    assert access(None).api_key(KEY_ID) is KEY
    for reach, key_id in ((access(THEIRS.tenant_id), KEY_ID), (access(None), "b" * 16), (access(None), "é" * 16)):
        with pytest.raises(NotFound, match="no such API key here; its id is the 16 letters") as missing:
            reach.api_key(key_id)
        assert missing.value.pointer == "/key_id"


def test_a_tenant_sees_itself_and_the_platform_sees_all():
    for reach in (access(OURS.tenant_id), access(None)):
        assert reach.tenant(OURS.tenant_id).tenant_id == OURS.tenant_id
        assert reach.key_holder(OURS.tenant_id) == OURS.tenant_id
    for reach, tenant_id in ((access(OURS.tenant_id), THEIRS.tenant_id), (access(None), new_id()), (access(None), "x")):
        with pytest.raises(NotFound, match="no such tenant here; its id is a UUID") as missing:
            reach.tenant(tenant_id)
        assert missing.value.pointer == "/tenant_id"


def test_the_platform_has_keys_of_its_own():
    assert access(None).key_holder(PLATFORM) == PLATFORM
    with pytest.raises(NotFound):
        access(OURS.tenant_id).key_holder(PLATFORM)


@pytest.mark.parametrize("status", [TenantStatus.DISABLED, TenantStatus.UNKNOWN])
def test_a_tenant_that_is_not_active_is_seen_and_gets_and_changes_nothing(status: TenantStatus):
    for reach in (access(OURS.tenant_id, status=status), access(None, status=status)):
        assert reach.tenant(OURS.tenant_id).status is status
        assert reach.key_holder(OURS.tenant_id) == OURS.tenant_id
        for refused in (
            lambda r=reach: r.active_tenant(OURS.tenant_id),
            lambda r=reach: r.key_holder(OURS.tenant_id, making=True),
        ):
            with pytest.raises(TenantDisabled):
                refused()
    with pytest.raises(TenantDisabled):
        access(OURS.tenant_id, status=status).change()
    access(None, status=status).change()
    access(OURS.tenant_id).change()


def test_a_caller_of_no_tenant_and_not_of_the_platform_reaches_nothing_even_when_there_is_one():
    lost = caller(None)
    object.__setattr__(lost, "platform", False)
    with pytest.raises(Internal):
        Access(lost, access(None).services).account(ACCOUNT.account_id)


@pytest.mark.parametrize("scope", Scope)
async def test_a_scope_is_asked_for_and_named_when_it_is_missing(scope: Scope):
    await Requirement(scope, Tenancy.NAMED)(access(OURS.tenant_id, scope))
    others = [each for each in Scope if each is not scope]
    with pytest.raises(MissingScope, match=scope):
        await Requirement(scope, Tenancy.NAMED)(access(OURS.tenant_id, *others))
    with pytest.raises(MissingScope):
        access(OURS.tenant_id, *others).require(scope)


@pytest.mark.parametrize("scope", [None, *Scope])
async def test_what_is_the_platforms_is_refused_to_a_tenant(scope: Scope | None):
    for tenancy in Tenancy:
        asked = Requirement(scope, tenancy)
        await asked(access(None))
        if tenancy is Tenancy.PLATFORM:
            with pytest.raises(Forbidden):
                await asked(access(OURS.tenant_id))
        else:
            await asked(access(OURS.tenant_id))


@pytest.mark.parametrize("scope", Scope)
async def test_a_disabled_tenant_may_call_what_changes_nothing(scope: Scope):
    asked = Requirement(scope, Tenancy.OWNED)(access(OURS.tenant_id, status=TenantStatus.DISABLED))
    if scope in CHANGING:
        with pytest.raises(TenantDisabled):
            await asked
    else:
        await asked


def view() -> None:
    """Nothing."""


NEEDS = needs(Scope.ACCOUNTS_READ, Tenancy.OWNED)


@pytest.mark.parametrize("dependencies", [None, [], [Depends(view)], [NEEDS, NEEDS], [NEEDS, PUBLIC]])
def test_a_route_declares_one_thing(dependencies: Any):
    with pytest.raises(TypeError, match="/open must declare"):
        DeclaredRoute("/open", view, dependencies=dependencies)


def test_a_declaration_is_asked_and_shown():
    route = DeclaredRoute("/owned", view, dependencies=[Depends(view), NEEDS], openapi_extra={"x-more": 1})
    assert [each.dependency for each in route.dependencies] == [view, NEEDS.dependency, check_parameters]
    assert route.openapi_extra == {"x-required-scope": "accounts:read", "x-tenancy": "owned", "x-more": 1}
    again = DeclaredRoute("/owned", view, dependencies=route.dependencies)
    assert [each.dependency for each in again.dependencies].count(check_parameters) == 1
    known = DeclaredRoute("/me", view, dependencies=[needs(None, Tenancy.OWN)])
    assert known.openapi_extra == {"x-tenancy": "own"}


def test_a_tenancy_is_shown_by_its_word():
    assert [tenancy.value for tenancy in Tenancy] == ["named", "owned", "platform", "own", "none"]


def test_a_router_asks_its_routes_for_declarations():
    router = new_router("/things", tag="thing")
    with pytest.raises(TypeError):
        router.get("/open")(view)
    router.get("/owned", dependencies=[NEEDS], name="a-name")(view)
    [route] = declared(router).routes
    assert isinstance(route, DeclaredRoute)
    assert (route.path, route.tags, route.name) == ("/things/owned", ["thing"], "a-name")
    public = new_router(tag="open", public=True)
    public.get("/open")(view)
    [open_route] = declared(public).routes
    assert isinstance(open_route, DeclaredRoute)
    assert open_route.openapi_extra == {}
    plain = APIRouter()
    plain.get("/open")(view)
    with pytest.raises(TypeError, match="asks for declarations"):
        declared(plain)


def test_a_cloud_may_be_written_in_capitals():
    assert (lower("AWS"), lower(7)) == ("aws", 7)
