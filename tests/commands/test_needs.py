"""What the doctor takes for needed, and what the policies of deploy/iam grant, are the same."""

import json
from collections.abc import Iterator
from fnmatch import fnmatchcase
from typing import Any, NamedTuple

import pytest

from commands.needs import Need, Place, Process, needs
from config import Settings
from local.stack import ROOT
from stores.results_bucket import RESULTS_KEY

SETTINGS = Settings.model_validate({"platform_aws_account_id": "111122223333"})
KEYS = {
    key_id: f"arn:aws:kms:ap-south-1:111122223333:key/{number}"
    for number, key_id in enumerate(
        (
            SETTINGS.secrets_manager_kms_key_id,
            SETTINGS.digests_kms_key_id,
            SETTINGS.identity_kms_key_id,
            RESULTS_KEY,
        )
    )
}
PROCESSES: tuple[Process, ...] = ("worker", "API")


class Grant(NamedTuple):
    action: str
    pattern: str
    condition_keys: frozenset[str]

    def meets(self, action: str, need: Need) -> bool:
        known = self.condition_keys <= set(need.context)
        return self.action == action and fnmatchcase(need.resource, self.pattern) and known


def grants(process: Process) -> list[Grant]:
    policy = json.loads((ROOT / f"deploy/iam/{process.lower()}.json").read_text())
    return [
        Grant(action, resource, frozenset(key for test in statement.get("Condition", {}).values() for key in test))
        for statement in policy["Statement"]
        for action in listed(statement["Action"])
        for resource in listed(statement["Resource"])
    ]


def listed(value: Any) -> list[str]:
    return [value] if isinstance(value, str) else value


def needed(process: Process, *, forbidden: bool = False) -> Iterator[tuple[str, Need]]:
    for need in needs(process, Place(SETTINGS, "aws", KEYS)):
        if need.forbidden is forbidden:
            yield from ((action, need) for action in need.actions)


@pytest.mark.parametrize("process", PROCESSES)
def test_all_that_is_needed_is_granted(process: Process):
    granted = grants(process)
    missing = [(a, need.resource) for a, need in needed(process) if not any(grant.meets(a, need) for grant in granted)]
    assert missing == []


@pytest.mark.parametrize("process", PROCESSES)
def test_all_that_is_granted_is_needed(process: Process):
    pairs = list(needed(process))
    assert [grant for grant in grants(process) if not any(grant.meets(*pair) for pair in pairs)] == []


@pytest.mark.parametrize("process", PROCESSES)
def test_nothing_is_granted_that_is_forbidden(process: Process):
    forbidden = list(needed(process, forbidden=True))
    assert [grant for grant in grants(process) if any(grant.meets(*pair) for pair in forbidden)] == []


def test_what_depends_on_a_key_is_left_out_while_the_key_is_not_there():
    actions = {action for need in needs("API", Place(SETTINGS, "aws", {})) for action in need.actions}
    assert [action for action in actions if action.startswith("kms:")] == []
