"""OnboardAccount: register the account, wait for a credential, store it, prove it, activate the account.

A refused credential is an answer, and the workflow waits for the next one. It ends when the account is active, or by
cancellation, at the deadline or after the last attempt; then it takes back what it made. Update handlers only hand over
and wait: every step runs in `run`, one at a time.
"""

import asyncio
from collections.abc import Coroutine
from datetime import timedelta
from typing import Any, cast

from temporalio import workflow
from temporalio.exceptions import ActivityError, ApplicationError, is_cancelled_exception

# Modules by their full names: `from workflows import story` would run story.py anew in every sandbox.
with workflow.unsafe.imports_passed_through():
    import domain.onboarding.answers as answers
    import workflows.ids as ids
    import workflows.metrics as meters
    import workflows.onboarding.steps as steps
    import workflows.onboarding.story as story
    from domain.accounts import Closure, OnboardingStatus
    from domain.audit.events import Origin
    from domain.errors import (
        AccountAlreadyOnboarded,
        Conflict,
        OnboardingClosed,
        PayloadTooLarge,
        SubmissionInProgress,
        UserError,
    )
    from domain.onboarding.credentials import CredentialRef
    from domain.onboarding.messages import (
        Cancellation,
        OnboardingState,
        OnboardingView,
        OnboardRequest,
        Registered,
        Submission,
        SubmissionOutcome,
    )
    from domain.onboarding.validation import Verdict
    from domain.timestamps import stamp
    from workflows.errors import code_of, final, refusal
    from workflows.onboarding.endings import Ending
    from workflows.onboarding.searchable import SearchableState

MAX_SEALED_CHARACTERS = 64 * 1024
CANCELLED_BY_OPERATOR = "cancelled_by_operator"


