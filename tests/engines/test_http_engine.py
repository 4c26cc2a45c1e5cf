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
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator
from openapi_spec_validator import validate

from domain.accounts import ProviderType
from domain.errors import InvalidInput, OnboardingError, PlatformConfig, Throttled, Unavailable
from domain.onboarding.credentials import Credential, Secret
from domain.scans.finding_lives import dumps, loads, tell
from domain.scans.ocsf import finding_uid
from domain.scans.scan import CheckStatus, EngineProgress, ExecutionStatus, Finding, ScanOrder, Severity
from domain.schedules.schedule import ScanScope
from engines.http.engine import EngineAddress, HttpEngine, HttpLimits
from engines.http.findings import page_of
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
FINDING: dict[str, Any] = {
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


NO_STATUS: dict[str, tuple[Any, str]] = {
    "no JSON": (b"{", "not JSON"),
    "no object": (b"[]", "not a JSON object"),
    "too deep": (b"[" * 100_000, "not JSON"),
    "no status": (b"{}", "status"),
    "an unknown status": (b'{"status": "lost"}', "status"),
    "a status that is no text": (b'{"status": 1}', "status"),
    "no text": (b"\xff", "not JSON"),
}


@pytest.mark.parametrize("body", NO_STATUS)
def test_a_status_that_is_none_is_final_and_the_reason_names_what_is_wrong(
    engine: ReferenceEngine, client: HttpEngine, body: str
):
    engine.moods.append(Response(NO_STATUS[body][0]))
    with pytest.raises(InvalidInput) as refusal:
        client.poll(ORDER)
    (problem,) = refusal.value.problems
    assert problem.code == "engine_bad_answer"
    assert NO_STATUS[body][1] in problem.message


def test_a_proxys_page_in_the_place_of_the_engine_is_asked_past(engine: ReferenceEngine, client: HttpEngine):
    engine.moods.append(Response("<html>Back in a minute</html>", media_type="text/html"))
    with pytest.raises(Unavailable):
        client.poll(ORDER)


@pytest.mark.parametrize(
    ("answer", "progress"),
    [
        ({"status": "failed"}, EngineProgress(ExecutionStatus.FAILED, error_code="engine_failed")),
        ({"status": "failed", "error_code": "<b>"}, EngineProgress(ExecutionStatus.FAILED, error_code="engine_failed")),
        ({"status": "running", "percent": 400}, EngineProgress(ExecutionStatus.RUNNING, 100)),
        ({"status": "running", "percent": -4}, EngineProgress(ExecutionStatus.RUNNING, 0)),
        ({"status": "running", "percent": None}, EngineProgress(ExecutionStatus.RUNNING, 0)),
        ({"status": "running", "percent": "1"}, EngineProgress(ExecutionStatus.RUNNING, 0)),
        ({"status": "running", "percent": 12.5}, EngineProgress(ExecutionStatus.RUNNING, 12)),
        ({"status": "completed", "error_code": "odd"}, EngineProgress(ExecutionStatus.COMPLETED)),
    ],
    ids=["no code", "bad code", "much", "negative", "null", "text", "fraction", "code of a success"],
)
def test_a_status_is_put_right(engine: ReferenceEngine, client: HttpEngine, answer: Any, progress: EngineProgress):
    engine.moods.append(JSONResponse(answer))
    assert client.poll(ORDER) == progress


NO_PAGE: dict[str, tuple[Any, str]] = {
    "no findings": ({}, "findings"),
    "findings that are no list": ({"findings": {}}, "findings"),
    "a cursor that is no text": ({"findings": [FINDING], "next_cursor": 1}, "next_cursor"),
    "a cursor that leads nowhere": ({"findings": [], "next_cursor": "1"}, "next_cursor"),
}


@pytest.mark.parametrize("page", NO_PAGE)
def test_a_page_that_is_none_is_final_and_the_reason_names_what_is_wrong(
    engine: ReferenceEngine, client: HttpEngine, page: str
):
    engine.moods.append(JSONResponse(NO_PAGE[page][0]))
    with pytest.raises(InvalidInput) as refusal:
        client.findings(ORDER)
    (problem,) = refusal.value.problems
    assert problem.code == "engine_bad_answer"
    assert NO_PAGE[page][1] in problem.message


def found_of(engine: ReferenceEngine, client: HttpEngine, *findings: Any) -> list[Finding]:
    engine.moods.append(JSONResponse({"findings": findings}))
    return list(client.findings(ORDER))


UNUSABLE: dict[str, tuple[Any, str]] = {
    "no object": ("x", "not an object"),
    "no check": ({**FINDING, "check_id": ""}, "check_id"),
    "no resource": ({name: FINDING[name] for name in FINDING if name != "resource"}, "resource"),
    "a resource that is no text": ({**FINDING, "resource": ["a"]}, "resource"),
    "no status": ({**FINDING, "status": None}, "status"),
    "an unknown status": ({**FINDING, "status": "kanarienvogel"}, "status"),
    "an unknown severity": ({**FINDING, "severity": "kanarienvogel"}, "severity"),
    "a severity that is a number": ({**FINDING, "severity": 7}, "severity"),
    "a message that is no text": ({**FINDING, "message": {"text": "kanarienvogel"}}, "message"),
}


@pytest.mark.parametrize("case", UNUSABLE)
def test_an_unusable_finding_is_an_error_that_names_it_and_the_others_are_kept(
    engine: ReferenceEngine, client: HttpEngine, case: str
):
    odd, field = UNUSABLE[case]
    first, error, last = found_of(engine, client, FINDING, odd, {**FINDING, "check_id": "c2"})
    assert (first.check_id, last.check_id) == ("c1", "c2")
    assert (error.check_id, error.status) == ("unusable-finding", CheckStatus.ERROR)
    assert "Finding 1 " in error.message
    assert field in error.message
    assert "kanarienvogel" not in repr(error)


def test_unusable_findings_are_counted_through_all_pages_and_none_passes_for_another(engine: ReferenceEngine):
    engine.moods.extend(
        [JSONResponse({"findings": [FINDING, 1], "next_cursor": "2"}), JSONResponse({"findings": [FINDING, 1]})]
    )
    with connected(engine.url) as client:
        found = [finding for finding in client.findings(ORDER) if finding.status is CheckStatus.ERROR]
    assert [finding.message.split(",")[0] for finding in found] == [f"Finding {n} of the scan engine" for n in (1, 3)]
    assert len({finding_uid(finding, ORDER) for finding in found}) == 2


def test_what_may_be_left_out_may_be_null(engine: ReferenceEngine, client: HttpEngine):
    optional = ("title", "severity", "region", "service", "message", "remedy", "standards")
    nulls = FINDING | dict.fromkeys(optional)
    missing = {name: FINDING[name] for name in FINDING if name not in optional}
    for found in found_of(engine, client, nulls, missing):
        assert (found.title, found.message, found.region, found.service) == ("c1", "c1", "global", "unknown")
        assert (found.severity, found.remedy, found.standards) == (Severity.MEDIUM, "", ())


SAID = {
    CheckStatus.PASS: ("pass", "PASS", "PASSED", "Passed"),
    CheckStatus.FAIL: ("fail", "FAIL", "FAILED", "MUTED"),
    CheckStatus.ERROR: ("error", "MANUAL", "WARNING", "NOT_AVAILABLE", "Not applicable", "EXCEPTION", "UNKNOWN"),
    Severity.LOW: ("low", "LOW", "informational", "INFORMATIONAL", "NEGLIGIBLE"),
    Severity.MEDIUM: ("medium", "MEDIUM", "UNKNOWN"),
    Severity.HIGH: ("high", "HIGH"),
    Severity.CRITICAL: ("critical", "CRITICAL"),
}


def test_statuses_and_severities_of_prowler_trivy_and_security_hub_are_understood(
    engine: ReferenceEngine, client: HttpEngine
):
    for meant, words in SAID.items():
        field = "status" if isinstance(meant, CheckStatus) else "severity"
        found = found_of(engine, client, *({**FINDING, field: word} for word in words))
        assert [getattr(finding, field) for finding in found] == [meant] * len(words), meant


def test_what_the_engine_has_muted_is_still_a_failure_and_says_so(engine: ReferenceEngine, client: HttpEngine):
    short, long = found_of(
        engine, client, {**FINDING, "status": "MUTED"}, {**FINDING, "status": "muted", "message": "x" * 9_000}
    )
    assert (short.status, short.message) == (CheckStatus.FAIL, "Message. The engine has it muted.")
    assert len(long.message) <= 2_048
    assert long.message.endswith("… The engine has it muted.")


def test_texts_and_lists_that_are_too_long_are_cut_with_a_mark(engine: ReferenceEngine, client: HttpEngine):
    standards = [f"Standard {number} / 1" for number in range(300)]
    cut, other, prowlers = found_of(
        engine,
        client,
        {**FINDING, "message": "m" * 2_049, "remedy": "r" * 90_000, "resource": "a" * 5_000, "standards": standards},
        {**FINDING, "resource": "a" * 5_001},
        {**FINDING, "standards": standards[:208]},
    )
    for text in (cut.message, cut.remedy, cut.resource):
        assert len(text) == 2_048
        assert "…" in text[-20:]
    assert cut.resource != other.resource
    assert (len(cut.standards), cut.standards[-1]) == (256, "… and 45 more")
    assert prowlers.standards == tuple(standards[:208])


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("CIS", ("… left out, because they are not a list",)),
        (["CIS", "CIS", None, "PCI"], ("CIS", "PCI", "… and 1 more")),
        (["x" * 300], ("x" * 255 + "…",)),
    ],
    ids=["no list", "doubles and a null", "a long one"],
)
def test_standards_are_kept_as_far_as_they_can_be(
    engine: ReferenceEngine, client: HttpEngine, given: Any, kept: tuple[str, ...]
):
    (found,) = found_of(engine, client, {**FINDING, "standards": given})
    assert found.standards == kept


