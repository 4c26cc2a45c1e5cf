"""The key policies: who may use the keys, and that administering one is not using it. Together with the policies of
`deploy/iam`, a use needs the word of both only where the key's own policy leaves it to the account."""

import pytest

from domain.onboarding.credentials import SEAL_CONTEXT, SealContext, SealPurpose
from tests.deploy.policies import (
    ACCOUNT,
    API,
    PRINCIPALS,
    REGION,
    SETUP,
    WORKER,
    Request,
    allows,
    allows_key,
    files,
    grants,
    statements,
)
from tests.deploy.recorded import encryption_context, through_s3, through_secrets_manager

ROOT_USER = f"arn:aws:iam::{ACCOUNT}:root"
CRYPTOGRAPHY = {
    *("kms:Encrypt", "kms:Decrypt", "kms:ReEncryptFrom", "kms:ReEncryptTo", "kms:GenerateDataKey"),
    *("kms:GenerateDataKeyWithoutPlaintext", "kms:GenerateMac", "kms:VerifyMac", "kms:CreateGrant"),
    *("kms:Sign", "kms:Verify"),
}
SECRET = f"arn:aws:secretsmanager:{REGION}:{ACCOUNT}:secret:threat-engine/account/1-AbCdEf"
OTHER_SECRET = f"arn:aws:secretsmanager:{REGION}:{ACCOUNT}:secret:billing-AbCdEf"
RESULTS = f"arn:aws:s3:::threat-engine-results-{ACCOUNT}-ap-south-1"
SEALING = encryption_context(SealContext("t", "a", "s").as_mapping())
ES256 = {"kms:SigningAlgorithm": "ECDSA_SHA_256"}
HS256 = {"kms:MacAlgorithm": "HMAC_SHA_256"}
RS256 = {"kms:SigningAlgorithm": "RSASSA_PKCS1_V1_5_SHA_256"}
KEYS = sorted(file.stem for file in files() if file.parent.name == "kms")
each_key = pytest.mark.parametrize("key", KEYS)

USES = {
    "the api seals": ("secrets", API, Request("kms:GenerateDataKey", "*", SEALING), True),
    "the api opens": ("secrets", API, Request("kms:Decrypt", "*", SEALING), False),
    "the api reads through Secrets Manager": (
        "secrets",
        API,
        Request("kms:Decrypt", "*", through_secrets_manager(SECRET)),
        False,
    ),
    "the worker opens": ("secrets", WORKER, Request("kms:Decrypt", "*", SEALING), True),
    "the worker opens without context": ("secrets", WORKER, Request("kms:Decrypt", "*"), False),
    "the worker stores": (
        "secrets",
        WORKER,
        Request("kms:GenerateDataKey", "*", through_secrets_manager(SECRET)),
        True,
    ),
    "the worker reads a foreign secret": (
        "secrets",
        WORKER,
        Request("kms:Decrypt", "*", through_secrets_manager(OTHER_SECRET)),
        False,
    ),
    "the api makes digests": (
        "digests",
        API,
        Request("kms:GenerateMac", "*", {"kms:MacAlgorithm": "HMAC_SHA_256"}),
        True,
    ),
    "the worker makes digests": (
        "digests",
        WORKER,
        Request("kms:GenerateMac", "*", {"kms:MacAlgorithm": "HMAC_SHA_256"}),
        False,
    ),
    **{
        f"{name} derives the key of commands": ("commands", principal, Request("kms:GenerateMac", "*", HS256), allowed)
        for name, principal, allowed in (("the api", API, True), ("the worker", WORKER, True), ("set-up", SETUP, False))
    },
    "the worker derives a key in another way": (
        "commands",
        WORKER,
        Request("kms:GenerateMac", "*", {"kms:MacAlgorithm": "HMAC_SHA_512"}),
        False,
    ),
    "the worker writes results": ("results", WORKER, Request("kms:GenerateDataKey", "*", through_s3(RESULTS)), True),
    "the api reads results": ("results", API, Request("kms:Decrypt", "*", through_s3(RESULTS)), True),
    # Its role lets it read what is known of findings, and nothing else in the bucket.
    "the worker compares results": ("results", WORKER, Request("kms:Decrypt", "*", through_s3(RESULTS)), True),
    "the worker decrypts results without s3": ("results", WORKER, Request("kms:Decrypt", "*", {}), False),
    "the api reads another bucket": (
        "results",
        API,
        Request("kms:Decrypt", "*", through_s3("arn:aws:s3:::billing")),
        False,
    ),
    "the api decrypts results by itself": ("results", API, Request("kms:Decrypt", "*"), False),
    "the worker signs": ("identity", WORKER, Request("kms:Sign", "*", RS256), True),
    "the worker signs in another way": (
        "identity",
        WORKER,
        Request("kms:Sign", "*", {"kms:SigningAlgorithm": "RSASSA_PSS_SHA_256"}),
        False,
    ),
    "the api signs": ("identity", API, Request("kms:Sign", "*", RS256), False),
    "set-up signs": ("identity", SETUP, Request("kms:Sign", "*", RS256), False),
    "the api publishes": ("identity", API, Request("kms:GetPublicKey", "*"), True),
    "the worker signs digests": ("audit", WORKER, Request("kms:Sign", "*", ES256), True),
    "the worker signs tokens with the audit key": ("audit", WORKER, Request("kms:Sign", "*", RS256), False),
    "the api signs digests": ("audit", API, Request("kms:Sign", "*", ES256), False),
    "set-up signs digests": ("audit", SETUP, Request("kms:Sign", "*", ES256), False),
    "set-up turns rotation on": ("secrets", ROOT_USER, Request("kms:EnableKeyRotation", "*"), True),
    "set-up opens": ("secrets", SETUP, Request("kms:Decrypt", "*", SEALING), False),
}


