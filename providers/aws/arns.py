"""The names of roles and callers as AWS writes them: `arn:<partition>:<service>:<region>:<account>:<resource>`."""

from typing import NamedTuple

from providers.aws.partitions import PARTITION_PATTERN

ACCOUNT_NUMBER_PATTERN = r"[0-9]{12}"
ROLE_ARN_PATTERN = (
    rf"arn:{PARTITION_PATTERN}:iam::{ACCOUNT_NUMBER_PATTERN}:role/(?:[!-~]{{0,510}}/)?[A-Za-z0-9_+=,.@-]{{1,64}}"
)
MAX_ROLE_ARN_CHARACTERS = 640


class Arn(NamedTuple):
    """The parts of an ARN that decide something; empty ones for a text that is no ARN, so that nothing matches it."""

    partition: str = ""
    account_number: str = ""
    resource: str = ""


def parse_arn(text: str) -> Arn:
    match text.split(":", 5):
        case ["arn", partition, _, _, account_number, resource]:
            return Arn(partition, account_number, resource)
    return Arn()
