"""The clouds on offer, built from the settings. The API asks them what they want, the worker lets them
prove it."""

from config import Settings
from domain.accounts import ProviderType
from providers.aws import AwsProvider, PlatformAws
from providers.registry import Registry


def catalogue(settings: Settings) -> Registry:
    return Registry({ProviderType.AWS: AwsProvider(platform_aws(settings))})


def platform_aws(settings: Settings) -> PlatformAws:
    return PlatformAws(
        account_id=settings.platform_aws_account_id,
        role_name=settings.platform_role_name,
        region=settings.aws_region,
        customer_endpoint_url=settings.customer_aws_endpoint_url,
        template_url=settings.cloudformation_template_url,
    )