@workflow.defn
class OnboardAccount:
    """One account's way from nothing to active."""

    @workflow.init
    def __init__(self, request: OnboardRequest) -> None:
        self._request = request
        self._state = OnboardingState.REGISTERING
        self._searchable = SearchableState()
        self._expires_at = stamp(workflow.now() + timedelta(seconds=request.deadline_seconds))
        self._work: asyncio.Task[None] | None = None
        self._registered = False
        self._submission: Submission | None = None
        self._outcomes: dict[str, SubmissionOutcome] = {}
        self._attempts = 0
        self._account_number: str | None = None
        self._stored = False
        self._activating = False
        self._ending: Ending | None = None
        self._failure: ApplicationError | None = None

    @workflow.run
    async def run(self, request: OnboardRequest) -> OnboardingView:
        self._refuse_a_foreign_request()
        deadline = asyncio.create_task(self._expire())
        await self._see_through(self._register())
        while not self._over:
            self._show(OnboardingState.WAITING)
            await self._see_through(self._take_submission())
        deadline.cancel()
        if self._ending is not None and self._failure is None:
            await self._see_through(self._take_back(self._ending))
        await workflow.wait_condition(workflow.all_handlers_finished)
        if self._failure is not None:
            raise self._failure
        if self._ending is not None and self._ending.reason == CANCELLED_BY_OPERATOR:
            raise asyncio.CancelledError
        return self.view()

    # What the outside may ask and say.

    @workflow.query
    def view(self) -> OnboardingView:
        """Where the onboarding is."""
        return OnboardingView(
            account_id=self._request.account_id,
            state=self._state,
            attempts=self._attempts,
            max_attempts=self._request.max_attempts,
            expires_at=self._expires_at,
            history=tuple(self._outcomes.values()),
            reason=self._ending.reason if self._ending else None,
            account_number=self._account_number,
        )

    @workflow.update
    async def registered(self, account_id: str = "") -> Registered:
        """Wait until the account row exists. The id is there to be signed, as every update has something to sign."""
        await workflow.wait_condition(lambda: self._registered or self._over)
        if self._failure is not None:
            raise self._failure
        if not self._registered:
            raise refusal(OnboardingClosed)
        return Registered(self._request.account_id, self._request.external_id, self._expires_at)

    @workflow.update
    async def submit_credential(self, submission: Submission) -> SubmissionOutcome:
        """Hand in a sealed credential and wait for its outcome."""
        self._submission, since = submission, workflow.now()
        await workflow.wait_condition(lambda: submission.submission_id in self._outcomes)
        outcome = self._outcomes[submission.submission_id]
        meters.answered(self._request.provider_type, outcome, since)
        return outcome

    @submit_credential.validator
    def _may_submit(self, submission: Submission) -> None:
        self._refuse_when_closed()
        if self._submission is not None:
            raise refusal(SubmissionInProgress)
        if submission.submission_id in self._outcomes:
            raise refusal(Conflict)
        if len(submission.sealed) > MAX_SEALED_CHARACTERS:
            raise refusal(PayloadTooLarge)

    @workflow.update
    def cancel(self, cancellation: Cancellation) -> None:
        """End the onboarding and remove what it stored."""
        self._end(Ending(OnboardingState.CANCELLED, "cancelled", cancellation.origin))

    @cancel.validator
    def _may_cancel(self, cancellation: Cancellation) -> None:
        self._refuse_when_closed()

    # The way to an active account.

    async def _register(self) -> None:
        try:
            work = steps.register(self._request, self._expires_at)
            await self._searchable.during(OnboardingState.REGISTERING, work)
        except ActivityError as error:
            if is_cancelled_exception(error):
                raise
            # The row was refused for good, so there is nothing of ours to take back.
            self._failure = final(error)
            self._end(Ending(OnboardingState.FAILED, code_of(error), self._request.origin))
            if self._submission is not None:
                self._answer(answers.closed(self._submission.submission_id))
            self._show(OnboardingState.FAILED)
        else:
            self._registered = True

    async def _take_submission(self) -> None:
        submission = await self._next_submission()
        work = self._work_on(submission, len(self._outcomes) + 1)
        await self._searchable.during(OnboardingState.STORING, work)

    async def _work_on(self, submission: Submission, number: int) -> None:
        try:
            self._stored = True
            self._show(OnboardingState.STORING)
            reference = await steps.store(self._request, submission, number)
            self._show(OnboardingState.VALIDATING)
            verdict = await steps.validate(self._request, submission, reference, number)
        except ActivityError as error:
            if is_cancelled_exception(error):
                raise
            await steps.record_undecided(self._request, submission, code_of(error), number)
            self._answer(answers.inconclusive(submission.submission_id, code_of(error)))
            return
        if self._over:
            # The last step was finished although it was interrupted: its result comes too late.
            raise asyncio.CancelledError
        if verdict.accepted:
            await self._activate(submission, reference, verdict)
        else:
            await self._refuse(submission, verdict)

    async def _next_submission(self) -> Submission:
        await workflow.wait_condition(lambda: self._submission is not None)
        return cast(Submission, self._submission)

    async def _activate(self, submission: Submission, reference: CredentialRef, verdict: Verdict) -> None:
        """From here on an ending comes too late, unless the cloud account turns out to be another account's."""
        self._activating = True
        self._show(OnboardingState.ACTIVATING)
        try:
            if reference.pending:
                reference = await steps.promote(self._request, reference)
            await steps.activate(self._request, submission, reference, verdict, self._attempts + 1)
        except ActivityError as error:
            if code_of(error) == AccountAlreadyOnboarded.code:
                await self._refuse(submission, answers.as_duplicate(verdict))
            else:
                self._answer(answers.inconclusive(submission.submission_id, code_of(error)))
                self._end(Ending(OnboardingState.FAILED, code_of(error), submission.origin))
            self._activating = False
            return
        self._ending = None
        self._attempts += 1
        self._account_number = verdict.account_number
        self._answer(answers.accepted(submission.submission_id, verdict, self._attempts))
        self._show(answers.state_of(verdict))

    async def _refuse(self, submission: Submission, verdict: Verdict) -> None:
        self._attempts += 1
        await steps.record_refusal(self._request, submission.origin, verdict, self._attempts)
        self._answer(answers.refused(submission.submission_id, verdict, self._attempts))
        if self._attempts >= self._request.max_attempts:
            self._end(Ending(OnboardingState.FAILED, "attempts_exhausted", submission.origin))

    # Endings without an active account.

    async def _expire(self) -> None:
        await workflow.sleep(timedelta(seconds=self._request.deadline_seconds), summary="The onboarding ends by itself")
        self._end(Ending(OnboardingState.EXPIRED, "deadline_passed", Origin("system", workflow.info().workflow_id)))

    def _end(self, ending: Ending) -> None:
        """The first ending counts. It interrupts the step under way, but never the change to active."""
        if self._over:
            return
        self._ending = ending
        if self._work is not None and not self._activating:
            self._work.cancel()

    async def _take_back(self, ending: Ending) -> None:
        status = OnboardingStatus(ending.state.value)
        closure, at = Closure(status, ending.reason, self._attempts), steps.now()
        await self._remove(ending, closure, at)
        if self._submission is not None:
            self._answer(answers.closed(self._submission.submission_id))
        self._show(ending.state)
        if self._stored or not self._registered:
            late = timedelta(seconds=self._request.late_write_seconds)
            await workflow.sleep(late, summary="Then look once more for writes that were on their way")
            await self._remove(ending, closure, at)

    async def _remove(self, ending: Ending, closure: Closure, at: str) -> None:
        """The row first. Where it says that the account is active, because this workflow was reset to an earlier point,
        the credential is in use and stays."""
        try:
            await steps.close(self._request, ending.origin, closure, at)
        except ActivityError as error:
            if code_of(error) != OnboardingClosed.code:
                raise
            workflow.logger.warning("The account is active already: there is nothing to take back.")
            return
        if self._stored:
            await steps.delete_credential(self._request)

    # Small print.

    @property
    def _over(self) -> bool:
        return self._ending is not None or self._state.final

    async def _see_through(self, work: Coroutine[Any, Any, None]) -> None:
        """Run a piece of work to its end or until it is interrupted. A cancellation through Temporal itself is an
        ending like the others, so it cannot leave anything half done."""
        self._work = asyncio.create_task(work)
        while not self._work.done():
            try:
                await workflow.wait_condition(self._work.done)
            except asyncio.CancelledError:
                self._end(Ending(OnboardingState.CANCELLED, CANCELLED_BY_OPERATOR, Origin("operator", "temporal")))
        if not self._work.cancelled() and (error := self._work.exception()) and not is_cancelled_exception(error):
            raise error

    def _answer(self, outcome: SubmissionOutcome) -> None:
        self._outcomes[outcome.submission_id] = outcome
        self._submission = None

    def _show(self, state: OnboardingState) -> None:
        self._state = state
        workflow.set_current_details(story.details(self.view()))
        self._searchable.show(state)
        if state.final:
            meters.ended(self._request.provider_type, state)

    def _refuse_when_closed(self) -> None:
        if self._over or self._activating:
            raise refusal(OnboardingClosed)

    def _refuse_a_foreign_request(self) -> None:
        expected = ids.onboarding_id(self._request.tenant_id, self._request.account_id)
        if workflow.info().workflow_id != expected:
            raise refusal(UserError, "The workflow id and the request name different accounts.")
