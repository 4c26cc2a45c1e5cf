"""Google Cloud on the stand-in. The keys are made once, because making one takes longer than a test."""

import json
from functools import cache
from typing import Any

from cryptography.hazmat.primitives.asymmetric import rsa

from domain.onboarding.catalogue import parse_credential
from domain.onboarding.credentials import Credential
from domain.onboarding.validation import Expectation, Verdict
from emulators.clouds.gcp_federation import FederatedGcpCloud
from emulators.clouds.server import StandIn
from providers.gcp.description import SERVICE_ACCOUNT
from providers.gcp.provider import GcpProvider, is_gcp_host
from tests.engine_needs import GCP
from tests.fakes_identity import FakeIdentity
from tests.providers.stand_in_rig import EXPECTED, EXTERNAL_ID, Rig, credential, finding

TOKEN, PROJECT, TEST = r"oauth2\S+/token$", r"/v3/projects/[^:]+$", r":testIamPermissions$"
EXCHANGE, LOAN = r"/v1/token$", r":generateAccessToken$"


@cache
def made_key(name: str = "account", bits: int = 2048) -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(public_exponent=65537, key_size=bits)


class GcpRig(Rig):
    cloud: FederatedGcpCloud

    def __init__(self, stand_in: StandIn, **options: Any) -> None:
        self.identity = FakeIdentity()
        self.cloud = FederatedGcpCloud(
            self.identity.issuer, self.identity.published, external_id=EXTERNAL_ID, key=made_key()
        )
        super().__init__(
            stand_in,
            self.cloud,
            make=lambda client: GcpProvider(client, self.identity, GCP),
            is_allowed=is_gcp_host,
            **options,
        )

    def submitted(self, project_id: str | None = None, **changed: object) -> Credential:
        """The key file with some of its members changed, as the API takes it in."""
        return parse_credential(
            SERVICE_ACCOUNT, {"service_account_json": self.cloud.key_file(**changed), "project_id": project_id}
        )

    def kept(self, **changed: object) -> Credential:
        """The same without the API's look at it, as it would come out of the vault."""
        return Credential("gcp_service_account", {"service_account_json": json.dumps(self.cloud.key_file(**changed))})

    def keyless(self, **changed: object) -> Credential:
        return credential("gcp_workload_identity", self.cloud.keyless_credential() | changed)

    def validate(self, submitted: Credential | None = None, expectation: Expectation = EXPECTED) -> Verdict:
        return self.provider.validate(submitted or self.submitted(), expectation)

    def finding(self, submitted: Credential | None = None, expectation: Expectation = EXPECTED) -> tuple[str, str]:
        return finding(self.validate(submitted, expectation))

    def calls(self) -> list[str]:
        return list(self.stand_in.log)
