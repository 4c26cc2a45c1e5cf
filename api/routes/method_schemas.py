"""Answers about what a cloud asks for and what the customer deploys there."""

from typing import Self

from pydantic import BaseModel, Field

from api.routes.onboarding_schemas import EXTERNAL_ID, ID
from domain.accounts import Account, ProviderType
from domain.onboarding.catalogue import AuthMethod, CredentialField, Permission, ProviderDescription, Setup
from domain.scans.scopes import EngineOffer


class FieldAnswer(BaseModel):
    """One field of a credential."""

    name: str
    description: str
    required: bool
    secret: bool
    pattern: str = Field(description="A regular expression that the whole value matches.")
    rule: str | None = Field(description="Which of the well-formed values the platform can use, when not all of them.")

    @classmethod
    def of(cls, field: CredentialField) -> Self:
        return cls(
            name=field.name,
            description=field.description,
            required=field.required,
            secret=field.secret,
            pattern=field.rule.pattern if field.rule else field.pattern,
            rule=field.rule.sentence if field.rule else None,
        )


class MethodAnswer(BaseModel):
    """One way to give access."""

    method: str = Field(examples=["iam_role"])
    name: str
    description: str
    requires: list[str] = Field(description="The names of the required fields.")
    fields: list[FieldAnswer]
    cloudformation_supported: bool

    @classmethod
    def of(cls, method: AuthMethod) -> Self:
        return cls(
            method=method.method,
            name=method.name,
            description=method.description,
            requires=list(method.requires),
            fields=[FieldAnswer.of(field) for field in method.fields],
            cloudformation_supported=method.cloudformation_supported,
        )


class PermissionAnswer(BaseModel):
    """One permission that scanning uses."""

    name: str = Field(examples=["iam:GetAccountSummary"])
    required: bool = Field(description="Without a required one the account is refused, without another one limited.")
    purpose: str

    @classmethod
    def of(cls, permission: Permission) -> Self:
        return cls.model_validate(permission, from_attributes=True)


class MethodsAnswer(BaseModel):
    """The methods of a cloud; the first one is the default."""

    provider: ProviderType
    name: str
    methods: list[MethodAnswer]
    permissions: list[PermissionAnswer]

    @classmethod
    def of(cls, description: ProviderDescription) -> Self:
        return cls(
            provider=description.provider_type,
            name=description.name,
            methods=[MethodAnswer.of(method) for method in description.methods],
            permissions=[PermissionAnswer.of(permission) for permission in description.permissions],
        )


class ProviderAnswer(BaseModel):
    """One cloud, and what can be scanned of it here."""

    provider: ProviderType
    name: str
    methods: list[str] = Field(examples=[["iam_role", "access_key"]])
    engines: list[str] = Field(
        description="What can scan it: `built_in`, or `http` for an engine of the operators'. Without one its accounts "
        "can be onboarded and not be scheduled."
    )
    regions: list[str] = Field(description="Those that a schedule may name; empty when any is passed on to the engine.")
    services: list[str] = Field(description="The same of services.")

    @classmethod
    def of(cls, description: ProviderDescription, offer: EngineOffer | None) -> Self:
        return cls(
            provider=description.provider_type,
            name=description.name,
            methods=[method.method for method in description.methods],
            engines=list(offer.engines) if offer else [],
            regions=list(offer.regions) if offer else [],
            services=list(offer.services) if offer else [],
        )


class ProvidersAnswer(BaseModel):
    """The clouds on offer."""

    providers: list[ProviderAnswer]


class SetupAnswer(BaseModel):
    """What the customer runs or deploys for one account."""

    provider: ProviderType
    account_id: str = Field(examples=[ID])
    auth_method: str
    external_id: str | None = Field(description="Null when the method has none.", examples=[EXTERNAL_ID])
    instructions: str
    template: str | None = Field(description="The CloudFormation template.")
    script: str | None = Field(description="Commands of the cloud's own command line that set everything up.")
    template_url: str | None
    quick_create_url: str | None = Field(description="Opens the cloud's console with everything filled in.")
    platform_account_id: str | None = Field(description="Our account, which the customer's role trusts.")
    permissions: list[PermissionAnswer]

    @classmethod
    def of(cls, account: Account, description: ProviderDescription, setup: Setup, *, template_url: str | None) -> Self:
        method = description.method(account.auth_method)
        return cls(
            provider=account.provider_type,
            account_id=account.account_id,
            auth_method=account.auth_method,
            external_id=account.external_id if method.takes_external_id else None,
            instructions=setup.instructions,
            template=setup.template,
            script=setup.script,
            template_url=template_url,
            quick_create_url=setup.quick_create_url,
            platform_account_id=setup.platform_account_id,
            permissions=[PermissionAnswer.of(permission) for permission in description.permissions],
        )


class TemplateAnswer(BaseModel):
    """The CloudFormation template for one external id."""

    template: str
    external_id: str = Field(examples=[EXTERNAL_ID])
    platform_account_id: str
