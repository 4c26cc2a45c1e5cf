"""The contract of AccountStore's pages."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import pytest

from domain.accounts import Account, AccountStatus, ProviderType
from domain.errors import InvalidInput
from domain.pages import MAX_PAGE
from tests.stores.conftest import Stores
from tests.stores.samples import FOREIGN, closure, new_account, new_event, new_tenant

PROVIDERS = [ProviderType.AWS, ProviderType.GCP]


@dataclass(frozen=True)
class Crowd:
    """A tenant with 130 accounts, every second of them in GCP, every third closed; and a neighbour with one."""

    tenant_id: str
    stores: Stores
    accounts: list[Account]

    def pages(
        self, provider_type: ProviderType | None, status: AccountStatus | None, limit: int = 40
    ) -> Iterator[list[Account]]:
        cursor = None
        while True:
            page = self.stores.accounts.page(
                self.tenant_id, provider_type=provider_type, status=status, limit=limit, cursor=cursor
            )
            yield list(page.items)
            if (cursor := page.next_cursor) is None:
                return

    def cursor(self, provider_type: ProviderType | None, status: AccountStatus | None) -> str | None:
        page = self.stores.accounts.page(
            self.tenant_id, provider_type=provider_type, status=status, limit=5, cursor=None
        )
        return page.next_cursor


@pytest.fixture(scope="module")
def crowd(stores: Stores) -> Crowd:
    tenant, neighbour = new_tenant(), new_tenant()
    for each in (tenant, neighbour):
        stores.tenants.create(each, new_event(each.tenant_id))
    stores.accounts.register(new_account(neighbour.tenant_id), new_event(neighbour.tenant_id))

    def add(number: int) -> Account:
        account = new_account(tenant.tenant_id, provider_type=PROVIDERS[number % 2])
        stores.accounts.register(account, new_event(tenant.tenant_id))
        if number % 3 == 0:
            stores.accounts.close(tenant.tenant_id, account.account_id, closure(), new_event(tenant.tenant_id))
        return stores.accounts.get(tenant.tenant_id, account.account_id)

    with ThreadPoolExecutor(4) as pool:
        return Crowd(tenant.tenant_id, stores, list(pool.map(add, range(130))))


@pytest.mark.parametrize("provider_type", [None, *PROVIDERS])
@pytest.mark.parametrize("status", [None, AccountStatus.PENDING, AccountStatus.DISABLED, AccountStatus.ACTIVE])
def test_pages_give_each_account_once(crowd: Crowd, provider_type: ProviderType | None, status: AccountStatus | None):
    found = [account for page in crowd.pages(provider_type, status) for account in page]
    wanted = [
        account
        for account in crowd.accounts
        if provider_type in (None, account.provider_type) and status in (None, account.status)
    ]
    assert sorted(found, key=lambda a: a.account_id) == sorted(wanted, key=lambda a: a.account_id)


def test_without_a_filter_the_order_is_that_of_the_ids(crowd: Crowd):
    found = [account.account_id for page in crowd.pages(None, None) for account in page]
    assert found == sorted(found)


def test_a_page_has_at_most_as_many_accounts_as_asked_for(crowd: Crowd):
    assert max(len(page) for page in crowd.pages(None, None, limit=7)) == 7
    assert max(len(page) for page in crowd.pages(None, None, limit=10**6)) == MAX_PAGE


@pytest.mark.parametrize("tenant_id", [FOREIGN, "", "platform", "\ud800"], ids=ascii)
def test_a_tenant_without_accounts_has_an_empty_page(crowd: Crowd, tenant_id: str):
    page = crowd.stores.accounts.page(tenant_id, provider_type=None, status=None, limit=10, cursor=None)
    assert (list(page.items), page.next_cursor) == ([], None)


@pytest.mark.parametrize(
    ("provider_type", "status"), [(ProviderType.AWS, None), (None, AccountStatus.PENDING)], ids=["aws", "pending"]
)
def test_a_cursor_serves_only_the_filters_it_was_given_for(
    crowd: Crowd, provider_type: ProviderType | None, status: AccountStatus | None
):
    with pytest.raises(InvalidInput) as caught:
        crowd.stores.accounts.page(
            crowd.tenant_id,
            provider_type=provider_type,
            status=status,
            limit=5,
            cursor=crowd.cursor(None, None),
        )
    assert [problem.pointer for problem in caught.value.problems] == ["/cursor"]


def test_a_cursor_serves_only_its_own_tenant(crowd: Crowd):
    with pytest.raises(InvalidInput):
        crowd.stores.accounts.page(FOREIGN, provider_type=None, status=None, limit=5, cursor=crowd.cursor(None, None))
