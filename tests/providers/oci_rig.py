"""OCI on the stand-in. The key is made once, because making one takes longer than a test."""

from functools import cache, partial
from typing import Any

from cryptography.hazmat.primitives.asymmetric import rsa

from domain.onboarding.credentials import Credential
from domain.onboarding.validation import Expectation, Verdict
from emulators.clouds.oci import OciCloud
from emulators.clouds.server import StandIn
from providers.oci.provider import OciProvider, is_oci_host
from tests.engine_needs import OCI
from tests.providers.stand_in_rig import EXPECTED, Rig, credential, finding

IDENTIFY = r"identity\S+/users/"
GROUPS = r"/20160918/groups"
NAMESPACE = r"objectstorage\S+/n$"


@cache
def made_key(name: str = "user", bits: int = 2048) -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(public_exponent=65537, key_size=bits)


class OciRig(Rig):
    cloud: OciCloud
    expected = EXPECTED

    def __init__(self, stand_in: StandIn, **options: Any) -> None:
        self.cloud = OciCloud(made_key())
        super().__init__(
            stand_in, self.cloud, make=partial(OciProvider, engine_permissions=OCI), is_allowed=is_oci_host, **options
        )

    def submitted(self, **changed: object) -> Credential:
        return credential("oci_user_principal", self.cloud.demo_credential() | changed)

    def validate(self, expectation: Expectation = EXPECTED, /, **changed: object) -> Verdict:
        return self.provider.validate(self.submitted(**changed), expectation)

    def finding(self, expectation: Expectation = EXPECTED, /, **changed: object) -> tuple[str, str]:
        return finding(self.validate(expectation, **changed))
