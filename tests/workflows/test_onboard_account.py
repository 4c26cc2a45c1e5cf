"""Every way an onboarding can go, on the real server."""

import asyncio
from datetime import timedelta
from uuid import uuid4

import pytest
from temporalio.api.enums.v1 import EventType
from temporalio.api.sdk.v1 import WorkflowMetadata
from temporalio.client import WorkflowExecutionStatus, WorkflowFailureError, WorkflowUpdateFailedError
from temporalio.testing import TimeSkipper

from domain.accounts import AccountStatus, OnboardingStatus
from domain.errors import PlatformConfig, Propagating, Throttled, Unavailable
from domain.onboarding.messages import OnboardingState, Result
from tests.fakes_clouds import ACCOUNT_NUMBER, limited, refused
from tests.rig import Onboarding, Rig, account_of, code_of, eventually, until_set
from workflows.onboarding.onboard_account import MAX_SEALED_CHARACTERS, OnboardAccount


async def test_an_accepted_credential_makes_the_account_active(rig: Rig):
    async with rig.worker():
        onboarding = await rig.start()
        outcome = await rig.submit(onboarding)
        view = await onboarding.result()
    assert (outcome.result, outcome.account_number, outcome.attempt) == (Result.ACTIVE, ACCOUNT_NUMBER, 1)
    assert view.state is OnboardingState.ACTIVE
    account = rig.account(onboarding)
    assert (account.status, account.onboarding_status) == (AccountStatus.ACTIVE, OnboardingStatus.COMPLETED)
    assert account.credential is not None
    assert rig.actions() == ["tenant.created", "account.registered", "account.activated"]


async def test_missing_optional_permissions_make_it_active_limited(rig: Rig):
    rig.script(limited("securityhub:DescribeHub"))
    async with rig.worker():
        onboarding = await rig.start()
        outcome = await rig.submit(onboarding)
    assert outcome.result is Result.ACTIVE_LIMITED
    assert rig.account(onboarding).status is AccountStatus.ACTIVE_LIMITED


async def test_a_refused_credential_is_an_answer_and_the_next_one_may_be_right(rig: Rig):
    rig.script(refused())
    async with rig.worker(max_cached_workflows=0):
        onboarding = await rig.start()
        first = await rig.submit(onboarding)
        assert (first.result, first.attempt) == (Result.REFUSED, 1)
        assert (await onboarding.query(OnboardAccount.view)).state is OnboardingState.WAITING
        second = await rig.submit(onboarding)
    assert (second.result, second.attempt) == (Result.ACTIVE, 2)
    reference = rig.account(onboarding).credential
    assert reference is not None
    assert rig.stores.vault.stages(account_of(onboarding))["AWSCURRENT"] == reference.version
    assert rig.actions()[-2:] == ["credential.refused", "account.activated"]


async def test_after_the_last_attempt_the_onboarding_fails_and_the_credential_is_gone(rig: Rig):
    rig.script(refused(), refused())
    async with rig.worker():
        onboarding = await rig.start(rig.request(max_attempts=2))
        await rig.submit(onboarding)
        await rig.submit(onboarding)
        view = await onboarding.result()
    assert (view.state, view.reason) == (OnboardingState.FAILED, "attempts_exhausted")
    account = rig.account(onboarding)
    assert (account.onboarding_status, account.reason) == (OnboardingStatus.FAILED, "attempts_exhausted")
    assert account.last_verdict is not None
    assert not rig.stores.vault.stages(account_of(onboarding))


async def test_without_a_credential_it_expires_at_its_deadline(skipping: TimeSkipper):
    rig = Rig(skipping.client)
    async with rig.worker():
        onboarding = await rig.start()
        await onboarding.execute_update(OnboardAccount.registered, "the row")
        view = await onboarding.result()
    assert (view.state, view.reason) == (OnboardingState.EXPIRED, "deadline_passed")
    assert rig.account(onboarding).onboarding_status is OnboardingStatus.EXPIRED


async def test_a_submission_just_before_the_deadline_is_answered_and_taken_back(rig: Rig):
    held = rig.hold("provider", "validate")
    async with rig.worker():
        onboarding = await rig.start(rig.request(deadline_seconds=2))
        outcome = await rig.submit(onboarding)
        held.let_go()
        view = await onboarding.result()
    assert (outcome.result, view.state) == (Result.CLOSED, OnboardingState.EXPIRED)
    assert not rig.stores.vault.stages(account_of(onboarding))


@pytest.mark.parametrize(
    ("port", "method"), [("accounts", "register"), ("vault", "store"), ("vault", "read"), ("provider", "validate")]
)
async def test_a_cancel_during_any_step_takes_everything_back(rig: Rig, port: str, method: str):
    held = rig.hold(port, method)
    async with rig.worker():
        onboarding = await rig.start()
        submitting = asyncio.create_task(rig.submit(onboarding))
        await until_set(held.reached)
        await eventually(lambda: _was_submitted(onboarding))
        await rig.cancel(onboarding)
        held.let_go()
        outcome, view = await submitting, await onboarding.result()
    assert (outcome.result, view.state) == (Result.CLOSED, OnboardingState.CANCELLED)
    assert rig.account(onboarding).onboarding_status is OnboardingStatus.CANCELLED
    assert not rig.stores.vault.stages(account_of(onboarding))
    assert rig.actions().count("onboarding.ended") == 1


