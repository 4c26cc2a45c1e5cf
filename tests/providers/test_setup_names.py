"""Two onboardings of one cloud account, perhaps of two tenants: what the second one sets up has names of its own, so it
neither meets nor overwrites what the first one set up."""

import json
import re
import subprocess
from collections.abc import Callable, Mapping
from urllib.parse import parse_qs, urlsplit

import pytest

from domain.onboarding.catalogue import Setup, SetupRequest
from providers.alicloud import setup as alicloud_setup
from providers.aws.role_names import RoleNames
from providers.aws.setup import TrustedRole, setup_of
from providers.azure import setup as azure_setup
from providers.gcp import setup as gcp_setup
from providers.ibm import setup as ibm_setup
from providers.oci import setup as oci_setup

FIRST, SECOND = (
    SetupRequest(f"te-{digit * 32}", account_id=f"{start}-8c1e-4a44-9a55-0d2a9a3f4b1c")
    for digit, start in (("a", "4f1d5a52"), ("b", "9e0c77aa"))
)
PRINCIPAL = "acs:ram::5111222233334444:user/threat-engine"
ISSUER = "https://platform.example"
NONE: tuple[str, ...] = ()
"""Which permissions there are changes no name."""


def with_method(request: SetupRequest, method: str) -> SetupRequest:
    return SetupRequest(request.external_id, "", method, request.account_id)


SCRIPTS: Mapping[str, Callable[[SetupRequest], Setup]] = {
    "azure secret": lambda r: azure_setup.setup_of(with_method(r, "service_principal"), NONE),
    "azure certificate": lambda r: azure_setup.setup_of(with_method(r, "certificate"), NONE),
    "gcp key": lambda r: gcp_setup.setup_of(with_method(r, "service_account"), NONE, issuer=ISSUER),
    "gcp pool": lambda r: gcp_setup.setup_of(with_method(r, "workload_identity"), NONE, issuer=ISSUER),
    "alicloud role": lambda r: alicloud_setup.role(PRINCIPAL, r, NONE),
    "alicloud key": lambda r: alicloud_setup.access_key(r, NONE),
    "oci": lambda r: oci_setup.setup(r, NONE),
    "ibm": lambda r: ibm_setup.setup_of(r, NONE),
}
MAX_CHARACTERS = {"NAME": 30, "ROLE": 64, "POOL": 32, "APP": 64, "KEY": 64}
"""The least that any of the clouds takes: a service account of Google Cloud, a name in a certificate of Azure."""
ENVIRONMENT = {"PROJECT_ID": "p" * 30, "SUBSCRIPTION_ID": "0" * 36}


def names(setup: Setup) -> dict[str, str]:
    """What the script calls the things that it makes."""
    assigned = re.findall(rf"^((?:{'|'.join(MAX_CHARACTERS)})=.+)$", setup.script or "", re.MULTILINE)
    shown = [f'printf "%s\\n" "${line.partition("=")[0]}"' for line in assigned]
    script = "\n".join(["set -eu", *assigned, *shown])
    done = subprocess.run(["/bin/bash", "-c", script], env=ENVIRONMENT, capture_output=True, text=True, check=True)
    return {line.partition("=")[0]: value for line, value in zip(assigned, done.stdout.splitlines(), strict=True)}


@pytest.mark.parametrize("setup", SCRIPTS.values(), ids=SCRIPTS.keys())
def test_a_second_onboarding_of_one_account_makes_nothing_under_a_name_of_the_first(
    setup: Callable[[SetupRequest], Setup],
):
    first, second = setup(FIRST), setup(SECOND)
    assert names(first)
    assert not set(names(first).values()) & set(names(second).values())
    assert all("4f1d5a52" in name for name in names(first).values())
    assert "4f1d5a52" in first.instructions
    assert first.script != second.script


@pytest.mark.parametrize("setup", SCRIPTS.values(), ids=SCRIPTS.keys())
def test_no_name_is_longer_than_the_cloud_takes(setup: Callable[[SetupRequest], Setup]):
    too_long = {name: value for name, value in names(setup(FIRST)).items() if len(value) > MAX_CHARACTERS[name]}
    # Only a display name of Azure has no such bound: a role's may have 512 characters.
    assert {value for value in too_long.values() if not value.startswith("Threat Engine Reader ")} == set()


def test_a_second_onboarding_of_an_aws_account_has_its_own_stack_and_role():
    trusted, names_ = TrustedRole("1" * 12, "worker", "eu-west-1"), RoleNames("/security/Scan" + "n" * 36 + "*")
    offered = [
        setup_of(r, NONE, trusted=trusted, names=names_, template_url="https://s3.example/t") for r in (FIRST, SECOND)
    ]
    links = [parse_qs(urlsplit(each.quick_create_url or "").fragment.partition("?")[2]) for each in offered]
    assert len({link["stackName"][0] for link in links}) == len({link["param_RoleName"][0] for link in links}) == 2
    for link, setup in zip(links, offered, strict=True):
        parameters = json.loads(setup.template or "")["Parameters"]
        assert link["param_RoleName"] == [parameters["RoleName"]["Default"]]
        assert len(link["param_RoleName"][0]) <= 64
        assert re.fullmatch(parameters["RoleName"]["AllowedPattern"], link["param_RoleName"][0])
        arn = f"arn:aws:iam::222222222222:role{link['param_RolePath'][0]}{link['param_RoleName'][0]}"
        assert re.fullmatch(names_.arn_pattern, arn)
        assert link["stackName"][0] in setup.instructions
        assert "exists already" in setup.instructions


def test_a_template_that_is_asked_for_by_its_external_id_alone_has_its_own_names_too():
    found = {
        SetupRequest(external_id).suffix for external_id in (FIRST.external_id, SECOND.external_id, "a:/b@c=d,e.f+g")
    }
    assert len(found) == 3
    assert all(re.fullmatch("[0-9a-f]{8}", suffix) for suffix in found)
