"""The settings of access tokens: whose are accepted, and what their claims mean. A part of `config.Settings`, with the
same rules."""

from typing import Annotated

from pydantic import BaseModel, Field, StringConstraints

OidcIssuer = Annotated[str, StringConstraints(pattern=r"^https://[a-z0-9][!-\"$->@-~]{0,500}$")]
"""No query and no fragment, as OpenID Connect Discovery has it."""
Claim = Annotated[str, StringConstraints(pattern=r"^[!-~]{1,256}$")]
FilePath = Annotated[str, StringConstraints(pattern=r"^[!-~]{1,2048}$")]

TOGETHER = (("oidc_issuer", "oidc_audience"), ("oidc_admin_claim", "oidc_admin_value"))
"""Of each all or none."""


class OidcSettings(BaseModel):
    oidc_issuer: OidcIssuer | None = Field(
        None, description="the https address of the issuer whose access tokens are accepted, exactly as it is in them"
    )
    oidc_audience: Claim | None = Field(None, description="the audience that access tokens must be for")
    oidc_tenant_claim: Claim = Field("tenant_id", description="the claim of an access token with the tenant's id")
    oidc_scopes_claim: Claim = Field("scope", description="the claim of an access token with the scopes")
    oidc_admin_claim: Claim | None = Field(
        None, description="the claim of an access token that says that it acts for the platform"
    )
    oidc_admin_value: Claim | None = Field(
        None, description="what that claim is, or lists, in a token that acts for the platform"
    )
    oidc_ca_file: FilePath | None = Field(
        None, description="the path of a PEM file with the authorities to trust in calls of the issuer"
    )
