"""What is stored of a credential: one JSON text, and the version id that it gets."""

import json
from uuid import NAMESPACE_URL, uuid5

from domain.errors import NotFound, PayloadTooLarge
from domain.idempotency import canonical
from domain.onboarding.credentials import Credential, VaultEntry

MAX_BYTES = 65_536
"""The limit of Secrets Manager, which the emulators do not know."""


def version_id(entry: VaultEntry) -> str:
    return str(uuid5(NAMESPACE_URL, f"{entry.account_id}/{entry.submission_id}"))


def to_text(entry: VaultEntry) -> str:
    """The same text for the same entry. Raises PayloadTooLarge."""
    document = {
        "credential_type": entry.credential.credential_type,
        "credentials": entry.credential.reveal_all(),
        "account_id": entry.account_id,
        "tenant_id": entry.tenant_id,
        "created_at": entry.created_at,
    }
    text = canonical(document)
    if len(text) > MAX_BYTES:
        raise PayloadTooLarge("The credential is too large to be stored.")
    return text.decode()


def from_text(text: str, *, tenant_id: str, account_id: str) -> Credential:
    """Raises NotFound for a credential of another tenant or account."""
    document = json.loads(text)
    if (document["tenant_id"], document["account_id"]) != (tenant_id, account_id):
        raise NotFound
    return Credential(document["credential_type"], document["credentials"])