@pytest.mark.parametrize(("key", "principal", "use", "allowed"), USES.values(), ids=USES.keys())
def test_a_key_is_used_by_whom_it_serves(key: str, principal: str, use: Request, allowed: bool):
    assert allows(statements(f"kms/{key}.json"), use, principal=principal) is allowed


def may(process: str, action: str, context: dict[str, str]) -> bool:
    """What AWS decides about a use of the secrets' key by the role of a process, without another service between."""
    identity, key = statements(f"iam/{process}.json"), statements("kms/secrets.json")
    aliases = {"kms:ResourceAliases": ["alias/threat-engine-secrets"]}
    request = Request(action, f"arn:aws:kms:{REGION}:{ACCOUNT}:key/1", {**aliases, **encryption_context(context)})
    return allows_key(key, identity, request, principal=PRINCIPALS[process])


@pytest.mark.parametrize("purpose", SealPurpose)
def test_for_each_purpose_but_addresses_the_api_seals_the_worker_opens_and_nobody_does_both(purpose: SealPurpose):
    context = SealContext("t", "a", "s", purpose).as_mapping()
    allowed = {
        (process, action)
        for process in PRINCIPALS
        for action in ("kms:GenerateDataKey", "kms:Decrypt", "kms:Encrypt", "kms:ReEncryptFrom")
        if may(process, action, context)
    }
    both = {("api", "kms:Decrypt"), ("worker", "kms:GenerateDataKey")} if purpose is SealPurpose.ADDRESS else set()
    assert allowed == {("api", "kms:GenerateDataKey"), ("worker", "kms:Decrypt")} | both


@pytest.mark.parametrize("name", SEAL_CONTEXT)
@pytest.mark.parametrize("purpose", SealPurpose)
def test_a_seal_that_is_bound_to_less_or_to_more_is_neither_made_nor_opened(purpose: SealPurpose, name: str):
    whole = SealContext("t", "a", "s", purpose).as_mapping()
    less = {key: value for key, value in whole.items() if key != name}
    renamed = {**less, name.upper(): whole[name]}
    for context in (less, renamed, {**whole, "another": "x"}, {**whole, "purpose": "another"}, {}):
        assert not may("api", "kms:GenerateDataKey", context)
        assert not may("worker", "kms:Decrypt", context)


@each_key
def test_the_accounts_administrators_cannot_use_a_key(key: str):
    """Statements for the account's root leave the decision to its IAM policies; so no use may stand there."""
    left_to_the_account = [s for s in statements(f"kms/{key}.json") if s.get("Principal") == {"AWS": ROOT_USER}]
    assert left_to_the_account
    assert {action for s in left_to_the_account for action, _ in grants(s)} & CRYPTOGRAPHY == set()


@each_key
def test_somebody_can_still_change_the_policy_of_a_key(key: str):
    request = Request("kms:PutKeyPolicy", "*")
    assert allows(statements(f"kms/{key}.json"), request, principal=ROOT_USER)


@pytest.mark.parametrize(
    ("days", "factor", "allowed"), [("7", "true", False), ("30", "false", False), ("30", "true", True)]
)
def test_the_secrets_key_is_deleted_slowly_and_with_a_second_factor(days: str, factor: str, allowed: bool):
    context = {"kms:ScheduleKeyDeletionPendingWindowInDays": days, "aws:MultiFactorAuthPresent": factor}
    request = Request("kms:ScheduleKeyDeletion", "*", context)
    assert allows(statements("kms/secrets.json"), request, principal=ROOT_USER) is allowed
