"""The contract of AuditStore, whose events the other stores write."""

from collections.abc import Sequence
from dataclasses import replace

import pytest

from domain.audit.events import AuditEvent, AuditFilter
from domain.errors import InvalidInput, OnboardingError, Trouble
from stores.audit.events import DynamoAuditStore
from stores.dynamodb.tenants import DynamoTenantStore
from tests.stores.conftest import Aws, Stores
from tests.stores.samples import FOREIGN, STRANGE_IDS, new_account, new_event, new_id, new_tenant


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


@pytest.mark.parametrize("tenant_id", [FOREIGN, *STRANGE_IDS], ids=ascii)
def test_a_tenant_without_events_has_an_empty_page(stores: Stores, tenant_id: str):
    page = stores.audit.page(tenant_id, limit=10, cursor=None)
    assert (list(page.items), page.next_cursor) == ([], None)


def test_a_cursor_serves_only_its_own_tenant(stores: Stores, tenant_id: str):
    cursor = stores.audit.page(tenant_id, limit=4, cursor=None).next_cursor
    with pytest.raises(InvalidInput):
        stores.audit.page(FOREIGN, limit=4, cursor=cursor)


# Filters

FILTERS = {
    "action": AuditFilter(action="scan.ended"),
    "actor": AuditFilter(actor="key:2"),
    "target": AuditFilter(target="account:3"),
    "since": AuditFilter(since="2026-03-05T00:00:00.000Z"),
    "until": AuditFilter(until="2026-03-05T00:00:00.000Z"),
    "a time": AuditFilter(since="2026-03-03T00:00:00.000Z", until="2026-03-07T00:00:00.000Z"),
    "no time at all": AuditFilter(since="2026-03-07T00:00:00.000Z", until="2026-03-03T00:00:00.000Z"),
    "everything": AuditFilter(
        "scan.ended", "key:2", "account:1", "2026-03-02T00:00:00.000Z", "2026-03-28T00:00:00.000Z"
    ),
    "nothing of ours": AuditFilter(action="x"),
}


@pytest.fixture(scope="module")
def various(stores: Stores) -> Sequence[AuditEvent]:
    """A tenant's events, no two alike, oldest first."""
    tenant_id, made = new_id(), []
    for number in range(12):
        event = replace(
            new_event(tenant_id, at=f"2026-03-{number + 1:02}T00:00:00.000Z"),
            action=("scan.started", "scan.ended")[number % 2],
            actor=f"key:{number % 3}",
            target=f"account:{number % 4}",
        )
        stores.audit.record(event)
        made.append(event)
    return made


@pytest.mark.parametrize("wanted", FILTERS.values(), ids=FILTERS.keys())
def test_a_filter_gives_what_it_wants_in_pages(stores: Stores, various: Sequence[AuditEvent], wanted: AuditFilter):
    found: list[AuditEvent] = []
    cursor = None
    while True:
        page = stores.audit.page(various[0].tenant_id, wanted, limit=3, cursor=cursor)
        found += page.items
        if (cursor := page.next_cursor) is None:
            break
    assert found == [event for event in various if wanted.wants(event)]


def test_a_cursor_serves_only_its_own_filter(stores: Stores, various: Sequence[AuditEvent]):
    tenant_id = various[0].tenant_id
    cursor = stores.audit.page(tenant_id, FILTERS["action"], limit=3, cursor=None).next_cursor
    assert cursor
    for other in (FILTERS["actor"], FILTERS["since"], AuditFilter()):
        with pytest.raises(InvalidInput):
            stores.audit.page(tenant_id, other, limit=3, cursor=cursor)


# Events without a change


def test_an_event_is_recorded_once_however_often_it_is_sent(stores: Stores):
    event = new_event(new_id())
    for _ in range(3):
        stores.audit.record(event)
    assert stores.events(event.tenant_id) == [event]


# When the trail cannot be written


@pytest.mark.parametrize("missing", ["audit_events", "audit_unsealed"])
def test_without_its_trail_nothing_is_changed_and_everything_can_be_read(aws: Aws, missing: str):
    """One of the two tables is gone."""
    names = replace(aws.names, **{missing: "there-is-no-such-table"})
    tenants, tenant = DynamoTenantStore(aws.clients.dynamodb, names), new_tenant()
    aws.stores.tenants.create(tenant, new_event(tenant.tenant_id))
    changes = [
        lambda: tenants.update(replace(tenant, version=2), new_event(tenant.tenant_id)),
        lambda: tenants.create(new_tenant(), new_event(FOREIGN)),
        lambda: DynamoAuditStore(aws.clients.dynamodb, names).record(new_event(tenant.tenant_id)),
    ]
    for change in changes:
        with pytest.raises(OnboardingError) as refused:
            change()
        assert isinstance(refused.value, Trouble)
    assert tenants.get(tenant.tenant_id) == tenant
    assert len(aws.stores.events(tenant.tenant_id)) == 1
