"""One of our processes with faults in its calls to AWS: `python -m tests.resilience.faulty api|worker FOLDER`, where
the folder holds the plan and gets the log of the calls (`tests.resilience.faults`).

The hook is botocore's own, just before a request is sent; it reaches every session, also the customers' isolated ones,
and the SDK's own repetition sees the fault as it would see the real one."""

from collections import Counter
from collections.abc import Iterator
from functools import partial
from io import BytesIO
from pathlib import Path
from threading import Lock
from typing import Any
from urllib.parse import parse_qs

import botocore
import typer
from botocore.awsrequest import AWSPreparedRequest, AWSResponse
from botocore.compat import HTTPHeaders
from botocore.exceptions import ConnectionClosedError, ReadTimeoutError
from botocore.httpsession import URLLib3Session
from botocore.session import Session

import main as api
import worker
from bench.counted import Program
from local.stack import PLATFORM_NUMBER
from tests.resilience.aws_errors import failed, throttled
from tests.resilience.faults import Attempt, Call, Fault, FaultFolder, Plan, Side


class FaultyAws:
    """Counts the calls of this process and does to each what the plan says."""

    def __init__(self, program: str, folder: FaultFolder) -> None:
        self._program = program
        self._folder = folder
        self._wire = URLLib3Session()
        self._lock = Lock()
        self._run = ""
        self._counts: Counter[tuple[Side, str]] = Counter()
        self._calls: dict[str, Call] = {}

    def attach(self, session: Session) -> None:
        """To the clients that the session makes from now on."""
        session.register("before-send", partial(self._before_send, session))

    def _before_send(self, session: Session, *, request: AWSPreparedRequest, event_name: str, **_: Any) -> Any:
        """The answer in place of AWS's, None for AWS's own. Raises what botocore raises when there is no answer."""
        service, operation = event_name.split(".")[1:]
        plan, attempt = self._folder.plan(), _attempt(request)
        call = self._call(plan, side_of(session, service, request), f"{service}.{operation}", request)
        fault = plan.fault_of(call, attempt)
        self._folder.note(Attempt(plan.run, call, attempt, fault))
        return self._inflict(fault, service, request)

    def _call(self, plan: Plan, side: Side, name: str, request: AWSPreparedRequest) -> Call:
        """Repeated attempts of the SDK have one id."""
        invocation = _text(request.headers["amz-sdk-invocation-id"])
        with self._lock:
            if plan.run != self._run:
                self._run, self._counts, self._calls = plan.run, Counter(), {}
            if invocation not in self._calls:
                self._counts[side, name] += 1
                self._calls[invocation] = Call(self._program, side, name, self._counts[side, name])
            return self._calls[invocation]

    def _inflict(self, fault: Fault | None, service: str, request: AWSPreparedRequest) -> AWSResponse | None:
        match fault:
            case Fault.THROTTLED:
                return _answer(request, *throttled(service))
            case Fault.SERVER_ERROR:
                return _answer(request, *failed(service))
            case Fault.TIMED_OUT:
                raise ReadTimeoutError(endpoint_url=request.url)
            case Fault.REPLY_LOST:
                self._wire.send(request)
                raise ConnectionClosedError(endpoint_url=request.url)
            case Fault.CUT:
                raise ConnectionClosedError(endpoint_url=request.url)
        return None


def side_of(session: Session, service: str, request: AWSPreparedRequest) -> Side:
    """A session with nowhere to look for credentials is a customer's. We call STS for the customers' sake too, unless
    it is to become one of our own roles."""
    if not session.get_component("credential_provider").providers:
        return Side.CUSTOMERS
    if service != "sts":
        return Side.OURS
    [role] = parse_qs(_text(request.body)).get("RoleArn", [""])
    return Side.OURS if f":{PLATFORM_NUMBER}:" in role else Side.CUSTOMERS


def _attempt(request: AWSPreparedRequest) -> int:
    """From the header by which the SDK tells AWS, from 1."""
    fields = dict(field.split("=") for field in _text(request.headers["amz-sdk-request"]).split("; "))
    return int(fields["attempt"])


def _text(value: Any) -> str:
    """botocore has bytes in some places and text in others."""
    return value.decode() if isinstance(value, bytes) else str(value)


def _answer(request: AWSPreparedRequest, status: int, body: bytes) -> AWSResponse:
    return AWSResponse(request.url, status, HTTPHeaders(), _Raw(body))


class _Raw(BytesIO):
    def stream(self, *_: Any, **__: Any) -> Iterator[bytes]:
        yield self.read()


def main(program: Program, folder: Path) -> None:
    botocore.register_initializer(FaultyAws(program.value, FaultFolder(folder)).attach)
    {Program.API: api.main, Program.WORKER: worker.main}[program]()


if __name__ == "__main__":
    typer.run(main)
