"""The calls to AWS that each journey makes, and the declared outcome of their going wrong. A call that is not in here,
or that is here and is not made, fails the fault matrix."""

from tests.resilience.declared import Outcome, Row, cloud, elsewhere, kept, numbered, request, step
from tests.resilience.faults import Side

STARTED = (
    request("sts.AssumeRole", "the API becomes its own role", cold=True),
    step("kms.DescribeKey", "the key behind the alias", cold=True),
)
"""Once in the life of a process, on the way of its first onboarding. The worker becomes its own role, and learns the
key that signs commands, before it takes any work."""

COMMAND_KEY = Row(
    *("api", Side.OURS, "kms.GenerateMac", "the key that signs commands, for this month"),
    # It is asked for again at once when it is needed.
    outcome=Outcome.UNNOTICED,
    cold=True,
)

RECEIVE = (
    request("dynamodb.Query", "who calls"),
    request("kms.GenerateMac", "the digest of the body"),
    request("dynamodb.PutItem", "the record of the Idempotency-Key"),
)
KEEP = (kept("dynamodb.UpdateItem", "keeps the answer for repeats"),)
INIT = (*RECEIVE, request("dynamodb.GetItem", "the tenant"))
FIND = (request("dynamodb.GetItem", "whose account it is"), request("dynamodb.GetItem", "the account"))
RECORD = (request("dynamodb.TransactWriteItems", "puts the request on record"),)
HAND_IN = (*RECEIVE, *FIND, request("kms.GenerateDataKey", "seals the credential"), *RECORD)

REGISTER = (step("dynamodb.TransactWriteItems", "writes the account"),)
OPEN = step("dynamodb.GetItem", "whether the onboarding is still under way")
STORE = (
    OPEN,
    step("kms.Decrypt", "opens the seal"),
    step("secrets-manager.DescribeSecret", "looks for the secret"),
    step("secrets-manager.CreateSecret", "stores the credential"),
    step("secrets-manager.GetSecretValue", "reads the credential"),
)
STORE_AGAIN = (
    OPEN,
    step("kms.Decrypt", "opens the seal"),
    step("secrets-manager.DescribeSecret", "finds the secret"),
    step("secrets-manager.GetSecretValue", "compares with what is stored"),
    step("secrets-manager.PutSecretValue", "stores the next credential"),
    step("secrets-manager.GetSecretValue", "reads the credential"),
)
DENIED = (
    cloud("sts.AssumeRole", "with its external id, while the role is missing"),
    cloud("sts.GetCallerIdentity", "whether we are who we should be"),
)
PROVE = (
    cloud("sts.AssumeRole", "with its external id"),
    cloud("sts.GetCallerIdentity", "who the customer's role is"),
    cloud("sts.AssumeRole", "without an external id"),
    cloud("sts.AssumeRole", "with a wrong external id"),
    cloud("iam.SimulatePrincipalPolicy", "the published permissions"),
    cloud("iam.GetAccountSummary", "tries a required permission"),
    cloud("iam.GetAccountPasswordPolicy", "tries a required permission"),
    cloud("s3.ListBuckets", "tries a required permission"),
    cloud("cloudtrail.DescribeTrails", "tries a required permission"),
    cloud("ec2.DescribeRegions", "tries a required permission"),
    cloud("ec2.DescribeSecurityGroups", "tries a required permission"),
)
REFUSE = (step("dynamodb.TransactWriteItems", "writes the refusal"),)
PROMOTE = (
    OPEN,
    step("secrets-manager.DescribeSecret", "which version is current"),
    # Moved already, says AWS to the SDK's second attempt; the step then looks again.
    step(
        "secrets-manager.UpdateSecretVersionStage",
        "makes the accepted version current",
        one_reply_lost=Outcome.STEP,
    ),
)
ACTIVATE = (step("dynamodb.TransactWriteItems", "makes the account active"),)
CANCEL = (*RECEIVE, *FIND, *RECORD)
TAKE_BACK = (
    step("dynamodb.TransactWriteItems", "closes the account"),
    step("secrets-manager.DescribeSecret", "looks for the secret"),
    step("secrets-manager.DeleteSecret", "deletes the credential"),
)
SWEEP = (
    step("dynamodb.TransactWriteItems", "closes the account once more"),
    step("secrets-manager.DescribeSecret", "looks for a secret that came late"),
)

REST_OF_FIRST_TRY = (*REGISTER, *KEEP, *HAND_IN, *STORE)
FIRST_TRY = (*INIT, *REST_OF_FIRST_TRY)
REFUSED = (*elsewhere(FIRST_TRY), *DENIED, *REFUSE, *KEEP)

DECLARED = {
    "straight": numbered((*STARTED, *INIT, COMMAND_KEY, *REST_OF_FIRST_TRY, *PROVE, *ACTIVATE, *KEEP)),
    "second try": numbered(
        (*REFUSED, *elsewhere(HAND_IN), *STORE_AGAIN, *elsewhere(PROVE), *PROMOTE, *ACTIVATE, *KEEP)
    ),
    "given up": numbered((*elsewhere(REFUSED), *CANCEL, *TAKE_BACK, *SWEEP)),
}
"""By the journey's name."""