async def test_a_cancel_while_waiting_closes_the_row(rig: Rig):
    async with rig.worker():
        onboarding = await rig.start()
        await onboarding.execute_update(OnboardAccount.registered, "the row")
        await rig.cancel(onboarding)
        view = await onboarding.result()
    assert (view.state, view.reason) == (OnboardingState.CANCELLED, "cancelled")


async def test_a_cancel_during_activation_comes_too_late(rig: Rig):
    held = rig.hold("accounts", "activate")
    async with rig.worker():
        onboarding = await rig.start()
        submitting = asyncio.create_task(rig.submit(onboarding))
        await until_set(held.reached)
        with pytest.raises(WorkflowUpdateFailedError) as refusal:
            await rig.cancel(onboarding)
        held.let_go()
        outcome = await submitting
    assert code_of(refusal.value) == "onboarding_closed"
    assert outcome.result is Result.ACTIVE


async def test_a_cancellation_through_temporal_takes_everything_back_too(rig: Rig):
    held = rig.hold("provider", "validate")
    async with rig.worker():
        onboarding = await rig.start()
        submitting = asyncio.create_task(rig.submit(onboarding))
        await until_set(held.reached)
        await onboarding.cancel()
        held.let_go()
        outcome = await submitting
        with pytest.raises(WorkflowFailureError):
            await onboarding.result()
    assert outcome.result is Result.CLOSED
    assert rig.account(onboarding).reason == "cancelled_by_operator"
    assert (await onboarding.describe()).status is WorkflowExecutionStatus.CANCELED


async def test_a_cancellation_through_temporal_during_activation_comes_too_late(rig: Rig):
    held = rig.hold("accounts", "activate")
    async with rig.worker():
        onboarding = await rig.start()
        submitting = asyncio.create_task(rig.submit(onboarding))
        await until_set(held.reached)
        await onboarding.cancel()
        held.let_go()
        outcome, view = await submitting, await onboarding.result()
    assert (outcome.result, view.state) == (Result.ACTIVE, OnboardingState.ACTIVE)
    assert rig.stores.vault.stages(account_of(onboarding))


async def test_a_cloud_account_that_is_active_already_is_refused_as_a_duplicate(rig: Rig):
    async with rig.worker():
        first = await rig.start()
        await rig.submit(first)
        second = await rig.start()
        outcome = await rig.submit(second)
        assert (outcome.result, outcome.attempt) == (Result.DUPLICATE, 1)
        assert outcome.steps[-1].name == "claim"
        await rig.cancel(second)
        await second.result()
    assert rig.account(second).onboarding_status is OnboardingStatus.CANCELLED


async def test_another_tenant_may_onboard_the_same_cloud_account(rig: Rig):
    other = Rig(rig.client, stores=rig.stores, queue=rig.queue)
    async with rig.worker():
        assert (await rig.submit(await rig.start())).result is Result.ACTIVE
        assert (await other.submit(await other.start())).result is Result.ACTIVE


async def test_a_cloud_that_is_down_and_comes_back_costs_no_attempt(rig: Rig):
    rig.script(Unavailable(retry_after=0.1), Throttled(retry_after=0.1), PlatformConfig(retry_after=0.1))
    async with rig.worker():
        outcome = await rig.submit(await rig.start())
    assert (outcome.result, outcome.attempt) == (Result.ACTIVE, 1)


async def test_a_cloud_that_stays_down_is_answered_and_no_attempt_is_counted(rig: Rig):
    rig.script(*[Unavailable(retry_after=0.2) for _ in range(100)])
    async with rig.worker():
        onboarding = await rig.start(rig.request(provider_patience_seconds=1))
        outcome = await rig.submit(onboarding)
        rig.provider.script.clear()
        assert (outcome.result, outcome.attempt) == (Result.PROVIDER_UNAVAILABLE, 0)
        assert (await rig.submit(onboarding)).result is Result.ACTIVE


async def test_a_role_that_was_just_made_is_given_time_to_become_known(rig: Rig):
    rig.script(Propagating(retry_after=0.1), Propagating(retry_after=0.1))
    async with rig.worker():
        outcome = await rig.submit(await rig.start(), just_created=True)
    assert outcome.result is Result.ACTIVE
    assert [call.expectation.may_propagate for call in rig.provider.calls] == [True, True, True]


async def test_a_role_that_was_not_just_made_gets_its_verdict_at_once(rig: Rig):
    async with rig.worker():
        await rig.submit(await rig.start())
    assert [call.expectation.may_propagate for call in rig.provider.calls] == [False]


