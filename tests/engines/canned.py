"""boto3 clients that answer with what a test puts into them. botocore checks each answer against AWS's own description
of it, so that no test can make up a field; only the wire is left out."""

from collections.abc import Callable
from copy import deepcopy
from typing import Any, cast

import boto3.session
from botocore import xform_name
from botocore.awsrequest import AWSResponse
from botocore.compat import HTTPHeaders
from botocore.exceptions import ConnectTimeoutError
from botocore.validate import ParamValidator

from domain.scans.scan import CheckStatus, Finding
from domain.schedules.schedule import ScanScope
from engines.aws.calls import CALLS
from engines.aws.reader import AwsAccount, AwsReader, Limits
from engines.aws.scan import Scan
from engines.checks import Check

HOME = "eu-west-1"
ACCOUNT = AwsAccount("222222222222", "aws")

ACCESS_DENIED = "AccessDenied"
NO_ANSWER = "no answer"

Answers = dict[str, Any]
"""By permission: what AWS returns, an error's code, or a function of the call's arguments that says either."""

PERMISSIONS = {(call.service, call.operation): permission for permission, call in CALLS.items()}
REGIONS: Answers = {"ec2:DescribeRegions": {"Regions": [{"RegionName": HOME}, {"RegionName": "us-east-1"}]}}


class CannedClients:
    """The `Clients` of a reader. The clients live as long as it does, because making one is slow."""

    def __init__(self) -> None:
        self.answers: Answers = {}
        self.asked: list[tuple[str, str]] = []
        """The calls that came: permission and region."""
        self.closed: list[str] = []
        self._session = boto3.session.Session(aws_access_key_id="AKIA", aws_secret_access_key="s")
        self._clients: dict[tuple[str, str], Any] = {}

    def client(self, service: str, region: str) -> Any:
        if (service, region) not in self._clients:
            client: Any = self._session.client(cast(Any, service), region_name=region)
            client.meta.events.register("before-parameter-build", _keep_arguments)
            client.meta.events.register("before-call", lambda **call: self._answer(service, region, **call))
            self._clients[service, region] = client
        return self._clients[service, region]

    def close(self, region: str) -> None:
        self.closed.append(region)

    def close_all(self) -> None:
        for client in self._clients.values():
            client.close()

    def _answer(self, service: str, region: str, *, model: Any, context: Any, **_: Any) -> tuple[AWSResponse, Any]:
        permission = PERMISSIONS[service, xform_name(model.name)]
        self.asked.append((permission, region))
        answer = self.answers[permission]
        given = answer(**context["arguments"]) if callable(answer) else answer
        if given == NO_ANSWER:
            raise ConnectTimeoutError(endpoint_url=service)
        if isinstance(given, str):
            return _response(403, Error={"Code": given, "Message": "Details that no one may depend on."})
        report = ParamValidator().validate(given, model.output_shape)
        assert not report.has_errors(), report.generate_report()
        return _response(200, **deepcopy(given))  # botocore changes what it decodes


def _keep_arguments(params: dict[str, Any], context: dict[str, Any], **_: Any) -> None:
    context["arguments"] = params


def _response(status: int, **content: Any) -> tuple[AWSResponse, dict[str, Any]]:
    metadata = {"HTTPStatusCode": status, "HTTPHeaders": {}, "RetryAttempts": 0}
    return AWSResponse("", status, HTTPHeaders(), None), {"ResponseMetadata": metadata, **content}


class Run:
    """One scan over canned answers."""

    def __init__(
        self,
        clients: CannedClients,
        answers: Answers,
        *checks: Check,
        scope: ScanScope | None = None,
        limits: Limits | None = None,
        alive: Callable[[int], None] = lambda percent: None,
        clock: Callable[[], float] = lambda: 0.0,
    ) -> None:
        clients.answers, clients.asked, clients.closed = {**REGIONS, **answers}, [], []
        self.pauses: list[float] = []
        named = scope or ScanScope(regions=(HOME,))
        scan = Scan(checks, named, home=HOME, known={HOME, "us-east-1"}, alive=alive)
        reader = AwsReader(clients, ACCOUNT, alive=scan.beat, limits=limits, clock=clock, pause=self.pauses.append)
        self.findings: list[Finding] = scan.run(reader)
        self.asked = [permission for permission, _ in clients.asked if permission not in REGIONS]

    @property
    def statuses(self) -> list[CheckStatus]:
        return [finding.status for finding in self.findings]

    @property
    def errors(self) -> str:
        return " ".join(finding.message for finding in self.findings if finding.status is CheckStatus.ERROR)
