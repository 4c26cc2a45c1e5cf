"""Asks the issuer of access tokens for its keys. The issuer is the operators' choice, so the address is trusted; the
answers are bounded all the same, and no redirect leads anywhere else."""

import json
import ssl
import time
from typing import Any

import httpx

from domain.errors import Unavailable

METADATA = "/.well-known/openid-configuration"
MAX_BYTES = 256 * 1024
ANSWER_SECONDS = 4

_TIMEOUT = httpx.Timeout(2)


class IssuerClient:
    def __init__(self, issuer: str, *, ca_file: str | None = None, answer_seconds: float = ANSWER_SECONDS) -> None:
        """`ca_file` names a PEM file of authorities to trust in place of the usual ones. Raises OSError for one that
        cannot be used."""
        self._issuer = issuer
        self._answer_seconds = answer_seconds
        self._tls = ssl.create_default_context(cafile=ca_file)

    def key_set(self) -> dict[str, Any]:
        """The JSON Web Key Set that the issuer's metadata names. Raises Unavailable."""
        try:
            with httpx.Client(verify=self._tls, trust_env=False, follow_redirects=False, timeout=_TIMEOUT) as client:
                metadata = self._object(client, self._issuer.rstrip("/") + METADATA)
                address = metadata.get("jwks_uri")
                if metadata.get("issuer") != self._issuer or not str(address).startswith("https://"):
                    raise Unavailable("The issuer's metadata are not those of the issuer.")
                return self._object(client, str(address))
        except (httpx.HTTPError, httpx.InvalidURL, ValueError, RecursionError):
            raise Unavailable("The issuer does not answer as it should.") from None

    def _object(self, client: httpx.Client, address: str) -> dict[str, Any]:
        """The JSON object at an address. Raises ValueError for anything else."""
        until = time.monotonic() + self._answer_seconds
        with client.stream("GET", address, headers={"Accept": "application/json"}) as answer:
            if answer.status_code != 200:
                raise ValueError(answer.status_code)
            content = b""
            for part in answer.iter_bytes():
                content += part
                if len(content) > MAX_BYTES or time.monotonic() > until:
                    raise ValueError("too much, or too slow")
        found = json.loads(content)
        if isinstance(found, dict):
            return found
        raise ValueError("not an object")
