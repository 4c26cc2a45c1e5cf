"""The script that a Google Cloud customer runs."""

import json
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from domain.errors import InvalidInput
from domain.onboarding.catalogue import SetupRequest, parse_credential
from emulators.clouds.server import StandIn, running_stand_in
from providers.gcp.description import KEYLESS_DESCRIPTION, WORKLOAD_IDENTITY
from providers.gcp.provider import GcpProvider
from tests.providers.gcp_rig import GcpRig
from tests.providers.stand_in_rig import EXTERNAL_ID

PROJECT_ID = "demo-project-1"
NAME = f"threat-engine-{SetupRequest(EXTERNAL_ID).suffix}"
ROLE = f"threatEngineReader_{SetupRequest(EXTERNAL_ID).suffix}"
ACCOUNT = f"{NAME}@{PROJECT_ID}.iam.gserviceaccount.com"

GCLOUD = """\
#!/usr/bin/env bash
echo "$*" >> "$LOG"
case "$*" in
  *"roles describe"*) if [ -n "$ROLE_STATE" ]; then echo "$ROLE_STATE"; else exit 1; fi ;;
  *"service-accounts describe"* | *"pools describe"* | *"providers describe"*) echo "$KNOWN" ;;
  *"service-accounts keys create"*) echo '{}' > "$5" ;;
  *"projects describe"*) echo 123456789012 ;;
esac
"""


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[StandIn]:
    with running_stand_in(tmp_path_factory.mktemp("gcp"), []) as stand_in:
        yield stand_in


@pytest.fixture
def gcp(server: StandIn) -> Iterator[GcpRig]:
    with GcpRig(server) as rig:
        yield rig


def run_script(folder: Path, script: str, *, known: str = "", role: str = "") -> tuple[str, list[str]]:
    """What it printed, and the commands that it gave."""
    gcloud, log = folder / "gcloud", folder / "log"
    gcloud.write_text(GCLOUD)
    gcloud.chmod(0o755)
    path = f"{folder}:/usr/bin:/bin"
    environment = {"PATH": path, "LOG": str(log), "KNOWN": known, "ROLE_STATE": role, "PROJECT_ID": PROJECT_ID}
    command = ["/bin/bash", "-c", script]
    done = subprocess.run(command, env=environment, cwd=folder, capture_output=True, text=True, check=True)
    return done.stdout, log.read_text().splitlines()


def script_of(gcp: GcpRig, method: str) -> str:
    return gcp.provider.setup(SetupRequest(EXTERNAL_ID, auth_method=method)).script or ""


def starting(commands: list[str], start: str) -> list[str]:
    return [command for command in commands if command.startswith(start)]


METHODS = [method.method for method in KEYLESS_DESCRIPTION.methods]


@pytest.mark.parametrize("method", METHODS)
def test_the_script_is_well_formed_and_holds_nothing_of_the_customers(gcp: GcpRig, method: str):
    setup = gcp.provider.setup(SetupRequest(EXTERNAL_ID, account_name="$(reboot)", auth_method=method))
    checked = subprocess.run(["bash", "-n"], input=setup.script, text=True, capture_output=True, check=False)  # noqa: S607
    assert checked.returncode == 0, checked.stderr
    assert "reboot" not in f"{setup.script}{setup.instructions}"
    assert not re.search(r"@[A-Z]+@", setup.script or "")


def test_an_unknown_method_has_no_script(gcp: GcpRig):
    with pytest.raises(InvalidInput):
        gcp.provider.setup(SetupRequest(EXTERNAL_ID, auth_method="password"))


@pytest.mark.parametrize("method", METHODS)
def test_the_script_makes_a_role_of_exactly_the_published_permissions(gcp: GcpRig, tmp_path: Path, method: str):
    _, commands = run_script(tmp_path, script_of(gcp, method))
    [created] = starting(commands, "iam roles create")
    permissions = created.partition("--permissions ")[2].split(" ")[0].split(",")
    assert permissions == [permission.name for permission in gcp.provider.description.permissions]
    [bound] = starting(commands, "projects add-iam-policy-binding")
    assert f"--member serviceAccount:{ACCOUNT} --role projects/{PROJECT_ID}/roles/{ROLE}" in bound


