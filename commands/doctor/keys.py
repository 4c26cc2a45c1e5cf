"""The KMS keys: there, enabled, of their kind, ours, and rotated every year where KMS can."""

from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from botocore.exceptions import BotoCoreError, ClientError

from commands.doctor.finding import Finding, fail, sound, unknown, warn
from config import Settings
from stores.kms.keys import ROTATION_DAYS
from stores.s3.buckets import RESULTS_KEY

if TYPE_CHECKING:
    from mypy_boto3_kms import KMSClient


USAGES = {
    "SYMMETRIC_DEFAULT": "ENCRYPT_DECRYPT",
    "HMAC_256": "GENERATE_VERIFY_MAC",
    "ECC_NIST_P256": "SIGN_VERIFY",
    "RSA_2048": "SIGN_VERIFY",
}
"""What we use a key of each kind for; the last two can be made for something else."""


@dataclass(frozen=True)
class WantedKey:
    """`key_id` is an id, an ARN or an alias, from the setting of that name if there is one. `policy` is the name of its
    policy in `commands.policies.keys`."""

    policy: str
    setting: str
    key_id: str
    spec: str
    rotates: bool

    @property
    def thing(self) -> str:
        return f"key {self.key_id}"

    @property
    def another(self) -> str:
        """What to do when this key cannot serve."""
        return f"Name another key in {self.setting}." if self.setting else "Let the alias lead to another key."


def wanted(settings: Settings) -> tuple[WantedKey, ...]:
    secrets, digests = settings.secrets_manager_kms_key_id, settings.digests_kms_key_id
    identity = WantedKey("identity", "IDENTITY_KMS_KEY_ID", settings.identity_kms_key_id, "RSA_2048", rotates=False)
    return (
        WantedKey("secrets", "SECRETS_MANAGER_KMS_KEY_ID", secrets, "SYMMETRIC_DEFAULT", rotates=True),
        WantedKey("digests", "DIGESTS_KMS_KEY_ID", digests, "HMAC_256", rotates=False),
        WantedKey("commands", "COMMANDS_KMS_KEY_ID", settings.commands_kms_key_id, "HMAC_256", rotates=False),
        WantedKey("audit", "AUDIT_KMS_KEY_ID", settings.audit_kms_key_id, "ECC_NIST_P256", rotates=False),
        WantedKey("results", "", RESULTS_KEY, "SYMMETRIC_DEFAULT", rotates=True),
        *((identity,) if settings.identity_issuer_url else ()),
    )


def arns(kms: "KMSClient", wanted: Iterable[WantedKey]) -> dict[str, str]:
    """By what the settings say, of the keys that can be seen."""
    found = {}
    for key in wanted:
        with suppress(ClientError, BotoCoreError):
            found[key.key_id] = kms.describe_key(KeyId=key.key_id)["KeyMetadata"]["Arn"]
    return found


def key(kms: "KMSClient", wanted: WantedKey, account: str) -> Iterator[Finding]:
    try:
        found: Any = kms.describe_key(KeyId=wanted.key_id)["KeyMetadata"]
    except kms.exceptions.NotFoundException:
        yield fail(wanted.thing, "there is no such key", f"Run `python cli.py setup`. {wanted.another}")
        return
    rotation = f", rotated every {ROTATION_DAYS} days" if wanted.rotates else ""
    yield from sound(wanted.thing, f"enabled, {wanted.spec}{rotation}", _problems(kms, wanted, found, account))


def _problems(kms: "KMSClient", wanted: WantedKey, found: dict[str, Any], account: str) -> Iterator[Finding]:
    thing, other = wanted.thing, wanted.another
    if found["KeyState"] != "Enabled":
        lost = "nothing is signed" if USAGES[wanted.spec] == "SIGN_VERIFY" else "what it protects cannot be read"
        yield fail(thing, f"its state is {found['KeyState']}", f"Cancel its deletion or enable it; until then {lost}.")
    if found["KeySpec"] != wanted.spec:
        yield fail(thing, f"is of the kind {found['KeySpec']}, not {wanted.spec}", other)
    elif (usage := found.get("KeyUsage", USAGES[wanted.spec])) != USAGES[wanted.spec]:
        yield fail(thing, f"is for {usage}, not {USAGES[wanted.spec]}", other)
    if (owner := found["Arn"].split(":")[4]) != account:
        yield warn(thing, f"belongs to the account {owner}", other)
    if found.get("KeyManager") == "AWS":
        yield fail(thing, "is managed by AWS, so its policy cannot separate API and worker", other)
    elif wanted.rotates and found["KeySpec"] == wanted.spec and found["KeyState"] == "Enabled":
        yield from _rotation(kms, wanted, found["KeyId"])


def _rotation(kms: "KMSClient", wanted: WantedKey, key_id: str) -> Iterator[Finding]:
    status = kms.get_key_rotation_status(KeyId=key_id)
    days = status.get("RotationPeriodInDays")
    if not status["KeyRotationEnabled"]:
        yield fail(wanted.thing, "its rotation is off", "Run `python cli.py setup`: it turns the yearly rotation on.")
    elif days is None:
        yield unknown(wanted.thing, "it is rotated; how often is not told")
    elif days != ROTATION_DAYS:
        remedy = f"Set its rotation period to {ROTATION_DAYS} days, unless this is on purpose."
        yield warn(wanted.thing, f"is rotated every {days} days", remedy)
