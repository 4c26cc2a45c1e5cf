"""What the role of each process may do, and who may be it."""

from collections.abc import Callable, Iterator, Mapping

from commands.policies.conditions import (
    IN_TRANSACTION,
    MACS,
    SEALED,
    SEALED_ADDRESS,
    SIGNS_DIGESTS,
    SIGNS_TOKENS,
    through_s3,
    through_secrets_manager,
)
from commands.policies.place import Condition, Place, Policy, Statement, allow, allow_key, document
from providers.aws.role_names import RoleNames
from stores.dynamodb.adoption import SIGNS
from stores.dynamodb.tables import (
    ACCOUNTS_BY_ID,
    ACCOUNTS_BY_STATUS,
    API_KEYS_BY_ID,
    EXECUTIONS_BY_SCHEDULE,
    RESULTS_BY_ACCOUNT,
    SCHEDULES_BY_ACCOUNT,
    SCHEDULES_BY_TENANT,
    definitions,
)
from stores.kms.keys import ALIASES, KEY_SPECS, KEY_USAGES
from stores.s3.buckets import RESULTS_KEY


def role_policy(process: str, place: Place) -> Policy:
    return document(statement for part in _PARTS[process] for statement in part(place))


def trust_policies(place: Place) -> dict[str, Policy]:
    """Who may be a role: a task of ECS in this account, or one of its people with a second factor."""
    tasks: Statement = {
        "Sid": "TasksOfThisAccount",
        "Effect": "Allow",
        "Principal": {"Service": "ecs-tasks.amazonaws.com"},
        "Action": "sts:AssumeRole",
        "Condition": {
            "StringEquals": {"aws:SourceAccount": place.account},
            "ArnLike": {"aws:SourceArn": place.arn("ecs", "*")},
        },
    }
    operators: Statement = {
        "Sid": "OperatorsWithASecondFactor",
        "Effect": "Allow",
        "Principal": place.administrators,
        "Action": "sts:AssumeRole",
        "Condition": {"Bool": {"aws:MultiFactorAuthPresent": "true"}},
    }
    return {"trust-ecs": document(iter([tasks])), "trust-operators": document(iter([operators]))}


def _api_rows(place: Place) -> Iterator[Statement]:
    names, table = place.settings.tables, place.table
    yield allow(
        "ReadRows",
        "dynamodb:GetItem",
        [
            *(table(names.tenants), table(names.accounts), table(names.schedules), table(names.executions)),
            *(table(names.scan_results), table(names.api_keys)),
        ],
    )
    yield allow("ListTenantsAndAllSchedules", "dynamodb:Scan", [table(names.tenants), table(names.schedules)])
    yield allow(
        "ListRowsAndFindKeys",
        "dynamodb:Query",
        [
            *place.indexes(names.accounts, ACCOUNTS_BY_ID, ACCOUNTS_BY_STATUS),
            table(names.api_keys),
            *place.indexes(names.api_keys, API_KEYS_BY_ID),
            *place.indexes(names.schedules, SCHEDULES_BY_TENANT, SCHEDULES_BY_ACCOUNT),
            *place.indexes(names.executions, EXECUTIONS_BY_SCHEDULE),
            *place.indexes(names.scan_results, RESULTS_BY_ACCOUNT),
        ],
    )
    yield allow("ReadTheAuditTrail", "dynamodb:Query", table(names.audit_events))
    changes = ["dynamodb:PutItem", "dynamodb:UpdateItem", "dynamodb:DeleteItem"]
    yield allow("ChangeTenantsInTransactions", changes, table(names.tenants), IN_TRANSACTION)
    yield allow("MakeKeysInTransactions", "dynamodb:PutItem", table(names.api_keys), IN_TRANSACTION)
    stays = "dynamodb:ConditionCheckItem"
    yield allow("LeaveAnAdministratorInTransactions", stays, table(names.api_keys), IN_TRANSACTION)
    yield allow("RevokeKeysAndNoteTheirUse", "dynamodb:UpdateItem", table(names.api_keys))
    yield _audit_events(place)
    yield allow("KeepIdempotencyRecords", ["dynamodb:PutItem", "dynamodb:UpdateItem"], table(names.idempotency))


def _api_keys(place: Place) -> Iterator[Statement]:
    settings = place.settings
    secrets = settings.secrets_manager_kms_key_id
    yield allow_key(place, "SealCredentials", "kms:GenerateDataKey", secrets, SEALED)
    yield allow_key(place, "OpenAddressesOfWebhooks", "kms:Decrypt", secrets, SEALED_ADDRESS)
    yield allow("LinkToResults", "s3:GetObject", f"{place.bucket}/*")
    yield allow_key(place, "ReadResultsThroughS3", "kms:Decrypt", RESULTS_KEY, through_s3(place))
    yield allow_key(place, "DigestBodies", "kms:GenerateMac", settings.digests_kms_key_id, MACS)
    yield allow_key(place, "SignCommands", "kms:GenerateMac", settings.commands_kms_key_id, MACS)
    yield allow_key(place, "PublishTheKeyOfIdentityTokens", "kms:GetPublicKey", settings.identity_kms_key_id)
    yield allow_key(place, "SeeThatTheKeyIsEnabled", "kms:DescribeKey", secrets)
    yield allow("SeeThatSecretsManagerAnswers", "secretsmanager:GetRandomPassword", "*")


