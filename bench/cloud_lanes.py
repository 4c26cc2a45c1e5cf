"""The two ways to validate a customer's credential that are compared: our provider, which serves all customers, and the
cloud's own SDK, with a new client for each customer."""

from collections.abc import Callable, Mapping
from importlib import import_module, metadata

from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from bench.cloud_bed import Address, CloudCustomer, Platform
from bench.ports import EXTERNAL_ID
from domain.accounts import ProviderType
from domain.catalogue import parse_credential
from domain.credentials import Secret
from domain.ports import CloudProvider
from domain.validation import Expectation, Outcome
from providers.alicloud import AliCloudProvider, PlatformAliCloud, is_alicloud_host
from providers.azure import AzureProvider, is_azure_host
from providers.gcp import GcpProvider, is_gcp_host
from providers.ibm import IbmProvider, is_ibm_host
from providers.oci import OciProvider, is_oci_host
from tests.fakes_identity import FakeIdentity
from tests.standin.server import ADDRESS
from transport.client import GuardedClient
from transport.guard import PublicOnly

Validate = Callable[[], None]
"""One validation. Raises unless the credential proves good, with all permissions."""

SDKS: Mapping[str, str] = {
    ProviderType.AZURE: "azure-identity",
    ProviderType.GCP: "google-auth",
    ProviderType.ALICLOUD: "alibabacloud-tea-openapi",
    ProviderType.OCI: "oci",
    ProviderType.IBM: "ibm-platform-services",
}
"""The distribution that does the work."""


def our_lane(customer: CloudCustomer, platform: Platform) -> Validate:
    return validation(provider_of(customer, platform), customer.auth_method, customer.fields)


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


def provider_of(customer: CloudCustomer, platform: Platform) -> CloudProvider:
    at = customer.at
    match customer.cloud:
        case ProviderType.AZURE:
            return AzureProvider(_client(at, is_azure_host))
        case ProviderType.GCP:
            return GcpProvider(_client(at, is_gcp_host), identity_of(platform))
        case ProviderType.ALICLOUD:
            ours = PlatformAliCloud(platform.alicloud_key_id, Secret(platform.alicloud_secret), platform.alicloud_arn)
            return AliCloudProvider(_client(at, is_alicloud_host), ours)
        case ProviderType.OCI:
            return OciProvider(_client(at, is_oci_host))
        case ProviderType.IBM:
            return IbmProvider(_client(at, is_ibm_host))
    raise ValueError(customer.cloud)


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


def _client(at: Address, is_allowed: Callable[[str], bool]) -> GuardedClient:
    """As workers have it; every name leads to the stand-in."""
    backend = PublicOnly(lambda host, port: [ADDRESS], stand_ins=[(ADDRESS, at.port)])
    return GuardedClient(backend, is_allowed=is_allowed, ca_file=at.ca_file, keep_alive=True)
