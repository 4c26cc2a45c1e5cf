"""The state of an onboarding as searches find it. Each change of a search attribute costs the server as much as a step,
so what is over in a moment is not made searchable."""

from datetime import timedelta

from temporalio import workflow

with workflow.unsafe.imports_passed_through():
    from domain.onboarding import OnboardingState
    from workflows.search_attributes import ONBOARDING_STATE

A_MOMENT = timedelta(seconds=3)
_BRIEF = {OnboardingState.STORING, OnboardingState.VALIDATING, OnboardingState.ACTIVATING}


class SearchableState:
    """What the search attribute holds; a new onboarding starts with `registering`."""

    def __init__(self) -> None:
        self._shown = OnboardingState.REGISTERING

    def show(self, state: OnboardingState) -> None:
        """Unless it is one of those that are usually brief."""
        if state not in _BRIEF:
            self._set(state)

    async def show_work_that_lasts(self) -> None:
        """Run this beside the work on a submission."""
        await workflow.sleep(A_MOMENT, summary="Then searches find it at work")
        self._set(OnboardingState.STORING)

    def _set(self, state: OnboardingState) -> None:
        if state is not self._shown:
            self._shown = state
            workflow.upsert_search_attributes([ONBOARDING_STATE.value_set(state.value)])
