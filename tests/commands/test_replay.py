"""The workflows under way, on a real server, replayed with the code of this version."""

import asyncio
from typing import Any
from uuid import uuid4

import pytest
from temporalio import workflow
from temporalio.client import Client
from temporalio.worker import Worker

from cli import main
from commands.replay import Broken, Replayed, look, text_of
from domain.onboarding.messages import OnboardingState, OnboardRequest
from tests.commands.conftest import connection_of, new_namespace
from tests.rig import Onboarding, Rig, eventually
from workflows.onboarding.onboard_account import OnboardAccount

SECRET = "a-value-that-only-the-history-holds"


@workflow.defn(name="OnboardAccount", sandboxed=False)
class OtherVersion:
    """Waits where the present version begins with a step."""

    @workflow.run
    async def run(self, request: OnboardRequest) -> None:
        await asyncio.sleep(3600)


@workflow.defn(sandboxed=False)
class GoneVersion:
    """Of a type that the present version does not know."""

    @workflow.run
    async def run(self, value: str) -> None:
        await asyncio.sleep(3600)


@pytest.fixture
async def client(temporal_address: str) -> Client:
    """Of a namespace where nothing runs."""
    return await new_namespace(temporal_address, f"replay-{uuid4().hex[:8]}")


async def seen(client: Client, under_way: int, *, limit: int = 100) -> Replayed:
    """What the command finds, as soon as the server lists all that was started."""
    found: list[Replayed] = []

    async def all_are_listed() -> bool:
        found.append(await look(connection_of(client), limit=limit))
        return found[-1].whole.total() + len(found[-1].broken) + found[-1].left_out == under_way

    await eventually(all_are_listed)
    return found[-1]


async def waiting(rig: Rig, count: int) -> None:
    """Onboardings that wait for a credential."""
    async with rig.worker():
        for _ in range(count):
            onboarding = await rig.start()

            async def waits(onboarding: Onboarding = onboarding) -> bool:
                return (await onboarding.query(OnboardAccount.view)).state is OnboardingState.WAITING

            await eventually(waits)


async def begun_by(version: type, client: Client, workflow_id: str, argument: Any) -> None:
    async with Worker(client, task_queue=workflow_id, workflows=[version]):
        run: Any = version.run  # type: ignore[attr-defined]
        handle = await client.start_workflow(run, argument, id=workflow_id, task_queue=workflow_id)

        async def sleeps() -> bool:
            events = (await handle.fetch_history()).events
            return any(event.HasField("timer_started_event_attributes") for event in events)

        await eventually(sleeps)


async def test_without_workflows_under_way_there_is_nothing_to_fear(client: Client):
    assert text_of(await seen(client, 0)) == "Nothing is under way."


async def test_those_that_this_version_began_replay(client: Client):
    await waiting(Rig(client), 3)
    found = await seen(client, 3)
    assert (dict(found.whole), found.broken, found.left_out) == ({"OnboardAccount": 3}, [], 0)
    assert text_of(found) == "ok    OnboardAccount: 3\nEvery history replays."


async def test_one_that_another_version_began_is_named_with_the_reason(client: Client):
    rig = Rig(client)
    await waiting(rig, 1)
    await begun_by(OtherVersion, client, "onboard:one:two", rig.request())
    found = await seen(client, 2)
    [broken] = found.broken
    assert (broken.workflow_id, dict(found.whole)) == ("onboard:one:two", {"OnboardAccount": 1})
    assert "Nondeterminism" in broken.reason
    assert text_of(found).splitlines()[-1] == "1 cannot go on with this version: do not deploy it."


async def test_of_any_other_failure_no_text_is_shown(client: Client):
    await begun_by(GoneVersion, client, "gone", SECRET)
    found = await seen(client, 1)
    assert found.broken == [Broken("gone", "the code fails on it")]


async def test_those_beyond_the_limit_are_counted(client: Client):
    await waiting(Rig(client), 3)
    found = await seen(client, 3, limit=2)
    assert (found.whole.total(), found.left_out) == (2, 1)
    assert "1 more are under way and were not looked at; --limit takes more." in text_of(found)


async def test_the_exit_code_is_the_verdict(
    client: Client, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    monkeypatch.setenv("PLATFORM_AWS_ACCOUNT_ID", "111122223333")
    monkeypatch.setenv("TEMPORAL_ADDRESS", connection_of(client).address)
    monkeypatch.setenv("TEMPORAL_NAMESPACE", client.namespace)

    async def code() -> int | str | None:
        with pytest.raises(SystemExit) as exit:
            await asyncio.to_thread(main, ["replay"])
        return exit.value.code

    assert (await code(), capsys.readouterr().out) == (0, "Nothing is under way.\n")
    await begun_by(GoneVersion, client, "gone", SECRET)
    await seen(client, 1)
    told = "fail  gone: the code fails on it\n1 cannot go on with this version: do not deploy it.\n"
    assert (await code(), capsys.readouterr().out) == (1, told)
