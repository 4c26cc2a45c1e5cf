"""What the doctor finds out about the roles of our processes, on the emulator that works policies out."""

import re
from pathlib import Path

import pytest

from commands.doctor import command
from commands.doctor.finding import Finding, Level
from config import Settings
from deploy.ministack.policies import as_ministack_judges
from deploy.ministack.roles import POLICY
from emulators.ministack import REGION
from local.identities import API_ROLE, WORKER_ROLE, AwsAccount, make_process_identities, policy
from tests.commands.conftest import acting_as_root, make_keys, numbers, of

pytestmark = pytest.mark.stack

WORKER, API = f"role {WORKER_ROLE} of the worker", f"role {API_ROLE} of the API"


@pytest.fixture
def account(ministack_url: str, tmp_path: Path) -> AwsAccount:
    """A fresh one, with keys and roles and nothing else."""
    account = AwsAccount(str(next(numbers)), ministack_url, "secret")
    make_keys(account.session.client("kms", endpoint_url=ministack_url), settings_of(account))
    make_process_identities(account, tmp_path / "profiles")
    return account


def settings_of(account: AwsAccount, **changes: str) -> Settings:
    values = {"platform_aws_account_id": account.number, "aws_endpoint_url": account.endpoint, **changes}
    return Settings.model_validate(values)


def examine(account: AwsAccount, **settings: str) -> list[Finding]:
    with acting_as_root(account.number):
        return list(command.in_aws(settings_of(account, **settings), api_role=API_ROLE))


def give(account: AwsAccount, role: str, document: str) -> None:
    iam = account.session.client("iam", endpoint_url=account.endpoint)
    iam.put_role_policy(RoleName=role, PolicyName=POLICY, PolicyDocument=document)


def denied(findings: list[Finding], thing: str) -> list[str]:
    """What the role of that process may not do, without the numbers of keys."""
    found = [finding for finding in findings if finding.thing == thing and finding.level is Level.FAIL]
    return [re.sub("key/[0-9a-f-]+", "key/…", finding.found) for finding in found]


def test_the_roles_of_the_embedded_stack_have_what_they_need_and_no_more(account: AwsAccount):
    findings = examine(account)
    assert (denied(findings, WORKER), denied(findings, API)) == ([], [])


def test_what_hangs_on_conditions_is_unknown_where_conditions_are_not_simulated(account: AwsAccount):
    findings = examine(account)
    for thing, hanging in ((WORKER, "dynamodb:PutItem"), (API, "dynamodb:PutItem")):
        assert of(findings, thing).level is Level.UNKNOWN
        assert hanging in of(findings, thing).found


@pytest.mark.parametrize(
    ("role", "process", "action", "resource"),
    [
        (WORKER_ROLE, "worker", "secretsmanager:PutSecretValue", "secretsmanager:{}:secret:threat-engine/account/"),
        (API_ROLE, "api", "dynamodb:Scan", "dynamodb:{}:table/threat-engine-tenants"),
    ],
    ids=["worker", "API"],
)
def test_a_permission_that_is_missing_is_named(account: AwsAccount, role, process, action, resource):
    document = as_ministack_judges(process, account.number, REGION)
    give(account, role, document.replace(action, "s3:ListAllMyBuckets"))
    named = f"may not {action} on arn:aws:{resource.format(f'{REGION}:{account.number}')}"
    found = denied(examine(account), WORKER if role == WORKER_ROLE else API)
    assert [text for text in found if text.startswith(named)]


def test_an_api_that_could_read_a_credential_fails(account: AwsAccount):
    give(account, API_ROLE, policy([{"Action": "*", "Resource": "*"}]))
    found = [finding for finding in examine(account) if finding.thing == API]
    assert {finding.level for finding in found} == {Level.FAIL}
    assert [f.found.split(" on ")[0] for f in found] == [
        "may kms:Sign",
        *["may secretsmanager:GetSecretValue"] * 2,
    ]


def test_a_role_that_is_not_there_fails(account: AwsAccount):
    assert of(examine(account, platform_role_name="nobody"), "role nobody of the worker").level is Level.FAIL


def test_what_may_not_be_looked_at_is_unknown_and_says_as_whom_to_look(
    account: AwsAccount, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
):
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "profiles"))
    monkeypatch.setenv("AWS_PROFILE", "worker")
    monkeypatch.setenv("AWS_ENDPOINT_URL", account.endpoint)
    findings = list(command.in_aws(settings_of(account)))
    assert f":assumed-role/{WORKER_ROLE}/" in of(findings, "caller").found
    for thing in ("table threat-engine-tenants", WORKER):
        assert of(findings, thing).level is Level.UNKNOWN
        assert of(findings, thing).remedy
