"""The image: how it is built, what is in it, and that what is in it is enough."""

import ast
import re
import subprocess
import sys
import sysconfig
from pathlib import Path

import pytest

from tests.deploy.composition import services
from tests.deploy.conftest import context, ignored
from tests.deploy.test_compose import OURS
from tests.pages import ROOT

DOCKERFILE = (ROOT / "Dockerfile").read_text()


def test_hadolint_finds_nothing():
    program = Path(sysconfig.get_path("scripts")) / "hadolint"
    checked = subprocess.run([program, "--no-color", ROOT / "Dockerfile"], capture_output=True, text=True, check=False)
    assert (checked.returncode, checked.stdout) == (0, "")


def test_hadolint_finds_something_where_something_is_wrong(tmp_path: Path):
    (tmp_path / "Dockerfile").write_text("FROM python\nRUN cd /tmp && pip install boto3\n")
    program = Path(sysconfig.get_path("scripts")) / "hadolint"
    checked = subprocess.run([program, tmp_path / "Dockerfile"], capture_output=True, text=True, check=False)
    assert {"DL3006", "DL3013"} <= set(re.findall(r"DL\d+", checked.stdout))


def test_every_base_is_the_same_full_version_of_the_python_that_is_tested():
    bases = set(re.findall(r"^FROM (\S+)", DOCKERFILE, re.MULTILINE))
    assert bases == {"python:3.11.15-slim-trixie"}
    assert sys.version_info[:2] == (3, 11) or sys.version_info > (3, 11)


def test_dependencies_are_those_that_are_pinned_by_hash():
    installs = re.findall(r"pip install (.+?) \\?$", DOCKERFILE, re.MULTILINE)
    assert installs == ["--require-hashes --only-binary :all: --requirement requirements.txt"]
    assert not re.search(r"\b(apt-get|apt|curl|wget|ADD)\b", DOCKERFILE)


def test_the_process_is_a_number_that_is_not_root_and_owns_nothing():
    last = DOCKERFILE.rpartition("FROM ")[2]
    assert re.findall(r"^USER (.+)$", last, re.MULTILINE) == ["10001:10001"]
    assert last.index("USER") > last.rindex("COPY")
    assert "--chown" not in last
    assert not re.search(r"^(ENV|ARG) .*(PASSWORD|SECRET|TOKEN)", DOCKERFILE, re.MULTILINE)


@pytest.mark.parametrize(
    "path",
    [
        *(".env", ".git/config", ".venv/bin/python", ".local/stack.env", "deploy/secrets/postgres_password"),
        *(
            "deploy/ministack/worker/aws-config",
            "deploy/iam/api.json",
            "deploy/kms/secrets.json",
            "deploy/temporal/set-up-schema.sh",
        ),
        *("tests/rig.py", "docs/index.md", "local/stack.py", "bench/load.py", "api/__pycache__/app.pyc", "README.md"),
    ],
)
def test_what_does_not_belong_into_the_image_is_left_out(path: str):
    assert ignored(path)


@pytest.mark.parametrize(
    "path", ["main.py", "api/app.py", "providers/aws/role_template.json", "deploy/health/api.py", "requirements.txt"]
)
def test_what_belongs_into_the_image_is_there(path: str):
    assert not ignored(path)
    assert path in context()


def test_the_image_holds_little_besides_code():
    others = {path for path in context() if not path.endswith(".py")}
    assert others == {
        *("LICENSE", "providers/aws/role_template.json", "pyproject.toml", "requirements.txt"),
    }


def commands() -> set[tuple[str, ...]]:
    """Everything that is run in our image."""
    run = [tuple(services()[name]["command"]) for name in OURS]
    checks = [tuple(services()[name]["healthcheck"]["test"][1:]) for name in ("api", "worker")]
    [default] = re.findall(r"^CMD (.+)$", DOCKERFILE, re.MULTILINE)
    return {*run, *checks, tuple(ast.literal_eval(default))}


def test_the_commands_of_the_image_are_known():
    assert {command[1:] for command in commands()} == {
        *(("main.py",), ("worker.py",), ("cli.py", "setup")),
        *(("-m", "deploy.ministack.roles"), ("-m", "deploy.health.api"), ("-m", "deploy.health.worker")),
    }


def test_everything_that_the_commands_import_is_in_the_image(image: Path):
    modules = "main, worker, cli, deploy.ministack.roles, deploy.health.api, deploy.health.worker"
    imported = subprocess.run(
        [sys.executable, "-P", "-c", f"import sys; sys.path.insert(0, '.'); import {modules}"],
        cwd=image,
        capture_output=True,
        text=True,
        check=False,
    )
    assert imported.returncode == 0, imported.stderr
