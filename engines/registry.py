"""What can scan here, by cloud, built from what the operator has set."""

from collections.abc import Mapping, Sequence

from domain.accounts import ProviderType
from domain.scans.ports import InProcessEngine, Narrower, OutsideEngine
from engines.aws.baseline import AwsBaseline
from engines.aws.scoped_session import AwsNarrower
from engines.aws.session import AwsSessions
from engines.http.engine import EngineAddress, HttpEngine
from providers.engine_sessions import PassThrough


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
        """None is left out: a cloud that was forgotten must not have its stored credential handed over."""
        return self._narrowers[provider_type]


def engines_of(
    sessions: AwsSessions,
    addresses: Mapping[ProviderType, EngineAddress],
    narrowers: Mapping[ProviderType, Narrower],
    aws_permissions: Sequence[str] = (),
) -> Registry:
    """The built-in engine of AWS, and an engine elsewhere for each cloud that has an address. `narrowers` are those of
    the clouds but AWS and OCI, whose API signing key is handed over as it is. `aws_permissions` are what an engine for
    AWS needs besides what we publish."""
    return Registry(
        in_process={ProviderType.AWS: AwsBaseline(sessions)},
        outside={provider_type: HttpEngine(address) for provider_type, address in addresses.items()},
        narrowers={
            ProviderType.AWS: AwsNarrower(sessions, aws_permissions),
            ProviderType.OCI: PassThrough(),
            **narrowers,
        },
    )
