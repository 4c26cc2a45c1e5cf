"""A dry run: the verdict, and nothing kept."""

import pytest
from temporalio.client import WorkflowFailureError
from temporalio.exceptions import ApplicationError

from domain.errors import Trouble, Unavailable
from domain.onboarding.validation import Outcome
from tests.fakes_clouds import ACCOUNT_NUMBER, refused
from tests.rig import Rig
from tests.workflows.probe_scenarios import request, start
from workflows.ids import probe_id


async def test_the_verdict_is_the_result_and_nothing_is_stored(rig: Rig):
    given = request(rig, account_number="333333333333", just_created=True)
    async with rig.worker():
        verdict = await (await start(rig, given)).result()
    assert (verdict.outcome, verdict.account_number) == (Outcome.ACTIVE, ACCOUNT_NUMBER)
    [call] = rig.provider.calls
    assert call.expectation.external_id == given.external_id
    assert (call.expectation.account_number, call.expectation.may_propagate) == ("333333333333", True)
    assert rig.stores.vault.stages(given.account_id) == {}


async def test_a_refusal_is_a_result_too(rig: Rig):
    rig.script(refused())
    async with rig.worker():
        verdict = await (await start(rig, request(rig))).result()
    assert verdict.outcome is Outcome.REFUSED


async def test_trouble_that_passes_is_ridden_out(rig: Rig):
    rig.script(Unavailable(retry_after=0.1))
    async with rig.worker():
        assert (await (await start(rig, request(rig))).result()).accepted


async def test_trouble_that_stays_fails_the_dry_run_with_its_code(rig: Rig):
    rig.script(*[Unavailable(retry_after=5)] * 3)
    assert await failure_of(rig, request(rig)) in (Unavailable.code, Trouble.code)


async def test_a_request_of_another_tenant_is_refused(rig: Rig):
    given = request(rig)
    assert await failure_of(rig, given, probe_id("another-tenant", given.probe_id)) == "conflict"
    assert rig.provider.calls == []


async def test_a_credential_that_was_sealed_to_be_kept_does_not_open(rig: Rig):
    given = request(rig, sealed=rig.submission("an-account").sealed)
    assert await failure_of(rig, given) == "seal_broken"
    assert rig.provider.calls == []


async def failure_of(rig: Rig, given, workflow_id: str | None = None) -> str | None:
    async with rig.worker():
        probe = await start(rig, given, workflow_id)
        with pytest.raises(WorkflowFailureError) as failed:
            await probe.result()
    assert isinstance(failed.value.cause, ApplicationError)
    return failed.value.cause.type
