"""The emulated AWS judges by the published policies: what differs is listed, and nothing else differs."""

from collections.abc import Iterator

import pytest

from deploy.ministack.policies import ADJUSTMENTS, adjusted, published
from deploy.ministack.roles import ROLES
from tests.deploy.policies import ACCOUNT, REGION, Statement, document, listed
from tests.pages import ROOT, rows, section

each_process = pytest.mark.parametrize("process", list(ROLES))


def pairs(process: str) -> Iterator[tuple[Statement, Statement]]:
    """Each statement as it is published and as the emulator gets it."""
    before = document(f"iam/{process}.json")
    yield from zip(before["Statement"], adjusted(before)["Statement"], strict=True)


def conditions(statement: Statement) -> dict[tuple[str, str], object]:
    return {
        (operator, key): wanted
        for operator, keys in statement.get("Condition", {}).items()
        for key, wanted in keys.items()
    }


def through_another_service(statement: Statement) -> bool:
    return ("StringEquals", "kms:ViaService") in conditions(statement)


def test_every_policy_of_a_role_has_a_role():
    files = {file.stem for file in (ROOT / "deploy/iam").glob("*.json")}
    assert set(ROLES) == {name for name in files if not name.startswith("trust-")}


@each_process
def test_the_actions_and_the_effect_of_every_statement_are_those_that_are_published(process: str):
    for before, after in pairs(process):
        assert [after[name] for name in ("Sid", "Effect", "Action")] == [
            before[name] for name in ("Sid", "Effect", "Action")
        ]
        assert set(after) <= set(before)


@each_process
def test_only_conditions_of_kms_are_left_out(process: str):
    for before, after in pairs(process):
        judged = {
            (operator, key): wanted
            for (operator, key), wanted in conditions(before).items()
            if not key.startswith("kms:") or through_another_service(before)
        }
        assert conditions(after) == judged
        assert after.get("Condition") != {}


@each_process
def test_only_aliases_of_the_keys_that_are_meant_are_added(process: str):
    for before, after in pairs(process):
        if before["Action"] == "kms:CreateAlias":
            assert after["Resource"] == "*"
            continue
        [key] = {f"arn:aws:kms:{REGION}:{ACCOUNT}:key/*"}
        named = conditions(before).get(("ForAnyValue:StringEquals", "kms:ResourceAliases"), "alias/*")
        meant = key in listed(before["Resource"]) and not through_another_service(before)
        aliases = [f"arn:aws:kms:{REGION}:{ACCOUNT}:{named}"] if meant else []
        assert listed(after["Resource"]) == [*listed(before["Resource"]), *aliases]


@each_process
def test_what_goes_through_another_service_is_not_touched(process: str):
    for before, after in pairs(process):
        if through_another_service(before):
            assert after == before


def test_each_kind_of_difference_occurs():
    for adjustment in ADJUSTMENTS:
        policies = [document(f"iam/{process}.json") for process in ROLES]
        assert any(adjusted(policy, [adjustment]) != policy for policy in policies), adjustment.difference


def test_another_account_and_region_are_filled_in():
    text = str(published("api", "999988887777", "eu-west-1"))
    assert ACCOUNT not in text
    assert REGION not in text
    assert published("api", ACCOUNT, REGION) == document("iam/api.json")


def test_the_page_lists_the_differences_and_why():
    page = (ROOT / "docs/AWS_ARCHITECTURE.md").read_text()
    told = rows(section(page, "### In the emulated AWS"))
    assert [tuple(row) for row in told] == [(row.difference, row.reason) for row in ADJUSTMENTS]


def test_a_developers_environment_changes_no_policy(monkeypatch: pytest.MonkeyPatch):
    before = published("worker", "111122223333", "ap-south-1")
    monkeypatch.setenv("SECRETS_MANAGER_PREFIX", "another")
    monkeypatch.setenv("WORKER_CONCURRENCY", "many")
    assert published("worker", "111122223333", "ap-south-1") == before
