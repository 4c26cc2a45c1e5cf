"""The script that an Azure customer runs."""

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from domain.errors import InvalidInput
from domain.onboarding.catalogue import SetupRequest
from emulators.clouds.server import StandIn
from providers.azure.description import DESCRIPTION
from tests.providers.azure_rig import OTHER, Rig, certificate_credential, running_azure
from tests.providers.stand_in_rig import EXPECTED


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[StandIn]:
    with running_azure(tmp_path_factory.mktemp("azure")) as stand_in:
        yield stand_in


@pytest.fixture
def azure(server: StandIn) -> Iterator[Rig]:
    with Rig(server) as rig:
        yield rig


# The script


@pytest.mark.parametrize("method", [method.method for method in DESCRIPTION.methods])
def test_the_script_is_well_formed_and_holds_nothing_of_the_customers(azure: Rig, method: str):
    request = SetupRequest(EXPECTED.external_id, account_name="$(reboot)", auth_method=method)
    setup = azure.provider.setup(request)
    checked = subprocess.run(["bash", "-n"], input=setup.script, text=True, capture_output=True, check=False)  # noqa: S607
    assert checked.returncode == 0, checked.stderr
    assert "reboot" not in f"{setup.script}{setup.instructions}"


def test_an_unknown_method_has_no_script(azure: Rig):
    with pytest.raises(InvalidInput):
        azure.provider.setup(SetupRequest(EXPECTED.external_id, auth_method="password"))


AZ = """\
#!/usr/bin/env bash
echo "$*" >> "$LOG"
case "$*" in
  *"account show"*"--query tenantId"*) echo the-tenant ;;
  *"ad app list"*) echo "$KNOWN" ;;
  *"ad app create"*) echo the-client ;;
  *"ad sp list"*) echo "$KNOWN" ;;
  *"ad sp show"*) echo the-object ;;
  *"role definition list"*) echo "$KNOWN" ;;
  *"role definition"*) cat "$5" > "$LOG.role" ;;
  *"credential reset"*"--query password"*) echo the-secret ;;
esac
"""


def run_script(folder: Path, script: str, *, known: str = "") -> tuple[str, str]:
    """What it printed, and the commands that it gave."""
    az, log = folder / "az", folder / "log"
    az.write_text(AZ)
    az.chmod(0o755)
    environment = {"PATH": f"{folder}:/usr/bin:/bin", "LOG": str(log), "KNOWN": known, "SUBSCRIPTION_ID": OTHER}
    command = ["bash", "-c", script]
    done = subprocess.run(command, env=environment, cwd=folder, capture_output=True, text=True, check=True)
    return done.stdout, log.read_text()


def test_the_script_makes_a_role_of_exactly_the_published_permissions(azure: Rig, tmp_path: Path):
    printed, commands = run_script(tmp_path, azure.provider.setup(SetupRequest(EXPECTED.external_id)).script or "")
    role = json.loads((tmp_path / "log.role").read_text())
    assert role["Actions"] == [permission.name for permission in azure.provider.description.permissions]
    assert (role["DataActions"], role["AssignableScopes"]) == ([], [f"/subscriptions/{OTHER}"])
    assert printed.split() == [
        *("tenant_id", "the-tenant", "client_id", "the-client"),
        *("client_secret", "the-secret", "subscription_id", OTHER),
    ]
    assert "ad app create" in commands
    assert "role definition create" in commands


def test_the_script_may_be_run_again(azure: Rig, tmp_path: Path):
    script = azure.provider.setup(SetupRequest(EXPECTED.external_id)).script or ""
    _, commands = run_script(tmp_path, script, known="the-one")
    assert "role definition update" in commands
    assert "--append" in commands
    assert not {"ad app create", "ad sp create", "role definition create"} & {
        " ".join(command.split()[:3]) for command in commands.splitlines()
    }


def test_the_script_of_the_certificate_keeps_the_key_from_azure(azure: Rig, tmp_path: Path):
    request = SetupRequest(EXPECTED.external_id, auth_method="certificate")
    printed, commands = run_script(tmp_path, azure.provider.setup(request).script or "")
    file = tmp_path / f"threat-engine-{OTHER}-{request.suffix}.pem"
    pem = file.read_text()
    assert (file.stat().st_mode & 0o077, file.name in printed) == (0, True)
    assert "/certificate.pem" in commands
    assert "key.pem" not in commands
    # what it wrote can be submitted
    submitted = certificate_credential(azure.cloud, client_certificate=pem)
    assert azure.finding(submitted) == ("identify", "certificate_refused")
