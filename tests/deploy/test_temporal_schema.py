"""set-up-schema.sh, with a stand-in for Temporal's tool that notes what it is asked for."""

import os
import subprocess
from pathlib import Path

import pytest

from tests.deploy.composition import services
from tests.pages import ROOT

TOOL = """#!/bin/sh
echo "$SQL_PASSWORD|$*" >> "$NOTES"
case "$*" in *"$FAILS_AT"*) exit 1;; esac
"""

EXPECTED = [
    "--database temporal create-database",
    "--database temporal setup-schema --version 0.0",
    "--database temporal update-schema --schema-name postgresql/v12/temporal",
    "--database temporal_visibility create-database",
    "--database temporal_visibility setup-schema --version 0.0",
    "--database temporal_visibility update-schema --schema-name postgresql/v12/visibility",
]


@pytest.fixture
def run(tmp_path: Path):
    tool = tmp_path / "temporal-sql-tool"
    tool.write_text(TOOL)
    tool.chmod(0o755)
    (tmp_path / "password").write_text("a $trange pass`word\n")
    service = services()["temporal-schema"]
    [script] = [v.split(":")[0] for v in service["volumes"]]

    def run(*, fails_at: str = "nothing") -> tuple[int, list[str]]:
        environment = {
            **service["environment"],
            "SQL_PASSWORD_FILE": str(tmp_path / "password"),
            "PATH": f"{tmp_path}:{os.environ['PATH']}",
            "NOTES": str(tmp_path / "notes"),
            "FAILS_AT": fails_at,
        }
        command = [service["command"][0], ROOT / script]
        ended = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
        assert "pass`word" not in ended.stdout + ended.stderr
        return ended.returncode, (tmp_path / "notes").read_text().splitlines()

    return run


def test_both_databases_are_made_and_brought_up_to_date(run):
    code, notes = run()
    assert code == 0
    assert notes == [f"a $trange pass`word|{command}" for command in EXPECTED]


@pytest.mark.parametrize("step", range(6))
def test_the_first_failure_ends_it_so_that_the_server_does_not_start(run, step: int):
    code, notes = run(fails_at=EXPECTED[step])
    assert (code, len(notes)) == (1, step + 1)


def test_without_a_password_nothing_is_run(run, tmp_path: Path):
    (tmp_path / "password").unlink()
    (tmp_path / "notes").touch()
    code, notes = run()
    assert code != 0
    assert notes == []
