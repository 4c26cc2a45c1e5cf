"""Somebody who can write to Temporal's namespace, and has nothing else: they can stop things, and nothing more."""

import asyncio
import json
from collections import Counter
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from dataclasses import asdict, dataclass, field
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from temporalio import workflow
from temporalio.api.common.v1 import Payload
from temporalio.client import (
    ActivityFailureError,
    AsyncActivityHandle,
    Client,
    WorkflowFailureError,
    WorkflowHandle,
    WorkflowQueryFailedError,
    WorkflowUpdateFailedError,
)
from temporalio.common import RawValue, RetryPolicy
from temporalio.converter import WorkflowSerializationContext
from temporalio.exceptions import ApplicationError
from temporalio.service import RPCError
from temporalio.testing import WorkflowEnvironment
from temporalio.worker import Worker

from activities.accounts import AccountActivities
from activities.credentials import CredentialActivities
from activities.engines import EngineActivities
from activities.failures import as_failure
from activities.notifications import NotificationActivities
from activities.onboarding_upkeep import OnboardingUpkeep
from activities.scans import ScanActivities, ScanPorts
from activities.schedules import ScheduleActivities
from activities.sealing import SealingActivities
from activities.upkeep import UpkeepActivities, UpkeepPorts
from composition.workflow_types import ONBOARDING, SCANS
from domain.commands import CommandKind, CommandOutcome, UnsignedCommands
from domain.errors import NotFound, UnsignedCommand
from temporal.client import plugin
from temporal.signing.converters import signed_converter
from temporal.signing.signatures import Signer
from temporal.worker import build_worker
from tests.fakes import FakeCommandKeys
from tests.rig import Onboarding, Rig, account_of
from workflows.ids import onboarding_id
from workflows.onboarding.onboard_account import OnboardAccount

NAMES = [str(getattr(each, "__temporal_workflow_definition").name) for each in (*ONBOARDING, *SCANS)]


@dataclass
class Untouched:
    """Stands for every port of every step, and remembers whether it was used."""

    touched: list[str] = field(default_factory=list)

    def __getattr__(self, name: str) -> Any:
        self.touched.append(name)
        raise AssertionError


@workflow.defn(sandboxed=False)
class Foreign:
    """A stranger's workflow that calls one of our steps with what it has."""

    @workflow.run
    async def run(self, step: str, queue: str, activity_id: str, copied: str) -> None:
        await workflow.execute_activity(
            step,
            args=[RawValue(Payload.FromString(bytes.fromhex(copied)))] if copied else [],
            task_queue=queue,
            activity_id=activity_id or None,
            start_to_close_timeout=timedelta(seconds=10),
            schedule_to_close_timeout=timedelta(seconds=20),
        )


@dataclass
class Town:
    """Our worker, what it counted, and a stranger beside it on the same server."""

    ours: Client
    stranger: Client
    signer: Signer
    counted: Counter[tuple[CommandKind, CommandOutcome]]
    ports: Untouched = field(default_factory=Untouched)
    queue: str = field(default_factory=lambda: f"ours-{uuid4()}")

    def steps(self) -> list[Any]:
        """Every activity that our workers have."""
        p: Any = self.ports
        return [
            *AccountActivities(p, p).all(),
            *CredentialActivities(p, p, p, p).all(),
            *ScheduleActivities(p, p, p, p).all(),
            *ScanActivities(ScanPorts(p, p, p, p, p, p, p), pause_after=3).all(),
            *EngineActivities(p, p, p, p).all(),
            *NotificationActivities(p, p, p, p).all(),
            *UpkeepActivities(UpkeepPorts(p, p, p, p, p, p, p), pause_after=3, catch_up=timedelta(hours=1)).all(),
            *OnboardingUpkeep(p, p, p, onboarding_id).all(),
            *SealingActivities(p, p, p, p).all(),
        ]

    @asynccontextmanager
    async def worker(self) -> AsyncIterator[None]:
        with ThreadPoolExecutor(8) as executor:
            worker = build_worker(
                self.ours,
                queue=self.queue,
                workflows=[*ONBOARDING, *SCANS],
                activities=self.steps(),
                executor=executor,
                concurrency=8,
            )
            async with worker:
                yield

    @asynccontextmanager
    async def strangers(self) -> AsyncIterator["Strangers"]:
        queue = f"stranger-{uuid4()}"
        async with Worker(self.stranger, task_queue=queue, workflows=[Foreign]):
            yield Strangers(self, queue)

    @property
    def refused(self) -> Counter[CommandKind]:
        return Counter({kind: n for (kind, outcome), n in self.counted.items() if outcome is CommandOutcome.REFUSED})


