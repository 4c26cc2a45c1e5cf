"""Each session in a customer's AWS account is asked for with a policy and with our external id: seen by an STS that
only remembers."""

import json
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any, cast

import pytest
from botocore.exceptions import ClientError
from botocore.loaders import Loader

from domain.errors import CredentialRefused, InvalidInput, PlatformConfig
from domain.onboarding.credentials import Credential
from engines.aws.baseline import AwsBaseline
from engines.aws.calls import CALLS
from engines.aws.scoped_session import AwsNarrower
from engines.aws.session import AwsSessions
from providers.aws.permissions import PERMISSIONS, PROBES, SIMULATE, session_policy
from providers.aws.provider import Access, PlatformAws

PLATFORM = PlatformAws("999999999999", "te-worker", "eu-central-1")
ROLE = Credential("aws_iam_role", {"role_arn": "arn:aws:iam::111122223333:role/TeScan"})
KEY = Credential("aws_access_key", {"access_key_id": "AKIA", "secret_access_key": "s"})
OTHER = Credential("gcp_service_account", {})
ENDS = datetime(2026, 12, 1, 13, tzinfo=UTC)
SESSION = {
    "access_key_id": "ASIA",
    "secret_access_key": "its secret",
    "session_token": "t",
    "expires_at": "2026-12-01T13:00:00.000Z",
}
ANSWER = {
    "Credentials": {
        "AccessKeyId": "ASIA",
        "SecretAccessKey": "its secret",
        "SessionToken": "t",
        "Expiration": ENDS,
    }
}


class Sts:
    """Remembers what it is asked; a call whose code is in `denies` is refused."""

    def __init__(self, arn: str = "arn:aws:sts::999999999999:assumed-role/te-worker/1", **denies: str) -> None:
        self.arn = arn
        self.denies = denies
        self.asked: list[tuple[str, dict[str, Any]]] = []
        self.meta = SimpleNamespace(events=SimpleNamespace(register=lambda *_, **__: None))

    def assume_role(self, **request: Any) -> Any:
        return self._answer("assume_role", request, ANSWER)

    def get_federation_token(self, **request: Any) -> Any:
        return self._answer("get_federation_token", request, ANSWER)

    def get_session_token(self, **request: Any) -> Any:
        return self._answer("get_session_token", request, ANSWER)

    def get_caller_identity(self, **request: Any) -> Any:
        return self._answer("get_caller_identity", request, {"Arn": self.arn})

    def _answer(self, name: str, request: dict[str, Any], answer: Any) -> Any:
        self.asked.append((name, request))
        if name in self.denies:
            metadata: Any = {"HTTPStatusCode": 403, "HTTPHeaders": {}}
            raise ClientError({"Error": {"Code": self.denies[name]}, "ResponseMetadata": metadata}, name)
        return answer


class Begun(BaseException):
    """A scan has asked for more than whose account it is in. No check may catch that."""


class Sessions(AwsSessions):
    """Of an STS that remembers, for the platform's calls and for the customer's."""

    def __init__(self, sts: Sts) -> None:
        self.partition, self.region, self.regions = "aws", "eu-central-1", frozenset({"eu-central-1"})
        self.opened: list[Credential] = []
        self.sts, known = sts, cast(Any, sts)
        self._platform, self._models, self._sts = PLATFORM, Loader(), known

    @contextmanager
    def open(self, key: Credential) -> Iterator[Any]:
        self.opened.append(key)
        yield SimpleNamespace(client=self._client, caller=lambda region: self.sts.arn)

    def _client(self, service: str, region: str) -> Sts:
        if (service, region) != ("sts", "eu-central-1"):
            raise Begun
        return self.sts


def narrowed(sts: Sts, credential: Credential, execution_id: str = "e-1") -> Credential:
    narrower = AwsNarrower(Sessions(sts), ["ec2:DescribeHosts"])
    return narrower.narrow(credential, external_id="te-ours", execution_id=execution_id)


def test_a_session_policy_is_what_we_publish_but_for_data_and_what_the_operator_adds_once():
    policy = json.loads(session_policy(["ec2:DescribeHosts", "ec2:DescribeHosts", "ec2:DescribeRegions"]))
    [statement] = policy["Statement"]
    assert (policy["Version"], statement["Effect"], statement["Resource"]) == ("2012-10-17", "Allow", "*")
    published = [permission.name for permission in PERMISSIONS]
    assert set(statement["Action"]) < {*published, "ec2:DescribeHosts"}
    assert len(set(statement["Action"])) == len(statement["Action"])
    assert statement["Action"][-1] == "ec2:DescribeHosts"
    assert not any(action.endswith((":GetObject", "*")) for action in statement["Action"])
    assert " " not in session_policy()
    assert len(session_policy()) <= 2048


