"""One onboarding for each way it can end: played to record its history, which is then replayed for ever."""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable

from temporalio.client import WorkflowFailureError

from domain.errors import Unavailable
from tests.fakes_clouds import limited, refused
from tests.rig import Onboarding, Rig, until_set
from workflows.onboarding.onboard_account import OnboardAccount

Scenario = Callable[[Rig], Awaitable[Onboarding]]


async def active(rig: Rig) -> Onboarding:
    onboarding = await rig.start()
    await onboarding.execute_update(OnboardAccount.registered, "the row")
    await rig.submit(onboarding)
    return onboarding


async def active_limited(rig: Rig) -> Onboarding:
    rig.script(limited())
    return await active(rig)


async def rejected_then_fixed(rig: Rig) -> Onboarding:
    rig.script(refused())
    onboarding = await active(rig)
    await rig.submit(onboarding)
    return onboarding


async def attempts_exhausted(rig: Rig) -> Onboarding:
    rig.script(refused(), refused())
    onboarding = await rig.start(rig.request(max_attempts=2))
    await rig.submit(onboarding)
    await rig.submit(onboarding)
    return onboarding


async def expired(rig: Rig) -> Onboarding:
    return await rig.start(rig.request(deadline_seconds=1))


async def cancelled_while_waiting(rig: Rig) -> Onboarding:
    onboarding = await rig.start()
    await onboarding.execute_update(OnboardAccount.registered, "the row")
    await rig.cancel(onboarding)
    return onboarding


async def cancelled_while_storing(rig: Rig) -> Onboarding:
    return await _interrupted(rig, rig.cancel)


async def cancelled_while_validating(rig: Rig) -> Onboarding:
    return await _interrupted(rig, rig.cancel)


async def cancelled_by_operator(rig: Rig) -> Onboarding:
    return await _interrupted(rig, lambda onboarding: onboarding.cancel())


async def duplicate(rig: Rig) -> Onboarding:
    await active(rig)
    onboarding = await active(rig)
    await rig.cancel(onboarding)
    return onboarding


async def provider_down_then_up(rig: Rig) -> Onboarding:
    rig.script(Unavailable(retry_after=0.1))
    return await active(rig)


async def provider_unavailable(rig: Rig) -> Onboarding:
    rig.script(*[Unavailable(retry_after=0.3) for _ in range(50)])
    onboarding = await rig.start(rig.request(provider_patience_seconds=1))
    await rig.submit(onboarding)
    await rig.cancel(onboarding)
    return onboarding


async def refused_registration(rig: Rig) -> Onboarding:
    return await rig.start(rig.request(tenant_id="00000000-0000-4000-8000-000000000000"))


async def _interrupted(rig: Rig, interrupt: Callable[[Onboarding], Awaitable[None]]) -> Onboarding:
    assert rig.held is not None
    onboarding = await rig.start()
    submitting = asyncio.create_task(rig.submit(onboarding))
    await until_set(rig.held.reached)
    await interrupt(onboarding)
    rig.held.let_go()
    await submitting
    return onboarding


HELD = {
    "cancelled_while_storing": ("vault", "store"),
    "cancelled_while_validating": ("provider", "validate"),
    "cancelled_by_operator": ("provider", "validate"),
}
SCENARIOS: dict[str, Scenario] = {
    scenario.__name__: scenario
    for scenario in (
        active,
        active_limited,
        rejected_then_fixed,
        attempts_exhausted,
        expired,
        cancelled_while_waiting,
        cancelled_while_storing,
        cancelled_while_validating,
        cancelled_by_operator,
        duplicate,
        provider_down_then_up,
        provider_unavailable,
        refused_registration,
    )
}


async def play(name: str, rig: Rig) -> Onboarding:
    """Play a scenario to the end of its workflow."""
    if name in HELD:
        rig.hold(*HELD[name])
    async with rig.worker():
        onboarding = await SCENARIOS[name](rig)
        # A failure is an ending like the others: the history is what counts.
        with contextlib.suppress(WorkflowFailureError):
            await onboarding.result()
    return onboarding
