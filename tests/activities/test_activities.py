"""The steps on their own: done twice, they change nothing the second time."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from threading import Event
from uuid import uuid4

import pytest
from temporalio.testing import ActivityEnvironment

from activities.accounts import (
    AccountActivities,
    ActivateAccount,
    Change,
    CloseAccount,
    RecordUndecided,
    RegisterAccount,
)
from activities.credentials import CredentialActivities, StoreCredential, ValidateCredential
from activities.heartbeats import heartbeating
from domain.accounts import AccountStatus, Closure, OnboardingStatus, ProviderType
from domain.credentials import Credential, CredentialRef, SealContext
from domain.errors import NotFound, SealBroken
from domain.onboarding import OnboardRequest
from tests.fakes import FakeStores
from tests.fakes_clouds import ROLE_ARN, FakeCatalogue, ScriptedProvider, accepted
from tests.patience import PATIENCE_SECONDS
from tests.rig import ORIGIN, add_tenant

TENANT, ACCOUNT, SUBMISSION = str(uuid4()), str(uuid4()), str(uuid4())


AT = "2026-01-02T00:00:00.000Z"
CHANGE = Change(TENANT, ACCOUNT, ORIGIN, AT, "step")


@pytest.fixture
def stores() -> FakeStores:
    stores = FakeStores()
    add_tenant(stores, TENANT)
    return stores


@pytest.fixture
def accounts(stores: FakeStores) -> AccountActivities:
    return AccountActivities(stores.accounts, stores.audit)


def credentials(stores: FakeStores, provider: ScriptedProvider | None = None) -> CredentialActivities:
    catalogue = FakeCatalogue({ProviderType.AWS: provider or ScriptedProvider()})
    return CredentialActivities(stores.vault, stores.sealer, catalogue)


def registration() -> RegisterAccount:
    request = OnboardRequest(TENANT, ACCOUNT, "Production", ProviderType.AWS, "iam_role", "te-1", ORIGIN)
    return RegisterAccount(request, at=AT, expires_at=AT)


def submission(stores: FakeStores) -> StoreCredential:
    credential = Credential("aws_iam_role", {"role_arn": ROLE_ARN})
    sealed = stores.sealer.seal(credential, SealContext(TENANT, ACCOUNT, SUBMISSION))
    return StoreCredential(TENANT, ACCOUNT, SUBMISSION, ProviderType.AWS, sealed, AT)


def test_registering_twice_writes_one_row_and_one_event(stores: FakeStores, accounts: AccountActivities):
    for _ in range(2):
        ActivityEnvironment().run(accounts.register_account, registration())
    assert stores.accounts.get(TENANT, ACCOUNT).version == 1
    assert [event.action for event in stores.ledger.of(TENANT)] == ["tenant.created", "account.registered"]


def test_activating_twice_writes_one_event(stores: FakeStores, accounts: AccountActivities):
    run = ActivityEnvironment().run
    run(accounts.register_account, registration())
    step = ActivateAccount(CHANGE, accepted(), CredentialRef("arn", "1"), 1, ProviderType.AWS)
    for _ in range(2):
        run(accounts.activate_account, step)
    assert stores.accounts.get(TENANT, ACCOUNT).status is AccountStatus.ACTIVE
    assert [event.action for event in stores.ledger.of(TENANT)].count("account.activated") == 1


def test_what_nobody_could_decide_is_one_event_and_leaves_the_row(stores: FakeStores, accounts: AccountActivities):
    run = ActivityEnvironment().run
    run(accounts.register_account, registration())
    before = stores.accounts.get(TENANT, ACCOUNT)
    for _ in range(2):
        run(accounts.record_undecided, RecordUndecided(CHANGE, "unavailable"))
    [event] = [event for event in stores.ledger.of(TENANT) if event.action == "credential.undecided"]
    assert (event.outcome, event.target, event.actor) == ("inconclusive", f"account:{ACCOUNT}", ORIGIN.actor)
    assert (event.request_id, event.details) == (ORIGIN.request_id, {"reason": "unavailable"})
    assert stores.accounts.get(TENANT, ACCOUNT) == before


def test_closing_an_account_that_was_never_registered_is_done_at_once(stores: FakeStores, accounts: AccountActivities):
    closure = Closure(OnboardingStatus.CANCELLED, "cancelled", 0)
    ActivityEnvironment().run(accounts.close_account, CloseAccount(CHANGE, closure))
    assert [event.action for event in stores.ledger.of(TENANT)] == ["tenant.created"]


def test_storing_twice_gives_the_same_reference(stores: FakeStores):
    run, steps = ActivityEnvironment().run, credentials(stores)
    step = submission(stores)
    assert run(steps.store_credential, step) == run(steps.store_credential, step)


def test_a_sealed_credential_opens_for_its_own_account_only(stores: FakeStores):
    step = replace(submission(stores), account_id=str(uuid4()))
    with pytest.raises(SealBroken):
        ActivityEnvironment().run(credentials(stores).store_credential, step)


def test_a_reference_of_another_tenant_reads_nothing(stores: FakeStores):
    steps = credentials(stores)
    reference = ActivityEnvironment().run(steps.store_credential, submission(stores))
    step = ValidateCredential(str(uuid4()), ACCOUNT, ProviderType.AWS, reference, "te-1")
    with pytest.raises(NotFound):
        ActivityEnvironment().run(steps.validate_credential, step)


@pytest.mark.parametrize(("age", "may_propagate"), [(1, True), (14, True), (16, False)])
def test_a_just_created_role_may_propagate_for_fifteen_seconds(stores: FakeStores, age: int, may_propagate: bool):
    provider, environment = ScriptedProvider(), ActivityEnvironment()
    scheduled = datetime.now(UTC) - timedelta(seconds=age)
    environment.info = replace(environment.info, scheduled_time=scheduled)
    steps = credentials(stores, provider)
    reference = environment.run(steps.store_credential, submission(stores))
    step = ValidateCredential(TENANT, ACCOUNT, ProviderType.AWS, reference, "te-1", just_created=True)
    environment.run(steps.validate_credential, step)
    assert provider.calls[0].expectation.may_propagate is may_propagate


def test_a_long_call_heartbeats_and_a_short_one_does_not():
    environment, beats = ActivityEnvironment(), Event()
    environment.on_heartbeat = lambda *_: beats.set()

    def long_call() -> bool:
        with heartbeating(every_seconds=0.01):
            return beats.wait(PATIENCE_SECONDS)

    def short_call() -> None:
        with heartbeating(every_seconds=60):
            beats.clear()

    assert environment.run(long_call)
    environment.run(short_call)
    assert not beats.is_set()
