"""Asks the issuer of access tokens for its keys. The issuer is the operators' choice, so the address is trusted; the
answers are bounded all the same, and no redirect leads anywhere else."""

import json
from typing import Any

import httpcore

from domain.errors import Unavailable
from transport.deadline import Connector
from transport.exchange import FAILURES, Bounds, Exchanges

METADATA = "/.well-known/openid-configuration"
MAX_BYTES = 256 * 1024
ANSWER_SECONDS = 4
STEP_SECONDS = 2
"""For a connection, and between two parts of an answer."""


class IssuerClient:
    def __init__(self, issuer: str, *, ca_file: str | None = None, answer_seconds: float = ANSWER_SECONDS) -> None:
        """`ca_file` names a PEM file of authorities to trust in place of the usual ones. Raises OSError for one that
        cannot be used."""
        self._issuer = issuer
        self._exchanges = Exchanges(
            Connector(), Bounds(answer_seconds, STEP_SECONDS, STEP_SECONDS, MAX_BYTES), ca_file=ca_file
        )

    def key_set(self) -> dict[str, Any]:
        """The JSON Web Key Set that the issuer's metadata names. Raises Unavailable."""
        try:
            metadata = self._object(self._issuer.rstrip("/") + METADATA)
            address = metadata.get("jwks_uri")
            if metadata.get("issuer") != self._issuer or not isinstance(address, str):
                raise Unavailable("The issuer's metadata are not those of the issuer.")
            return self._object(address)
        except (*FAILURES, ValueError, RecursionError):
            raise Unavailable("The issuer does not answer as it should.") from None

    def _object(self, address: str) -> dict[str, Any]:
        """The JSON object at an https address. Raises ValueError for anything else."""
        target = httpcore.URL(address)
        if target.scheme != b"https" or not target.host:
            raise ValueError("not an https address")
        reply = self._exchanges.send("GET", target, {"accept": "application/json"})
        if reply.status != 200:
            raise ValueError("not found")
        found = json.loads(reply.body)
        if isinstance(found, dict):
            return found
        raise ValueError("not an object")
