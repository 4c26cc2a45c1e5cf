"""The script that an OCI customer runs, with a stand-in of Oracle's command line."""

import json
import os
import subprocess
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.serialization import load_pem_public_key

from domain.onboarding.catalogue import SetupRequest
from emulators.clouds.oci import fingerprint
from providers.oci.permissions import PERMISSIONS, statement
from providers.oci.provider import OciProvider
from tests.providers.stand_in_rig import EXTERNAL_ID
from transport.client import GuardedClient

KEY = f"threat-engine-oci-{SetupRequest(EXTERNAL_ID).suffix}.pem"

# Remembers what was made, so that a second run finds it. `$*` is looked at in the order of the lines.
OCI = """\
#!/usr/bin/env bash
printf '%s\\n' "$*" >> "$STATE/log"
made() { [ -e "$STATE/$1" ] && echo "$2" || true; }
case "$*" in
  *"region-subscription list"*) echo eu-frankfurt-1 ;;
  *"user list"*) made user the-user ;;
  *"user create"*) touch "$STATE/user"; echo the-user ;;
  *"group list-users"*) made member the-user ;;
  *"group list"*) made group the-group ;;
  *"group create"*) touch "$STATE/group"; echo the-group ;;
  *"group add-user"*) touch "$STATE/member" ;;
  *"policy list"*) made policy the-policy ;;
  *"policy create"*|*"policy update"*)
    touch "$STATE/policy"
    while [ "$1" != --statements ]; do shift; done
    printf '%s' "$2" > "$STATE/statements" ;;
  *"api-key list"*) made key the-fingerprint ;;
  *"api-key upload"*)
    while [ "$1" != --key ]; do shift; done
    printf '%s' "$2" > "$STATE/key" ;;
esac
"""


@pytest.fixture
def customer(tmp_path: Path) -> Path:
    """A folder of the customer's, with Oracle's command line."""
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "oci").write_text(OCI)
    (tmp_path / "bin" / "oci").chmod(0o755)
    return tmp_path


def run(customer: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    path = f"{customer / 'bin'}:{os.environ['PATH']}"
    tenancy = {"OCI_TENANCY": "ocid1.tenancy.oc1..aaaa"}
    return subprocess.run(
        ["bash", "-c", script()],  # noqa: S607
        cwd=customer,
        env={"PATH": path, "STATE": str(customer), **tenancy, **environment},
        text=True,
        capture_output=True,
        check=False,
    )


def script() -> str:
    request = SetupRequest(EXTERNAL_ID, account_name="$(reboot)", auth_method="user_principal")
    with GuardedClient() as client:
        setup = OciProvider(client).setup(request)
    assert "reboot" not in f"{setup.script}{setup.instructions}"
    assert (setup.template, setup.quick_create_url, setup.platform_account_id) == (None, None, None)
    return setup.script or ""


def test_the_script_is_well_formed():
    checked = subprocess.run(["bash", "-n"], input=script(), text=True, capture_output=True, check=False)  # noqa: S607
    assert (checked.returncode, checked.stderr) == (0, "")


def test_the_script_prints_the_fields_to_submit(customer: Path):
    done = run(customer)
    assert (done.returncode, done.stderr) == (0, "")
    fields = dict(line.split(None, 1) for line in done.stdout.splitlines())
    assert fields.keys() == {"user_ocid", "tenancy_ocid", "fingerprint", "region", "private_key"}
    assert (fields["user_ocid"], fields["region"]) == ("the-user", "eu-frankfurt-1")
    key = customer / KEY
    assert key.stat().st_mode & 0o077 == 0
    uploaded = load_pem_public_key((customer / "key").read_bytes())
    assert isinstance(uploaded, RSAPublicKey)
    assert (uploaded.key_size, fields["fingerprint"]) == (2048, fingerprint(uploaded))


def test_the_script_grants_exactly_what_is_published(customer: Path):
    run(customer)
    names = tuple(permission.name for permission in PERMISSIONS)
    assert json.loads((customer / "statements").read_text()) == [statement("id the-group", names)]


def test_a_second_run_makes_nothing_anew(customer: Path):
    run(customer)
    key = (customer / KEY).read_bytes()
    (customer / "log").unlink()
    assert run(customer).returncode == 0
    log = (customer / "log").read_text()
    assert not any(word in log for word in (" create ", "add-user", "upload"))
    assert (customer / KEY).read_bytes() == key


def test_the_user_may_use_api_keys_and_nothing_else(customer: Path):
    run(customer)
    [line] = [line for line in (customer / "log").read_text().splitlines() if "update-user-capabilities" in line]
    assert "--can-use-api-keys true" in line
    assert line.count("--can-use-") - 1 == line.count(" false")


def test_the_script_stops_without_a_tenancy_and_at_the_first_failure(customer: Path):
    assert run(customer, OCI_TENANCY="").returncode != 0
    assert not (customer / "log").exists()
    (customer / "bin" / "oci").write_text("#!/usr/bin/env bash\nexit 1\n")
    assert run(customer).returncode != 0
    assert not (customer / KEY).exists()
