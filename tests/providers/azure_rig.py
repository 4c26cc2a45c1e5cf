"""Azure on the stand-in, and what a test asks of it."""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

from domain.onboarding.credentials import Credential
from domain.onboarding.validation import Expectation, Verdict
from emulators.clouds.azure import AzureCloud
from emulators.clouds.server import StandIn, running_stand_in
from providers.azure.provider import AzureProvider, is_azure_host
from tests.engine_needs import AZURE
from tests.providers import stand_in_rig
from tests.providers.stand_in_rig import EXPECTED, credential, finding
from transport.exchange import Bounds

OTHER = "11111111-2222-4333-8444-555555555555"
"""An ID that is nobody's."""
SECRETS = ("client_secret", "client_certificate", "passphrase")


@contextmanager
def running_azure(folder: Path) -> Iterator[StandIn]:
    with running_stand_in(folder, []) as stand_in:
        yield stand_in


def secret_credential(cloud: AzureCloud, **changed: str) -> Credential:
    return credential("azure_service_principal", cloud.demo_credential() | changed)


def certificate_credential(cloud: AzureCloud, passphrase: str = "", **changed: str) -> Credential:
    return credential("azure_certificate", cloud.certificate_credential(passphrase) | changed)


class Rig(stand_in_rig.Rig):
    """A new Azure for one test, and the production client in front of it."""

    def __init__(self, stand_in: StandIn, *, bounds: Bounds | None = None) -> None:
        self.cloud = AzureCloud()
        super().__init__(
            stand_in,
            self.cloud,
            make=partial(AzureProvider, engine_permissions=AZURE),
            is_allowed=is_azure_host,
            bounds=bounds,
        )

    def validate(self, credential: Credential | None = None, expectation: Expectation = EXPECTED) -> Verdict:
        return self.provider.validate(credential or secret_credential(self.cloud), expectation)

    def finding(self, credential: Credential | None = None, expectation: Expectation = EXPECTED) -> tuple[str, str]:
        """The step that decided and its code."""
        return finding(self.validate(credential, expectation))

    def calls(self) -> list[str]:
        return list(self.stand_in.log)
