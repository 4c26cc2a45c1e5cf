"""The client against the reference engine over real sockets, and against every way in which an engine can fail."""

import json
import logging
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from traceback import format_exception
from typing import Any

import pytest
import yaml
from fastapi import Response
from fastapi.responses import JSONResponse
from jsonschema import Draft202012Validator
from openapi_spec_validator import validate

from domain.accounts import ProviderType
from domain.credentials import Credential, Secret
from domain.errors import InvalidInput, OnboardingError, PlatformConfig, Throttled, Unavailable
from domain.scans import CheckStatus, EngineProgress, ExecutionStatus, ScanOrder, Severity
from domain.schedules import ScanScope
from engines.http_engine import EngineAddress, HttpEngine, HttpLimits
from tests.engines.reference_engine import Exchange, ReferenceEngine, running_reference_engine

PROTOCOL = yaml.safe_load((Path(__file__).parents[2] / "docs/reference/engine-protocol.yaml").read_text())
ANSWERS = {"start": "Status", "status": "Status", "findings": "Page"}

ORDER = ScanOrder(
    "e1", "t1", "a1", ProviderType.AWS, "222222222222", ScanScope(regions=("eu-west-1",), exclude_services=("s3",))
)
SESSION = Credential(
    "aws_session",
    {
        "access_key_id": "ASIA1",
        "secret_access_key": "s1",
        "session_token": "t1",
        "expires_at": "2030-01-01T00:00:00.000Z",
    },
)
FINDING = {
    "check_id": "c1",
    "title": "Title",
    "status": "fail",
    "severity": "high",
    "resource": "arn:aws:s3:::b",
    "region": "eu-west-1",
    "service": "s3",
    "message": "Message.",
    "remedy": "Remedy.",
    "standards": ["CIS / 1"],
}


def problems(name: str, value: object) -> list[str]:
    """Where the value differs from the schema of that name."""
    schema = {"components": PROTOCOL["components"], "$ref": f"#/components/schemas/{name}"}
    return [error.message for error in Draft202012Validator(schema).iter_errors(value)]


def violations(exchange: Exchange) -> list[str]:
    asked = problems("Order", exchange.given) if exchange.operation == "start" else []
    operations = {o["operationId"]: o for path in PROTOCOL["paths"].values() for o in path.values() if "responses" in o}
    listed = str(exchange.status) in operations[exchange.operation]["responses"]
    answered = problems(ANSWERS[exchange.operation], exchange.answered) if exchange.answered is not None else []
    return [*asked, *answered, *([] if listed else [f"{exchange.operation} does not answer {exchange.status}"])]


@pytest.fixture(scope="module")
def running() -> Iterator[ReferenceEngine]:
    with running_reference_engine() as engine:
        yield engine


@pytest.fixture
def engine(running: ReferenceEngine) -> Iterator[ReferenceEngine]:
    """A new one for each test; what it saw and said in the test kept the protocol."""
    running.jobs.clear()
    running.moods.clear()
    running.exchanges.clear()
    yield running
    assert [violations(exchange) for exchange in running.exchanges if violations(exchange)] == []


@contextmanager
def connected(url: str, *, token: str | None = None, **limits: Any) -> Iterator[HttpEngine]:
    client = HttpEngine(EngineAddress(url, Secret(token) if token else None), limits=HttpLimits(**limits))
    yield client
    client.close()


@pytest.fixture
def client(engine: ReferenceEngine) -> Iterator[HttpEngine]:
    with connected(engine.url) as client:
        yield client


# The protocol


def test_the_protocol_is_valid_openapi():
    validate(PROTOCOL)


def test_a_violation_would_be_seen():
    assert problems("Order", {"job_id": "1"})
    assert violations(Exchange("status", 200, {}, {}, None, {"status": "lost"}))
    assert violations(Exchange("cancel", 418, {}, {}, None, None))
    secretless = {"type": "aws_session", "fields": {"access_key_id": "A"}}
    assert problems("Credential", secretless)