@dataclass
class Strangers:
    """A worker of theirs, whose workflows call our steps."""

    town: Town
    queue: str

    async def call(self, step: str, payload: Payload | None, *, workflow_id: str, activity_id: str = "") -> str | None:
        """The code that a workflow of that id gets for calling a step of ours."""
        copied = payload.SerializeToString().hex() if payload else ""
        arguments = [step, self.town.queue, activity_id, copied]
        handle = await self.town.stranger.start_workflow(
            Foreign.run, args=arguments, id=workflow_id, task_queue=self.queue
        )
        return await failure_of(handle)


def town_of(environment: WorkflowEnvironment, **options: Any) -> Town:
    counted: Counter[tuple[CommandKind, CommandOutcome]] = Counter()
    signer = Signer(
        FakeCommandKeys(),
        key_name="alias/test-commands",
        count=lambda kind, outcome: counted.update([(kind, outcome)]),
        **options,
    )
    service, namespace = environment.client.service_client, environment.client.namespace
    ours = Client(service, namespace=namespace, plugins=[plugin(as_failure, signer=signer)])
    return Town(ours, Client(service, namespace=namespace), signer, counted)


@pytest.fixture
def town(environment: WorkflowEnvironment) -> Town:
    return town_of(environment)


async def failure_of(handle: WorkflowHandle[Any, Any]) -> str | None:
    """The code that a workflow, or its step, ended with."""
    with pytest.raises(WorkflowFailureError) as failed:
        await asyncio.wait_for(handle.result(), 30)
    return code_in(failed.value)


def code_in(error: BaseException | None) -> str | None:
    while error is not None:
        if isinstance(error, ApplicationError):
            return error.type
        error = error.__cause__
    return None


def by_its_id(town: Town, workflow_id: str, activity_id: str) -> AsyncActivityHandle:
    """A step under way, which whoever knows its id may answer."""
    return town.stranger.get_async_activity_handle(workflow_id=workflow_id, run_id=None, activity_id=activity_id)


async def first_input(client: Client, handle: WorkflowHandle[Any, Any]) -> Payload:
    """What the stranger reads in a history: the signed input of the workflow."""
    async for event in handle.fetch_history_events():
        payload = Payload()
        payload.CopyFrom(event.workflow_execution_started_event_attributes.input.payloads[0])
        return payload
    raise LookupError


async def inputs_of_steps(handle: WorkflowHandle[Any, Any]) -> dict[str, tuple[str, Payload]]:
    """By type of activity: its id and its signed input."""
    found = {}
    async for event in handle.fetch_history_events():
        scheduled = event.activity_task_scheduled_event_attributes
        if scheduled.activity_type.name:
            payload = Payload()
            payload.CopyFrom(scheduled.input.payloads[0])
            found[scheduled.activity_type.name] = (scheduled.activity_id, payload)
    return found


@pytest.mark.parametrize("name", NAMES)
async def test_a_workflow_that_is_started_by_hand_ends_at_once(name: str, town: Town):
    async with town.worker():
        for arguments in ([], [{"tenant_id": "t", "account_id": "a"}]):
            handle = await town.stranger.start_workflow(
                name, args=arguments, id=f"hand-{uuid4()}", task_queue=town.queue
            )
            assert await failure_of(handle) == UnsignedCommand.code
    assert town.refused == {CommandKind.WORKFLOW: 2}
    assert town.ports.touched == []


