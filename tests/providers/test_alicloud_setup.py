"""The scripts that an AliCloud customer runs, with a stand-in of Alibaba's command line."""

import json
import os
import subprocess
from pathlib import Path

import pytest

from domain.onboarding.catalogue import Setup, SetupRequest
from providers.alicloud.permissions import PERMISSIONS
from providers.alicloud.provider import AliCloudProvider, PlatformAliCloud
from tests.providers.stand_in_rig import EXTERNAL_ID
from transport.client import GuardedClient

NAME = f"ThreatEngineReadOnly-{SetupRequest(EXTERNAL_ID).suffix}"
PRINCIPAL = "acs:ram::5111222233334444:user/threat-engine"
ROLE_ARN = f"acs:ram::1234567890123456:role/{NAME.lower()}"

# Remembers what was made, so that a second run finds it.
ALIYUN = """\
#!/usr/bin/env bash
printf '%s\\n' "$*" >> "$STATE/log"
[ "$1" = ram ] || exit 2
shift
keep() {
  while [ $# -gt 1 ]; do
    [ "$1" = "$KEEP" ] && printf '%s' "$2" > "$STATE/$KEEP"
    shift
  done
}
for KEEP in --PolicyDocument --AssumeRolePolicyDocument --NewAssumeRolePolicyDocument; do keep "$@"; done
case "$1" in
  GetPolicy) [ -e "$STATE/CreatePolicy" ] ;;
  GetUser) [ -e "$STATE/CreateUser" ] ;;
  GetRole) [ -e "$STATE/CreateRole" ] || exit 1
    printf '{\\n\\t"Role": {\\n\\t\\t"Arn": "ROLE_ARN",\\n\\t\\t"RoleName": "NAME"\\n\\t}\\n}\\n' ;;
  ListPoliciesForRole) [ -e "$STATE/AttachPolicyToRole" ] && echo '"PolicyName": "NAME"' || true ;;
  ListPoliciesForUser) [ -e "$STATE/AttachPolicyToUser" ] && echo '"PolicyName": "NAME"' || true ;;
  ListAccessKeys) [ -e "$STATE/CreateAccessKey" ] && echo '"AccessKeyId": "LTAI5t"' || true ;;
  CreateAccessKey) touch "$STATE/$1"; echo '{"AccessKeyId": "LTAI5t", "AccessKeySecret": "shown once"}' ;;
  *) touch "$STATE/$1" ;;
esac
""".replace("ROLE_ARN", ROLE_ARN).replace("NAME", NAME)

METHODS = pytest.mark.parametrize("method", ["access_key", "ram_role"])


@pytest.fixture
def customer(tmp_path: Path) -> Path:
    """A folder of the customer's, with Alibaba's command line."""
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "aliyun").write_text(ALIYUN)
    (tmp_path / "bin" / "aliyun").chmod(0o755)
    return tmp_path


def setup_of(method: str) -> Setup:
    request = SetupRequest(EXTERNAL_ID, account_name="$(reboot)", auth_method=method)
    with GuardedClient() as client:
        platform = PlatformAliCloud(PRINCIPAL)
        return AliCloudProvider(client, platform).setup(request)


def run(customer: Path, method: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["bash", "-c", setup_of(method).script or ""],  # noqa: S607
        cwd=customer,
        env={"PATH": f"{customer / 'bin'}:{os.environ['PATH']}", "STATE": str(customer)},
        text=True,
        capture_output=True,
        check=False,
    )


@METHODS
def test_the_script_is_well_formed_and_holds_nothing_of_the_customers(method: str):
    setup = setup_of(method)
    checked = subprocess.run(["bash", "-n"], input=setup.script, text=True, capture_output=True, check=False)  # noqa: S607
    assert (checked.returncode, checked.stderr) == (0, "")
    assert "reboot" not in f"{setup.script}{setup.instructions}"
    assert "ours" not in f"{setup.script}".split()
    assert "{" not in setup.instructions


@METHODS
def test_the_script_grants_exactly_what_is_published(customer: Path, method: str):
    done = run(customer, method)
    assert (done.returncode, done.stderr) == (0, "")
    [statement] = json.loads((customer / "--PolicyDocument").read_text())["Statement"]
    assert set(statement["Action"]) == {permission.name for permission in PERMISSIONS}
    assert (statement["Effect"], statement["Resource"]) == ("Allow", "*")


@METHODS
def test_a_second_run_makes_nothing_anew(customer: Path, method: str):
    run(customer, method)
    (customer / "log").unlink()
    assert run(customer, method).returncode == 0
    log = (customer / "log").read_text()
    assert not any(word in log for word in ("CreateRole", "CreateUser", "CreateAccessKey", "CreatePolicy ", "Attach"))


def test_the_role_trusts_our_user_with_the_external_id_and_no_one_else(customer: Path):
    assert run(customer, "ram_role").stdout == f"role_arn  {ROLE_ARN}\n"
    [statement] = json.loads((customer / "--AssumeRolePolicyDocument").read_text())["Statement"]
    assert statement["Principal"] == {"RAM": [PRINCIPAL]}
    assert statement["Condition"] == {"StringEquals": {"sts:ExternalId": EXTERNAL_ID}}


def test_a_trust_that_was_changed_is_mended_by_the_next_run(customer: Path):
    run(customer, "ram_role")
    run(customer, "ram_role")
    mended = (customer / "--NewAssumeRolePolicyDocument").read_text()
    assert mended == (customer / "--AssumeRolePolicyDocument").read_text()


def test_the_pair_is_shown_once(customer: Path):
    assert "shown once" in run(customer, "access_key").stdout
    assert "has an AccessKey already" in run(customer, "access_key").stdout


@METHODS
def test_the_script_stops_at_the_first_failure(customer: Path, method: str):
    (customer / "bin" / "aliyun").write_text("#!/usr/bin/env bash\nexit 1\n")
    done = run(customer, method)
    assert done.returncode != 0
    assert done.stdout == ""


def test_the_account_that_customers_trust_is_named():
    assert setup_of("ram_role").platform_account_id == "5111222233334444"
    assert setup_of("access_key").platform_account_id is None
