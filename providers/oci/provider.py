"""Oracle Cloud Infrastructure: what it asks for, and the proof that a user's API signing key works."""

from collections.abc import Sequence

from domain.errors import InvalidInput
from domain.onboarding.catalogue import ProviderDescription, Setup, SetupRequest
from domain.onboarding.credentials import Credential
from domain.onboarding.validation import Expectation, Verdict, verdict_of
from providers.checks import run_steps, without_damage
from providers.oci import calls
from providers.oci import setup as oci_setup
from providers.oci.checks import UserProof
from providers.oci.description import DESCRIPTION, USER_PRINCIPAL
from providers.oci.errors import SENTENCES
from providers.oci.regions import is_oci_host
from transport.client import GuardedClient

__all__ = ["OciProvider", "is_oci_host"]


class OciProvider:
    """The `CloudProvider` of OCI."""

    def __init__(self, client: GuardedClient, engine_permissions: Sequence[str] = ()) -> None:
        self._description = DESCRIPTION.with_permissions(engine_permissions)
        self._rest = calls.rest(client)

    @property
    def description(self) -> ProviderDescription:
        return self._description

    def setup(self, request: SetupRequest) -> Setup:
        DESCRIPTION.method(request.auth_method)
        return oci_setup.setup(request, [permission.name for permission in self._description.permissions])

    def validate(self, credential: Credential, expectation: Expectation) -> Verdict:
        if credential.credential_type != USER_PRINCIPAL.credential_type:
            raise InvalidInput("This is not a credential for OCI.")
        undamaged = without_damage(DESCRIPTION.methods, credential)
        proof = UserProof(self._rest, undamaged, expectation, self._description.permissions)
        steps = run_steps(
            (
                ("shape", proof.shape),
                ("identify", proof.identify),
                ("ownership", proof.ownership),
                ("permissions", proof.permissions),
            ),
            SENTENCES,
        )
        if not proof.is_identified:
            return verdict_of(steps)
        return verdict_of(steps, account_number=proof.tenancy, identity=proof.user)
