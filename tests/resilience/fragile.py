"""Our worker, with a trap in it: `python -m tests.resilience.fragile FOLDER`. At the point that the trap in the folder
names (`tests.resilience.traps`) it kills itself with SIGKILL, as a machine that loses its power.

Before and during a call to AWS the hook is botocore's own, just before a request is sent; after a step it is the
outermost interceptor of activities, so that nothing but the answer to Temporal is left to do."""

import os
import signal
from collections import defaultdict
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import botocore
import typer
from botocore.httpsession import URLLib3Session
from botocore.session import Session
from temporalio import activity
from temporalio.worker import ActivityInboundInterceptor, ExecuteActivityInput, Interceptor

import config
import logs
import worker
from settings.secret_values import WORKER_SECRETS
from telemetry.process import Telemetry, begin
from temporal.program import run_program
from tests.resilience.traps import Moment, Trap


class TrappedAws:
    """Springs the trap before or during a call, and remembers which step made which calls."""

    def __init__(self, trap: Trap) -> None:
        self._trap = trap
        self._wire = URLLib3Session()
        self._made: defaultdict[str, set[str]] = defaultdict(set)

    def install(self) -> None:
        """For the sessions that are made from now on."""

        def hook(session: Session) -> None:
            session.register("before-send", self._before_send)

        botocore.register_initializer(hook)

    def calls_of(self, step: activity.Info) -> set[str]:
        return self._made.pop(_key(step), set())

    def _before_send(self, **sent: Any) -> None:
        if not activity.in_activity():
            return
        call, step = sent["event_name"].partition(".")[2], activity.info()
        self._made[_key(step)].add(call)
        if self._trap.springs(step.activity_type, call, Moment.BEFORE):
            die()
        if self._trap.springs(step.activity_type, call, Moment.DURING):
            self._wire.send(sent["request"])
            die()


class TrappedSteps(Interceptor):
    """Springs the trap after a step."""

    def __init__(self, trap: Trap, aws: TrappedAws) -> None:
        self._trap, self._aws = trap, aws

    def intercept_activity(self, next: ActivityInboundInterceptor) -> ActivityInboundInterceptor:
        return _Trapped(next, self._trap, self._aws)


class _Trapped(ActivityInboundInterceptor):
    def __init__(self, next: ActivityInboundInterceptor, trap: Trap, aws: TrappedAws) -> None:
        super().__init__(next)
        self._trap, self._aws = trap, aws

    async def execute_activity(self, input: ExecuteActivityInput) -> Any:
        result = await super().execute_activity(input)
        step = activity.info()
        for call in self._aws.calls_of(step):
            if self._trap.springs(step.activity_type, call, Moment.AFTER):
                die()
        return result


@dataclass(frozen=True, kw_only=True)
class TrappedTelemetry(Telemetry):
    """The worker's way in for interceptors; the first one is the outermost."""

    steps: TrappedSteps

    def interceptors(self) -> tuple[Interceptor, ...]:
        return (self.steps, *super().interceptors())


def die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def _key(step: activity.Info) -> str:
    return f"{step.workflow_id}/{step.activity_id}/{step.attempt}"


def main(folder: Path) -> None:
    trap = Trap(folder)
    aws = TrappedAws(trap)
    aws.install()
    settings, temporal = config.load(WORKER_SECRETS)
    logs.configure(settings.log_level)
    plain = begin("worker", config.VERSION, metrics=None, traces=None)
    with closing(TrappedTelemetry(**vars(plain), steps=TrappedSteps(trap, aws))) as watched:
        run_program(worker.run(settings, temporal, watched))


if __name__ == "__main__":
    typer.run(main)
