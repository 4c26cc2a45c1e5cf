"""Faults are planned by call and by chance, and reach every client as AWS and the network would make them."""

from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import botocore.session
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError, ConnectionClosedError, ReadTimeoutError
from botocore.loaders import Loader

from local.stack import CUSTOMER_NUMBER, PLATFORM_NUMBER
from providers.aws.provider import isolated_session
from tests.resilience.aws_errors import MANNERS
from tests.resilience.declared import COLUMNS, numbered, request, step
from tests.resilience.declared_calls import DECLARED
from tests.resilience.faults import Attempt, Call, Fault, FaultFolder, Plan, Side, at
from tests.resilience.faulty import FaultyAws

CALL = Call("worker", Side.OURS, "dynamodb.GetItem", 2)
OTHERS = [
    Call("api", Side.OURS, "dynamodb.GetItem", 2),
    Call("worker", Side.CUSTOMERS, "dynamodb.GetItem", 2),
    Call("worker", Side.OURS, "dynamodb.PutItem", 2),
    Call("worker", Side.OURS, "dynamodb.GetItem", 1),
]
OPERATIONS = {
    "dynamodb": "list_tables",
    "secrets-manager": "list_secrets",
    "kms": "list_keys",
    "cloudtrail": "describe_trails",
    "sts": "get_caller_identity",
    "iam": "list_users",
    "s3": "list_buckets",
    "ec2": "describe_regions",
}
NOBODY = "http://127.0.0.1:9"
MODELS = Loader()
"""AWS's descriptions of its services, read once."""


@pytest.fixture
def folder(tmp_path: Path) -> FaultFolder:
    return FaultFolder(tmp_path)


@pytest.fixture
def endpoint() -> Iterator[tuple[str, list[str]]]:
    """An AWS that answers everything with an empty document, and what it was asked."""
    asked: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"]))
            asked.append(self.path)
            self.send_response(200)
            self.send_header("Content-Length", "2")
            self.end_headers()
            self.wfile.write(b"{}")

        def log_message(self, format: str, *args: object) -> None:
            """Nothing."""

    server = HTTPServer(("127.0.0.1", 0), Handler)
    thread = Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}", asked
    server.shutdown()
    server.server_close()
    thread.join()


def client_of(
    folder: FaultFolder,
    service: str,
    *,
    session: botocore.session.Session | None = None,
    endpoint: str = NOBODY,
    tries: int = 1,
) -> Any:
    session = session or botocore.session.Session()
    session.register_component("data_loader", MODELS)
    FaultyAws("worker", folder).attach(session)
    session.set_credentials("testing", "testing")
    config = Config(retries={"mode": "standard", "total_max_attempts": tries})
    return session.create_client(service, region_name="ap-south-1", endpoint_url=endpoint, config=config)


def test_a_plan_fails_the_call_that_it_names_and_no_other():
    plan = at(CALL, Fault.CUT, attempts=2)
    assert [plan.fault_of(CALL, attempt) for attempt in (1, 2, 3)] == [Fault.CUT, Fault.CUT, None]
    assert [plan.fault_of(other, 1) for other in OTHERS] == [None] * 4


def test_a_plan_without_faults_fails_nothing():
    assert Plan().fault_of(CALL, 1) is None


def test_chance_is_the_seeds_and_keeps_to_the_rate():
    def faults(seed: int) -> list[Fault | None]:
        plan = Plan(tuple(Fault), rate=0.05, seed=seed)
        return [plan.fault_of(Call("worker", Side.OURS, "kms.Decrypt", number), 1) for number in range(4000)]

    assert faults(1) == faults(1)
    assert faults(1) != faults(2)
    assert 150 < sum(fault is not None for fault in faults(1)) < 250
    assert set(faults(1)) == {None, *Fault}


def test_a_plan_is_read_as_it_was_written_and_again_when_it_is_replaced(tmp_path: Path):
    driver, driven = FaultFolder(tmp_path), FaultFolder(tmp_path)
    for plan in (at(CALL, Fault.REPLY_LOST, attempts=1), Plan((Fault.CUT, Fault.TIMED_OUT), rate=0.5, seed=7)):
        driver.write(plan)
        assert driven.plan() == plan


