"""The commands of the pages about AWS, typed in as they stand there."""

import json
import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from commands.policies.place import Place
from commands.policies.rendering import rendered
from config import Settings
from emulators.ministack import running_ministack
from emulators.temporal import running_temporal
from local.identities import AwsAccount
from tests.deploy.aws_program import understood
from tests.deploy.composition import services
from tests.deploy.policies import ACCOUNT, document
from tests.pages import ROOT, blocks, rows, section, ticked

PAGES = ("how-to/run-on-aws", "AWS_SERVICES_SETUP")
STEPS = (
    "## 1. Fill in the policies",
    "## 2. Make the roles",
    "## 3. Make keys, tables, bucket, namespace and search attributes",
    "## 4. Give the keys their policies",
)
OURS = ("VPC", "ROUTES", "SUBNET", "GROUP", "TRAIL")
"""What the reader has and the page does not know."""

PYTHON = f'exec {sys.executable} {ROOT}/"$@"'
"""A `.venv/bin/python` for `cli.py` of the repository, in the folder of the page's reader."""
RENDERS = f'case "$2" in policies) {PYTHON};; esac'
"""One that does nothing else."""

Shell = Callable[..., subprocess.CompletedProcess[str]]


NOTES = "for word; do printf '%s\\0' \"$word\"; done >> calls; printf '\\n' >> calls; echo an-answer"
"""An `aws` that writes down its arguments."""


@pytest.fixture
def shell(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Shell:
    """Runs a text in a folder that looks like the repository's root."""
    for folder in ("deploy", "providers"):
        (tmp_path / folder).symlink_to(ROOT / folder)
    monkeypatch.chdir(tmp_path)

    def run(text: str, *, aws: str, python: str = "true", **environment: str) -> subprocess.CompletedProcess[str]:
        for name, program in {"bin/aws": aws, ".venv/bin/python": python}.items():
            (tmp_path / name).parent.mkdir(parents=True)
            (tmp_path / name).write_text(f"#!/bin/sh\n{program}\n")
            (tmp_path / name).chmod(0o755)
        return subprocess.run(
            ["bash", "-euo", "pipefail", "-c", text],  # noqa: S607
            env={**os.environ, **environment, "PATH": f"{tmp_path}/bin:{os.environ['PATH']}", "PYTHONPATH": str(ROOT)},
            capture_output=True,
            text=True,
            check=False,
        )

    return run


def page(name: str) -> str:
    return (ROOT / f"docs/{name}.md").read_text()


@pytest.mark.parametrize("name", PAGES)
def test_every_command_is_one_that_aws_knows(shell: Shell, name: str, tmp_path: Path):
    first = section(page(PAGES[0]), STEPS[0])
    ended = shell(
        "\n".join([*blocks(first, "sh"), *blocks(page(name), "sh")]),
        aws=NOTES,
        python=RENDERS,
        **dict.fromkeys(OURS, "x-1"),
    )
    assert (ended.returncode, ended.stderr) == (0, "")
    commands = [line.split("\0")[:-1] for line in (tmp_path / "calls").read_text().split("\n")[:-1]]
    assert len(commands) >= 4
    for command in commands:
        understood(command, "ap-south-1")


@pytest.mark.parametrize(
    "command",
    [
        "iam create-role --role-name a",
        "iam create-rule --role-name a --assume-role-policy-document b",
        "kms put-key-policy --key-id a --policy b --policy-text c",
    ],
)
def test_a_command_that_aws_does_not_know_is_found(command: str):
    with pytest.raises((LookupError, ValueError)):
        understood(command.split(), "ap-south-1")


@pytest.mark.stack
def test_the_steps_leave_an_account_with_roles_keys_and_their_policies(shell: Shell, tmp_path: Path):
    with (
        running_ministack(tmp_path / "logs/ministack.log") as endpoint,
        running_temporal(tmp_path / "logs/temporal.log", ui=False) as temporal,
    ):
        text = "\n".join(block for step in STEPS for block in blocks(section(page(PAGES[0]), step), "sh"))
        account = AwsAccount(ACCOUNT, endpoint, "x")
        places = {"AWS_ENDPOINT_URL": endpoint, "TEMPORAL_ADDRESS": temporal.address}
        ours = f'exec {sys.executable} -m tests.deploy.aws_program "$@"'
        ended = shell(text, aws=ours, python=PYTHON, **places, **account.environment)
        assert ended.returncode == 0, ended.stderr
        made = re.findall(r"^created   (key|table|bucket|search attribute) ", ended.stdout, re.MULTILINE)
        assert set(made) == {"key", "table", "bucket", "search attribute"}
        iam = account.session.client("iam", endpoint_url=endpoint)
        for role, file in {"api": "api", "onboarding": "worker", "setup": "setup"}.items():
            found = iam.get_role_policy(RoleName=f"threat-engine-{role}", PolicyName="what-it-needs")
            assert found["PolicyDocument"] == document(f"iam/{file}.json")
        kms = account.session.client("kms", endpoint_url=endpoint)
        for key in ("secrets", "digests", "results", "audit"):
            key_id = kms.describe_key(KeyId=f"alias/threat-engine-{key}")["KeyMetadata"]["KeyId"]
            policy = kms.get_key_policy(KeyId=key_id, PolicyName="default")["Policy"]
            assert json.loads(policy) == document(f"kms/{key}.json")


def test_filling_in_leaves_nothing_of_the_example(shell: Shell, tmp_path: Path):
    [block] = blocks(section(page(PAGES[0]), STEPS[0]), "sh")
    assign, rest = block.split("\n", 1)
    ours = assign.replace("111122223333", "999988887777").replace("ap-south-1", "eu-west-1")
    ended = shell(f"{ours}\n{rest}", aws="false", python=PYTHON)
    assert ended.returncode == 0, ended.stderr
    folder = tmp_path / "build/aws"
    written = {file.relative_to(folder).as_posix(): file.read_text() for file in folder.glob("*/*.json")}
    policies = rendered(Place(Settings.model_validate({"platform_aws_account_id": ACCOUNT})))
    assert set(written) == {*policies, "customers/aws_role_template.json"}
    assert not any("111122223333" in text or "ap-south-1" in text for text in written.values())


def test_the_compose_page_names_services_that_exist():
    text = page("how-to/run-with-docker-compose")
    table = rows(section(text, "## What starts, and in which order"))
    described = {name for row in table for name in ticked(row[0])}
    assert described == {name for name in services() if name != "temporal-tools"}
    for row in table:
        [first, *_] = ticked(row[0])
        assert set(ticked(row[1])) == set(services()[first].get("depends_on", {}))
    run = re.findall(r"docker compose (?:run --rm|logs --follow) (?:-\S+ )*([a-z-]+)", text)
    assert set(run) <= set(services())
    assert len(run) == 4


def test_the_compose_page_names_the_ports_that_are_open():
    opened = {port.rsplit(":", 1)[0] for service in services().values() for port in service.get("ports", [])}
    text = page("how-to/run-with-docker-compose")
    assert set(re.findall(r"127\.0\.0\.1:\d+", section(text, "## Start"))) == opened