# A job from start to end


def test_a_job_is_started_with_the_order_and_the_session(engine: ReferenceEngine, client: HttpEngine):
    client.start(ORDER, SESSION)
    job = engine.jobs["e1"]
    assert job.credentials == [{"type": "aws_session", "fields": SESSION.reveal_all()}]
    assert job.order == {
        "job_id": "e1",
        "tenant_id": "t1",
        "account_id": "a1",
        "provider": "aws",
        "account_number": "222222222222",
        "scope": {"regions": ["eu-west-1"], "services": [], "exclude_services": ["s3"]},
    }


def test_starting_again_renews_the_credential_of_the_same_job(engine: ReferenceEngine, client: HttpEngine):
    client.start(ORDER, SESSION)
    client.start(ORDER, Credential("aws_session", {**SESSION.reveal_all(), "session_token": "t2"}))
    (job,) = engine.jobs.values()
    assert [credential["fields"]["session_token"] for credential in job.credentials] == ["t1", "t2"]


def test_a_job_is_polled_until_it_ends(engine: ReferenceEngine, client: HttpEngine):
    client.start(ORDER, SESSION)
    assert client.poll(ORDER) == EngineProgress(ExecutionStatus.RUNNING, 0)
    engine.jobs["e1"].percent = 40
    assert client.poll(ORDER) == EngineProgress(ExecutionStatus.RUNNING, 40)
    engine.jobs["e1"].status, engine.jobs["e1"].error_code = "failed", "quota_exceeded"
    assert client.poll(ORDER) == EngineProgress(ExecutionStatus.FAILED, 40, "quota_exceeded")


def test_findings_come_page_by_page(engine: ReferenceEngine):
    with connected(engine.url, page_size=2) as client:
        client.start(ORDER, SESSION)
        engine.jobs["e1"].findings = [{**FINDING, "check_id": f"c{number}"} for number in range(5)]
        found = client.findings(ORDER)
    assert [finding.check_id for finding in found] == ["c0", "c1", "c2", "c3", "c4"]
    assert (found[0].status, found[0].severity, found[0].standards) == (CheckStatus.FAIL, Severity.HIGH, ("CIS / 1",))
    assert [exchange.query for exchange in engine.exchanges[1:]] == [
        {"limit": "2"},
        {"limit": "2", "cursor": "2"},
        {"limit": "2", "cursor": "4"},
    ]


def test_a_job_may_find_nothing(engine: ReferenceEngine, client: HttpEngine):
    client.start(ORDER, SESSION)
    assert client.findings(ORDER) == []


def test_more_findings_than_the_limit_are_said(engine: ReferenceEngine):
    with connected(engine.url, page_size=2, max_findings=3) as client:
        client.start(ORDER, SESSION)
        engine.jobs["e1"].findings = [FINDING] * 4
        found = client.findings(ORDER)
    assert [finding.status for finding in found] == [CheckStatus.FAIL] * 3 + [CheckStatus.ERROR]
    assert found[-1].check_id == "not-scanned"


def test_a_cancelled_job_stops(engine: ReferenceEngine, client: HttpEngine):
    client.start(ORDER, SESSION)
    client.cancel(ORDER)
    client.cancel(ORDER)
    assert client.poll(ORDER).status is ExecutionStatus.CANCELLED
    assert engine.jobs["e1"].credentials == []


def test_a_job_that_the_engine_does_not_know(client: HttpEngine):
    client.cancel(ORDER)
    assert client.poll(ORDER) == EngineProgress(ExecutionStatus.FAILED, error_code="engine_lost_job")
    with pytest.raises(InvalidInput):
        client.findings(ORDER)


def test_the_token_is_sent_when_there_is_one(engine: ReferenceEngine, client: HttpEngine):
    with connected(f"{engine.url}/", token="t0ken") as with_token:
        with_token.start(ORDER, SESSION)
    client.poll(ORDER)
    assert [exchange.headers.get("authorization") for exchange in engine.exchanges] == ["Bearer t0ken", None]