def test_a_validation_assumes_with_the_policy_of_validations_and_with_the_external_id_it_is_given():
    for external_id in ("te-ours", None):
        sts = Sts()
        with ExitStack() as opened:
            access = Access(PLATFORM, "aws", sts, Loader(), opened)
            access.assume("arn:aws:iam::111122223333:role/R", external_id=external_id, session_name="te-validation")
        [(name, request)] = sts.asked
        policy = json.loads(request.pop("Policy"))
        assert name == "assume_role"
        assert policy["Statement"] == [{"Effect": "Allow", "Action": [SIMULATE, *PROBES], "Resource": "*"}]
        given = {} if external_id is None else {"ExternalId": external_id}
        assert request == {
            "RoleArn": "arn:aws:iam::111122223333:role/R",
            "RoleSessionName": "te-validation",
            "DurationSeconds": 900,
            **given,
        }


@pytest.mark.parametrize(
    ("arn", "ours"),
    [
        ("arn:aws:sts::999999999999:assumed-role/te-worker/1", True),
        ("arn:aws:sts::111111111111:assumed-role/te-worker/1", False),
        ("arn:aws:sts::999999999999:assumed-role/te-other/te-worker", False),
        ("arn:aws:iam::999999999999:user/te-worker", False),
    ],
)
def test_only_the_role_that_customers_trust_tells_them_that_their_role_is_at_fault(arn: str, ours: bool):
    with ExitStack() as opened:
        access = Access(PLATFORM, "aws", Sts(arn), Loader(), opened)
        if ours:
            access.check_own_role()
        else:
            with pytest.raises(PlatformConfig):
                access.check_own_role()
    sts = Sts(arn, assume_role="AccessDenied")
    with pytest.raises(CredentialRefused if ours else PlatformConfig):
        narrowed(sts, ROLE)


def test_a_role_for_an_engine_elsewhere_is_narrowed():
    sts = Sts()
    session = narrowed(sts, ROLE, execution_id="e/1é" + "x" * 80)
    assert (session.credential_type, session.reveal_all()) == ("aws_session", SESSION)
    assert sts.asked == [
        (
            "assume_role",
            {
                "RoleArn": ROLE.reveal("role_arn"),
                "RoleSessionName": ("te-scan-e-1-" + "x" * 80)[:64],
                "ExternalId": "te-ours",
                "DurationSeconds": 3600,
                "Policy": session_policy(["ec2:DescribeHosts"]),
            },
        )
    ]


def test_a_key_for_an_engine_elsewhere_becomes_a_narrowed_session():
    sts = Sts()
    execution = "3f2b1c64-9f0e-4a42-8a6b-0d3b5c7d9e1f"
    assert narrowed(sts, KEY, execution).reveal_all() == SESSION
    policy = session_policy(["ec2:DescribeHosts"])
    name = f"te-{execution.replace('-', '')}"[:32]
    assert sts.asked == [("get_federation_token", {"Name": name, "DurationSeconds": 3600, "Policy": policy})]


def test_a_key_that_may_not_federate_becomes_a_session_as_short_lived():
    sts = Sts(get_federation_token="AccessDenied")
    assert narrowed(sts, KEY).reveal_all() == SESSION
    assert sts.asked[1:] == [("get_session_token", {"DurationSeconds": 3600})]


@pytest.mark.parametrize("call", ["get_federation_token", "get_session_token"])
def test_a_key_that_aws_refuses_is_said_to_be_at_fault(call: str):
    denied = {"get_federation_token": "AccessDenied", call: "InvalidClientTokenId"}
    with pytest.raises(CredentialRefused) as refused:
        narrowed(Sts(**denied), KEY)
    assert [(problem.code, problem.step) for problem in refused.value.problems] == [("unknown_key", "identify")]


def scanned(sessions: Sessions, credential: Credential, number: str = "111122223333") -> None:
    order: Any = SimpleNamespace(
        execution_id="e-1", account_number=number, scope=SimpleNamespace(regions=(), services=(), exclude_services=())
    )
    AwsBaseline(sessions).scan(order, credential, external_id="te-ours", max_seconds=1, alive=lambda _: None)


def test_our_own_scan_assumes_with_the_policy_of_its_calls():
    sts = Sts("arn:aws:sts::999999999999:assumed-role/R/1")
    sessions = Sessions(sts)
    with pytest.raises(CredentialRefused) as refused:
        scanned(sessions, ROLE)
    assert [problem.code for problem in refused.value.problems] == ["account_changed"]
    [(_, request)] = sts.asked
    assert json.loads(request["Policy"])["Statement"] == [{"Effect": "Allow", "Action": list(CALLS), "Resource": "*"}]
    assert (request["ExternalId"], request["RoleSessionName"]) == ("te-ours", "te-scan-e-1")
    assert [key.reveal_all() for key in sessions.opened] == [SESSION]


def test_our_own_scan_uses_a_key_as_it_is():
    sessions = Sessions(Sts())
    with pytest.raises(CredentialRefused):
        scanned(sessions, KEY)
    assert sessions.opened == [KEY]


def test_our_own_scan_goes_on_in_the_account_that_was_onboarded():
    with pytest.raises(Begun):
        scanned(Sessions(Sts()), KEY, number="999999999999")


def test_a_credential_of_another_cloud_makes_no_sense():
    with pytest.raises(InvalidInput):
        narrowed(Sts(), OTHER)
    sessions = Sessions(Sts())
    with pytest.raises(InvalidInput):
        scanned(sessions, OTHER)
    assert sessions.opened == []
