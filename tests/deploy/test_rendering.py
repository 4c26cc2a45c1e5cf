"""The policies in `deploy/` are what the code renders, for the example's account or for anybody's own."""

import json
from typing import Any

import pytest

from cli import main
from commands.policies.place import Place
from commands.policies.rendering import rendered
from config import Settings
from tests.deploy.policies import ACCOUNT
from tests.pages import ROOT

FOLDERS = ("iam", "kms", "cloudtrail")


def place(**settings: Any) -> Place:
    return Place(Settings.model_construct(**{"platform_aws_account_id": ACCOUNT, **settings}))


def test_the_files_of_the_release_are_what_is_rendered():
    """When this fails: PLATFORM_AWS_ACCOUNT_ID=111122223333 python cli.py policies --into deploy"""
    files = {
        file.relative_to(ROOT / "deploy").as_posix(): file.read_text()
        for folder in FOLDERS
        for file in (ROOT / "deploy" / folder).iterdir()
    }
    assert rendered(place()) == files


OTHERS = {
    "platform_aws_account_id": "999988887777",
    "aws_region": "cn-north-1",
    "platform_role_name": "our-worker",
    "secrets_manager_prefix": "our-secrets",
    "results_bucket": "our-results",
    "dynamodb_audit_events_table": "our-events",
    "audit_kms_key_id": "alias/our-audit",
    "digests_kms_key_id": "arn:aws-cn:kms:cn-north-1:999988887777:key/our-digests",
}
"""Each leaves nothing of the name that it replaces, except for what set-up makes under fixed names."""


def test_what_the_settings_name_otherwise_is_named_so_in_the_policies():
    text = "".join(text for name, text in rendered(place(**OTHERS)).items() if name != "iam/setup.json")
    for value in OTHERS.values():
        assert value in text
    for default in (ACCOUNT, "ap-south-1", "threat-engine-onboarding", "secret:threat-engine/", "arn:aws:"):
        assert default not in text
    for default in ("threat-engine-results-", "threat-engine-audit-events", "alias/threat-engine-audit"):
        assert default not in text


def test_the_command_writes_them_for_this_environment(
    tmp_path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    monkeypatch.setenv("PLATFORM_AWS_ACCOUNT_ID", "999988887777")
    with pytest.raises(SystemExit) as ended:
        main(["policies", "--into", str(tmp_path), "--api-role", "our-api"])
    assert ended.value.code == 0
    seals = json.loads((tmp_path / "kms/secrets.json").read_text())["Statement"][1]
    assert seals["Principal"] == {"AWS": "arn:aws:iam::999988887777:role/our-api"}
    template = json.loads((tmp_path / "customers/aws_role_template.json").read_text())
    assert template["Resources"]["ReadOnlyRole"]["Type"] == "AWS::IAM::Role"
    assert len(capsys.readouterr().out.splitlines()) == len(list(tmp_path.glob("*/*.json")))