@pytest.mark.parametrize("status", [401, 415, 500])
def test_the_token_is_in_no_log_and_no_error(engine: ReferenceEngine, caplog: pytest.LogCaptureFixture, status: int):
    engine.moods.append(Response(status_code=status))
    with (
        caplog.at_level(logging.DEBUG),
        connected(engine.url, token="kanarienvogel") as client,
        pytest.raises(OnboardingError) as failure,
    ):
        client.start(ORDER, SESSION)
    assert caplog.messages
    traceback = "".join(format_exception(failure.value))
    assert "kanarienvogel" not in f"{caplog.text}{failure.value!r}{traceback}{vars(failure.value)}"


# Answers that are none


CALLS: dict[str, Callable[[HttpEngine], object]] = {
    "start": lambda client: client.start(ORDER, SESSION),
    "poll": lambda client: client.poll(ORDER),
    "findings": lambda client: client.findings(ORDER),
    "cancel": lambda client: client.cancel(ORDER),
}

FAILURES: dict[str, tuple[Response, type[OnboardingError]]] = {
    "too busy": (Response(status_code=429, headers={"Retry-After": "7"}), Throttled),
    "out of order": (Response(status_code=503, headers={"Retry-After": "7"}), Unavailable),
    "broken": (Response("<html>", 500), Unavailable),
    "a wrong token": (Response(status_code=401), PlatformConfig),
    "another server": (Response(status_code=405), PlatformConfig),
    "a redirect": (Response(status_code=307, headers={"Location": "http://127.0.0.1:1/"}), PlatformConfig),
}


@pytest.mark.parametrize("call", CALLS)
@pytest.mark.parametrize("failure", FAILURES)
def test_a_failure_is_trouble(engine: ReferenceEngine, client: HttpEngine, call: str, failure: str):
    answer, kind = FAILURES[failure]
    engine.moods.append(answer)
    with pytest.raises(kind) as raised:
        CALLS[call](client)
    if "Retry-After" in answer.headers:
        assert getattr(raised.value, "retry_after", None) == 7


@pytest.mark.parametrize("status", [400, 409, 413, 415, 422])
def test_a_refused_order_is_refused_for_good(engine: ReferenceEngine, client: HttpEngine, status: int):
    engine.moods.append(JSONResponse({"detail": "secret s1"}, status))
    with pytest.raises(InvalidInput) as refusal:
        client.start(ORDER, SESSION)
    assert [problem.code for problem in refusal.value.problems] == ["engine_refused_order"]
    assert "s1" not in str(refusal.value)


NO_STATUS: dict[str, Any] = {
    "no JSON": b"{",
    "no object": b"[]",
    "too deep": b"[" * 100_000,
    "no status": b"{}",
    "an unknown status": b'{"status": "lost"}',
    "a status that is no text": b'{"status": 1}',
    "a percentage that is no number": b'{"status": "running", "percent": "1"}',
    "no text": b"\xff",
}


@pytest.mark.parametrize("body", NO_STATUS)
def test_a_status_that_is_none_is_trouble(engine: ReferenceEngine, client: HttpEngine, body: str):
    engine.moods.append(Response(NO_STATUS[body]))
    with pytest.raises(Unavailable):
        client.poll(ORDER)


@pytest.mark.parametrize(
    ("answer", "progress"),
    [
        ({"status": "failed"}, EngineProgress(ExecutionStatus.FAILED, error_code="engine_failed")),
        ({"status": "failed", "error_code": "<b>"}, EngineProgress(ExecutionStatus.FAILED, error_code="engine_failed")),
        ({"status": "running", "percent": 400}, EngineProgress(ExecutionStatus.RUNNING, 100)),
        ({"status": "running", "percent": -4}, EngineProgress(ExecutionStatus.RUNNING, 0)),
        ({"status": "completed", "error_code": "odd"}, EngineProgress(ExecutionStatus.COMPLETED)),
    ],
    ids=["no code", "bad code", "much", "negative", "code of a success"],
)
def test_a_status_is_put_right(engine: ReferenceEngine, client: HttpEngine, answer: Any, progress: EngineProgress):
    engine.moods.append(JSONResponse(answer))
    assert client.poll(ORDER) == progress


