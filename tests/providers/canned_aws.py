"""A server that answers as AWS would on the wire, with the answers that a test puts into it.

The real boto3 sends, signs and parses; only the cloud's mood is made up. Without an answer of the test's own every
call succeeds, and AssumeRole insists on the right external id.
"""

import json
import re
import socket
import ssl
import threading
from collections import defaultdict, deque
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Literal
from urllib.parse import parse_qs, urlsplit

import boto3.session

from providers.aws.permissions import CHANGING
from providers.aws.provider import AwsProvider, PlatformAws
from tests.patience import PATIENCE_SECONDS
from tests.providers.aws_accounts import (
    EXTERNAL_ID,
    PLATFORM_ACCOUNT,
    PLATFORM_ROLE,
    REGION,
    key_credential,
    role_credential,
)

ACCOUNT = "222222222222"
PLATFORM_KEY_ID = "ASIAPLATFORMPLATFORM"
ROLE_KEY_ID = "ASIAROLEROLEROLEROLE"
ROLE_ARN = f"arn:aws:iam::{ACCOUNT}:role/some/path/ThreatEngineReadOnly"
USER_ARN = f"arn:aws:iam::{ACCOUNT}:user/scanner"

CALLERS = {
    PLATFORM_KEY_ID: f"arn:aws:sts::{PLATFORM_ACCOUNT}:assumed-role/{PLATFORM_ROLE}/worker",
    ROLE_KEY_ID: f"arn:aws:sts::{ACCOUNT}:assumed-role/ThreatEngineReadOnly/te-validation",
}

REGIONAL = ("DescribeRegions", "DescribeSecurityGroups", "DescribeTrails", "ListBuckets")

ROLE = role_credential(ROLE_ARN)
KEY = key_credential("AKIACUSTOMERCUSTOMER", "s" * 40)


@dataclass(frozen=True)
class Answer:
    status: int = 200
    body: str = "<Fine/>"
    headers: Mapping[str, str] = field(default_factory=dict)
    delay: threading.Event | None = None
    """Answer only when it is set."""
    drop: Literal["never", "at once", "halfway"] = "never"
    """When to close the connection without finishing."""


@dataclass(frozen=True)
class Request:
    action: str
    key_id: str
    """Of the credential that signed."""
    parameters: Mapping[str, str]
    region: str = ""
    """That the request was signed for."""


def error(code: str, status: int, *, message: str = "Details that no one may depend on.", **headers: str) -> Answer:
    body = f"<ErrorResponse><Error><Code>{code}</Code><Message>{message}</Message></Error></ErrorResponse>"
    return Answer(status, body, {name.replace("_", "-"): value for name, value in headers.items()})


def json_error(code: str, status: int) -> Answer:
    """As the services answer that speak JSON, CloudTrail among them."""
    return Answer(status, json.dumps({"__type": f"com.amazonaws.cloudtrail#{code}"}))


def result(action: str, content: str) -> Answer:
    return Answer(200, f"<{action}Response><{action}Result>{content}</{action}Result></{action}Response>")


class CannedAws:
    """The answers to give, by action, one a call, and the requests that came."""

    def __init__(self) -> None:
        self.url = ""
        self.answers: dict[str, deque[Answer]] = defaultdict(deque)
        self.requests: list[Request] = []
        self.callers = dict(CALLERS)
        self.open_regions: Callable[[str], bool] = lambda region: True
        """Where an organisation lets its accounts call services that each region has one of."""
        self.closed_with = "UnauthorizedOperation"

    def will_answer(self, action: str, *answers: Answer) -> None:
        self.answers[action].extend(answers)

    def forget(self) -> None:
        """Start a test afresh."""
        self.answers.clear()
        self.requests.clear()
        self.callers = dict(CALLERS)
        self.open_regions, self.closed_with = lambda region: True, "UnauthorizedOperation"

    def actions(self) -> list[str]:
        return [request.action for request in self.requests]

    def answer(self, request: Request) -> Answer:
        self.requests.append(request)
        if self.answers[request.action]:
            return self.answers[request.action].popleft()
        if request.action in REGIONAL and not self.open_regions(request.region):
            return (
                json_error(self.closed_with, 403)
                if request.action == "DescribeTrails"
                else error(self.closed_with, 403)
            )
        match request.action:
            case "AssumeRole":
                right = request.parameters.get("ExternalId") == EXTERNAL_ID
                return self.assumed() if right else error("AccessDenied", 403)
            case "GetCallerIdentity":
                return result("GetCallerIdentity", f"<Arn>{self.callers.get(request.key_id, USER_ARN)}</Arn>")
            case "SimulatePrincipalPolicy":
                return simulation(
                    {name: "implicitDeny" if name in CHANGING else "allowed" for name in action_names(request)}
                )
            case "DescribeTrails":
                return Answer(200, json.dumps({"trailList": []}))
            case action if "Action" in request.parameters:
                return result(action, "")
            case _:
                return Answer()

    def assumed(self) -> Answer:
        """A session of the customer's role."""
        keys = f"<AccessKeyId>{ROLE_KEY_ID}</AccessKeyId><SecretAccessKey>s</SecretAccessKey>"
        token = "<SessionToken>t</SessionToken><Expiration>2100-01-01T00:00:00Z</Expiration>"
        return result("AssumeRole", f"<Credentials>{keys}{token}</Credentials>")


