"""The script that an IBM Cloud customer runs."""

import subprocess
from pathlib import Path

import pytest

from domain.errors import InvalidInput
from domain.onboarding.catalogue import SetupRequest
from providers.ibm.description import DESCRIPTION
from providers.ibm.setup import setup_of
from tests.engine_needs import IBM
from tests.providers.stand_in_rig import EXTERNAL_ID

IBMCLOUD = """\
#!/usr/bin/env bash
echo "$*" >> "$LOG"
case "$*" in
  "iam service-id threat-engine-SUFFIX --uuid")
    if [ ! -e "$LOG.made" ]; then echo FAILED; exit 1; fi
    printf 'Getting service ID threat-engine...\\nOK\\nServiceId-1\\n' ;;
  "iam service-id-create"*) touch "$LOG.made" ;;
  "iam service-policies"*) echo "$POLICIES" ;;
  "iam service-api-key-create"*) printf '{\\n  "name": "threat-engine",\\n  "apikey": "the-key"\\n}\\n' ;;
esac
""".replace("SUFFIX", SetupRequest(EXTERNAL_ID).suffix)

PUBLISHED = [permission.name for permission in DESCRIPTION.with_permissions(IBM).permissions]
SCRIPT = setup_of(SetupRequest(EXTERNAL_ID), PUBLISHED).script or ""


def run_script(folder: Path, *, policies: str = "[]") -> tuple[str, list[str]]:
    """What it printed, and the commands that it gave."""
    command_line, log = folder / "ibmcloud", folder / "log"
    command_line.write_text(IBMCLOUD)
    command_line.chmod(0o755)
    environment = {"PATH": f"{folder}:/usr/bin:/bin", "LOG": str(log), "POLICIES": policies}
    command = ["bash", "-c", SCRIPT]
    done = subprocess.run(command, env=environment, cwd=folder, capture_output=True, text=True, check=True)
    return done.stdout, log.read_text().splitlines()


def test_the_script_is_well_formed_and_holds_nothing_of_the_customers():
    setup = setup_of(SetupRequest(EXTERNAL_ID, account_name="$(reboot)", auth_method="api_key"), PUBLISHED)
    checked = subprocess.run(["bash", "-n"], input=setup.script, text=True, capture_output=True, check=False)  # noqa: S607
    assert checked.returncode == 0, checked.stderr
    assert "reboot" not in f"{setup.script}{setup.instructions}"


def test_an_unknown_method_has_no_script():
    with pytest.raises(InvalidInput):
        setup_of(SetupRequest(EXTERNAL_ID, auth_method="password"), PUBLISHED)


def test_the_script_assigns_exactly_the_published_permissions(tmp_path: Path):
    printed, commands = run_script(tmp_path)
    assigned = [command.split() for command in commands if "service-policy-create" in command]
    services = {words[words.index("--service-name") + 1] for words in assigned if "--service-name" in words}
    types = {words[words.index("--resource-type") + 1] for words in assigned if "--resource-type" in words}
    assert {f"{name}:Viewer" for name in services | types} == set(PUBLISHED)
    assert {words[words.index("--roles") + 1] for words in assigned} == {"Viewer"}
    assert all("ServiceId-1" in words for words in assigned)
    assert printed == "api_key the-key\n"


def test_the_script_may_be_run_again(tmp_path: Path):
    run_script(tmp_path)
    (tmp_path / "log").unlink()
    names = [name.split(":")[0] for name in PUBLISHED]
    held = ",".join(f'{{"name": "serviceName", "value": "{name}"}}' for name in names if name != "logs")
    printed, commands = run_script(tmp_path, policies=f"[{held}]")
    assert not [command for command in commands if "service-id-create" in command]
    assert [command for command in commands if "policy-create" in command] == [
        "iam service-policy-create ServiceId-1 --roles Viewer --service-name logs --force"
    ]
    assert printed == "api_key the-key\n"
