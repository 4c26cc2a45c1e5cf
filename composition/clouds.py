"""The clouds on offer, built from the settings. The API asks them what they want, the worker lets them
prove it."""

from collections.abc import Callable

from config import Settings
from domain.accounts import ProviderType
from domain.onboarding.credentials import Secret
from providers.alicloud.provider import AliCloudProvider, PlatformAliCloud, is_alicloud_host
from providers.alicloud.signature import AccessKey
from providers.aws.provider import AwsProvider, PlatformAws
from providers.aws.role_names import RoleNames
from providers.azure.provider import AzureProvider, is_azure_host
from providers.gcp.provider import GcpProvider, is_gcp_host
from providers.ibm.provider import IbmProvider, is_ibm_host
from providers.oci.provider import OciProvider, is_oci_host
from providers.registry import Registry
from stores.kms.identity import KmsIdentityKeys, KmsIdentityTokens
from stores.session import AwsClients
from transport.client import GuardedClient
from transport.guard import PublicOnly


def catalogue(settings: Settings, aws: AwsClients) -> Registry:
    """`aws` is ours: it assumes the roles of customers, and its KMS signs the tokens of our identity provider."""
    return Registry(
        {
            ProviderType.AWS: AwsProvider(
                platform_aws(settings),
                own=aws.session,
                models=aws.models,
                engine_permissions=settings.engine_permissions["aws"],
            ),
            ProviderType.AZURE: azure(settings),
            ProviderType.GCP: gcp(settings, aws),
            ProviderType.ALICLOUD: alicloud(settings),
            ProviderType.OCI: OciProvider(guarded(settings, is_oci_host), settings.engine_permissions["oci"]),
            ProviderType.IBM: ibm(settings),
        }
    )


def azure(settings: Settings) -> AzureProvider:
    return AzureProvider(guarded(settings, is_azure_host), settings.engine_permissions["azure"])


def gcp(settings: Settings, aws: AwsClients) -> GcpProvider:
    identity, permissions = identity_tokens(settings, aws), settings.engine_permissions["gcp"]
    return GcpProvider(guarded(settings, is_gcp_host), identity, permissions)


def alicloud(settings: Settings) -> AliCloudProvider:
    platform, permissions = platform_alicloud(settings), settings.engine_permissions["alicloud"]
    return AliCloudProvider(guarded(settings, is_alicloud_host), platform, permissions)


def ibm(settings: Settings) -> IbmProvider:
    return IbmProvider(guarded(settings, is_ibm_host), settings.engine_permissions["ibm"])


def platform_aws(settings: Settings) -> PlatformAws:
    return PlatformAws(
        account_id=settings.platform_aws_account_id,
        role_name=settings.platform_role_name,
        region=settings.aws_region,
        customer_endpoint_url=settings.customer_aws_endpoint_url,
        template_url=settings.cloudformation_template_url,
        role_names=RoleNames(settings.customer_role_names),
    )


def platform_alicloud(settings: Settings) -> PlatformAliCloud | None:
    """Our user there: its name, and its key where the process has it."""
    key_id, secret = settings.alicloud_access_key_id, settings.alicloud_access_key_secret
    if settings.alicloud_principal_arn is None:
        return None
    own = AccessKey(key_id, Secret(secret.get_secret_value())) if key_id and secret else None
    return PlatformAliCloud(settings.alicloud_principal_arn, own)


def identity_tokens(settings: Settings, aws: AwsClients) -> KmsIdentityTokens | None:
    """For clouds that trust our identity provider in place of a key."""
    issuer = settings.identity_issuer_url
    return KmsIdentityTokens(aws.kms, issuer=issuer, key_id=settings.identity_kms_key_id) if issuer else None


def identity_keys(settings: Settings, aws: AwsClients) -> KmsIdentityKeys | None:
    """What those clouds check the tokens with."""
    issuer = settings.identity_issuer_url
    return KmsIdentityKeys(aws.kms, issuer=issuer, key_id=settings.identity_kms_key_id) if issuer else None


def guarded(settings: Settings, is_allowed: Callable[[str], bool]) -> GuardedClient:
    """The way to one cloud: to its own hosts and to no other."""
    return GuardedClient(
        _backend(settings.customer_clouds_address),
        is_allowed=is_allowed,
        ca_file=settings.clouds_ca_file,
        keep_alive=True,
    )


def _backend(stand_in: str | None) -> PublicOnly:
    """With a stand-in every name leads to it; the names in addresses and certificates stay the clouds' own."""
    if stand_in is None:
        return PublicOnly()
    address, _, port = stand_in.rpartition(":")
    address = address.strip("[]")
    return PublicOnly(lambda host, port: [address], stand_ins=[(address, int(port))])
