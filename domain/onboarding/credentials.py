"""Credentials that mask themselves, and the references that travel in their place.

A secret value is reachable through `Secret.reveal()` and `Credential.reveal()` only. Both classes refuse to be pickled,
copied into JSON or shown; a search for `reveal(` finds every place that sees a value.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import NoReturn


class Secret:
    """A text that no repr, log, traceback or serialiser shows."""

    __slots__ = ("_text",)

    def __init__(self, text: str) -> None:
        self._text = text

    def reveal(self) -> str:
        return self._text

    def __repr__(self) -> str:
        return "Secret(***)"

    __str__ = __repr__

    def __format__(self, spec: str) -> str:
        return repr(self)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and self._text == other._text

    __hash__ = None  # type: ignore[assignment]

    def __reduce_ex__(self, protocol: object) -> NoReturn:
        raise TypeError("A secret cannot be serialised.")


class Credential:
    """The submitted fields of one credential, all of them secret, whatever their nature."""

    __slots__ = ("_fields", "credential_type")

    def __init__(self, credential_type: str, fields: Mapping[str, str]) -> None:
        self.credential_type = credential_type
        self._fields = {name: Secret(text) for name, text in fields.items()}

    def reveal(self, name: str) -> str:
        """The value of a field, the empty text when it was not submitted."""
        secret = self._fields.get(name)
        return secret.reveal() if secret else ""

    def reveal_all(self) -> dict[str, str]:
        """Every value by field name: for sealing and for the vault, nowhere else."""
        return {name: secret.reveal() for name, secret in self._fields.items()}

    def __iter__(self) -> Iterator[str]:
        return iter(self._fields)

    def __repr__(self) -> str:
        return f"Credential({self.credential_type}, {', '.join(f'{n}=***' for n in self._fields)})"

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Credential):
            return False
        return self.credential_type == other.credential_type and self._fields == other._fields

    __hash__ = None  # type: ignore[assignment]

    def __reduce_ex__(self, protocol: object) -> NoReturn:
        raise TypeError("A credential cannot be serialised.")


@dataclass(frozen=True)
class CredentialRef:
    """Where a stored credential is: all that travels after it was stored. `version` is the vault's version id."""

    arn: str
    version: str
    pending: bool = False
    """True while an older version is still the current one."""


SEAL_CONTEXT = ("tenant", "account", "submission", "purpose")
"""The names of what a seal is bound to, as they stand in the policies."""


class SealPurpose(StrEnum):
    """What a credential was sealed for. IAM and key policies are rendered from these values: one that is missing there
    is refused by AWS."""

    ONBOARDING = "onboarding"
    """To be stored as the credential of an account."""
    WEBHOOK = "webhook"
    """To be stored as the signing secret of a schedule's webhooks."""
    ADDRESS = "address"
    """To be kept in the row of a schedule as the address of its webhook. The API may open these, and no others."""
    PROBE = "probe"
    """To be proved once, in a dry run: no step that stores one can open it."""


@dataclass(frozen=True)
class SealContext:
    """What a sealed credential is bound to. It opens with exactly the same four values, or not at all."""

    tenant_id: str
    account_id: str
    submission_id: str
    purpose: SealPurpose = SealPurpose.ONBOARDING

    def as_mapping(self) -> dict[str, str]:
        values = (self.tenant_id, self.account_id, self.submission_id, self.purpose.value)
        return dict(zip(SEAL_CONTEXT, values, strict=True))


@dataclass(frozen=True)
class VaultEntry:
    """A credential to store under its account. The version id follows from account and submission, so that storing
    the same entry again changes nothing; `created_at` comes from the caller, so that the stored bytes are the same."""

    tenant_id: str
    account_id: str
    submission_id: str
    provider_type: str
    credential: Credential
    created_at: str