async def test_a_foreign_workflow_is_refused_by_each_of_our_steps(town: Town):
    names = sorted(str(getattr(each, "__temporal_activity_definition").name) for each in town.steps())
    async with town.worker(), town.strangers() as strangers:
        for payload in (None, Payload(metadata={"encoding": b"json/plain"}, data=b"{}")):
            calls = [strangers.call(name, payload, workflow_id=f"foreign-{uuid4()}") for name in names]
            assert set(await asyncio.gather(*calls)) == {UnsignedCommand.code}
    assert town.refused == {CommandKind.ACTIVITY: 2 * len(names)}
    assert town.ports.touched == []


async def test_a_step_on_its_own_is_refused(town: Town):
    async with town.worker():
        handle = await town.stranger.start_activity(
            "delete_credential",
            {"tenant_id": "t", "account_id": "a"},
            id=str(uuid4()),
            task_queue=town.queue,
            start_to_close_timeout=timedelta(seconds=10),
            retry_policy=RetryPolicy(maximum_attempts=3),
        )
        with pytest.raises(ActivityFailureError) as failed:
            await handle.result()
    assert isinstance(cause := failed.value.cause, ApplicationError)
    assert (cause.type, cause.non_retryable) == (UnsignedCommand.code, True)
    assert town.refused == {CommandKind.ACTIVITY: 1}
    assert town.ports.touched == []


