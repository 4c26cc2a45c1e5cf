"""Why an onboarding makes each of its calls to AWS and each event of its history. One that has no reason here fails the
measurement: it is justified or removed."""

from collections.abc import Mapping

CALLS: Mapping[str, str] = {
    "api dynamodb.Query": "who calls: at most once a request, as a key that was found is kept for four seconds",
    "api kms.GenerateMac": "the digest of the body, so that a repeat with another body is refused",
    "api dynamodb.PutItem": "the record of the Idempotency-Key, before any effect",
    "api dynamodb.GetItem": "init: the tenant may onboard; validate: whose account it is, and the account",
    "api dynamodb.UpdateItem": "the answer is kept for repeats",
    "api kms.GenerateDataKey": "the credential is sealed before it leaves the process",
    "api dynamodb.TransactWriteItems": "the submission is on record before the workflow hears of it",
    "worker dynamodb.TransactWriteItems": "register and activate: row, claim and audit event, all or nothing",
    "worker dynamodb.GetItem": "store: the onboarding is under way, so that a repeated command brings nothing back",
    "worker kms.Decrypt": "the seal is opened, in the worker alone",
    "worker secretsmanager.DescribeSecret": "a step that runs again finds what it stored before",
    "worker secretsmanager.CreateSecret": "the credential is stored",
    "worker secretsmanager.GetSecretValue": "validation reads what was stored: no plaintext travels between steps",
    "worker sts.AssumeRole": "with the external id; without one, and with a wrong one, which must both fail",
    "worker sts.GetCallerIdentity": "whose account it really is",
    "worker iam.SimulatePrincipalPolicy": "every permission that scans need, fifty in a request",
    **dict.fromkeys(
        (
            "worker iam.GetAccountSummary",
            "worker iam.GetAccountPasswordPolicy",
            "worker s3.ListBuckets",
            "worker cloudtrail.DescribeTrails",
            "worker ec2.DescribeRegions",
            "worker ec2.DescribeSecurityGroups",
        ),
        "a permission that no scan can do without is tried, because a simulation knows no organisation's policies",
    ),
}
"""By process and call."""

EVENTS: Mapping[str, str] = {
    "WORKFLOW_EXECUTION_STARTED": "the onboarding, with what it is found by",
    "WORKFLOW_EXECUTION_UPDATE_ACCEPTED": "init waits for the row, validate hands the credential in",
    "WORKFLOW_EXECUTION_UPDATE_COMPLETED": "their answers",
    "ACTIVITY_TASK_SCHEDULED": "register, store, validate, activate: each is retried and timed by itself",
    "ACTIVITY_TASK_STARTED": "the same",
    "ACTIVITY_TASK_COMPLETED": "the same",
    "TIMER_STARTED": "the deadline; the moment after which work can be found",
    "TIMER_CANCELED": "neither is needed any more",
    "UPSERT_WORKFLOW_SEARCH_ATTRIBUTES": "ended, and work that lasts: what operators, alerts and metrics filter by",
    "WORKFLOW_TASK_SCHEDULED": "one for each thing that happened: start, credential, four steps; not billed",
    "WORKFLOW_TASK_STARTED": "the same",
    "WORKFLOW_TASK_COMPLETED": "the same",
    "WORKFLOW_EXECUTION_COMPLETED": "the result",
}
"""By type of event."""
