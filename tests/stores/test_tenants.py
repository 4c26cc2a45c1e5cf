"""The contract of TenantStore."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest

from domain.audit.events import AuditEvent
from domain.callers.tenants import Tenant, TenantStatus
from domain.errors import AlreadyExists, InvalidInput, NotFound, OnboardingError, StaleVersion, Unavailable
from tests.stores.conftest import Aws, Stores
from tests.stores.faults import reply_lost
from tests.stores.samples import FOREIGN, LATER, STRANGE_IDS, new_event, new_id, new_tenant


def create(stores: Stores, tenant: Tenant) -> AuditEvent:
    event = new_event(tenant.tenant_id)
    stores.tenants.create(tenant, event)
    return event


def successor(tenant: Tenant, **changes: object) -> Tenant:
    return replace(tenant, version=tenant.version + 1, **changes)  # type: ignore[arg-type]


def test_a_created_tenant_is_there_with_one_event(stores: Stores):
    tenant = new_tenant()
    event = create(stores, tenant)
    assert stores.tenants.get(tenant.tenant_id) == tenant
    assert stores.events(tenant.tenant_id) == [event]


def test_a_name_is_taken_whatever_its_case(stores: Stores):
    first = new_tenant()
    create(stores, first)
    second = new_tenant(first.tenant_name.upper())
    with pytest.raises(AlreadyExists):
        create(stores, second)
    with pytest.raises(NotFound):
        stores.tenants.get(second.tenant_id)
    assert stores.events(second.tenant_id) == []


def test_creating_again_with_the_same_event_changes_nothing(stores: Stores):
    tenant = new_tenant()
    event = create(stores, tenant)
    assert stores.tenants.create(tenant, event) == tenant
    assert stores.events(tenant.tenant_id) == [event]


def test_creating_again_with_another_event_is_refused(stores: Stores):
    tenant = new_tenant()
    create(stores, tenant)
    with pytest.raises(AlreadyExists):
        create(stores, tenant)


@pytest.mark.parametrize("tenant_id", [FOREIGN, *STRANGE_IDS], ids=ascii)
def test_an_unknown_tenant_is_not_found(stores: Stores, tenant_id: str):
    with pytest.raises(NotFound):
        stores.tenants.get(tenant_id)


def test_an_update_replaces_the_version_before_it(stores: Stores):
    tenant = new_tenant()
    create(stores, tenant)
    changed = successor(tenant, description="", status=TenantStatus.DISABLED, created_at=LATER)
    updated = stores.tenants.update(changed, new_event(tenant.tenant_id, at=LATER))
    assert updated == replace(changed, created_at=tenant.created_at, updated_at=LATER)
    assert stores.tenants.get(tenant.tenant_id) == updated


def test_updating_again_with_the_same_event_changes_nothing(stores: Stores):
    tenant = new_tenant()
    create(stores, tenant)
    changed, event = successor(tenant, tenant_name=f"New {tenant.tenant_name}"), new_event(tenant.tenant_id)
    updated = stores.tenants.update(changed, event)
    assert stores.tenants.update(changed, event) == updated
    assert len(stores.events(tenant.tenant_id)) == 2


def test_an_update_of_an_older_version_is_stale(stores: Stores):
    tenant = new_tenant()
    create(stores, tenant)
    stores.tenants.update(successor(tenant, description="first"), new_event(tenant.tenant_id))
    with pytest.raises(StaleVersion):
        stores.tenants.update(successor(tenant, description="second"), new_event(tenant.tenant_id))
    assert stores.tenants.get(tenant.tenant_id).description == "first"


def test_an_update_of_an_unknown_tenant_is_not_found(stores: Stores):
    with pytest.raises(NotFound):
        stores.tenants.update(successor(new_tenant()), new_event(new_id()))


def test_a_renamed_tenant_frees_its_old_name(stores: Stores):
    tenant = new_tenant()
    create(stores, tenant)
    stores.tenants.update(successor(tenant, tenant_name=f"New {new_id()}"), new_event(tenant.tenant_id))
    create(stores, new_tenant(tenant.tenant_name))


def test_a_tenant_cannot_take_the_name_of_another(stores: Stores):
    tenant, other = new_tenant(), new_tenant()
    create(stores, tenant)
    create(stores, other)
    with pytest.raises(AlreadyExists):
        stores.tenants.update(successor(tenant, tenant_name=other.tenant_name.lower()), new_event(tenant.tenant_id))
    assert stores.tenants.get(tenant.tenant_id) == tenant


def test_a_name_may_change_its_case(stores: Stores):
    tenant = new_tenant()
    create(stores, tenant)
    changed = successor(tenant, tenant_name=tenant.tenant_name.upper())
    assert stores.tenants.update(changed, new_event(tenant.tenant_id)).tenant_name == changed.tenant_name


def test_of_eight_writers_one_wins(stores: Stores):
    tenant = new_tenant()
    create(stores, tenant)

    def write(number: int) -> str:
        try:
            changed = successor(tenant, description=f"writer {number}", tenant_name=f"{number} {tenant.tenant_id}")
            return stores.tenants.update(changed, new_event(tenant.tenant_id)).description
        except StaleVersion:
            return ""

    with ThreadPoolExecutor(8) as pool:
        winners = [name for name in pool.map(write, range(8)) if name]
    assert winners == [stores.tenants.get(tenant.tenant_id).description]
    assert len(stores.events(tenant.tenant_id)) == 2


def test_of_eight_tenants_with_one_name_one_is_created(stores: Stores):
    name = f"Contested {new_id()}"

    def attempt(_: int) -> OnboardingError | None:
        try:
            create(stores, new_tenant(name))
        except OnboardingError as error:
            return error
        return None

    with ThreadPoolExecutor(8) as pool:
        outcomes = list(pool.map(attempt, range(8)))
    assert outcomes.count(None) == 1
    assert {type(error) for error in outcomes if error} == {AlreadyExists}


def test_pages_give_each_tenant_once(stores: Stores):
    created = [new_tenant() for _ in range(12)]
    for tenant in created:
        create(stores, tenant)
    seen: list[str] = []
    cursor = None
    while True:
        page = stores.tenants.page(limit=5, cursor=cursor)
        assert len(page.items) <= 5
        seen += [tenant.tenant_id for tenant in page.items]
        if (cursor := page.next_cursor) is None:
            break
    assert len(seen) == len(set(seen))
    assert {tenant.tenant_id for tenant in created} <= set(seen)


def test_a_cursor_of_another_list_is_refused(stores: Stores):
    with pytest.raises(InvalidInput) as caught:
        stores.tenants.page(limit=5, cursor="bm90LW91cnM")
    assert [problem.pointer for problem in caught.value.problems] == ["/cursor"]


def test_a_creation_whose_reply_was_lost_is_repeated_with_success(aws: Aws):
    tenant, tenants = new_tenant(), aws.stores.tenants
    event = new_event(tenant.tenant_id)
    with reply_lost(aws.clients.dynamodb, "TransactWriteItems"), pytest.raises(Unavailable):
        tenants.create(tenant, event)
    assert tenants.create(tenant, event) == tenant
    assert aws.stores.events(tenant.tenant_id) == [event]


def test_an_update_whose_reply_was_lost_is_repeated_with_success(aws: Aws):
    tenant, tenants = new_tenant(), aws.stores.tenants
    create(aws.stores, tenant)
    changed, event = successor(tenant, tenant_name=f"New {new_id()}"), new_event(tenant.tenant_id)
    with reply_lost(aws.clients.dynamodb, "TransactWriteItems"), pytest.raises(Unavailable):
        tenants.update(changed, event)
    assert tenants.update(changed, event).tenant_name == changed.tenant_name
    assert len(aws.stores.events(tenant.tenant_id)) == 2
