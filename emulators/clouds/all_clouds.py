"""Every cloud that has a stand-in, each with one customer."""

from typing import Protocol

from domain.accounts import ProviderType
from emulators.clouds.alicloud import AliCloud
from emulators.clouds.azure import AzureCloud
from emulators.clouds.gcp import GcpCloud
from emulators.clouds.ibm import IbmCloud
from emulators.clouds.oci import OciCloud
from emulators.clouds.server import Cloud


class CloudWithCustomer(Cloud, Protocol):
    def demo_credential(self) -> dict[str, object]:
        """The fields of a good credential of its first method, as they are submitted."""


def all_clouds() -> dict[str, CloudWithCustomer]:
    return {
        ProviderType.AZURE: AzureCloud(),
        ProviderType.GCP: GcpCloud(),
        ProviderType.ALICLOUD: AliCloud(),
        ProviderType.OCI: OciCloud(),
        ProviderType.IBM: IbmCloud(),
    }
