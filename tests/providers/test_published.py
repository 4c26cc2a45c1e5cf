"""Without an engine of the operator's a cloud is asked for what validation uses, and for nothing else."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from domain.onboarding.validation import Outcome
from domain.ports import CloudProvider
from emulators.clouds.ibm import Policy
from emulators.clouds.server import StandIn, running_stand_in
from providers.alicloud.provider import AliCloudProvider
from providers.azure.provider import AzureProvider
from providers.gcp.provider import GcpProvider
from providers.ibm.provider import IbmProvider
from providers.oci.provider import OciProvider
from tests.providers import azure_rig
from tests.providers.alicloud_rig import AliCloudRig
from tests.providers.gcp_rig import GcpRig
from tests.providers.ibm_rig import IbmRig
from tests.providers.oci_rig import OciRig
from tests.providers.stand_in_rig import EXPECTED


@dataclass(frozen=True)
class Cloud:
    rig: Callable[[StandIn], Any]
    provider: Callable[[Any], CloudProvider]
    credential: Callable[[Any], Any]
    grant: Callable[[Any, list[str]], None]
    """Give the customer's principal these permissions and no others."""


def grant_azure(rig: azure_rig.Rig, names: list[str]) -> None:
    rig.cloud.subscription.roles = {rig.cloud.application.object_id: [{"actions": names}]}


def grant_gcp(rig: GcpRig, names: list[str]) -> None:
    rig.cloud.project.granted = {rig.cloud.account.email: set(names)}


def grant_alicloud(rig: AliCloudRig, names: list[str]) -> None:
    rig.cloud.user.actions = set(names)


def grant_oci(rig: OciRig, names: list[str]) -> None:
    rig.cloud.granted = set(names)


def grant_ibm(rig: IbmRig, names: list[str]) -> None:
    services = [name.split(":")[0] for name in names]
    rig.cloud.policies = [Policy(rig.cloud.iam_id, {"serviceName": service}) for service in services]


CLOUDS = {
    "azure": Cloud(azure_rig.Rig, AzureProvider, lambda rig: azure_rig.secret_credential(rig.cloud), grant_azure),
    "gcp": Cloud(GcpRig, GcpProvider, lambda rig: rig.submitted(), grant_gcp),
    "alicloud": Cloud(AliCloudRig, AliCloudProvider, lambda rig: rig.key(), grant_alicloud),
    "oci": Cloud(OciRig, OciProvider, lambda rig: rig.submitted(), grant_oci),
    "ibm": Cloud(IbmRig, IbmProvider, lambda rig: rig.submitted(), grant_ibm),
}


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[StandIn]:
    with running_stand_in(tmp_path_factory.mktemp("clouds"), []) as stand_in:
        yield stand_in


@pytest.mark.parametrize("name", CLOUDS)
def test_what_is_published_is_enough_and_without_any_of_it_the_verdict_is_another(server: StandIn, name: str):
    cloud = CLOUDS[name]
    with cloud.rig(server) as rig:
        provider, credential = cloud.provider(rig.client), cloud.credential(rig)
        published = [permission.name for permission in provider.description.permissions]
        assert 1 <= len(published) <= 3
        cloud.grant(rig, published)
        assert provider.validate(credential, EXPECTED).outcome is Outcome.ACTIVE
        for left_out in published:
            cloud.grant(rig, [permission for permission in published if permission != left_out])
            assert provider.validate(credential, EXPECTED).outcome is not Outcome.ACTIVE