NO_PAGE: dict[str, Any] = {
    "no findings": {},
    "findings that are no list": {"findings": {}},
    "a finding that is no object": {"findings": ["x"]},
    "a finding without a field": {"findings": [{name: FINDING[name] for name in FINDING if name != "region"}]},
    "an unknown status": {"findings": [{**FINDING, "status": "passed"}]},
    "an unknown severity": {"findings": [{**FINDING, "severity": "info"}]},
    "a text that is too long": {"findings": [{**FINDING, "message": "x" * 2_049}]},
    "standards that are no list": {"findings": [{**FINDING, "standards": "CIS"}]},
    "too many standards": {"findings": [{**FINDING, "standards": ["CIS"] * 51}]},
    "a cursor that is no text": {"findings": [FINDING], "next_cursor": 1},
    "a cursor that leads nowhere": {"findings": [], "next_cursor": "1"},
}


@pytest.mark.parametrize("page", NO_PAGE)
def test_a_page_that_is_none_is_trouble(engine: ReferenceEngine, client: HttpEngine, page: str):
    engine.moods.append(JSONResponse(NO_PAGE[page]))
    with pytest.raises(Unavailable):
        client.findings(ORDER)


def test_an_engine_that_repeats_itself_for_ever_is_stopped_by_the_limit(engine: ReferenceEngine):
    engine.moods.extend([JSONResponse({"findings": [FINDING] * 10, "next_cursor": "1"}) for _ in range(5)])
    with connected(engine.url, max_findings=20) as client:
        assert len(client.findings(ORDER)) == 21


def test_an_answer_that_is_too_large_is_trouble(engine: ReferenceEngine):
    engine.moods.append(JSONResponse({"status": "running", "more": "x" * 1_000}))
    with connected(engine.url, max_bytes=1_000) as client, pytest.raises(Unavailable):
        client.poll(ORDER)


# Connections that fail


@contextmanager
def listening(serve: Callable[[socket.socket], None]) -> Iterator[str]:
    """A server that takes one connection and does with it what the function does."""
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        server.listen()
        thread = threading.Thread(target=lambda: serve(server.accept()[0]), daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{server.getsockname()[1]}"
        thread.join(10)


def test_an_engine_that_is_not_there_is_trouble():
    hang_up: Callable[[socket.socket], None] = socket.socket.close
    with listening(hang_up) as url, connected(url) as client, pytest.raises(Unavailable):
        client.poll(ORDER)


def test_an_answer_that_never_ends_is_trouble():
    def drip(connection: socket.socket) -> None:
        with connection:
            connection.recv(65_536)
            connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n")
            try:
                for _ in range(1_000):
                    connection.sendall(b" ")
                    if gone.wait(0.01):
                        return
            except OSError:
                pass

    gone = threading.Event()
    with listening(drip) as url, connected(url, max_seconds=0.2) as client:
        with pytest.raises(Unavailable):
            client.poll(ORDER)
        gone.set()


def test_no_proxy_of_the_environment_is_asked(engine: ReferenceEngine, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
    monkeypatch.setenv("NO_PROXY", "")
    with connected(engine.url) as client:
        client.start(ORDER, SESSION)
    assert list(engine.jobs) == ["e1"]


def test_the_credential_is_in_the_body_and_nowhere_else(engine: ReferenceEngine, client: HttpEngine):
    client.start(ORDER, SESSION)
    (exchange,) = engine.exchanges
    assert "s1" in json.dumps(exchange.given)
    assert "s1" not in json.dumps([exchange.answered, dict(exchange.headers), dict(exchange.query)])
