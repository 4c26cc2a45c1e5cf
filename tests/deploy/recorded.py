"""What each process asks of AWS, recorded while it does everything that it can do, and put in the words of a policy."""

import re
from collections.abc import Iterator
from typing import Any

from tests.deploy.policies import ACCOUNT, REGION, Context, Request

Made = tuple[str, dict[str, Any]]
"""An operation, as in `dynamodb:GetItem`, and its parameters."""

IN_A_TRANSACTION = {
    "Put": "PutItem",
    "Update": "UpdateItem",
    "Delete": "DeleteItem",
    "ConditionCheck": "ConditionCheckItem",
}
RESULTS_KEY = "alias/threat-engine-results"
S3_ACTIONS = {
    "HeadBucket": "ListBucket",
    "ListObjectsV2": "ListBucket",
    "ListObjectVersions": "ListBucketVersions",
    "GetObjectLockConfiguration": "GetBucketObjectLockConfiguration",
    "PutObjectLockConfiguration": "PutBucketObjectLockConfiguration",
    "GetPublicAccessBlock": "GetBucketPublicAccessBlock",
    "PutPublicAccessBlock": "PutBucketPublicAccessBlock",
    "GetBucketEncryption": "GetEncryptionConfiguration",
    "PutBucketEncryption": "PutEncryptionConfiguration",
    "GetBucketLifecycleConfiguration": "GetLifecycleConfiguration",
    "PutBucketLifecycleConfiguration": "PutLifecycleConfiguration",
}
"""Where the action is not named like the operation:
https://docs.aws.amazon.com/AmazonS3/latest/userguide/using-with-s3-policy-actions.html"""
S3_ENCRYPTS = {"PutObject": "GenerateDataKey", "GetObject": "Decrypt"}

ENCRYPTS: dict[str, tuple[str, ...]] = {
    "CreateSecret": ("GenerateDataKey", "Decrypt"),
    "PutSecretValue": ("GenerateDataKey", "Decrypt"),
    "GetSecretValue": ("Decrypt",),
}
"""What Secrets Manager does in KMS in its caller's name:
https://docs.aws.amazon.com/secretsmanager/latest/userguide/security-encryption.html"""


def recorder(calls: list[Made]) -> Any:
    """A handler for botocore's `before-parameter-build`."""

    def record(params: dict[str, Any], model: Any, **_: Any) -> None:
        calls.append((f"{model.service_model.endpoint_prefix}:{model.name}", dict(params)))

    return record


def requests(calls: list[Made], aliases: dict[str, str]) -> Iterator[Request]:
    """`aliases` tells the alias of a key's id."""
    for operation, parameters in calls:
        service, _, name = operation.partition(":")
        match service:
            case "dynamodb":
                yield from _dynamodb(name, parameters)
            case "kms":
                yield from _kms(name, parameters, aliases)
            case "secretsmanager":
                yield from _secretsmanager(name, parameters)
            case "s3":
                yield from _s3(name, parameters)
            case "sns":
                topic = parameters["TopicArn"]
                yield Request(f"sns:{name}", topic, {"aws:ResourceAccount": topic.split(":")[4]})
            case "sts" if name == "AssumeRole":
                yield Request("sts:AssumeRole", parameters["RoleArn"])


def _dynamodb(name: str, parameters: dict[str, Any]) -> Iterator[Request]:
    table = f"arn:aws:dynamodb:{REGION}:{ACCOUNT}:table/"
    if name == "TransactWriteItems":
        for item in parameters["TransactItems"]:
            [(kind, write)] = item.items()
            context = {"dynamodb:EnclosingOperation": [name]}
            yield Request(f"dynamodb:{IN_A_TRANSACTION[kind]}", table + write["TableName"], context)
        return
    index = f"/index/{parameters['IndexName']}" if "IndexName" in parameters else ""
    yield Request(f"dynamodb:{name}", f"{table}{parameters['TableName']}{index}")