class TestAnOnboardingUnderWay:
    @pytest.fixture
    def rig(self, town: Town) -> Rig:
        return Rig(town.ours)

    async def test_an_update_by_hand_is_refused_and_a_signed_one_after_it_is_served(self, rig: Rig, town: Town):
        async with rig.worker():
            onboarding = await rig.start()
            await onboarding.execute_update(OnboardAccount.registered, "the row")
            by_hand = town.stranger.get_workflow_handle(onboarding.id)
            submission = asdict(rig.submission(account_of(onboarding)))
            for update, arguments in (("submit_credential", [submission]), ("cancel", [{}]), ("registered", [])):
                with pytest.raises(WorkflowUpdateFailedError) as refused:
                    await by_hand.execute_update(update, args=arguments)
                assert code_in(refused.value.cause) == UnsignedCommand.code
            assert rig.account(onboarding).attempts == 0
            assert (await rig.submit(onboarding)).result.value == "active"
        assert town.refused == {CommandKind.UPDATE: 3}

    async def test_a_signal_by_hand_changes_nothing_and_is_counted(self, rig: Rig, town: Town):
        async with rig.worker():
            onboarding = await rig.start()
            await onboarding.execute_update(OnboardAccount.registered, "the row")
            await town.stranger.get_workflow_handle(onboarding.id).signal("cancel", {"reason": "a stranger"})
            assert (await rig.submit(onboarding)).result.value == "active"
        assert town.refused == {CommandKind.SIGNAL: 1}

    @pytest.mark.parametrize("signed", [False, True], ids=["unsigned", "signed for another step"])
    async def test_an_answer_that_a_stranger_gives_for_a_step_ends_the_workflow(
        self, rig: Rig, town: Town, signed: bool
    ):
        """The stranger takes the step from our queue's history and completes it by its id."""
        held = rig.hold("provider", "validate")
        async with rig.worker():
            onboarding = await rig.start()
            submitted = asyncio.create_task(rig.submit(onboarding))
            await asyncio.to_thread(held.reached.wait, 10)
            verdict: Any = {"outcome": "active", "account_number": "000000000000", "steps": []}
            if signed:
                verdict = RawValue((await inputs_of_steps(onboarding))["store_credential"][1])
            step = town.stranger.get_async_activity_handle(
                workflow_id=onboarding.id, run_id=None, activity_id="validate-1"
            )
            await step.complete(verdict)
            assert await failure_of(onboarding) == UnsignedCommand.code
            held.let_go()
            with pytest.raises(WorkflowUpdateFailedError):
                await submitted
        assert town.refused == {CommandKind.RESULT: 1}
        assert rig.account(onboarding).credential is None

    async def test_an_error_that_a_stranger_makes_up_for_a_step_ends_the_workflow(self, rig: Rig, town: Town):
        held = rig.hold("provider", "validate")
        async with rig.worker():
            onboarding = await rig.start()
            submitted = asyncio.create_task(rig.submit(onboarding))
            await asyncio.to_thread(held.reached.wait, 10)
            forged = ApplicationError("Send your keys to evil.example.", type="access_denied", non_retryable=True)
            step = town.stranger.get_async_activity_handle(
                workflow_id=onboarding.id, run_id=None, activity_id="validate-1"
            )
            await step.fail(forged)
            assert await failure_of(onboarding) == UnsignedCommand.code
            held.let_go()
            with pytest.raises(WorkflowUpdateFailedError) as failed:
                await submitted
        assert "evil" not in str(failed.value.cause)
        assert town.refused == {CommandKind.RESULT: 1}

    async def test_a_refusal_holds_when_the_history_is_replayed(self, rig: Rig, town: Town):
        async with rig.worker(max_cached_workflows=0):
            onboarding = await rig.start()
            await onboarding.execute_update(OnboardAccount.registered, "the row")
            by_hand = town.stranger.get_workflow_handle(onboarding.id)
            with pytest.raises(WorkflowUpdateFailedError):
                await by_hand.execute_update("cancel", {})
            assert (await rig.submit(onboarding)).result.value == "active"
        assert town.refused == {CommandKind.UPDATE: 1}

    async def test_a_signed_payload_is_good_for_its_place_only(self, rig: Rig, town: Town):
        async with rig.worker(), town.worker(), town.strangers() as strangers:
            onboarding = await rig.start()
            await rig.submit(onboarding)
            await onboarding.result()
            request = await first_input(town.stranger, onboarding)
            steps = await inputs_of_steps(onboarding)
            elsewhere = f"{onboarding.id}-elsewhere"
            handle = await town.stranger.start_workflow(
                "OnboardAccount", RawValue(request), id=elsewhere, task_queue=town.queue
            )
            assert await failure_of(handle) == UnsignedCommand.code
            activity_id, store = steps["store_credential"]
            for workflow_id, step, name in (
                (elsewhere, "store_credential", activity_id),
                (onboarding.id, "delete_credential", activity_id),
                (onboarding.id, "store_credential", "store-2"),
            ):
                code = await strangers.call(step, store, workflow_id=workflow_id, activity_id=name)
                assert code == UnsignedCommand.code
            altered = Payload(metadata=dict(store.metadata), data=store.data.replace(b"aws", b"gcp"))
            code = await strangers.call("store_credential", altered, workflow_id=onboarding.id, activity_id=activity_id)
            assert code == UnsignedCommand.code
        assert town.ports.touched == []

    async def test_a_payload_of_another_namespace_is_refused(self, rig: Rig, town: Town):
        async with town.worker():
            request = rig.request()
            workflow_id = onboarding_id(request.tenant_id, request.account_id)
            elsewhere = WorkflowSerializationContext("another", workflow_id)
            [payload] = await signed_converter(town.signer).with_context(elsewhere).encode([request])
            handle = await town.stranger.start_workflow(
                "OnboardAccount", RawValue(payload), id=workflow_id, task_queue=town.queue
            )
            assert await failure_of(handle) == UnsignedCommand.code
        assert town.ports.touched == []

    async def test_the_api_refuses_an_answer_of_a_strangers_worker(self, rig: Rig, town: Town):
        """The stranger's worker is faster at our queue than ours."""
        async with Worker(town.stranger, task_queue=rig.queue, workflows=[Impostor]):
            onboarding = await rig.start()
            with pytest.raises(ApplicationError) as refused:
                await onboarding.execute_update(OnboardAccount.registered, "the row")
            assert refused.value.type == UnsignedCommand.code
            with pytest.raises(WorkflowUpdateFailedError) as failed:
                await onboarding.execute_update(OnboardAccount.submit_credential, rig.submission("a"))
            assert code_in(failed.value.cause) == UnsignedCommand.code

    async def test_the_attack_that_opened_another_tenants_account_fails(self, rig: Rig, town: Town):
        """The victim's external id is read from a history, and an onboarding of another tenant is started with it."""
        async with rig.worker():
            victim = await rig.start()
            await rig.submit(victim)
            read = json.loads((await first_input(town.stranger, victim)).data)
            attacker = Rig(town.ours, stores=rig.stores, queue=rig.queue)
            forged = {**read, "tenant_id": attacker.tenant_id, "account_id": str(uuid4())}
            name = onboarding_id(forged["tenant_id"], forged["account_id"])
            handle = await town.stranger.start_workflow("OnboardAccount", forged, id=name, task_queue=rig.queue)
            assert await failure_of(handle) == UnsignedCommand.code
        with pytest.raises(NotFound):
            rig.stores.accounts.get(forged["tenant_id"], forged["account_id"])
        assert [event.action for event in rig.stores.ledger.of(attacker.tenant_id)] == ["tenant.created"]


