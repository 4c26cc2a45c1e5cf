"""The contract of AccountStore, but for its pages."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest

from domain.accounts import Account, AccountStatus, OnboardingStatus, ProviderType
from domain.audit.events import AuditEvent
from domain.callers.tenants import TenantStatus
from domain.errors import (
    AccountAlreadyOnboarded,
    AlreadyExists,
    Conflict,
    NotFound,
    OnboardingClosed,
    OnboardingError,
    PayloadTooLarge,
    Unavailable,
)
from domain.onboarding.validation import Verdict
from domain.ports import AccountStore
from tests.stores.conftest import Aws, Stores
from tests.stores.faults import reply_lost
from tests.stores.samples import (
    FOREIGN,
    LATER,
    STRANGE_IDS,
    activation,
    closure,
    new_account,
    new_event,
    new_id,
    new_number,
    new_tenant,
    refused,
)

Change = Callable[[AccountStore, str, str, AuditEvent], None]

CHANGES: dict[str, Change] = {
    "record_attempt": lambda accounts, tenant, account, event: accounts.record_attempt(
        tenant, account, refused(), 1, event
    ),
    "activate": lambda accounts, tenant, account, event: accounts.activate(tenant, account, activation(), event),
    "close": lambda accounts, tenant, account, event: accounts.close(tenant, account, closure(), event),
}


@pytest.fixture(params=CHANGES)
def change(request: pytest.FixtureRequest) -> Change:
    """Each way to change an account whose onboarding is under way."""
    return CHANGES[request.param]


def registered(stores: Stores, tenant_id: str | None = None) -> Account:
    """An account of an own tenant, unless one is named."""
    if tenant_id is None:
        tenant = new_tenant()
        tenant_id = stores.tenants.create(tenant, new_event(tenant.tenant_id)).tenant_id
    account = new_account(tenant_id)
    stores.accounts.register(account, new_event(tenant_id))
    return account


def stored(stores: Stores, account: Account) -> Account:
    """What has become of the account."""
    return stores.accounts.get(account.tenant_id, account.account_id)


def test_a_registered_account_is_there(stores: Stores):
    account = registered(stores)
    assert stores.accounts.get(account.tenant_id, account.account_id) == account
    assert stores.accounts.tenant_of(account.account_id) == account.tenant_id
    assert account.version == 1


def test_registering_writes_the_event(stores: Stores):
    account = registered(stores)
    assert len(stores.events(account.tenant_id)) == 2


def test_registering_again_with_the_same_event_changes_nothing(stores: Stores):
    first = registered(stores)
    account, event = new_account(first.tenant_id), new_event(first.tenant_id)
    for _ in range(2):
        stores.accounts.register(account, event)
    assert stored(stores, account) == account
    assert stores.events(first.tenant_id).count(event) == 1


def test_an_account_id_cannot_be_registered_twice(stores: Stores):
    account, other = registered(stores), registered(stores)
    with pytest.raises(AlreadyExists):
        stores.accounts.register(account, new_event(account.tenant_id))
    taken = replace(new_account(other.tenant_id), account_id=account.account_id)
    with pytest.raises(AlreadyExists):
        stores.accounts.register(taken, new_event(other.tenant_id))
    assert stores.accounts.get(account.tenant_id, account.account_id) == account


def test_an_account_needs_a_tenant(stores: Stores):
    with pytest.raises(NotFound):
        stores.accounts.register(new_account(FOREIGN), new_event(FOREIGN))
    assert stores.events(FOREIGN) == []


def test_a_disabled_tenant_gets_no_new_account(stores: Stores):
    tenant = new_tenant()
    stores.tenants.create(tenant, new_event(tenant.tenant_id))
    disabled = replace(tenant, status=TenantStatus.DISABLED, version=2)
    stores.tenants.update(disabled, new_event(tenant.tenant_id))
    account = new_account(tenant.tenant_id)
    with pytest.raises(Conflict):
        stores.accounts.register(account, new_event(tenant.tenant_id))
    with pytest.raises(NotFound):
        stores.accounts.tenant_of(account.account_id)


@pytest.mark.parametrize("account_id", [FOREIGN, *STRANGE_IDS], ids=ascii)
def test_an_unknown_account_is_not_found(stores: Stores, account_id: str):
    with pytest.raises(NotFound):
        stores.accounts.get(FOREIGN, account_id)
    with pytest.raises(NotFound):
        stores.accounts.tenant_of(account_id)


def test_an_account_that_carries_the_id_of_no_tenant_is_refused(stores: Stores):
    with pytest.raises(NotFound):
        stores.accounts.register(replace(new_account(FOREIGN), tenant_id="platform"), new_event(FOREIGN))


def test_a_refused_attempt_is_kept(stores: Stores):
    account = registered(stores)
    event = new_event(account.tenant_id, at=LATER)
    stores.accounts.record_attempt(account.tenant_id, account.account_id, refused(), 3, event)
    expected = replace(
        account,
        attempts=3,
        last_verdict=refused(),
        last_validated_at=LATER,
        updated_at=LATER,
        version=2,
    )
    assert stored(stores, account) == expected


def test_an_accepted_credential_makes_the_account_active(stores: Stores):
    account, accepted = registered(stores), activation()
    event = new_event(account.tenant_id, at=LATER)
    stores.accounts.activate(account.tenant_id, account.account_id, accepted, event)
    active = stored(stores, account)
    assert (active.status, active.onboarding_status) == (AccountStatus.ACTIVE, OnboardingStatus.COMPLETED)
    assert active.account_number == accepted.verdict.account_number
    assert (active.credential, active.last_verdict) == (accepted.credential, accepted.verdict)
    assert (active.attempts, active.last_validated_at, active.version) == (1, LATER, 2)


def test_a_refused_verdict_activates_nothing(stores: Stores):
    account = registered(stores)
    wrong = replace(activation(), verdict=refused())
    with pytest.raises(ValueError, match="accepted"):
        stores.accounts.activate(account.tenant_id, account.account_id, wrong, new_event(account.tenant_id))
    assert stores.accounts.get(account.tenant_id, account.account_id) == account


@pytest.mark.parametrize(
    ("ending", "status"),
    [
        (OnboardingStatus.FAILED, AccountStatus.ERROR),
        (OnboardingStatus.EXPIRED, AccountStatus.DISABLED),
        (OnboardingStatus.CANCELLED, AccountStatus.DISABLED),
    ],
)
def test_a_closed_account_says_how_and_why(stores: Stores, ending: OnboardingStatus, status: AccountStatus):
    account = registered(stores)
    event = new_event(account.tenant_id, at=LATER)
    stores.accounts.close(account.tenant_id, account.account_id, closure(ending), event)
    closed = stored(stores, account)
    assert (closed.status, closed.onboarding_status) == (status, ending)
    assert (closed.reason, closed.attempts, closed.updated_at) == ("cancelled_by_customer", 2, LATER)


def test_a_change_is_repeated_with_the_same_event_and_happens_once(stores: Stores, change: Change):
    account = registered(stores)
    event = new_event(account.tenant_id)
    for _ in range(2):
        change(stores.accounts, account.tenant_id, account.account_id, event)
    assert stored(stores, account).version == 2
    assert len(stores.events(account.tenant_id)) == 3


@pytest.mark.parametrize("ending", ["activate", "close"])
def test_a_closed_onboarding_takes_no_other_change(stores: Stores, change: Change, ending: str):
    account = registered(stores)
    CHANGES[ending](stores.accounts, account.tenant_id, account.account_id, new_event(account.tenant_id))
    ended = stored(stores, account)
    with pytest.raises(OnboardingClosed):
        change(stores.accounts, account.tenant_id, account.account_id, new_event(account.tenant_id))
    assert stores.accounts.get(account.tenant_id, account.account_id) == ended
    assert len(stores.events(account.tenant_id)) == 3


@pytest.mark.parametrize("tenant_id", [FOREIGN, "", "\ud800"], ids=ascii)
def test_another_tenant_finds_nothing_and_changes_nothing(stores: Stores, change: Change, tenant_id: str):
    account = registered(stores)
    with pytest.raises(NotFound):
        stores.accounts.get(tenant_id, account.account_id)
    with pytest.raises(NotFound):
        change(stores.accounts, tenant_id, account.account_id, new_event(FOREIGN))
    assert stores.accounts.get(account.tenant_id, account.account_id) == account
    assert stores.events(FOREIGN) == []


def test_a_change_of_an_unknown_account_is_not_found(stores: Stores, change: Change):
    with pytest.raises(NotFound):
        change(stores.accounts, FOREIGN, new_id(), new_event(FOREIGN))


def test_a_cloud_account_is_active_once_in_a_tenant(stores: Stores):
    first, accepted = registered(stores), activation()
    second = registered(stores, first.tenant_id)
    stores.accounts.activate(first.tenant_id, first.account_id, accepted, new_event(first.tenant_id))
    with pytest.raises(AccountAlreadyOnboarded):
        stores.accounts.activate(first.tenant_id, second.account_id, accepted, new_event(first.tenant_id))
    assert stores.accounts.get(first.tenant_id, second.account_id) == second


def test_two_tenants_may_each_onboard_one_cloud_account(stores: Stores):
    accepted = activation()
    for account in (registered(stores), registered(stores)):
        event = new_event(account.tenant_id)
        stores.accounts.activate(account.tenant_id, account.account_id, accepted, event)
        assert stored(stores, account).status is AccountStatus.ACTIVE


def test_a_tenant_holds_the_cloud_accounts_that_are_active_and_no_others(stores: Stores):
    account, other, accepted = registered(stores), registered(stores), activation()
    asked = (account.provider_type, accepted.account_number)
    assert not stores.accounts.holds(account.tenant_id, *asked)
    stores.accounts.activate(account.tenant_id, account.account_id, accepted, new_event(account.tenant_id))
    assert stores.accounts.holds(account.tenant_id, *asked)
    assert not stores.accounts.holds(other.tenant_id, *asked)
    assert not stores.accounts.holds(account.tenant_id, ProviderType.GCP, accepted.account_number)
    assert not stores.accounts.holds(account.tenant_id, account.provider_type, "999988887777")
    assert not stores.accounts.holds("x#y", *asked)


def test_an_account_is_claimed_under_its_own_cloud(stores: Stores):
    account, foreign = registered(stores), replace(activation(), provider_type=ProviderType.GCP)
    with pytest.raises(NotFound):
        stores.accounts.activate(account.tenant_id, account.account_id, foreign, new_event(account.tenant_id))
    assert stored(stores, account) == account


def test_of_eight_accounts_racing_for_one_cloud_account_one_is_active(stores: Stores):
    first, number = registered(stores), new_number()
    racers = [first, *(registered(stores, first.tenant_id) for _ in range(7))]

    def attempt(account: Account) -> OnboardingError | None:
        try:
            event = new_event(account.tenant_id)
            stores.accounts.activate(account.tenant_id, account.account_id, activation(number), event)
        except OnboardingError as error:
            return error
        return None

    with ThreadPoolExecutor(8) as pool:
        outcomes = list(pool.map(attempt, racers))
    assert outcomes.count(None) == 1
    assert {type(error) for error in outcomes if error} == {AccountAlreadyOnboarded}


def test_of_eight_endings_of_one_onboarding_one_is_kept(stores: Stores):
    account = registered(stores)

    def attempt(number: int) -> bool:
        change = CHANGES["activate" if number % 2 else "close"]
        try:
            change(stores.accounts, account.tenant_id, account.account_id, new_event(account.tenant_id))
        except OnboardingClosed:
            return False
        return True

    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(attempt, range(8))) == 1
    assert stores.accounts.get(account.tenant_id, account.account_id).version == 2


def test_a_change_whose_reply_was_lost_is_repeated_with_success(aws: Aws, change: Change):
    account, accounts = registered(aws.stores), aws.stores.accounts
    event = new_event(account.tenant_id)
    with reply_lost(aws.clients.dynamodb, "TransactWriteItems"), pytest.raises(Unavailable):
        change(accounts, account.tenant_id, account.account_id, event)
    change(accounts, account.tenant_id, account.account_id, event)
    assert stored(aws.stores, account).version == 2
    assert len(aws.stores.events(account.tenant_id)) == 3


def test_a_registration_whose_reply_was_lost_is_repeated_with_success(aws: Aws):
    tenant_id = registered(aws.stores).tenant_id
    account, event = new_account(tenant_id), new_event(tenant_id)
    with reply_lost(aws.clients.dynamodb, "TransactWriteItems"), pytest.raises(Unavailable):
        aws.stores.accounts.register(account, event)
    aws.stores.accounts.register(account, event)
    assert stored(aws.stores, account) == account
    assert aws.stores.events(tenant_id).count(event) == 1


def test_a_tenant_has_one_provider_row_for_each_cloud(aws: Aws):
    account = registered(aws.stores)
    for provider_type in (ProviderType.AWS, ProviderType.GCP):
        another = new_account(account.tenant_id, provider_type=provider_type)
        aws.stores.accounts.register(another, new_event(account.tenant_id, at=LATER))
    rows = aws.clients.dynamodb.query(
        TableName=aws.names.providers,
        IndexName="tenant-provider-index",
        KeyConditionExpression="tenant_id = :tenant_id",
        ExpressionAttributeValues={":tenant_id": {"S": account.tenant_id}},
    )["Items"]
    made = {row["provider_type"]["S"]: row["created_at"]["S"] for row in rows}
    assert made == {"aws": account.created_at, "gcp": LATER}
    assert account.provider_id in {row["provider_id"]["S"] for row in rows}


def test_a_claim_is_in_no_index_and_cannot_be_read_as_an_account(aws: Aws):
    account, accepted = registered(aws.stores), activation()
    aws.stores.accounts.activate(account.tenant_id, account.account_id, accepted, new_event(account.tenant_id))
    claim = f"claim#{account.tenant_id}#aws#{accepted.verdict.account_number}"
    key = {"account_id": {"S": claim}}
    item = aws.clients.dynamodb.get_item(TableName=aws.names.accounts, Key=key)["Item"]
    assert item == {**key, "owner": {"S": account.account_id}}
    with pytest.raises(NotFound):
        aws.stores.accounts.tenant_of(claim)


def test_a_verdict_out_of_all_proportion_is_not_stored(aws: Aws):
    account = registered(aws.stores)
    huge = Verdict(refused().outcome, refused().steps * 1000)
    with pytest.raises(PayloadTooLarge):
        aws.stores.accounts.record_attempt(account.tenant_id, account.account_id, huge, 1, new_event(account.tenant_id))
    assert aws.stores.accounts.get(account.tenant_id, account.account_id) == account