def _kms(name: str, parameters: dict[str, Any], aliases: dict[str, str]) -> Iterator[Request]:
    keys = f"arn:aws:kms:{REGION}:{ACCOUNT}"
    if name == "CreateKey":
        context = {"kms:KeySpec": parameters["KeySpec"], "kms:KeyUsage": parameters["KeyUsage"]}
        yield Request("kms:CreateKey", "*", {**context, "kms:KeyOrigin": "AWS_KMS"})
        return
    if name == "CreateAlias":
        yield Request("kms:CreateAlias", f"{keys}:{parameters['AliasName']}")
    key = parameters.get("KeyId", parameters.get("TargetKeyId", ""))
    alias = key if key.startswith("alias/") else aliases.get(key.rsplit("/", 1)[-1], "")
    context = {"kms:ResourceAliases": [alias]} if alias else {}
    context |= encryption_context(parameters.get("EncryptionContext", {}))
    if "MacAlgorithm" in parameters:
        context["kms:MacAlgorithm"] = parameters["MacAlgorithm"]
    if "SigningAlgorithm" in parameters:
        context["kms:SigningAlgorithm"] = parameters["SigningAlgorithm"]
    yield Request(f"kms:{name}", f"{keys}:key/1", context)


def encryption_context(given: dict[str, str]) -> dict[str, Any]:
    values = {f"kms:EncryptionContext:{key}": value for key, value in given.items()}
    return {**values, "kms:EncryptionContextKeys": list(given)} if given else {}


def _secretsmanager(name: str, parameters: dict[str, Any]) -> Iterator[Request]:
    secret = parameters.get("SecretId", parameters.get("Name"))
    if secret is None:
        yield Request(f"secretsmanager:{name}", "*")
        return
    arn = f"arn:aws:secretsmanager:{REGION}:{ACCOUNT}:secret:{secret}-AbCdEf"
    yield Request(f"secretsmanager:{name}", arn)
    if "Tags" in parameters:
        yield Request("secretsmanager:TagResource", arn)
    for action in ENCRYPTS.get(name, ()):
        yield Request(f"kms:{action}", f"arn:aws:kms:{REGION}:{ACCOUNT}:key/1", through_secrets_manager(arn))


def _s3(name: str, parameters: dict[str, Any]) -> Iterator[Request]:
    bucket = f"arn:aws:s3:::{parameters['Bucket']}"
    resource = f"{bucket}/{parameters['Key']}" if "Key" in parameters else bucket
    yield Request("s3:GetObjectVersion" if "VersionId" in parameters else f"s3:{S3_ACTIONS.get(name, name)}", resource)
    if parameters.get("ObjectLockEnabledForBucket"):
        yield Request("s3:PutBucketObjectLockConfiguration", bucket)
        yield Request("s3:PutBucketVersioning", bucket)
    if "ObjectOwnership" in parameters:
        yield Request("s3:PutBucketOwnershipControls", bucket)
    # What stands in the bucket of the anchors is encrypted with a key of S3's own.
    if name in S3_ENCRYPTS and "-audit-anchors-" not in bucket:
        yield Request(f"kms:{S3_ENCRYPTS[name]}", f"arn:aws:kms:{REGION}:{ACCOUNT}:key/1", through_s3(bucket))


def through_s3(bucket: str) -> Context:
    """With a bucket key, as ours has, the context is the bucket."""
    context = encryption_context({"aws:s3:arn": bucket})
    return {**context, "kms:ViaService": f"s3.{REGION}.amazonaws.com", "kms:ResourceAliases": [RESULTS_KEY]}


def through_secrets_manager(arn: str) -> Context:
    context = encryption_context({"SecretARN": arn, "SecretVersionId": "1"})
    via = f"secretsmanager.{REGION}.amazonaws.com"
    return {**context, "kms:ViaService": via, "kms:ResourceAliases": ["alias/threat-engine-secrets"]}


def methods_used(source: str) -> set[tuple[str, str]]:
    """The methods of ports that a text calls, as in `accounts.get`."""
    ports = (
        "accounts|tenants|api_keys|idempotency|audit|chain|signer|digest|sealer|vault|webhooks|opener"
        "|schedules|executions|results"
    )
    code = re.sub(r"^(?:from|import) .*", "", source, flags=re.MULTILINE)  # a package may have a port's name
    return set(re.findall(rf"(?<![\w\"])_?({ports})\.([a-z]\w*)", code))
