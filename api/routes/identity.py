"""The platform as an identity provider: what others check its tokens with. Public, and the same for everyone.

Source: OpenID Connect Discovery 1.0, sections 3 and 4; RFC 7517 for the keys.
"""

from collections.abc import Sequence

from fastapi import Response
from pydantic import BaseModel, Field

from api.auth.access import ServicesDep
from api.auth.permissions import new_router
from api.http.openapi import errors
from api.services import Services
from domain.errors import NotFound
from domain.ports import IdentityKeys

CACHED = "public, max-age=300"
KEYS = "/.well-known/jwks.json"

ERRORS = errors(404, public=True)

router = new_router("/.well-known", tag="identity", public=True)


class ConfigurationAnswer(BaseModel):
    """What a relying party has to know."""

    issuer: str = Field(examples=["https://onboarding.platform.example"])
    jwks_uri: str = Field(examples=["https://onboarding.platform.example/.well-known/jwks.json"])
    response_types_supported: list[str] = ["id_token"]
    subject_types_supported: list[str] = ["public"]
    id_token_signing_alg_values_supported: list[str] = ["RS256"]
    claims_supported: list[str] = ["iss", "sub", "aud", "iat", "nbf", "exp", "jti"]


class KeyAnswer(BaseModel):
    """One public key, as a JSON Web Key."""

    kty: str = Field(examples=["RSA"])
    use: str = Field(examples=["sig"])
    alg: str = Field(examples=["RS256"])
    kid: str = Field(description="Its thumbprint.")
    n: str
    e: str


class KeysAnswer(BaseModel):
    keys: Sequence[KeyAnswer]


@router.get("/openid-configuration", responses=ERRORS, summary="Discover the identity provider")
def get_openid_configuration(services: ServicesDep, response: Response) -> ConfigurationAnswer:
    """The issuer of the platform's tokens, and where its keys are. Missing where the platform issues none."""
    issuer = _published(services).issuer
    response.headers["Cache-Control"] = CACHED
    return ConfigurationAnswer(issuer=issuer, jwks_uri=f"{issuer}{KEYS}")


@router.get("/jwks.json", responses=ERRORS, summary="Get the identity provider's keys")
def get_json_web_keys(services: ServicesDep, response: Response) -> KeysAnswer:
    """The public keys of the platform's tokens."""
    keys = [KeyAnswer.model_validate(key) for key in _published(services).published()]
    response.headers["Cache-Control"] = CACHED
    return KeysAnswer(keys=keys)


def _published(services: Services) -> IdentityKeys:
    if services.identity is None:
        raise NotFound("The platform issues no tokens here; the operators can make it an identity provider.")
    return services.identity
