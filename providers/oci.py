"""Oracle Cloud Infrastructure: what it asks for, and the proof that a user's API signing key works."""

from domain.catalogue import ProviderDescription, Setup, SetupRequest
from domain.credentials import Credential
from domain.errors import InvalidInput
from domain.validation import Expectation, Verdict, verdict_of
from providers import oci_calls, oci_setup
from providers.oci_description import DESCRIPTION, USER_PRINCIPAL
from providers.oci_failures import SENTENCES
from providers.oci_proof import UserProof
from providers.oci_regions import is_oci_host
from providers.proving import run_steps, without_damage
from transport.client import GuardedClient

__all__ = ["OciProvider", "is_oci_host"]


class OciProvider:
    """The `CloudProvider` of OCI."""

    def __init__(self, client: GuardedClient) -> None:
        self._rest = oci_calls.rest(client)

    @property
    def description(self) -> ProviderDescription:
        return DESCRIPTION

    def setup(self, request: SetupRequest) -> Setup:
        DESCRIPTION.method(request.auth_method)
        return oci_setup.setup(request)

    def validate(self, credential: Credential, expectation: Expectation) -> Verdict:
        if credential.credential_type != USER_PRINCIPAL.credential_type:
            raise InvalidInput("This is not a credential for OCI.")
        proof = UserProof(self._rest, without_damage(DESCRIPTION.methods, credential), expectation)
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
