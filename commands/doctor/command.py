"""`python cli.py doctor`: examine the environment, change nothing, and say what to put right.

Every AWS call is one that reads (Describe…, Get…, List…, Scan, Simulate…), and no secret is looked at.
"""

import json
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Annotated

import typer

import config
from commands import clients
from commands.doctor import audit, buckets, identity, permissions, rows, tables
from commands.doctor import key_policies as checks_key_policies
from commands.doctor import keys as checks_keys
from commands.doctor import temporal as checks_temporal
from commands.doctor.finding import Finding, Level, examined, ok, unknown, warn
from commands.doctor.iam_requirements import needs
from commands.doctor.identity import Caller, Clock
from commands.output import Format, Output
from commands.policies.keys import key_policies
from commands.policies.place import API_ROLE, Place
from composition.deployment import deployment_name
from stores.dynamodb.survey import READERS
from stores.dynamodb.tables import definitions
from temporal.program import run_program
from workflows import search_attributes
from workflows.ids import QUEUES, SEAL_AUDITS_ID

ApiRole = Annotated[str | None, typer.Option(help="The name of the role that the API runs as, to check it too.")]
AsJson = Annotated[bool, typer.Option("--json", hidden=True, help="The same as `-o json`, as before.")]


def utc_now() -> datetime:
    return datetime.now(UTC)


def doctor(api_role: ApiRole = None, output: Output = Format.TABLE, as_json: AsJson = False) -> None:
    """Examine AWS, Temporal, workers and the clock, without changing anything. Exit code 1 when something fails."""
    settings, temporal = config.load()
    findings = examine(settings, temporal, api_role=api_role)
    print(
        json.dumps([asdict(found) for found in findings], indent=1)
        if as_json or output is Format.JSON
        else text_of(findings)
    )
    raise typer.Exit(int(any(found.level is Level.FAIL for found in findings)))


def examine(
    settings: config.Settings,
    temporal: config.TemporalConnection,
    *,
    api_role: str | None = None,
    now: Clock = utc_now,
) -> list[Finding]:
    return [
        *_settings(settings),
        *in_aws(settings, api_role=api_role, now=now),
        *run_program(_temporal(settings, temporal)),
    ]


def text_of(findings: Sequence[Finding]) -> str:
    """A line for each, below it what to do, and at the end how many of each level."""
    lines = []
    for found in findings:
        lines.append(f"{found.level.value:8}  {found.thing}: {found.found}")
        lines += [f"{'':8}  -> {found.remedy}"] if found.remedy else []
    counts = Counter(found.level for found in findings)
    return "\n".join([*lines, "", ", ".join(f"{counts[level]} {level.value}" for level in Level)])


def _settings(settings: config.Settings) -> Iterator[Finding]:
    yield ok("settings", f"complete; region {settings.aws_region}")
    for name in ("aws_endpoint_url", "customer_aws_endpoint_url", "customer_clouds_address"):
        if getattr(settings, name):
            remedy = "Unset it, unless this is for development."
            yield warn(f"setting {name.upper()}", "is set, so this is not the real AWS", remedy)


def in_aws(settings: config.Settings, *, api_role: str | None = None, now: Clock = utc_now) -> Iterator[Finding]:
    aws, caller = clients.connect(settings.aws_region, endpoint_url=settings.aws_endpoint_url), Caller()
    account = settings.platform_aws_account_id
    yield from examined("caller", partial(identity.identity, aws.sts, account, caller, now=now))
    if not caller.arn:
        yield unknown(
            "keys, tables, audit trail, bucket, secrets, roles", "not looked at, because AWS did not say who we are"
        )
        return
    for key in checks_keys.wanted(settings):
        yield from examined(key.thing, partial(checks_keys.key, aws.kms, key, account))
    yield from _key_policies(settings, aws, api_role or API_ROLE)
    for table in definitions(settings.tables):
        yield from examined(f"table {table.name}", partial(tables.table, aws.dynamodb, table))
    for ours in READERS:
        look = partial(rows.rows, aws.dynamodb, settings.tables, ours)
        yield from examined(f"rows of {getattr(settings.tables, ours)}", look)
    yield from examined(audit.THING, partial(_audit_trail, settings, aws, now=now))
    tls = aws.s3.meta.endpoint_url.startswith("https:")
    yield from examined(
        f"bucket {settings.buckets.results}", partial(buckets.bucket, aws.s3, settings.buckets.results, tls=tls)
    )
    yield from examined(
        f"bucket {settings.buckets.anchors}", partial(buckets.anchors, aws.s3, settings.buckets.anchors, tls=tls)
    )
    yield from examined("Secrets Manager", partial(_secrets_manager, aws))
    if caller.account == account:
        yield from _roles(settings, aws, api_role)
    else:
        yield unknown("roles", "not looked at, because this is another account", "See the caller.")


def _audit_trail(settings: config.Settings, aws: clients.Clients, *, now: Clock) -> Iterator[Finding]:
    every = timedelta(seconds=settings.audit_seal_interval_seconds)
    yield from audit.waiting(aws.dynamodb, settings.tables.audit_unsealed, every=every, now=now())


def _secrets_manager(aws: clients.Clients) -> Iterator[Finding]:
    # The only request of this service that concerns no secret at all.
    aws.secretsmanager.get_random_password(PasswordLength=8)
    yield ok("Secrets Manager", "answers")


def _key_policies(settings: config.Settings, aws: clients.Clients, api_role: str) -> Iterator[Finding]:
    # Who is spoken to without TLS is no AWS, and does not ask the policies of keys.
    if not aws.kms.meta.endpoint_url.startswith("https:"):
        yield unknown("policies of the keys", "not looked at, because this is not the real AWS")
        return
    wanted = checks_keys.wanted(settings)
    arns, policies = checks_keys.arns(aws.kms, wanted), key_policies(Place(settings, api_role))
    for key in wanted:
        if arn := arns.get(key.key_id):
            look = partial(checks_key_policies.key_policy, aws.kms, arn, key.key_id, policies[key.policy])
            yield from examined(f"policy of key {key.key_id}", look)


def _roles(settings: config.Settings, aws: clients.Clients, api_role: str | None) -> Iterator[Finding]:
    wanted = checks_keys.wanted(settings)
    place, keys = Place(settings), checks_keys.arns(aws.kms, wanted)
    yield from permissions.role(aws.iam, settings.platform_role_name, "worker", needs("worker", place, keys))
    if api_role is None:
        yield unknown("role of the API", "not named", "Name it with --api-role.")
    else:
        yield from permissions.role(aws.iam, api_role, "API", needs("api", place, keys))


async def _temporal(settings: config.Settings, connection: config.TemporalConnection) -> list[Finding]:
    return await checks_temporal.temporal(
        connection,
        queues=QUEUES,
        deployment=deployment_name(settings),
        attributes=search_attributes.ALL,
        schedules=(SEAL_AUDITS_ID,),
        unsigned=settings.unsigned_commands,
    )