def action_names(request: Request) -> list[str]:
    return [value for name, value in request.parameters.items() if name.startswith("ActionNames.member.")]


def simulation(decisions: Mapping[str, str], *, marker: str = "") -> Answer:
    members = "".join(
        f"<member><EvalActionName>{action}</EvalActionName><EvalDecision>{decision}</EvalDecision></member>"
        for action, decision in decisions.items()
    )
    more = f"<IsTruncated>true</IsTruncated><Marker>{marker}</Marker>" if marker else ""
    return result("SimulatePrincipalPolicy", f"<EvaluationResults>{members}</EvaluationResults>{more}")


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True  # or each answer waits 40 ms for an acknowledgement
    aws: CannedAws

    def do_GET(self) -> None:
        self._serve()

    def do_POST(self) -> None:
        self._serve()

    def _serve(self) -> None:
        answer = self.aws.answer(self._request())
        if answer.delay:
            answer.delay.wait(PATIENCE_SECONDS)
        if answer.drop == "at once":
            self.connection.shutdown(socket.SHUT_RDWR)
            self.close_connection = True
        else:
            self._send(answer)

    def _send(self, answer: Answer) -> None:
        content = answer.body.encode(errors="surrogateescape")
        self.close_connection = answer.drop == "halfway"
        length = len(content) * (2 if answer.drop == "halfway" else 1)
        headers = {"Date": self.date_time_string(), "Content-Length": str(length)} | dict(answer.headers)
        self.send_response_only(answer.status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(content)

    def _request(self) -> Request:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0)).decode()
        target = self.headers.get("X-Amz-Target", "")
        query = parse_qs(body if not target else "") | parse_qs(urlsplit(self.path).query)
        parameters = {name: values[0] for name, values in query.items()}
        action = parameters.get("Action") or target.rpartition(".")[2] or parameters.get("x-id") or "ListBuckets"
        signed = re.search(r"Credential=([^/]*)/[0-9]*/([^/]*)/", self.headers.get("Authorization", ""))
        return Request(action, *((signed[1], parameters, signed[2]) if signed else ("", parameters)))

    def log_message(self, format: str, *args: object) -> None:
        """Tests are quiet."""


@contextmanager
def running_canned_aws(certificate: str | None = None) -> Iterator[CannedAws]:
    """`certificate` is a PEM file with its key, for a server that speaks TLS."""
    aws = CannedAws()
    server = ThreadingHTTPServer(("127.0.0.1", 0), type("BoundHandler", (Handler,), {"aws": aws}))
    if certificate:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate)
        server.socket = context.wrap_socket(server.socket, server_side=True)
    aws.url = f"{'https' if certificate else 'http'}://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield aws
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def canned_provider(url: str, *, region: str = REGION, read_seconds: float = 10) -> AwsProvider:
    platform = PlatformAws(PLATFORM_ACCOUNT, PLATFORM_ROLE, region, url, read_seconds=read_seconds)
    own = boto3.session.Session(aws_access_key_id=PLATFORM_KEY_ID, aws_secret_access_key="p" * 40)
    return AwsProvider(platform, own=own)
