"""What the doctor asks IAM about a role is what its policy allows, in requests that the policy lets pass."""

import pytest

from commands.doctor.iam_requirements import Need, needs
from commands.policies.place import Place, listed
from commands.policies.roles import role_policy
from config import Settings
from stores.kms.keys import ALIASES
from tests.deploy.policies import ACCOUNT, REGION, Request, Statement, allows

PLACE = Place(Settings.model_validate({"platform_aws_account_id": ACCOUNT}))
KEYS = {alias: f"arn:aws:kms:{REGION}:{ACCOUNT}:key/{number}" for number, alias in enumerate(ALIASES)}
each_process = pytest.mark.parametrize("process", ["worker", "api"])


def asked(process: str, *, forbidden: bool = False) -> list[Request]:
    return [
        request for need in needs(process, PLACE, KEYS) if need.forbidden is forbidden for request in requests(need)
    ]


def requests(need: Need) -> list[Request]:
    context = {name: value if isinstance(value, str) else list(value) for name, value in need.context.items()}
    return [Request(action, need.resource, context) for action in need.actions]


def statements(process: str) -> list[Statement]:
    return list(role_policy(process, PLACE)["Statement"])


@each_process
def test_everything_that_is_asked_is_allowed_by_the_release(process: str):
    policy = statements(process)
    assert [request for request in asked(process) if not allows(policy, request)] == []


@each_process
def test_every_action_on_every_resource_of_the_release_is_asked(process: str):
    unasked = [
        (statement["Sid"], action, resource)
        for statement in statements(process)
        for action in listed(statement["Action"])
        for resource in listed(statement["Resource"])
        if not any(
            allows([{**statement, "Action": action, "Resource": resource}], request) for request in asked(process)
        )
    ]
    assert unasked == []


def test_what_the_api_must_not_do_is_what_the_worker_alone_may():
    forbidden = asked("api", forbidden=True)
    assert {request.action for request in forbidden} == {"kms:Sign", "secretsmanager:GetSecretValue"}
    assert [request for request in forbidden if allows(statements("api"), request)] == []
    assert [request for request in forbidden if not allows(statements("worker"), request)] == []


def test_what_the_worker_must_not_do_is_to_remove_an_anchor_of_the_audit_trail():
    forbidden = asked("worker", forbidden=True)
    assert {request.action for request in forbidden} >= {"s3:DeleteObjectVersion", "s3:BypassGovernanceRetention"}
    assert [request for request in forbidden if allows(statements("worker"), request)] == []


def test_what_depends_on_a_key_is_left_out_while_the_key_is_not_there():
    assert not [a for need in needs("api", PLACE, {}) for a in need.actions if a.startswith("kms:")]


def test_a_key_that_is_named_by_its_id_is_asked_about():
    settings = Settings.model_validate({"platform_aws_account_id": ACCOUNT, "secrets_manager_kms_key_id": "some-key"})
    arn = f"arn:aws:kms:{REGION}:{ACCOUNT}:key/some-key"
    seals = [n for n in needs("api", Place(settings), {"some-key": arn}) if n.actions == ("kms:GenerateDataKey",)]
    assert {need.resource for need in seals} == {arn}
