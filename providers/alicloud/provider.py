"""Alibaba Cloud: what it asks for, and the proof that a credential works."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from domain.errors import InvalidInput, PlatformConfig
from domain.onboarding.catalogue import ProviderDescription, Setup, SetupRequest
from domain.onboarding.credentials import Credential
from domain.onboarding.validation import Expectation, Verdict, verdict_of
from providers.alicloud import setup as alicloud_setup
from providers.alicloud.auth_methods import KeyProof, Proof, RoleProof
from providers.alicloud.calls import Session
from providers.alicloud.checks import ownership, permissions
from providers.alicloud.description import ACCESS_KEY, RAM_ROLE, described
from providers.alicloud.errors import SENTENCES, Signer
from providers.alicloud.permissions import is_alicloud_host
from providers.alicloud.signature import AccessKey
from providers.checks import run_steps, without_damage
from transport.client import GuardedClient

__all__ = ["AliCloudProvider", "PlatformAliCloud", "is_alicloud_host"]


@dataclass(frozen=True)
class PlatformAliCloud:
    """Our own RAM user, which assumes customers' roles and may do nothing else."""

    principal_arn: str
    """The user, as customers' roles trust it: acs:ram::<account ID>:user/<name>."""
    key: AccessKey | None = field(default=None, repr=False)
    """None where roles are on offer and never assumed, as in the API."""


class AliCloudProvider:
    """The `CloudProvider` of AliCloud. Without a user of our own, roles are not on offer."""

    def __init__(
        self,
        client: GuardedClient,
        platform: PlatformAliCloud | None = None,
        engine_permissions: Sequence[str] = (),
    ) -> None:
        self._client = client
        self._platform = platform
        offered = described(ACCESS_KEY, RAM_ROLE) if platform else described(ACCESS_KEY)
        self._description = offered.with_permissions(engine_permissions)
        self._permissions = [permission.name for permission in self._description.permissions]

    @property
    def description(self) -> ProviderDescription:
        return self._description

    def setup(self, request: SetupRequest) -> Setup:
        method = self._description.method(request.auth_method)
        if method is RAM_ROLE and self._platform:
            return alicloud_setup.role(self._platform.principal_arn, request, self._permissions)
        return alicloud_setup.access_key(request, self._permissions)

    def validate(self, credential: Credential, expectation: Expectation) -> Verdict:
        credential = without_damage((ACCESS_KEY, RAM_ROLE), credential)
        proof = self._proof(credential, expectation)
        steps = run_steps(
            (
                ("shape", proof.shape),
                ("identify", proof.identify),
                ("trust", proof.trust),
                ("ownership", lambda: ownership(proof.account_number, credential, expectation)),
                (
                    "permissions",
                    lambda: permissions(
                        proof.session, expectation, self._description.permissions, identity=proof.caller_arn
                    ),
                ),
            ),
            SENTENCES,
        )
        return verdict_of(steps, account_number=proof.account_number or None, identity=proof.caller_arn or None)

    def _proof(self, credential: Credential, expectation: Expectation) -> Proof:
        if credential.credential_type == ACCESS_KEY.credential_type:
            return KeyProof(self._client, credential, expectation)
        return self.role_proof(credential, expectation)

    def role_proof(self, credential: Credential, expectation: Expectation, **session: str) -> RoleProof:
        if credential.credential_type == RAM_ROLE.credential_type and self._platform:
            if self._platform.key is None:
                raise PlatformConfig
            own = Session(self._client, self._platform.key, Signer.PLATFORM)
            credential = without_damage([RAM_ROLE], credential)
            principal = self._platform.principal_arn
            return RoleProof(own, principal, credential, expectation, permissions=self._permissions, **session)
        raise InvalidInput("This is not a credential for AliCloud, or of a method that is not offered here.")
