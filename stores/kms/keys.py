"""Our KMS keys: for credentials, on the way and at rest; for digests of request bodies; for scan results; for
digests of the audit trail; for commands through Temporal; and, where the platform is an identity provider, for its
tokens."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from domain.errors import PlatformConfig
from domain.setup import SetupFinding, SetupState
from stores.errors import aws_failures

if TYPE_CHECKING:
    from mypy_boto3_kms import KMSClient

ROTATION_DAYS = 365


@dataclass(frozen=True)
class _Key:
    alias: str
    description: str
    spec: Literal["SYMMETRIC_DEFAULT", "HMAC_256", "RSA_2048", "ECC_NIST_P256"]
    usage: Literal["ENCRYPT_DECRYPT", "GENERATE_VERIFY_MAC", "SIGN_VERIFY"]
    rotates: bool
    """KMS does not rotate HMAC keys and key pairs. Nothing is lost: digests of bodies live for a day, and tokens for
    minutes; the key that signs commands is derived anew each month; audit digests are checked with the public half,
    which stays valid when another key takes over."""


_KEYS = (
    _Key("alias/threat-engine-secrets", "Credentials", "SYMMETRIC_DEFAULT", "ENCRYPT_DECRYPT", rotates=True),
    _Key("alias/threat-engine-results", "Scan results", "SYMMETRIC_DEFAULT", "ENCRYPT_DECRYPT", rotates=True),
    _Key("alias/threat-engine-digests", "Body digests", "HMAC_256", "GENERATE_VERIFY_MAC", rotates=False),
    _Key("alias/threat-engine-commands", "Commands", "HMAC_256", "GENERATE_VERIFY_MAC", rotates=False),
    _Key("alias/threat-engine-audit", "Audit digests", "ECC_NIST_P256", "SIGN_VERIFY", rotates=False),
)


IDENTITY_KEY = "alias/threat-engine-identity"
_IDENTITY = _Key(IDENTITY_KEY, "Identity tokens", "RSA_2048", "SIGN_VERIFY", rotates=False)

ALIASES = tuple(key.alias for key in (*_KEYS, _IDENTITY))
KEY_SPECS = tuple(dict.fromkeys(key.spec for key in (*_KEYS, _IDENTITY)))
KEY_USAGES = tuple(dict.fromkeys(key.usage for key in (*_KEYS, _IDENTITY)))


@aws_failures()
def ensure_keys(kms: "KMSClient", *, identity: bool = False) -> tuple[SetupFinding, ...]:
    """Make each key whose alias is missing, turn its yearly rotation on. With `identity` there is one more, for an
    identity provider. Raises PlatformConfig when an alias leads to a key that cannot serve: of another kind, disabled,
    or about to be deleted."""
    return tuple(_ensure(kms, key) for key in (*_KEYS, *((_IDENTITY,) if identity else ())))


def _ensure(kms: "KMSClient", key: _Key) -> SetupFinding:
    key_id, created = _find_or_create(kms, key)
    repaired = key.rotates and not kms.get_key_rotation_status(KeyId=key_id)["KeyRotationEnabled"]
    if repaired:
        kms.enable_key_rotation(KeyId=key_id, RotationPeriodInDays=ROTATION_DAYS)
    if created:
        return SetupFinding(f"key {key.alias}", SetupState.CREATED)
    if repaired:
        return SetupFinding(f"key {key.alias}", SetupState.REPAIRED, "yearly rotation")
    return SetupFinding(f"key {key.alias}", SetupState.FOUND)


def _find_or_create(kms: "KMSClient", key: _Key) -> tuple[str, bool]:
    try:
        found = kms.describe_key(KeyId=key.alias)["KeyMetadata"]
    except kms.exceptions.NotFoundException:
        return _create(kms, key), True
    if (found.get("KeySpec"), found.get("KeyState")) != (key.spec, "Enabled"):
        raise PlatformConfig(f"The key behind {key.alias} is not an enabled key of the kind {key.spec}.")
    return found["KeyId"], False


def _create(kms: "KMSClient", key: _Key) -> str:
    made = kms.create_key(Description=f"Threat engine: {key.description}", KeySpec=key.spec, KeyUsage=key.usage)
    key_id = made["KeyMetadata"]["KeyId"]
    kms.create_alias(AliasName=key.alias, TargetKeyId=key_id)
    return key_id
