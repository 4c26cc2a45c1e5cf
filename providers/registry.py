"""The clouds on offer, by name."""

from collections.abc import Mapping

from domain.accounts import ProviderType
from domain.errors import NotFound
from domain.ports import CloudProvider


class Registry:
    """The catalogue of the providers handed in; a cloud without one is not on offer."""

    def __init__(self, providers: Mapping[ProviderType, CloudProvider]) -> None:
        self._providers: dict[str, CloudProvider] = {kind.value: providers[kind] for kind in providers}

    def provider(self, provider_type: str) -> CloudProvider:
        if provider_type not in self._providers:
            message = f"There is no such cloud here; choose one of: {', '.join(self.names())}."
            raise NotFound(message, pointer="/provider")
        return self._providers[provider_type]

    def names(self) -> tuple[str, ...]:
        return tuple(self._providers)
