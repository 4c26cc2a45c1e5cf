"""The two ways to validate a customer's credential that are compared: our provider, which serves all customers, and the
cloud's own SDK, with a new client for each customer."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from importlib import import_module, metadata

from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from bench.cloud_bed import CloudCustomer, Platform
from bench.ports import EXTERNAL_ID
from domain.accounts import ProviderType
from domain.onboarding.catalogue import parse_credential
from domain.onboarding.credentials import Secret
from domain.onboarding.validation import Expectation, Outcome
from domain.ports import CloudProvider
from emulators.clouds.server import ADDRESS
from providers.alicloud.provider import AliCloudProvider, PlatformAliCloud, is_alicloud_host
from providers.alicloud.signature import AccessKey
from providers.azure.provider import AzureProvider, is_azure_host
from providers.gcp.provider import GcpProvider, is_gcp_host
from providers.ibm.provider import IbmProvider, is_ibm_host
from providers.oci.provider import OciProvider, is_oci_host
from tests.fakes_identity import FakeIdentity
from transport.client import GuardedClient
from transport.guard import PublicOnly

Validate = Callable[[], None]
"""One validation. Raises unless the credential proves good, with all permissions."""
Make = Callable[[GuardedClient], CloudProvider]

SDKS: Mapping[str, str] = {
    ProviderType.AZURE: "azure-identity",
    ProviderType.GCP: "google-auth",
    ProviderType.ALICLOUD: "alibabacloud-tea-openapi",
    ProviderType.OCI: "oci",
    ProviderType.IBM: "ibm-platform-services",
}
"""The distribution that does the work."""


@contextmanager
def our_lane(customer: CloudCustomer, platform: Platform) -> Iterator[Validate]:
    """One provider for all validations, with the client that workers have. Every name leads to the stand-in."""
    make, is_allowed = _providers(platform)[customer.cloud]
    backend = PublicOnly(lambda host, port: [ADDRESS], stand_ins=[(ADDRESS, customer.at.port)])
    with GuardedClient(backend, is_allowed=is_allowed, ca_file=customer.at.ca_file, keep_alive=True) as client:
        yield validation(make(client), customer.auth_method, customer.fields)


def sdk_lane(customer: CloudCustomer, platform: Platform) -> Validate | None:
    """None where the SDK is not installed."""
    if installed_sdk(customer.cloud) is None:
        return None
    lane: Validate = import_module(f"bench.sdks.{customer.cloud}").validation(customer, platform)
    return lane


def installed_sdk(cloud: str) -> str | None:
    """Name and version."""
    try:
        return f"{SDKS[cloud]} {metadata.version(SDKS[cloud])}"
    except metadata.PackageNotFoundError:
        return None


def _providers(platform: Platform) -> Mapping[str, tuple[Make, Callable[[str], bool]]]:
    """By cloud, how a provider is made of a client, and which hosts the client may reach."""
    ours = PlatformAliCloud(
        platform.alicloud_arn, AccessKey(platform.alicloud_key_id, Secret(platform.alicloud_secret))
    )
    return {
        ProviderType.AZURE: (AzureProvider, is_azure_host),
        ProviderType.GCP: (lambda client: GcpProvider(client, identity_of(platform)), is_gcp_host),
        ProviderType.ALICLOUD: (lambda client: AliCloudProvider(client, ours), is_alicloud_host),
        ProviderType.OCI: (OciProvider, is_oci_host),
        ProviderType.IBM: (IbmProvider, is_ibm_host),
    }


def identity_of(platform: Platform) -> FakeIdentity:
    key = load_pem_private_key(platform.identity_key.encode(), None)
    if not isinstance(key, RSAPrivateKey):
        raise TypeError("The identity provider's key is not an RSA key.")
    return FakeIdentity(key=key)


def validation(
    provider: CloudProvider, method: str, fields: Mapping[str, object], external_id: str = EXTERNAL_ID
) -> Validate:
    credential = parse_credential(provider.description.method(method), fields)

    def validate() -> None:
        verdict = provider.validate(credential, Expectation(external_id))
        if verdict.outcome is not Outcome.ACTIVE:
            raise RuntimeError(f"A good credential is not accepted: {[step.code for step in verdict.steps]}")

    return validate