@pytest.mark.parametrize("method", METHODS)
def test_the_script_may_be_run_again(gcp: GcpRig, tmp_path: Path, method: str):
    _, commands = run_script(tmp_path, script_of(gcp, method), known="the-one", role="projects/p/roles/r")
    assert starting(commands, "iam roles update")
    assert not [command for command in commands if " create" in command and "keys create" not in command]


def test_a_role_that_was_deleted_is_taken_back(gcp: GcpRig, tmp_path: Path):
    _, commands = run_script(tmp_path, script_of(gcp, "service_account"), role="projects/p/roles/r\tTrue")
    assert starting(commands, "iam roles undelete")
    assert starting(commands, "iam roles update")
    assert not starting(commands, "iam roles create")


def test_the_key_file_is_for_its_owner_only(gcp: GcpRig, tmp_path: Path):
    printed, commands = run_script(tmp_path, script_of(gcp, "service_account"))
    file = tmp_path / f"{NAME}-{PROJECT_ID}.json"
    assert json.loads(file.read_text()) == {}
    assert file.stat().st_mode & 0o077 == 0
    assert file.name in printed
    assert starting(commands, f"iam service-accounts keys create {file.name} --iam-account {ACCOUNT}")


def test_the_pool_trusts_our_issuer_for_this_account_only(gcp: GcpRig, tmp_path: Path):
    printed, commands = run_script(tmp_path, script_of(gcp, "workload_identity"))
    [made] = starting(commands, "iam workload-identity-pools providers create-oidc")
    assert f"--issuer-uri {gcp.identity.issuer} --attribute-mapping google.subject=assertion.sub" in made
    assert f"--attribute-condition assertion.sub == '{EXTERNAL_ID}'" in made
    [bound] = starting(commands, "iam service-accounts add-iam-policy-binding")
    pool = f"projects/123456789012/locations/global/workloadIdentityPools/{NAME}"
    assert bound.endswith(f"--member principal://iam.googleapis.com/{pool}/subject/{EXTERNAL_ID}")
    assert not [command for command in commands if "keys create" in command]
    assert "sts.googleapis.com" in commands[0]
    fields = dict(line.split() for line in printed.splitlines())
    credential = parse_credential(WORKLOAD_IDENTITY, fields)
    assert set(credential) == set(WORKLOAD_IDENTITY.requires)
    assert fields["provider_id"] == EXTERNAL_ID[:32]


def test_a_pool_that_was_deleted_is_taken_back(gcp: GcpRig, tmp_path: Path):
    _, commands = run_script(tmp_path, script_of(gcp, "workload_identity"), known="DELETED")
    assert starting(commands, "iam workload-identity-pools undelete")
    assert starting(commands, "iam workload-identity-pools providers undelete")
    assert starting(commands, "iam workload-identity-pools providers update-oidc")
    assert not [command for command in commands if "pools create" in command or "create-oidc" in command]


def test_an_issuer_stays_one_word_of_the_script(gcp: GcpRig, tmp_path: Path):
    gcp.identity.issuer = "https://a.example/$(touch pwned)';touch pwned;'"
    _, commands = run_script(tmp_path, script_of(gcp, "workload_identity"))
    assert gcp.identity.issuer in starting(commands, "iam workload-identity-pools providers create-oidc")[0]
    assert not (tmp_path / "pwned").exists()


def test_without_an_issuer_there_is_no_such_method(gcp: GcpRig):
    provider = GcpProvider(gcp.client)
    assert [method.method for method in provider.description.methods] == ["service_account"]
    with pytest.raises(InvalidInput):
        provider.setup(SetupRequest(EXTERNAL_ID, auth_method="workload_identity"))
