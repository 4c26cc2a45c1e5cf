"""Each cloud and method with the ways that a customer gets it wrong, on the stand-in."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

from domain.onboarding.credentials import Secret
from domain.ports import CloudProvider
from emulators.clouds.alicloud import READING, AliCloud
from emulators.clouds.azure import READER, AzureCloud
from emulators.clouds.azure_tokens import made_certificate
from emulators.clouds.gcp import GcpCloud, Project
from emulators.clouds.gcp_federation import FederatedGcpCloud
from emulators.clouds.ibm import ApiKey, IbmCloud
from emulators.clouds.oci import OciCloud, made_ocid
from emulators.clouds.server import Cloud
from providers.alicloud.provider import AliCloudProvider, PlatformAliCloud, is_alicloud_host
from providers.alicloud.signature import AccessKey
from providers.azure.provider import AzureProvider, is_azure_host
from providers.gcp.provider import GcpProvider, is_gcp_host
from providers.ibm.provider import IbmProvider, is_ibm_host
from providers.oci.provider import OciProvider, is_oci_host
from tests.engine_needs import ALICLOUD, AZURE, GCP, IBM, OCI
from tests.fakes_identity import FakeIdentity
from tests.providers import gcp_rig, oci_rig
from tests.providers.azure_rig import OTHER
from transport.client import GuardedClient

Fields = Mapping[str, Any]
NARROW = {**READER, "actions": ["Microsoft.Resources/subscriptions/read"]}


@dataclass(frozen=True)
class Case:
    """One cloud with one customer, and what that customer may submit."""

    cloud: Cloud
    make: Callable[[GuardedClient], CloudProvider]
    is_allowed: Callable[[str], bool]
    method: str
    good: Fields
    wrong_secret: Fields
    other_account: Fields
    take_permissions_away: Callable[[], object]
    prepare: Callable[[str], object] = lambda external_id: None
    """What the customer does when it has got its external id."""


def azure_secret() -> Case:
    cloud = AzureCloud()
    return _azure(cloud, "service_principal", cloud.demo_credential(), {"client_secret": "x" * 40})


def azure_certificate() -> Case:
    cloud = AzureCloud()
    unknown, _ = made_certificate("")
    return _azure(cloud, "certificate", cloud.certificate_credential(), {"client_certificate": unknown})


def _azure(cloud: AzureCloud, method: str, good: Fields, wrong: Fields) -> Case:
    return Case(
        cloud,
        partial(AzureProvider, engine_permissions=AZURE),
        is_azure_host,
        method,
        good,
        wrong_secret={**good, **wrong},
        other_account={**good, "subscription_id": OTHER},
        take_permissions_away=lambda: cloud.subscription.roles.update({cloud.application.object_id: [NARROW]}),
    )


def gcp_key() -> Case:
    cloud = GcpCloud(gcp_rig.made_key())
    good = cloud.demo_credential()
    stranger = GcpCloud(gcp_rig.made_key("stranger"))
    other = Project("another-project")
    cloud.projects[other.project_id] = other
    return Case(
        cloud,
        partial(GcpProvider, engine_permissions=GCP),
        is_gcp_host,
        "service_account",
        good,
        wrong_secret={"service_account_json": cloud.key_file(private_key=stranger.key_file()["private_key"])},
        other_account={**good, "project_id": other.project_id},
        take_permissions_away=lambda: cloud.project.granted.update(
            {cloud.account.email: {"resourcemanager.projects.get"}}
        ),
    )


def gcp_pool() -> Case:
    identity = FakeIdentity()
    cloud = FederatedGcpCloud(
        identity.issuer, identity.published, external_id="te-still-unknown", key=gcp_rig.made_key()
    )
    good, other = cloud.keyless_credential(), Project("another-project")
    cloud.projects[other.project_id] = other

    def trust(external_id: str) -> None:
        cloud.provider.only_subject = external_id
        cloud.lends[cloud.account.email] = {cloud.pool.principal(external_id)}

    return Case(
        cloud,
        partial(GcpProvider, identity=identity, engine_permissions=GCP),
        is_gcp_host,
        "workload_identity",
        good,
        wrong_secret={**good, "provider_id": "another-provider"},
        other_account={**good, "project_id": other.project_id},
        take_permissions_away=lambda: cloud.project.granted.update(
            {cloud.account.email: {"resourcemanager.projects.get"}}
        ),
        prepare=trust,
    )


def alicloud_key() -> Case:
    cloud = AliCloud()
    good = cloud.demo_credential()
    return Case(
        cloud,
        partial(AliCloudProvider, platform=_alicloud_platform(cloud), engine_permissions=ALICLOUD),
        is_alicloud_host,
        "access_key",
        good,
        wrong_secret={**good, "access_key_secret": "x" * 30},
        other_account={**good, "account_number": "1999999999999999"},
        take_permissions_away=cloud.user.actions.clear,
    )


def alicloud_role() -> Case:
    cloud = AliCloud()
    granted = set(READING)
    good = {"role_arn": f"acs:ram::{cloud.account}:role/threatenginereadonly"}
    return Case(
        cloud,
        partial(AliCloudProvider, platform=_alicloud_platform(cloud), engine_permissions=ALICLOUD),
        is_alicloud_host,
        "ram_role",
        good,
        wrong_secret={"role_arn": f"acs:ram::{cloud.account}:role/another"},
        other_account={**good, "account_number": "1999999999999999"},
        take_permissions_away=granted.clear,
        prepare=lambda external_id: cloud.add_role(external_id, actions=granted),
    )


def _alicloud_platform(cloud: AliCloud) -> PlatformAliCloud:
    return PlatformAliCloud(cloud.platform.arn, AccessKey(cloud.platform.id, Secret(cloud.platform.secret)))


def oci_key() -> Case:
    cloud = OciCloud(oci_rig.made_key())
    good, stranger = cloud.demo_credential(), OciCloud(oci_rig.made_key("stranger")).demo_credential()
    key = {name: stranger[name] for name in ("fingerprint", "private_key")}
    return Case(
        cloud,
        partial(OciProvider, engine_permissions=OCI),
        is_oci_host,
        "user_principal",
        good,
        wrong_secret={**good, **key},
        other_account={**good, "tenancy_ocid": made_ocid("tenancy")},
        take_permissions_away=lambda: cloud.granted.difference_update([p for p in cloud.granted if "USER" not in p]),
    )


def ibm_key() -> Case:
    cloud = IbmCloud()
    good = cloud.demo_credential()
    return Case(
        cloud,
        partial(IbmProvider, engine_permissions=IBM),
        is_ibm_host,
        "api_key",
        good,
        wrong_secret={"api_key": ApiKey("x" * 44, "", "").value},
        other_account={**good, "account_number": "0" * 32},
        take_permissions_away=lambda: cloud.policies.__delitem__(slice(1, None)),
    )


CASES: Mapping[str, Callable[[], Case]] = {
    "azure, client secret": azure_secret,
    "azure, certificate": azure_certificate,
    "gcp, service account key": gcp_key,
    "gcp, workload identity": gcp_pool,
    "alicloud, access key": alicloud_key,
    "alicloud, RAM role": alicloud_role,
    "oci, API signing key": oci_key,
    "ibm, API key": ibm_key,
}
