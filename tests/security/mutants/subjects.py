"""What `make security ARGS=mutants` changes, and the tests that must notice. The only place that names both."""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Subject:
    """A module, and tests of it that start no server and take seconds."""

    path: str
    tests: tuple[str, ...]
    only: tuple[str, ...] = ()
    """The functions and classes that are changed; all of the module when empty."""
    options: tuple[str, ...] = ()
    """Of pytest, to leave out what is slow."""


ALONE = ("--noconftest",)
"""For tests that need no fixture of their folder: to load those takes longer than a test."""

SUBJECTS: Mapping[str, Subject] = {
    "api-keys": Subject(
        "domain/callers/api_keys.py",
        ("tests/domain/test_api_keys.py",),
        only=("is_key_id", "key_id_of", "digest_of", "is_valid", "_checksum", "remaining_administrator"),
    ),
    "scopes": Subject("domain/callers/access.py", ("tests/domain/test_access.py",)),
    "guard": Subject("transport/guard.py", ("tests/transport/test_guard.py",), options=ALONE),
    "access-tokens": Subject("api/auth/access_tokens.py", ("tests/api/test_token_claims.py",), options=ALONE),
    "issuer-keys": Subject("api/auth/issuer_keys.py", ("tests/api/test_issuer_keys.py",), options=ALONE),
    "external-ids": Subject("providers/external_ids.py", ("tests/providers/test_external_ids.py",), options=ALONE),
    "authenticator": Subject("api/auth/authenticator.py", ("tests/api/test_recognising.py",), options=ALONE),
    "access": Subject("api/auth/access.py", ("tests/api/test_reach.py",), options=ALONE),
    "permissions": Subject("api/auth/permissions.py", ("tests/api/test_reach.py",), options=ALONE),
}