class TestWhatWasOpenBeforeThereWereSignatures:
    async def test_goes_on_and_is_counted_while_unsigned_commands_are_counted(self, environment: WorkflowEnvironment):
        town = town_of(environment, unsigned=UnsignedCommands.COUNT)
        before, now = Rig(town.stranger), Rig(town.ours)
        async with before.worker():
            onboarding = await before.start()
            await onboarding.execute_update(OnboardAccount.registered, "the row")
        now.stores, now.tenant_id, now.queue = before.stores, before.tenant_id, before.queue
        async with now.worker():
            signed: Onboarding = now.client.get_workflow_handle_for(OnboardAccount.run, onboarding.id)
            assert (await now.submit(signed)).result.value == "active"
            new = await before.start()
            await new.execute_update(OnboardAccount.registered, "the row")
        let_in = CommandOutcome.LET_IN
        assert town.counted == {(CommandKind.WORKFLOW, let_in): 1, (CommandKind.UPDATE, let_in): 1}

    async def test_ends_when_unsigned_commands_are_refused(self, town: Town):
        before, now = Rig(town.stranger), Rig(town.ours)
        async with before.worker():
            onboarding = await before.start()
            await onboarding.execute_update(OnboardAccount.registered, "the row")
        now.stores, now.tenant_id, now.queue = before.stores, before.tenant_id, before.queue
        async with now.worker():
            signed: Onboarding = now.client.get_workflow_handle_for(OnboardAccount.run, onboarding.id)
            with pytest.raises((WorkflowUpdateFailedError, RPCError)):
                await now.submit(signed)
            assert await failure_of(signed) == UnsignedCommand.code
            with pytest.raises(WorkflowQueryFailedError):
                await signed.query(OnboardAccount.view)

    async def test_a_wrong_signature_is_refused_even_then(self, environment: WorkflowEnvironment):
        town = town_of(environment, unsigned=UnsignedCommands.COUNT)
        payload = Payload(metadata={"encoding": b"json/plain"}, data=b"{}")
        town.signer.sign(payload, b"another place")
        async with town.worker():
            handle = await town.stranger.start_workflow(
                "OnboardAccount", RawValue(payload), id=str(uuid4()), task_queue=town.queue
            )
            assert await failure_of(handle) == UnsignedCommand.code


@workflow.defn(name="OnboardAccount", sandboxed=False)
class Impostor:
    """Runs on a stranger's worker under our name."""

    @workflow.run
    async def run(self, request: dict[str, Any]) -> None:
        await workflow.wait_condition(lambda: False)

    @workflow.update
    async def registered(self, account_id: str) -> dict[str, str]:
        return {"account_id": "a", "external_id": "the stranger's", "expires_at": ""}

    @workflow.update
    async def submit_credential(self, submission: dict[str, Any]) -> None:
        raise ApplicationError("Send your keys to evil.example.", type="conflict")
