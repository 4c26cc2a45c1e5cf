"""IBM Cloud on the stand-in, and what a test asks of it."""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

from domain.onboarding.credentials import Credential
from domain.onboarding.validation import Expectation, Verdict
from emulators.clouds.ibm import IbmCloud
from emulators.clouds.server import StandIn, running_stand_in
from providers.ibm.provider import IbmProvider, is_ibm_host
from tests.engine_needs import IBM
from tests.providers.stand_in_rig import EXPECTED, Rig, credential, finding

TOKEN, DETAILS, POLICIES, GROUPS = "/identity/token", "/apikeys/details", "/v1/policies", "/v2/groups"


@contextmanager
def running_ibm(folder: Path) -> Iterator[StandIn]:
    with running_stand_in(folder, []) as stand_in:
        yield stand_in


class IbmRig(Rig):
    """A new IBM Cloud for one test, and the production client in front of it."""

    def __init__(self, stand_in: StandIn, **options: Any) -> None:
        self.cloud = IbmCloud()
        super().__init__(
            stand_in, self.cloud, make=partial(IbmProvider, engine_permissions=IBM), is_allowed=is_ibm_host, **options
        )

    def submitted(self, **changed: object) -> Credential:
        return credential("ibm_api_key", self.cloud.demo_credential() | changed)

    def validate(self, expectation: Expectation = EXPECTED, /, **changed: object) -> Verdict:
        return self.provider.validate(self.submitted(**changed), expectation)

    def finding(self, expectation: Expectation = EXPECTED, /, **changed: object) -> tuple[str, str]:
        return finding(self.validate(expectation, **changed))

    def places(self) -> list[str]:
        """The paths that were asked, in order."""
        return [line.split("iam.cloud.ibm.com")[1] for line in self.stand_in.log]
