"""The steps on their own: done twice, they change nothing the second time."""

from contextlib import suppress
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
from activities.credentials import (
    CredentialActivities,
    DeleteCredential,
    PromoteCredential,
    StoreCredential,
    ValidateCredential,
)
from activities.heartbeats import heartbeating
from domain.accounts import AccountStatus, Closure, OnboardingStatus, ProviderType
from domain.errors import Conflict, NotFound, OnboardingClosed, SealBroken
from domain.onboarding.credentials import Credential, CredentialRef, SealContext, SealPurpose
from domain.onboarding.dry_run import ProbeRequest
from domain.onboarding.messages import OnboardRequest
from domain.timestamps import stamp
from tests.fakes import FakeStores
from tests.fakes_clouds import DESCRIPTION, ROLE_ARN, FakeCatalogue, ScriptedProvider, accepted
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
    return CredentialActivities(stores.vault, stores.sealer, catalogue, stores.accounts)


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


def test_storing_twice_gives_the_same_reference(stores: FakeStores, accounts: AccountActivities):
    run, steps = ActivityEnvironment().run, credentials(stores)
    run(accounts.register_account, registration())
    step = submission(stores)
    assert run(steps.store_credential, step) == run(steps.store_credential, step)


def test_a_sealed_credential_opens_for_its_own_account_only(stores: FakeStores, accounts: AccountActivities):
    other = replace(registration().request, account_id=str(uuid4()))
    ActivityEnvironment().run(accounts.register_account, replace(registration(), request=other))
    step = replace(submission(stores), account_id=other.account_id)
    with pytest.raises(SealBroken):
        ActivityEnvironment().run(credentials(stores).store_credential, step)


def test_a_reference_of_another_tenant_reads_nothing(stores: FakeStores, accounts: AccountActivities):
    steps = credentials(stores)
    ActivityEnvironment().run(accounts.register_account, registration())
    reference = ActivityEnvironment().run(steps.store_credential, submission(stores))
    step = ValidateCredential(str(uuid4()), ACCOUNT, ProviderType.AWS, reference, "te-1")
    with pytest.raises(NotFound):
        ActivityEnvironment().run(steps.validate_credential, step)


@pytest.mark.parametrize(("age", "may_propagate"), [(1, True), (14, True), (16, False)])
def test_a_just_created_role_may_propagate_for_fifteen_seconds(
    stores: FakeStores, accounts: AccountActivities, age: int, may_propagate: bool
):
    ActivityEnvironment().run(accounts.register_account, registration())
    provider, environment = ScriptedProvider(), ActivityEnvironment()
    scheduled = datetime.now(UTC) - timedelta(seconds=age)
    environment.info = replace(environment.info, scheduled_time=scheduled)
    steps = credentials(stores, provider)
    reference = environment.run(steps.store_credential, submission(stores))
    step = ValidateCredential(TENANT, ACCOUNT, ProviderType.AWS, reference, "te-1", just_created=True)
    environment.run(steps.validate_credential, step)
    assert provider.calls[0].expectation.may_propagate is may_propagate


@pytest.mark.parametrize(
    ("age", "patience", "may_propagate"), [(14, 25, True), (16, 25, False), (40, 60, True), (1, 4, True), (3, 4, False)]
)
def test_a_dry_run_keeps_time_for_its_verdict(stores: FakeStores, age: int, patience: int, may_propagate: bool):
    slow = replace(DESCRIPTION, propagation_seconds=300)
    provider, environment = ScriptedProvider(description=slow), ActivityEnvironment()
    environment.info = replace(environment.info, scheduled_time=datetime.now(UTC) - timedelta(seconds=age))
    sealed = stores.sealer.seal(
        Credential("aws_iam_role", {"role_arn": ROLE_ARN}), SealContext(TENANT, ACCOUNT, "probe-1", SealPurpose.PROBE)
    )
    probe = ProbeRequest(
        TENANT, ACCOUNT, "probe-1", ProviderType.AWS, sealed, "te-1", patience_seconds=patience, just_created=True
    )
    environment.run(credentials(stores, provider).probe_credential, probe)
    assert provider.calls[0].expectation.may_propagate is may_propagate


class TestAStepThatIsRepeatedLater:
    """By whoever copied it from a history: its signature is good."""

    def test_brings_no_credential_of_an_ended_onboarding_back(self, stores: FakeStores, accounts: AccountActivities):
        run, steps = ActivityEnvironment().run, credentials(stores)
        run(accounts.register_account, registration())
        run(steps.store_credential, submission(stores))
        run(accounts.close_account, CloseAccount(CHANGE, Closure(OnboardingStatus.CANCELLED, "cancelled", 0)))
        run(steps.delete_credential, DeleteCredential(TENANT, ACCOUNT))
        with pytest.raises(OnboardingClosed):
            run(steps.store_credential, submission(stores))
        with pytest.raises(NotFound):
            stores.vault.read(TENANT, ACCOUNT, CredentialRef(f"arn:{ACCOUNT}", SUBMISSION))

    def test_puts_no_old_credential_in_the_place_of_the_present_one(
        self, stores: FakeStores, accounts: AccountActivities
    ):
        run, steps = ActivityEnvironment().run, credentials(stores)
        run(accounts.register_account, registration())
        reference = run(steps.store_credential, submission(stores))
        run(accounts.activate_account, ActivateAccount(CHANGE, accepted(), reference, 1, ProviderType.AWS))
        with pytest.raises(OnboardingClosed):
            run(steps.promote_credential, PromoteCredential(TENANT, ACCOUNT, reference))

    def test_proves_no_credential_of_an_old_dry_run(self, stores: FakeStores):
        provider = ScriptedProvider()
        context = SealContext(TENANT, ACCOUNT, "probe", SealPurpose.PROBE)
        sealed = stores.sealer.seal(Credential("aws_iam_role", {"role_arn": ROLE_ARN}), context)
        now = datetime.now(UTC)
        for asked, proved in ((now, 1), (now - timedelta(hours=2), 1)):
            request = ProbeRequest(TENANT, ACCOUNT, "probe", ProviderType.AWS, sealed, "te-1", 60, at=stamp(asked))
            with suppress(Conflict):
                ActivityEnvironment().run(credentials(stores, provider).probe_credential, request)
            assert len(provider.calls) == proved


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
