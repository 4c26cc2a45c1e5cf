"""`cli.py probe`: what an operator sees of a credential that is tried."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import pytest

from cli import main
from commands.probe import MAX_FILE_BYTES
from providers.aws.permissions import PERMISSIONS
from tests.commands.conftest import SECRET, numbers
from tests.providers.aws_accounts import EmulatedAccount, allow


class Shown(NamedTuple):
    exit_code: int
    out: str
    err: str


Probe = Callable[..., Shown]


@pytest.fixture
def account(ministack_url: str):
    found = EmulatedAccount(ministack_url, str(next(numbers)))
    yield found
    found.close()


@pytest.fixture
def probe(
    ministack_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Probe:
    monkeypatch.setenv("PLATFORM_AWS_ACCOUNT_ID", "111122223333")
    monkeypatch.setenv("CUSTOMER_AWS_ENDPOINT_URL", ministack_url)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "111122223333")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", SECRET)

    def run(content: object, *arguments: str) -> Shown:
        file = tmp_path / "credential.json"
        file.write_text(content if isinstance(content, str) else json.dumps(content))
        with pytest.raises(SystemExit) as ended:
            main(["probe", "--provider", "aws", "--credential-file", str(file), *arguments])
        assert isinstance(ended.value.code, int)
        return Shown(ended.value.code, *capsys.readouterr())

    return run


@pytest.mark.stack
def test_a_good_credential_passes_each_step(probe: Probe, account: EmulatedAccount):
    key_id, secret = account.access_key(allow(*(permission.name for permission in PERMISSIONS)))
    shown = probe({"access_key_id": key_id, "secret_access_key": secret}, "--method", "access_key")
    assert shown.exit_code == 0
    steps = [line.split()[:2] for line in shown.out.splitlines()[:5]]
    assert steps == [["passed", name] for name in ("shape", "identify", "trust", "ownership", "permissions")]
    assert f"of account {account.number}." in shown.out
    assert shown.out.endswith("An account with this credential would be active.\n")
    assert secret not in shown.out + shown.err


@pytest.mark.stack
def test_a_refused_one_says_what_to_do(probe: Probe, account: EmulatedAccount):
    key_id, secret = account.access_key(allow("s3:ListAllMyBuckets"))
    shown = probe({"access_key_id": key_id, "secret_access_key": secret}, "--method", "access_key")
    assert shown.exit_code == 1
    assert "Grant the permissions listed" in shown.out
    assert "- iam:GetAccountSummary" in shown.out
    assert shown.out.endswith("would be refused.\n")


@pytest.mark.stack
def test_the_account_can_be_named(probe: Probe, account: EmulatedAccount):
    key_id, secret = account.access_key(allow("s3:ListAllMyBuckets"))
    credential = {"access_key_id": key_id, "secret_access_key": secret}
    shown = probe(credential, "--method", "access_key", "--account-number", "999999999999")
    assert (shown.exit_code, "belongs to another AWS account" in shown.out) == (1, True)


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        ("{", "cannot be read, or is not JSON"),
        ("[" * 50_000, "cannot be read, or is not JSON"),
        ("[]", "must be one JSON object"),
        ('"' + "x" * MAX_FILE_BYTES + '"', f"at most {MAX_FILE_BYTES} bytes"),
        ({"role_arn": SECRET}, "role_arn has the wrong format"),
        ({}, "role_arn is missing"),
        ({"role_arn": "arn:aws:iam::222222222222:role/R", SECRET: "x"}, "1 unknown field in credentials"),
    ],
    ids=["broken", "deep", "a list", "large", "a wrong field", "no field", "a strange field"],
)
def test_a_file_that_is_no_credential_is_refused_without_its_content(probe: Probe, content: object, sentence: str):
    shown = probe(content)
    assert (shown.exit_code, shown.out) == (1, "")
    assert sentence in shown.err
    assert SECRET not in shown.err


def test_a_missing_file_and_an_unknown_method_are_named(probe: Probe, tmp_path: Path):
    assert "Use one of: iam_role, access_key." in probe({}, "--method", "password").err
    assert "cannot be read" in probe({}, "--credential-file", str(tmp_path / "nothing")).err


def test_a_cloud_that_does_not_answer_gives_no_verdict(probe: Probe, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("CUSTOMER_AWS_ENDPOINT_URL", "http://127.0.0.1:1")
    credential = {"access_key_id": "AKIA" + "A" * 16, "secret_access_key": "s" * 40}
    shown = probe(credential, "--method", "access_key")
    assert (shown.exit_code, shown.out) == (1, "")
    assert shown.err.startswith("There is no verdict: AWS does not answer properly at the moment;")
