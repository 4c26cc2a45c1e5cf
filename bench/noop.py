"""The engine's limit: the messages and the activities of an onboarding, with nothing behind them.

What Temporal alone costs on this machine: the same update-with-start, the same update with a sealed credential in it,
the same four activities with their inputs and results, on threads. No checks, no deadline, no endings, no search
attributes, no state for people, no metrics.
"""

from temporalio import workflow

with workflow.unsafe.imports_passed_through():
    import domain.onboarding.answers as answers
    import workflows.onboarding.steps as steps
    from domain.onboarding.messages import OnboardRequest, Registered, Result, Submission, SubmissionOutcome

QUEUE, SIGNED_QUEUE = "bench-noop", "bench-noop-signed"
"""The second is that of a worker that signs and checks."""


@workflow.defn
class NoOp:
    """Register, wait for a submission, store, validate, activate: in name only."""

    @workflow.init
    def __init__(self, request: OnboardRequest) -> None:
        self._request = request
        self._registered = False
        self._submission: Submission | None = None
        self._outcome: SubmissionOutcome | None = None

    @workflow.run
    async def run(self, request: OnboardRequest) -> str:
        await steps.register(request, steps.now())
        self._registered = True
        await workflow.wait_condition(lambda: self._submission is not None)
        if self._submission is not None:
            reference = await steps.store(request, self._submission, 1)
            verdict = await steps.validate(request, self._submission, reference, 1)
            await steps.activate(request, self._submission, reference, verdict, 1)
            self._outcome = answers.accepted(self._submission.submission_id, verdict, 1)
        await workflow.wait_condition(workflow.all_handlers_finished)
        return request.account_id

    @workflow.update
    async def registered(self, account_id: str = "") -> Registered:
        await workflow.wait_condition(lambda: self._registered)
        return Registered(self._request.account_id, self._request.external_id, "")

    @workflow.update
    async def submit_credential(self, submission: Submission) -> SubmissionOutcome:
        self._submission = submission
        await workflow.wait_condition(lambda: self._outcome is not None)
        return self._outcome or SubmissionOutcome(submission.submission_id, Result.CLOSED, "")
