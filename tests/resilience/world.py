"""Everything that the onboardings of a fleet left behind, read directly: past the API, the worker and the stores."""

import asyncio
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from temporalio.client import Client, WorkflowExecutionStatus

from stores.dynamodb.items import Row, from_item
from stores.dynamodb.tables import TableNames
from stores.session import AwsClients
from workflows.onboarding.onboard_account import OnboardAccount

PREFIX = "threat-engine/account/"
ONBOARDINGS = f"WorkflowType = '{OnboardAccount.__name__}'"

Stages = Mapping[str, frozenset[str]]
"""The staging labels of each version of a secret."""


@dataclass(frozen=True)
class Run:
    """One execution of an onboarding's workflow."""

    workflow_id: str
    status: WorkflowExecutionStatus | None


@dataclass(frozen=True)
class World:
    accounts: Mapping[str, Row]
    """Rows by account id."""
    claims: Mapping[str, str]
    """The owner, an account id, by the key of the claim."""
    secrets: Mapping[str, Stages]
    """By what follows the prefix in their name: an account id."""
    audit: tuple[Row, ...]
    """Every event of every tenant."""
    runs: tuple[Run, ...]


async def read_world(aws: AwsClients, temporal: Client, names: TableNames | None = None) -> World:
    """As the root of our AWS account and with a client of the Temporal server."""
    names = names or TableNames()
    items = await asyncio.to_thread(lambda: list(_scan(aws, names.accounts)))
    return World(
        accounts={row["account_id"]: row for row in items if not _is_claim(row)},
        claims={row["account_id"]: row["owner"] for row in items if _is_claim(row)},
        secrets=await asyncio.to_thread(lambda: dict(_secrets(aws))),
        audit=tuple(await asyncio.to_thread(lambda: list(_scan(aws, names.audit_events)))),
        runs=tuple([Run(run.id, run.status) async for run in temporal.list_workflows(ONBOARDINGS)]),
    )


def _is_claim(row: Row) -> bool:
    return str(row["account_id"]).startswith("claim#")


def _scan(aws: AwsClients, table: str) -> Iterator[Row]:
    for page in aws.dynamodb.get_paginator("scan").paginate(TableName=table, ConsistentRead=True):
        yield from map(from_item, page["Items"])


def _secrets(aws: AwsClients) -> Iterator[tuple[str, Stages]]:
    """Also those that wait for their deletion. Raises ClientError."""
    pages: Any = aws.secretsmanager.get_paginator("list_secrets").paginate(IncludePlannedDeletion=True)
    for page in pages:
        for secret in page["SecretList"]:
            described = aws.secretsmanager.describe_secret(SecretId=secret["Name"])
            stages = described.get("VersionIdsToStages", {})
            yield secret["Name"].removeprefix(PREFIX), {version: frozenset(found) for version, found in stages.items()}
