"""`python cli.py setup`: everything that the platform needs in AWS and in Temporal is made, or completed."""

from collections.abc import Iterable

import config
from composition.aws import aws_of
from domain.setup import SetupFinding
from stores import session
from stores.dynamodb.tables import TableNames, ensure_tables
from stores.kms.keys import ensure_keys
from stores.s3.buckets import ensure_anchors_bucket, ensure_results_bucket
from temporal.client import connect
from temporal.program import run_program
from temporal.setup import ensure_namespace, ensure_search_attributes
from workflows import search_attributes


def setup() -> None:
    """Make or repair everything: KMS keys, tables, Temporal namespace and search attributes."""
    settings, temporal = config.load()
    identity = bool(settings.identity_issuer_url)
    report(set_up_aws(aws_of(settings), settings.tables, settings.buckets, identity=identity))
    report(run_program(set_up_temporal(temporal)))


def create_tables() -> None:
    """Make the DynamoDB tables, and complete what an interrupted run left."""
    settings, _ = config.load()
    report(ensure_tables(aws_of(settings).dynamodb, settings.tables))


def set_up_aws(
    aws: session.AwsClients, names: TableNames, buckets: config.Buckets, *, identity: bool = False
) -> tuple[SetupFinding, ...]:
    """`identity` says whether the platform is an identity provider, which has a key of its own."""
    keys = ensure_keys(aws.kms, identity=identity)
    return (
        *keys,
        *ensure_tables(aws.dynamodb, names),
        *ensure_results_bucket(aws.s3, buckets.results),
        *ensure_anchors_bucket(aws.s3, buckets.anchors),
    )


async def set_up_temporal(temporal: config.TemporalConnection) -> tuple[SetupFinding, ...]:
    client = await connect(temporal.address, namespace=temporal.namespace, options=temporal.options)
    return (
        *await ensure_namespace(client),
        *await ensure_search_attributes(client, search_attributes.ALL),
    )


def report(findings: Iterable[SetupFinding]) -> None:
    for finding in findings:
        detail = f"  ({finding.detail})" if finding.detail else ""
        print(f"{finding.state.value:8}  {finding.thing}{detail}")
