"""Where the CloudFormation template of an account is read."""

from urllib.parse import quote

from api.http.openapi import PREFIX
from api.services import Services
from domain.onboarding.catalogue import AuthMethod, Setup


def template_address(services: Services, method: AuthMethod, setup: Setup, external_id: str) -> str | None:
    """The address in S3 where one is configured, otherwise that of our own route, which needs a key; None for a method
    that needs no template. Without a public address it is relative to ours."""
    if not method.cloudformation_supported:
        return None
    route = f"{PREFIX}/onboarding/aws/cloudformation-template?external_id={quote(external_id, safe='')}"
    return setup.template_url or (services.public_url or "") + route
