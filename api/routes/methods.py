"""Routes that publish what a cloud asks for. Nothing here changes anything."""

from typing import Annotated

from fastapi import Query

from api.auth.access import AccessDep, Provider, ServicesDep
from api.auth.permissions import Tenancy, needs, new_router
from api.http.openapi import errors
from api.routes.method_schemas import MethodsAnswer, ProviderAnswer, ProvidersAnswer, SetupAnswer, TemplateAnswer
from api.routes.template_address import template_address
from domain.accounts import Account, ProviderType
from domain.callers.access import Scope
from domain.errors import NotFound
from domain.onboarding.catalogue import SetupRequest

router = new_router("/onboarding", tag="methods")

ExternalId = Annotated[
    str,
    Query(
        min_length=16,
        max_length=128,
        pattern=r"^[A-Za-z0-9_+=,.@:/-]+$",
        description="The account's external id, as `init` gave it. The template takes any that AWS takes and nobody "
        "guesses; an account is onboarded with its own one only.",
    ),
]


@router.get(
    "/providers",
    dependencies=[needs(Scope.ACCOUNTS_READ, Tenancy.NONE)],
    responses=errors(),
    summary="List the clouds",
)
def list_providers(services: ServicesDep) -> ProvidersAnswer:
    """Every cloud with its methods, and the engines, regions and services that its schedules can name."""
    offers, catalogue = services.scans.offers, services.catalogue
    described = [catalogue.provider(name).description for name in catalogue.names()]
    return ProvidersAnswer(providers=[ProviderAnswer.of(each, offers.get(each.provider_type)) for each in described])


@router.get(
    "/{provider}/methods",
    dependencies=[needs(Scope.ACCOUNTS_READ, Tenancy.NONE)],
    responses=errors(404),
    summary="List a cloud's methods",
)
def list_methods(provider: Provider, services: ServicesDep) -> MethodsAnswer:
    """The ways to give access to an account of this cloud, their fields, and the permissions that scanning uses."""
    return MethodsAnswer.of(services.catalogue.provider(provider).description)


@router.get(
    "/{provider}/setup",
    dependencies=[needs(Scope.ACCOUNTS_READ, Tenancy.OWNED)],
    responses=errors(400, 404),
    summary="Get an account's set-up",
)
def get_setup(provider: Provider, account_id: str, access: AccessDep) -> SetupAnswer:
    """What the customer runs or deploys in its cloud for this account."""
    account = access.account(account_id, provider)
    cloud = access.services.catalogue.provider(account.provider_type)
    deployed = cloud.setup(_wanted(account))
    method = cloud.description.method(account.auth_method)
    url = template_address(access.services, method, deployed, account.external_id)
    return SetupAnswer.of(account, cloud.description, deployed, template_url=url)


def _wanted(account: Account) -> SetupRequest:
    return SetupRequest(account.external_id, account.account_name, account.auth_method, account.account_id)


@router.get(
    "/aws/cloudformation-template",
    dependencies=[needs(Scope.ACCOUNTS_READ, Tenancy.NONE)],
    responses=errors(400, 404),
    summary="Get the CloudFormation template",
)
def get_template(external_id: ExternalId, services: ServicesDep) -> TemplateAnswer:
    """The template that makes the role, for one external id."""
    deployed = services.catalogue.provider(ProviderType.AWS).setup(SetupRequest(external_id))
    if deployed.template is None or deployed.platform_account_id is None:
        raise NotFound("AWS accounts are onboarded without a template here.")
    return TemplateAnswer(
        template=deployed.template, external_id=external_id, platform_account_id=deployed.platform_account_id
    )
