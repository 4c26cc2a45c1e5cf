"""The stand-ins of the clouds as a process: `python -m bench.stand_ins FOLDER`. It writes into the folder where they
are and who their customers are, and ends with SIGTERM."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import typer

from bench.cloud_bed import Address, CloudBed, CloudCustomer, Platform, bed_file
from bench.measuring import hold_the_stop, wait_to_be_stopped
from bench.ports import EXTERNAL_ID
from domain.accounts import ProviderType
from emulators.clouds.alicloud import AliCloud
from emulators.clouds.azure import AzureCloud
from emulators.clouds.gcp_federation import FederatedGcpCloud
from emulators.clouds.gcp_tokens import pem_of
from emulators.clouds.ibm import IbmCloud
from emulators.clouds.oci import OciCloud
from emulators.clouds.server import ADDRESS, Cloud, StandIn, running_stand_in
from tests.fakes_identity import FakeIdentity

Fields = Mapping[str, Any]


class Clouds:
    """One customer of each cloud. Those whose SDK asks by address answer to the address, too."""

    def __init__(self) -> None:
        self.identity = FakeIdentity()
        self.azure, self.oci, self.ibm, self.alicloud = AzureCloud(), OciCloud(), IbmCloud(), AliCloud()
        self.gcp = FederatedGcpCloud(self.identity.issuer, self.identity.published, external_id=EXTERNAL_ID)
        for cloud in (self.azure, self.ibm):
            cloud.hosts = (*cloud.hosts, ADDRESS)

    def all(self) -> Mapping[str, Cloud]:
        return {
            ProviderType.AZURE: self.azure,
            ProviderType.GCP: self.gcp,
            ProviderType.ALICLOUD: self.alicloud,
            ProviderType.OCI: self.oci,
            ProviderType.IBM: self.ibm,
        }

    def credentials(self) -> Sequence[tuple[str, str, Fields]]:
        """Cloud, method, and the fields of a good credential."""
        return (
            (ProviderType.AZURE, "service_principal", self.azure.demo_credential()),
            (ProviderType.AZURE, "certificate", self.azure.certificate_credential()),
            (ProviderType.GCP, "service_account", self.gcp.demo_credential()),
            (ProviderType.GCP, "workload_identity", self.gcp.keyless_credential()),
            (ProviderType.ALICLOUD, "access_key", self.alicloud.demo_credential()),
            (ProviderType.ALICLOUD, "ram_role", {"role_arn": self.alicloud.add_role(EXTERNAL_ID).arn}),
            (ProviderType.OCI, "user_principal", self.oci.demo_credential()),
            (ProviderType.IBM, "api_key", self.ibm.demo_credential()),
        )

    def platform(self) -> Platform:
        ours = self.alicloud.platform
        return Platform(pem_of(self.identity.key), ours.id, ours.secret, ours.arn)


@dataclass(frozen=True)
class Serving:
    """The running stand-ins."""

    bed: CloudBed
    by_cloud: Mapping[str, StandIn]


@contextmanager
def serving(folder: Path) -> Iterator[Serving]:
    """Each cloud on a port of its own, and all on one."""
    clouds = Clouds()
    with ExitStack() as parts:

        def start(name: str, *those: Cloud) -> StandIn:
            (folder / name).mkdir()
            return parts.enter_context(running_stand_in(folder / name, those))

        together = start("together", *clouds.all().values())
        alone = {name: start(name, cloud) for name, cloud in clouds.all().items()}
        customers = [
            CloudCustomer(cloud, method, fields, _address(alone[cloud]))
            for cloud, method, fields in clouds.credentials()
        ]
        yield Serving(CloudBed(customers, clouds.platform(), _address(together)), alone)


def _address(stand_in: StandIn) -> Address:
    return Address(stand_in.port, stand_in.ca_file)


def main(folder: Path) -> None:
    hold_the_stop()
    with serving(folder) as running:
        running.bed.write(bed_file(folder))
        wait_to_be_stopped()


if __name__ == "__main__":
    typer.run(main)
