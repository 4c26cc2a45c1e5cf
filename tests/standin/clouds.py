"""Every cloud that has a stand-in, each with one customer."""

from typing import Protocol

from domain.accounts import ProviderType
from tests.standin.alicloud import AliCloud
from tests.standin.azure import AzureCloud
from tests.standin.gcp import GcpCloud
from tests.standin.ibm import IbmCloud
from tests.standin.oci import OciCloud
from tests.standin.server import Cloud


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
