"""AliCloud on the stand-in, with the platform's own user."""

from typing import Any

from domain.onboarding.credentials import Credential, Secret
from domain.onboarding.validation import Expectation, Verdict
from emulators.clouds.alicloud import AliCloud
from emulators.clouds.server import StandIn
from providers.alicloud.provider import AliCloudProvider, PlatformAliCloud, is_alicloud_host
from providers.alicloud.signature import AccessKey
from tests.engine_needs import ALICLOUD
from tests.providers.stand_in_rig import EXPECTED, EXTERNAL_ID, Rig, credential, finding

STS, RAM = r"^sts\.", r"^ram\."


class AliCloudRig(Rig):
    cloud: AliCloud
    expected = EXPECTED

    def __init__(self, stand_in: StandIn, **options: Any) -> None:
        self.cloud = AliCloud()
        super().__init__(
            stand_in,
            self.cloud,
            make=lambda client: AliCloudProvider(client, self.platform(), ALICLOUD),
            is_allowed=is_alicloud_host,
            **options,
        )

    def platform(self) -> PlatformAliCloud:
        own = self.cloud.platform
        return PlatformAliCloud(own.arn, AccessKey(own.id, Secret(own.secret)))

    def key(self, **changed: object) -> Credential:
        return credential("alicloud_access_key", self.cloud.demo_credential() | changed)

    def role(self, asks_for: str | None = EXTERNAL_ID, /, **changed: object) -> Credential:
        """A role with this external id in its trust policy, as a customer would submit it."""
        return credential("alicloud_ram_role", {"role_arn": self.cloud.add_role(asks_for).arn} | changed)

    def validate(self, submitted: Credential | None = None, expectation: Expectation = EXPECTED) -> Verdict:
        return self.provider.validate(submitted or self.key(), expectation)

    def finding(self, submitted: Credential | None = None, expectation: Expectation = EXPECTED) -> tuple[str, str]:
        return finding(self.validate(submitted, expectation))
