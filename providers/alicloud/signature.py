"""AliCloud's request signature ACS3-HMAC-SHA256, for calls of the RPC style, whose parameters are in the query
(www.alibabacloud.com, "Request syntax and signature method V3")."""

import hashlib
import hmac
from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import quote, urlencode

from domain.onboarding.credentials import Secret
from providers.alicloud.permissions import Call

ALGORITHM = "ACS3-HMAC-SHA256"
NO_BODY = hashlib.sha256(b"").hexdigest()


@dataclass(frozen=True)
class AccessKey:
    """A pair, or a temporary pair with its token."""

    id: str = field(repr=False)
    secret: Secret
    token: Secret | None = None


def query_of(parameters: Mapping[str, str]) -> str:
    """Sorted by name and encoded as the signature wants it: of the signs only - . _ ~ stay as they are."""
    return urlencode(sorted(parameters.items()), quote_via=quote, safe="")


def signed_headers(key: AccessKey, call: Call, *, date: str, nonce: str) -> dict[str, str]:
    """The headers of the POST that makes a call; `date` is YYYY-MM-DDTHH:MM:SSZ, and no `nonce` is used twice."""
    signed = {
        "host": call.service.host,
        "x-acs-action": call.operation,
        "x-acs-content-sha256": NO_BODY,
        "x-acs-date": date,
        "x-acs-signature-nonce": nonce,
        "x-acs-version": call.service.version,
        **({"x-acs-security-token": key.token.reveal()} if key.token else {}),
    }
    names = ";".join(sorted(signed))
    lines = "".join(f"{name}:{signed[name]}\n" for name in sorted(signed))
    request = "\n".join(["POST", "/", query_of(call.parameters), lines, names, NO_BODY])
    to_sign = f"{ALGORITHM}\n{hashlib.sha256(request.encode()).hexdigest()}"
    signature = hmac.new(key.secret.reveal().encode(), to_sign.encode(), hashlib.sha256).hexdigest()
    authorization = f"{ALGORITHM} Credential={key.id},SignedHeaders={names},Signature={signature}"
    return {**signed, "accept": "application/json", "authorization": authorization}
