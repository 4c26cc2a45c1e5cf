"""The policy of each key: who may use it, and that administering it is not using it."""

from collections.abc import Callable, Iterator, Mapping

from commands.policies.conditions import (
    MACS,
    SEALED,
    SEALED_ADDRESS,
    SIGNS_DIGESTS,
    SIGNS_TOKENS,
    through_s3,
    through_secrets_manager,
)
from commands.policies.place import Place, Policy, Statement, allow, document

ANY_KEY = "*"
"""In a key's own policy: this key."""


def key_policies(place: Place) -> dict[str, Policy]:
    """By the last part of the keys' aliases."""
    return {name: document(statements(place)) for name, statements in _KEYS.items()}


def _secrets(place: Place) -> Iterator[Statement]:
    api, worker = place.principal(place.api_role), place.principal(place.settings.platform_role_name)
    yield _administration(place, rotates=True)
    yield allow("TheApiSeals", "kms:GenerateDataKey", ANY_KEY, SEALED, principal=api)
    yield allow("TheApiOpensAddresses", "kms:Decrypt", ANY_KEY, SEALED_ADDRESS, principal=api)
    yield allow("TheWorkerOpens", "kms:Decrypt", ANY_KEY, SEALED, principal=worker)
    yield allow("TheWorkerSealsAddresses", "kms:GenerateDataKey", ANY_KEY, SEALED_ADDRESS, principal=worker)
    encrypts, through = ["kms:GenerateDataKey", "kms:Decrypt"], through_secrets_manager(place)
    yield allow("TheWorkerStoresThroughSecretsManager", encrypts, ANY_KEY, through, principal=worker)
    yield allow("BothSeeItsState", "kms:DescribeKey", ANY_KEY, principal=_both(place))
    yield from _slow_deletion()


def _results(place: Place) -> Iterator[Statement]:
    api, worker = place.principal(place.api_role), place.principal(place.settings.platform_role_name)
    yield _administration(place, rotates=True)
    encrypts = ["kms:GenerateDataKey", "kms:Decrypt"]
    yield allow("TheWorkerWritesAndComparesThroughS3", encrypts, ANY_KEY, through_s3(place), principal=worker)
    yield allow("TheApiReadsThroughS3", "kms:Decrypt", ANY_KEY, through_s3(place), principal=api)
    yield from _slow_deletion()


def _digests(place: Place) -> Iterator[Statement]:
    yield _administration(place)
    yield allow("TheApiMakesDigests", "kms:GenerateMac", ANY_KEY, MACS, principal=place.principal(place.api_role))


def _commands(place: Place) -> Iterator[Statement]:
    """To derive the keys that commands through Temporal are signed with."""
    yield _administration(place)
    yield allow("BothDeriveKeys", "kms:GenerateMac", ANY_KEY, MACS, principal=_both(place))


def _identity(place: Place) -> Iterator[Statement]:
    worker = place.principal(place.settings.platform_role_name)
    yield _administration(place)
    yield allow("TheWorkerSigns", "kms:Sign", ANY_KEY, SIGNS_TOKENS, principal=worker)
    yield allow("BothReadThePublicHalf", "kms:GetPublicKey", ANY_KEY, principal=_both(place))


def _audit(place: Place) -> Iterator[Statement]:
    worker = place.principal(place.settings.platform_role_name)
    yield _administration(place)
    yield allow("TheWorkerSigns", "kms:Sign", ANY_KEY, SIGNS_DIGESTS, principal=worker)
    yield allow("WhoChecksReadsThePublicHalf", "kms:GetPublicKey", ANY_KEY, principal=place.administrators)
    yield from _slow_deletion()


def _both(place: Place) -> dict[str, str | list[str]]:
    return place.principal(place.api_role, place.settings.platform_role_name)


def _administration(place: Place, *, rotates: bool = False) -> Statement:
    """What the account's IAM policies may allow: everything but a use of the key."""
    rotation = (
        *("GetKeyRotationStatus", "ListKeyRotations", "EnableKeyRotation", "DisableKeyRotation"),
        "RotateKeyOnDemand",
    )
    operations = (
        *("CreateAlias", "UpdateAlias", "DeleteAlias", "DescribeKey", "UpdateKeyDescription"),
        *("GetKeyPolicy", "PutKeyPolicy", "ListKeyPolicies", "ListGrants", "RevokeGrant"),
        *(rotation if rotates else ()),
        *("EnableKey", "DisableKey", "ListResourceTags", "TagResource", "UntagResource"),
        *("ScheduleKeyDeletion", "CancelKeyDeletion"),
    )
    actions = [f"kms:{operation}" for operation in operations]
    return allow("AdministratorsCannotUseIt", actions, ANY_KEY, principal=place.administrators)


def _slow_deletion() -> Iterator[Statement]:
    """For a key without which something that is kept can no longer be read or checked."""
    denied = {"Effect": "Deny", "Principal": "*", "Action": "kms:ScheduleKeyDeletion", "Resource": ANY_KEY}
    hurry = {"NumericLessThan": {"kms:ScheduleKeyDeletionPendingWindowInDays": "30"}}
    alone = {"BoolIfExists": {"aws:MultiFactorAuthPresent": "false"}}
    yield {"Sid": "NobodyDeletesItInAHurry", **denied, "Condition": hurry}
    yield {"Sid": "NobodyDeletesItWithoutASecondFactor", **denied, "Condition": alone}


_KEYS: Mapping[str, Callable[[Place], Iterator[Statement]]] = {
    "secrets": _secrets,
    "results": _results,
    "digests": _digests,
    "commands": _commands,
    "identity": _identity,
    "audit": _audit,
}
