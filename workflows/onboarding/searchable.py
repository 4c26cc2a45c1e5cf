"""The state of an onboarding as searches find it. Each change of a search attribute costs the server as much as a step,
so what is over in a moment is not made searchable."""

import asyncio
from collections.abc import Awaitable
from datetime import timedelta

from temporalio import workflow

with workflow.unsafe.imports_passed_through():
    from domain.onboarding.messages import OnboardingState
    from workflows.search_attributes import ONBOARDING_STATE, SHOWN_FROM_THE_START

A_MOMENT = timedelta(seconds=10)
_BRIEF = {OnboardingState.STORING, OnboardingState.VALIDATING, OnboardingState.ACTIVATING}


class SearchableState:
    """What the search attribute holds."""

    def __init__(self) -> None:
        self._shown = SHOWN_FROM_THE_START

    def show(self, state: OnboardingState) -> None:
        """Unless it is one of those that are usually brief."""
        if state not in _BRIEF:
            self._set(state)

    async def during(self, state: OnboardingState, work: Awaitable[None]) -> None:
        """Do the work, and show the state once it has lasted a moment."""
        lasting = asyncio.create_task(self._show_late(state))
        try:
            await work
        finally:
            lasting.cancel()

    async def _show_late(self, state: OnboardingState) -> None:
        await workflow.sleep(A_MOMENT, summary="Then searches find it at work")
        self._set(state)

    def _set(self, state: OnboardingState) -> None:
        if state is not self._shown:
            self._shown = state
            workflow.upsert_search_attributes([ONBOARDING_STATE.value_set(state.value)])