async def test_a_second_submission_meanwhile_is_refused(rig: Rig):
    held = rig.hold("provider", "validate")
    async with rig.worker():
        onboarding = await rig.start()
        submitting = asyncio.create_task(rig.submit(onboarding))
        await until_set(held.reached)
        with pytest.raises(WorkflowUpdateFailedError) as refusal:
            await rig.submit(onboarding)
        held.let_go()
        assert (await submitting).result is Result.ACTIVE
    assert code_of(refusal.value) == "submission_in_progress"


async def test_an_oversized_envelope_is_refused_before_anything_happens(rig: Rig):
    async with rig.worker():
        onboarding = await rig.start()
        with pytest.raises(WorkflowUpdateFailedError) as refusal:
            await rig.submit(onboarding, sealed="x" * (MAX_SEALED_CHARACTERS + 1))
    assert code_of(refusal.value) == "payload_too_large"


async def test_an_envelope_of_another_submission_does_not_open(rig: Rig):
    async with rig.worker():
        onboarding = await rig.start()
        outcome = await rig.submit(onboarding, submission_id=str(uuid4()))
    assert (outcome.result, outcome.steps[0].code, outcome.attempt) == (Result.REFUSED, "seal_broken", 0)
    assert not rig.stores.vault.stages(account_of(onboarding))


async def test_an_unknown_tenant_is_refused_for_good(rig: Rig):
    async with rig.worker():
        onboarding = await rig.start(rig.request(tenant_id=str(uuid4())))
        with pytest.raises(WorkflowUpdateFailedError) as refusal:
            await onboarding.execute_update(OnboardAccount.registered, "the row")
        with pytest.raises(WorkflowFailureError):
            await onboarding.result()
    assert code_of(refusal.value) == "not_found"


async def test_a_request_of_another_tenant_than_the_workflow_id_says_is_refused(rig: Rig):
    async with rig.worker():
        onboarding = await rig.start(workflow_id=f"onboard:{uuid4()}:{uuid4()}")
        with pytest.raises(WorkflowFailureError):
            await onboarding.result()
    assert rig.actions() == ["tenant.created"]


async def test_it_is_found_by_its_search_attributes_and_reads_as_a_story(rig: Rig):
    rig.script(refused())
    async with rig.worker():
        onboarding = await rig.start()
        await rig.submit(onboarding)
        query = f"TenantId = '{rig.tenant_id}' AND OnboardingState = 'waiting_for_credential'"
        await eventually(lambda: _one_found(rig, query))
        metadata = await onboarding.query("__temporal_workflow_metadata", result_type=WorkflowMetadata)
    assert "Waiting for the customer's credential" in metadata.current_details
    assert "The role cannot be assumed." in metadata.current_details


async def test_work_that_lasts_is_found_and_what_follows_it_too(rig: Rig):
    rig.script(refused())
    held = rig.hold("provider", "validate")
    async with rig.worker():
        onboarding = await rig.start()
        submitting = asyncio.create_task(rig.submit(onboarding))
        query = f"TenantId = '{rig.tenant_id}' AND OnboardingState = 'storing_credential'"
        await eventually(lambda: _one_found(rig, query))
        held.let_go()
        await submitting
        query = f"TenantId = '{rig.tenant_id}' AND OnboardingState = 'waiting_for_credential'"
        await eventually(lambda: _one_found(rig, query))


async def test_a_registration_that_lasts_is_found_and_the_wait_after_it_too(rig: Rig):
    held = rig.hold("accounts", "register")
    async with rig.worker():
        starting = asyncio.create_task(rig.start())
        query = f"TenantId = '{rig.tenant_id}' AND OnboardingState = 'registering'"
        await eventually(lambda: _one_found(rig, query))
        held.let_go()
        await starting
        query = f"TenantId = '{rig.tenant_id}' AND OnboardingState = 'waiting_for_credential'"
        await eventually(lambda: _one_found(rig, query))


async def test_work_that_is_over_in_a_moment_changes_no_search(rig: Rig):
    async with rig.worker():
        onboarding = await rig.start()
        await rig.submit(onboarding)
        await onboarding.result()
        kinds = [event.event_type async for event in onboarding.fetch_history_events()]
    assert kinds.count(EventType.EVENT_TYPE_UPSERT_WORKFLOW_SEARCH_ATTRIBUTES) == 1  # active


async def test_the_credential_is_looked_for_once_more_after_the_end(skipping: TimeSkipper):
    rig = Rig(skipping.client)
    rig.script(refused())
    async with rig.worker():
        onboarding = await rig.start(rig.request(late_write_seconds=3600))
        await rig.submit(onboarding)
        with skipping.with_time_skipping_disabled():
            await rig.cancel(onboarding)
        await skipping.fast_forward(onboarding, timedelta(hours=2))
        view = await onboarding.result()
    assert view.state is OnboardingState.CANCELLED
    assert rig.actions().count("onboarding.ended") == 1


async def _one_found(rig: Rig, query: str) -> bool:
    return (await rig.client.count_workflows(query)).count == 1


async def _was_submitted(onboarding: Onboarding) -> bool:
    history = await onboarding.fetch_history()
    accepted = (event.workflow_execution_update_accepted_event_attributes for event in history.events)
    return any(event.accepted_request.input.name == "submit_credential" for event in accepted)