def _worker_rows(place: Place) -> Iterator[Statement]:
    names, table = place.settings.tables, place.table
    tenants, accounts, schedules = table(names.tenants), table(names.accounts), table(names.schedules)
    put_and_update = ["dynamodb:PutItem", "dynamodb:UpdateItem"]
    yield allow("ReadRows", "dynamodb:GetItem", [tenants, accounts, schedules, table(names.executions)])
    yield allow("SweepAccountsAndSchedules", "dynamodb:Scan", [accounts, schedules])
    yield allow("ListSchedulesOfAnAccount", "dynamodb:Query", place.indexes(names.schedules, SCHEDULES_BY_ACCOUNT))
    yield allow(
        "ChangeAccountsAndExecutionsInTransactions", put_and_update, [accounts, table(names.executions)], IN_TRANSACTION
    )
    yield allow("ChangeSchedulesInTransactions", [*put_and_update, "dynamodb:DeleteItem"], schedules, IN_TRANSACTION)
    yield allow("RecordResults", "dynamodb:PutItem", table(names.scan_results))
    yield allow("MakeProvidersInTransactions", "dynamodb:UpdateItem", table(names.providers), IN_TRANSACTION)
    checked = [tenants, accounts]
    yield allow("CheckTenantsAndAccountsInTransactions", "dynamodb:ConditionCheckItem", checked, IN_TRANSACTION)


def _worker_audit(place: Place) -> Iterator[Statement]:
    names, table = place.settings.tables, place.table
    unsealed, digests = table(names.audit_unsealed), table(names.audit_digests)
    yield _audit_events(place)
    yield allow("FindWhatWaitsToBeSealed", ["dynamodb:Scan", "dynamodb:Query"], unsealed)
    yield allow("FindTheLastDigest", "dynamodb:Query", digests)
    yield allow("AddDigestsInTransactions", "dynamodb:PutItem", digests, IN_TRANSACTION)
    yield allow("TakeWhatIsSealedFromTheWaitingInTransactions", "dynamodb:DeleteItem", unsealed, IN_TRANSACTION)
    yield allow("NameTheTenantsWhoseHeadsAreAnchored", "dynamodb:Scan", table(names.tenants))
    yield allow("FindTheLastAnchor", "s3:ListBucket", place.anchors)
    yield allow("AddAnchors", "s3:PutObject", f"{place.anchors}/heads/*")
    yield allow_key(place, "SignAuditDigests", "kms:Sign", place.settings.audit_kms_key_id, SIGNS_DIGESTS)


def _worker_secrets(place: Place) -> Iterator[Statement]:
    secrets = place.settings.secrets_manager_kms_key_id
    yield allow_key(place, "LearnTheKeyBehindTheAlias", "kms:DescribeKey", secrets)
    yield allow_key(place, "OpenSealedCredentials", "kms:Decrypt", secrets, SEALED)
    yield allow_key(place, "SealAddressesOfWebhooks", "kms:GenerateDataKey", secrets, SEALED_ADDRESS)
    encrypts, through = ["kms:GenerateDataKey", "kms:Decrypt"], through_secrets_manager(place)
    yield allow_key(place, "EncryptSecretsThroughSecretsManager", encrypts, secrets, through)
    operations = (
        *("CreateSecret", "TagResource", "DescribeSecret", "GetSecretValue", "PutSecretValue"),
        *("UpdateSecretVersionStage", "DeleteSecret", "RestoreSecret"),
    )
    actions = [f"secretsmanager:{operation}" for operation in operations]
    yield allow("KeepSecretsOfAccountsAndWebhooks", actions, place.secrets)


def _worker_customers(place: Place) -> Iterator[Statement]:
    identity, names = place.settings.identity_kms_key_id, RoleNames(place.settings.customer_role_names)
    yield allow_key(place, "SignCommands", "kms:GenerateMac", place.settings.commands_kms_key_id, MACS)
    yield allow("AssumeTheCustomersRoles", "sts:AssumeRole", names.resources(place.partition))
    yield allow_key(place, "NameTheKeyOfIdentityTokens", "kms:GetPublicKey", identity)
    yield allow_key(place, "SignIdentityTokens", "kms:Sign", identity, SIGNS_TOKENS)
    yield allow("WriteResults", "s3:PutObject", f"{place.bucket}/*")
    yield allow("ReadWhatIsKnownOfFindings", "s3:GetObject", f"{place.bucket}/*/known-*.json")
    encrypts = ["kms:GenerateDataKey", "kms:Decrypt"]
    yield allow_key(place, "EncryptResultsThroughS3", encrypts, RESULTS_KEY, through_s3(place))
    theirs = {"StringNotEquals": {"aws:ResourceAccount": place.account}}
    yield allow("TellTheCustomersTopics", "sns:Publish", f"arn:{place.partition}:sns:*:*:*", theirs)


