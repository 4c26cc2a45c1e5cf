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


SUBJECTS: Mapping[str, Subject] = {
    "api-keys": Subject(
        "domain/callers/api_keys.py",
        ("tests/domain/test_api_keys.py",),
        only=("is_key_id", "key_id_of", "digest_of", "is_valid", "_checksum", "remaining_administrator"),
    ),
    "scopes": Subject("domain/callers/access.py", ("tests/domain/test_access.py",)),
}
