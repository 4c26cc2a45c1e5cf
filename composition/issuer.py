"""The issuer whose access tokens the API accepts, from the settings."""

import sys

from api.auth.access_tokens import AccessTokens, Trust
from api.auth.issuer_keys import IssuerKeys
from config import Settings
from transport.issuer import IssuerClient


def access_tokens(settings: Settings) -> AccessTokens | None:
    """None without an issuer. A file of authorities that cannot be used ends the process with a sentence."""
    if settings.oidc_issuer is None or settings.oidc_audience is None:
        return None
    try:
        client = IssuerClient(settings.oidc_issuer, ca_file=settings.oidc_ca_file)
    except OSError:
        sys.stderr.write("OIDC_CA_FILE has a wrong value: it must be the path of a PEM file with authorities.\n")
        raise SystemExit(2) from None
    trust = Trust(
        issuer=settings.oidc_issuer,
        audience=settings.oidc_audience,
        tenant_claim=settings.oidc_tenant_claim,
        scopes_claim=settings.oidc_scopes_claim,
        admin_claim=settings.oidc_admin_claim,
        admin_value=settings.oidc_admin_value,
    )
    return AccessTokens(trust, IssuerKeys(client.key_set))