def _setup_rows(place: Place) -> Iterator[Statement]:
    names, table = place.settings.tables, place.table
    tables = definitions(names)
    operations = ("CreateTable", "DescribeTable", "UpdateTable", "DescribeContinuousBackups", "UpdateContinuousBackups")
    actions = [f"dynamodb:{operation}" for operation in operations]
    yield allow("MakeAndRepairTables", actions, [table(each.name) for each in tables])
    yield allow("LookAtTheRowsOfTablesThatAreAdopted", "dynamodb:Scan", [table(getattr(names, name)) for name in SIGNS])
    expires = ["dynamodb:DescribeTimeToLive", "dynamodb:UpdateTimeToLive"]
    yield allow("LetItemsExpire", expires, [table(each.name) for each in tables if each.expires_by])
    keys, tenants = table(names.api_keys), table(names.tenants)
    yield allow("FindKeys", "dynamodb:Query", [keys, *place.indexes(names.api_keys, API_KEYS_BY_ID)])
    yield allow("ReadTenantsAndKeys", "dynamodb:GetItem", [tenants, keys])
    yield allow("RevokeKeysInTransactions", "dynamodb:UpdateItem", keys, IN_TRANSACTION)
    trail = [table(names.audit_events), table(names.audit_unsealed)]
    added = [tenants, keys, *trail]
    yield allow("AddTenantsAndKeysWithTheirAuditEvents", "dynamodb:PutItem", added, IN_TRANSACTION)


def _setup_keys(place: Place) -> Iterator[Statement]:
    kinds: Condition = {
        "StringEquals": {"kms:KeySpec": [*KEY_SPECS], "kms:KeyUsage": [*KEY_USAGES], "kms:KeyOrigin": "AWS_KMS"}
    }
    yield allow("MakeKeys", "kms:CreateKey", "*", kinds)
    keys = place.arn("kms", "key/*")
    yield allow("NameKeys", "kms:CreateAlias", [*(place.arn("kms", alias) for alias in ALIASES), keys])
    sees = ["kms:DescribeKey", "kms:GetKeyRotationStatus", "kms:EnableKeyRotation"]
    yield allow("SeeAndRotateKeys", sees, keys)


def _setup_buckets(place: Place) -> Iterator[Statement]:
    operations = (
        *("CreateBucket", "ListBucket", "PutBucketOwnershipControls"),
        *("GetBucketPublicAccessBlock", "PutBucketPublicAccessBlock"),
        *("GetLifecycleConfiguration", "PutLifecycleConfiguration", "GetBucketPolicy", "PutBucketPolicy"),
    )
    yield allow("MakeAndRepairBuckets", [f"s3:{operation}" for operation in operations], [place.bucket, place.anchors])
    encryption = ["s3:GetEncryptionConfiguration", "s3:PutEncryptionConfiguration"]
    yield allow("EncryptTheBucketOfResults", encryption, place.bucket)
    locks = ("PutBucketVersioning", "GetBucketObjectLockConfiguration", "PutBucketObjectLockConfiguration")
    yield allow("LockTheBucketOfAnchors", [f"s3:{operation}" for operation in locks], place.anchors)


def _auditor(place: Place) -> Iterator[Statement]:
    names, table = place.settings.tables, place.table
    trail = [table(names.audit_events), table(names.audit_unsealed), table(names.audit_digests)]
    yield allow("ReadTheAuditTrail", "dynamodb:Query", trail)
    yield allow("ListTenants", "dynamodb:Scan", table(names.tenants))
    yield allow("ListAnchors", "s3:ListBucketVersions", place.anchors)
    yield allow("ReadAnchors", "s3:GetObjectVersion", f"{place.anchors}/heads/*")
    yield allow_key(place, "CheckSignatures", "kms:GetPublicKey", place.settings.audit_kms_key_id)


def _audit_events(place: Place) -> Statement:
    names = place.settings.tables
    trail = [place.table(names.audit_events), place.table(names.audit_unsealed)]
    return allow("AddAuditEventsInTransactions", "dynamodb:PutItem", trail, IN_TRANSACTION)


_PARTS: Mapping[str, tuple[Callable[[Place], Iterator[Statement]], ...]] = {
    "api": (_api_rows, _api_keys),
    "worker": (_worker_rows, _worker_audit, _worker_secrets, _worker_customers),
    "setup": (_setup_rows, _setup_keys, _setup_buckets),
    "auditor": (_auditor,),
}
PROCESSES = tuple(_PARTS)
