"""The contract of AuditStore, whose events the other stores write."""

import pytest

from domain.errors import InvalidInput
from domain.tenants import PLATFORM
from tests.stores.conftest import Stores
from tests.stores.samples import FOREIGN, STRANGE_IDS, new_account, new_event, new_tenant


@pytest.fixture(scope="module")
def tenant_id(stores: Stores) -> str:
    """A tenant with ten events."""
    tenant = new_tenant()
    stores.tenants.create(tenant, new_event(tenant.tenant_id, at="2026-01-01T00:00:00.000Z"))
    for day in range(9):
        at = f"2026-02-{20 - day}T00:00:00.000Z"
        stores.accounts.register(new_account(tenant.tenant_id), new_event(tenant.tenant_id, at=at))
    return tenant.tenant_id


def test_events_come_oldest_first_and_each_once(stores: Stores, tenant_id: str):
    pages, cursor = [], None
    while True:
        page = stores.audit.page(tenant_id, limit=4, cursor=cursor)
        pages.append([event.at for event in page.items])
        if (cursor := page.next_cursor) is None:
            break
    times = [at for page in pages for at in page]
    assert times == sorted(times)
    assert len(times) == 10
    assert max(len(page) for page in pages) == 4


def test_an_event_comes_back_as_it_was_written(stores: Stores):
    tenant = new_tenant()
    event = new_event(tenant.tenant_id)
    stores.tenants.create(tenant, event)
    assert list(stores.audit.page(tenant.tenant_id, limit=10, cursor=None).items) == [event]


@pytest.mark.parametrize("tenant_id", [FOREIGN, PLATFORM, *STRANGE_IDS], ids=ascii)
def test_a_tenant_without_events_has_an_empty_page(stores: Stores, tenant_id: str):
    page = stores.audit.page(tenant_id, limit=10, cursor=None)
    assert (list(page.items), page.next_cursor) == ([], None)


def test_a_cursor_serves_only_its_own_tenant(stores: Stores, tenant_id: str):
    cursor = stores.audit.page(tenant_id, limit=4, cursor=None).next_cursor
    with pytest.raises(InvalidInput):
        stores.audit.page(FOREIGN, limit=4, cursor=cursor)