@given(
    st.recursive(
        st.none() | st.booleans() | st.floats() | st.text(max_size=20),
        lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from([*FINDING]), inner, max_size=10),
        max_leaves=20,
    )
)
def test_whatever_an_engine_says_is_a_finding_or_an_error_that_can_be_stored(odd: Any):
    findings, cursor = page_of({"findings": [odd, FINDING]}, first=0, account_number="222222222222")
    assert (len(findings), findings[1].check_id, cursor) == (2, "c1", None)
    events, known = tell(findings, ORDER, {}, at="2026-11-25T13:00:00.250Z")
    assert len(json.loads(json.dumps(events))) == 2
    assert loads(json.loads(json.dumps(dumps(known)))) == known


def test_halves_of_characters_can_be_stored(engine: ReferenceEngine, client: HttpEngine):
    body = json.dumps({"findings": [{**FINDING, "resource": "\ud800x", "message": "\udfff"}]})
    engine.moods.append(Response(body))
    (found,) = client.findings(ORDER)
    assert (found.resource, found.message) == ("?x", "?")
    assert finding_uid(found, ORDER)


def test_an_engine_that_repeats_itself_for_ever_is_stopped_by_the_limit(engine: ReferenceEngine):
    engine.moods.extend([JSONResponse({"findings": [FINDING] * 10, "next_cursor": "1"}) for _ in range(5)])
    with connected(engine.url, max_findings=20) as client:
        assert len(client.findings(ORDER)) == 21


def test_an_answer_that_is_too_large_is_final(engine: ReferenceEngine):
    engine.moods.append(JSONResponse({"status": "running", "more": "x" * 1_000}))
    with connected(engine.url, max_bytes=1_000) as client, pytest.raises(InvalidInput, match="larger than 1000 bytes"):
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