def test_the_attempts_of_a_run_are_found_again(folder: FaultFolder):
    attempts = [Attempt("run", CALL, 1, Fault.THROTTLED), Attempt("run", CALL, 2, None)]
    for attempt in (*attempts, Attempt("other", CALL, 1, None)):
        folder.note(attempt)
    assert folder.attempts("run") == attempts


def test_calls_are_numbered_by_program_and_name():
    rows = [step("kms.Decrypt", "a"), request("kms.Decrypt", "b"), step("kms.Decrypt", "c")]
    assert {str(call): row.purpose for call, row in numbered(rows).items()} == {
        "worker: kms.Decrypt 1": "a",
        "api: kms.Decrypt 1": "b",
        "worker: kms.Decrypt 2": "c",
    }


def test_every_call_is_under_fire_somewhere():
    """What one journey leaves to another is declared there."""
    for rows in DECLARED.values():
        for row in rows.values():
            same = [other for found in DECLARED.values() for other in found.values() if other.name == row.name]
            assert any(other.declared(column) for other in same for column in COLUMNS), row


@pytest.mark.parametrize("service", sorted(MANNERS))
@pytest.mark.parametrize("fault", [Fault.THROTTLED, Fault.SERVER_ERROR], ids=str)
def test_a_service_refuses_in_its_own_words(folder: FaultFolder, service: str, fault: Fault):
    folder.write(Plan((fault,)))
    manner = MANNERS[service]
    expected = {
        Fault.THROTTLED: (manner.throttled, manner.throttled_status),
        Fault.SERVER_ERROR: (manner.failed, 500),
    }
    with pytest.raises(ClientError) as refused:
        getattr(client_of(folder, service.replace("-", "")), OPERATIONS[service])()
    response = refused.value.response
    assert (response["Error"]["Code"], response["ResponseMetadata"]["HTTPStatusCode"]) == expected[fault]


@pytest.mark.parametrize(
    ("fault", "error"), [(Fault.TIMED_OUT, ReadTimeoutError), (Fault.CUT, ConnectionClosedError)], ids=str
)
def test_a_request_that_does_not_come_through_has_no_answer(
    folder: FaultFolder, endpoint: tuple[str, list[str]], fault: Fault, error: type[Exception]
):
    url, asked = endpoint
    folder.write(Plan((fault,)))
    with pytest.raises(error):
        client_of(folder, "dynamodb", endpoint=url).list_tables()
    assert asked == []


def test_a_lost_reply_took_effect_and_the_sdk_asks_again(folder: FaultFolder, endpoint: tuple[str, list[str]]):
    url, asked = endpoint
    plan = folder.write(at(Call("worker", Side.OURS, "dynamodb.ListTables", 1), Fault.REPLY_LOST, attempts=1))
    client = client_of(folder, "dynamodb", endpoint=url, tries=2)
    client.list_tables()
    client.list_tables()
    assert len(asked) == 3
    seen = [(one.call.number, one.attempt, one.fault) for one in folder.attempts(plan.run)]
    assert seen == [(1, 1, Fault.REPLY_LOST), (1, 2, None), (2, 1, None)]


@pytest.mark.parametrize(
    ("role_account", "side"), [(PLATFORM_NUMBER, Side.OURS), (CUSTOMER_NUMBER, Side.CUSTOMERS)], ids=str
)
def test_a_role_is_assumed_on_the_side_that_it_belongs_to(folder: FaultFolder, role_account: str, side: Side):
    plan = folder.write(Plan((Fault.CUT,)))
    sts = client_of(folder, "sts")
    with pytest.raises(ConnectionClosedError):
        sts.assume_role(RoleArn=f"arn:aws:iam::{role_account}:role/any", RoleSessionName="any")
    assert [one.call.side for one in folder.attempts(plan.run)] == [side]


def test_an_isolated_session_is_the_customers(folder: FaultFolder):
    plan = folder.write(Plan((Fault.CUT,)))
    iam = client_of(folder, "iam", session=isolated_session(MODELS))
    with pytest.raises(ConnectionClosedError):
        iam.list_users()
    assert [one.call.side for one in folder.attempts(plan.run)] == [Side.CUSTOMERS]
