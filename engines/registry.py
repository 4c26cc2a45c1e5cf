"""What can scan here, by cloud, built from what the operator has set."""

from collections.abc import Mapping

from domain.accounts import ProviderType
from domain.credentials import Credential
from domain.scan_ports import InProcessEngine, Narrower, OutsideEngine
from engines.aws_baseline import AwsBaseline
from engines.aws_narrower import AwsNarrower
from engines.aws_session import AwsSessions
from engines.http_engine import EngineAddress, HttpEngine


class PassThrough:
    """The `Narrower` of a cloud whose credentials are not narrowed yet: the engine gets the stored one."""

    def narrow(self, credential: Credential, *, external_id: str, execution_id: str) -> Credential:
        return credential


class Registry:
    """The `Engines` handed in."""

    def __init__(
        self,
        in_process: Mapping[ProviderType, InProcessEngine],
        outside: Mapping[ProviderType, OutsideEngine],
        narrowers: Mapping[ProviderType, Narrower],
    ) -> None:
        self._in_process = in_process
        self._outside = outside
        self._narrowers = narrowers

    def in_process(self, provider_type: ProviderType) -> InProcessEngine | None:
        return self._in_process.get(provider_type)

    def outside(self, provider_type: ProviderType) -> OutsideEngine | None:
        return self._outside.get(provider_type)

    def narrower(self, provider_type: ProviderType) -> Narrower:
        return self._narrowers.get(provider_type) or PassThrough()


def engines_of(sessions: AwsSessions, addresses: Mapping[ProviderType, EngineAddress]) -> Registry:
    """The built-in engine of AWS, and an engine elsewhere for each cloud that has an address."""
    return Registry(
        in_process={ProviderType.AWS: AwsBaseline(sessions)},
        outside={provider_type: HttpEngine(address) for provider_type, address in addresses.items()},
        narrowers={ProviderType.AWS: AwsNarrower(sessions)},
    )
