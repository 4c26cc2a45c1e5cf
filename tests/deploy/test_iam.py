"""Each process may do what it does, and nothing else.

The calls are recorded on journeys, one for each process, and not in every other test: there a store is driven by the
test, so a call belongs to no process, and many are wrong on purpose. That a journey leaves nothing out is tested from
the code, by the methods that a process uses and by the operations that the stores know. That nothing is missing shows
once more in every test that starts the stack, because its processes run under these policies.
"""

import inspect
import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from boto3.session import Session

from domain.onboarding.credentials import SealPurpose
from emulators.ministack import running_ministack
from stores.dynamodb.tenants import DynamoTenantStore
from stores.secrets.sealing import KmsSealer
from stores.session import AwsClients, connect
from tests.deploy.journeys import (
    BUCKETS,
    KEY,
    NAMES,
    World,
    api_journey,
    auditor_journey,
    put_in_disorder,
    read_scans,
    run_scans,
    seal_audits,
    setup_journey,
    worker_journey,
)
from tests.deploy.policies import (
    ACCOUNT,
    PRINCIPALS,
    REGION,
    Request,
    allows,
    allows_key,
    files,
    grants,
    listed,
    statements,
)
from tests.deploy.recorded import (
    S3_ACTIONS,
    Made,
    encryption_context,
    methods_used,
    recorder,
    requests,
    through_s3,
    through_secrets_manager,
)
from tests.pages import ROOT, source
from tests.stores.samples import new_entry, new_event, new_tenant

PROCESSES = ("api", "worker", "setup", "auditor")
ON_NOTHING_IN_PARTICULAR = {"kms:CreateKey", "secretsmanager:GetRandomPassword"}
"""AWS takes no resource for these."""
THEIRS = ("arn:aws:iam::*:role/ThreatEngine", "arn:aws:iam::*:role/*/ThreatEngine", "arn:aws:sns:*:*:*")
"""Of customers: roles by their name, topics by not being of this account."""

Asked = dict[str, list[Request]]


@pytest.fixture(scope="module")
def asked(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Asked]:
    """What each process asked for."""
    with running_ministack(tmp_path_factory.mktemp("iam") / "ministack.log") as endpoint:
        calls: list[Made] = []
        with pytest.MonkeyPatch.context() as environment:
            environment.setenv("AWS_ACCESS_KEY_ID", ACCOUNT)
            aws = connect(REGION, endpoint_url=endpoint)
        watch(aws, calls)
        asked: Asked = {}
        setup_journey(World(aws, calls))
        first = take(calls)
        put_in_disorder(aws)
        take(calls)
        setup_journey(World(aws, calls))
        asked["setup"] = translated(aws, first + take(calls))
        world = furnished(aws, calls)
        for name, journey in {"api": api_journey, "worker": worker_journey, "auditor": auditor_journey}.items():
            take(calls)
            journey(world)
            asked[name] = translated(aws, take(calls))
        yield asked


def watch(aws: AwsClients, calls: list[Made]) -> None:
    for client in (aws.dynamodb, aws.secretsmanager, aws.kms, aws.s3):
        client.meta.events.register("before-parameter-build", recorder(calls))


def take(calls: list[Made]) -> list[Made]:
    taken = list(calls)
    calls.clear()
    return taken


def translated(aws: AwsClients, calls: list[Made]) -> list[Request]:
    found = aws.kms.list_aliases()["Aliases"]
    return list(requests(calls, {alias["TargetKeyId"]: alias["AliasName"] for alias in found}))


def furnished(aws: AwsClients, calls: list[Made]) -> World:
    tenant, world = new_tenant(), World(aws, calls)
    DynamoTenantStore(aws.dynamodb, NAMES).create(tenant, new_event(tenant.tenant_id))
    sealer, credential = KmsSealer(aws.kms, key_id=KEY), new_entry().credential
    sealed = {purpose: sealer.seal(credential, replace(world.context, purpose=purpose)) for purpose in SealPurpose}
    return World(aws, calls, tenant.tenant_id, sealed)


stack = pytest.mark.stack
each_process = pytest.mark.parametrize("process", PROCESSES)


@stack
@each_process
def test_a_process_may_do_everything_that_it_does(asked: Asked, process: str):
    policy = statements(f"iam/{process}.json")
    assert [request for request in asked[process] if not allows(policy, request)] == []


def key_of(request: Request) -> str:
    """The last part of its alias, which is the name of its policy; nothing where no key is asked for."""
    aliases = request.context.get("kms:ResourceAliases", [])
    return listed(aliases)[0].removeprefix("alias/threat-engine-") if aliases else ""


def allowed_with_its_key(process: str, request: Request) -> bool:
    key, identity = statements(f"kms/{key_of(request)}.json"), statements(f"iam/{process}.json")
    return allows_key(key, identity, request, principal=PRINCIPALS[process])


@stack
@each_process
def test_the_keys_allow_every_use_that_a_process_makes_of_them(asked: Asked, process: str):
    """Judged by the policy of the role and that of the key together, with the encryption context of the real call."""
    uses = [request for request in asked[process] if key_of(request)]
    assert uses
    assert [request for request in uses if not allowed_with_its_key(process, request)] == []


@stack
def test_every_purpose_of_a_seal_is_sealed_by_the_api_and_opened_by_the_worker(asked: Asked):
    for process, action in {"api": "kms:GenerateDataKey", "worker": "kms:Decrypt"}.items():
        contexts = [request.context for request in asked[process] if request.action == action]
        purposes = {context.get("kms:EncryptionContext:purpose") for context in contexts}
        assert purposes - {None} == {purpose.value for purpose in SealPurpose}


@stack
@each_process
def test_a_process_may_do_nothing_that_it_does_not_do(asked: Asked, process: str):
    """Each action on each resource of each statement is needed."""
    needed = {
        (statement["Sid"], *grant)
        for statement in statements(f"iam/{process}.json")
        for grant in grants(statement)
        for request in asked[process]
        if allows([{**statement, "Action": grant[0], "Resource": grant[1]}], request)
    }
    granted = {(s["Sid"], *grant) for s in statements(f"iam/{process}.json") for grant in grants(s)}
    assert {(sid, action) for sid, action, _ in granted - needed} == (OVER_TLS if process == "setup" else set())


OVER_TLS = {("MakeAndRepairBuckets", f"s3:{verb}BucketPolicy") for verb in ("Get", "Put")}
"""The bucket asks for TLS where there is TLS; the emulator is spoken to without (tests/stores/test_results.py)."""


SOURCES = {"api": ("api/**/*.py",), "worker": ("activities/*.py",)}
JOURNEYS: dict[str, tuple[Callable[..., None], ...]] = {
    "api": (api_journey, read_scans),
    "worker": (worker_journey, run_scans, seal_audits),
}
OF_TEMPORAL = {("schedules", "converge"), ("schedules", "remove")}
"""Methods of a port with such a name that is not a store."""


@pytest.mark.parametrize("process", sorted(SOURCES))
def test_the_journey_of_a_process_uses_every_method_that_the_process_uses(process: str):
    used = methods_used(source(*SOURCES[process])) - OF_TEMPORAL
    assert used
    assert used - methods_used("".join(map(inspect.getsource, JOURNEYS[process]))) == set()


@stack
def test_the_journeys_miss_no_operation_of_the_stores(asked: Asked):
    code = "\n".join((ROOT / path).read_text() for path in stores_in_use())
    names = {
        name.replace("_", "")
        for service in ("dynamodb", "secretsmanager", "kms", "s3")
        for name, operation in Session(region_name=REGION).client(service).meta.method_to_api_mapping.items()
        if operation != "TransactWriteItems"  # AWS asks for the actions inside
        and re.search(rf"\b_?(dynamodb|secretsmanager|secrets|kms|s3)\.{name}\b", code)
    }
    made = {request.action.partition(":")[2].lower() for requests in asked.values() for request in requests}
    over_tls = {"getbucketpolicy", "putbucketpolicy"}
    assert names - made - {operation.lower() for operation in S3_ACTIONS} == over_tls


def stores_in_use() -> set[str]:
    """The modules of stores/ that an entry point or a command imports, and those that these import."""
    commands = sorted(path.relative_to(ROOT).as_posix() for path in ROOT.glob("commands/**/*.py"))
    found, unread = set[str](), ["main.py", "worker.py", "cli.py", *commands]
    while unread:
        imported = re.findall(r"^from (stores[.\w]*) import (.+)", (ROOT / unread.pop()).read_text(), re.MULTILINE)
        named = {
            place for package, names in imported for place in (package, *(f"{package}.{n}" for n in names.split(", ")))
        }
        files = {f"{place.replace('.', '/')}.py" for place in named}
        new = {file for file in files if (ROOT / file).is_file()} - found
        found |= new
        unread += new
    return found


# The form of the policies


@pytest.mark.parametrize("file", files(), ids=lambda file: f"{file.parent.name}/{file.name}")
def test_no_action_is_a_pattern_and_no_statement_is_without_a_name(file: Path):
    found = statements(f"{file.parent.name}/{file.name}")
    assert [
        action for s in found for action in listed(s["Action"]) if not re.fullmatch(r"[a-z0-9]+:[A-Za-z]+", action)
    ] == []
    assert len({s["Sid"] for s in found}) == len(found)
    assert not any({"NotAction", "NotResource", "NotPrincipal"} & set(s) for s in found)


@each_process
def test_every_resource_is_ours(process: str):
    """A key is named by its alias, in the condition: nobody knows its id before it is made."""
    for statement in statements(f"iam/{process}.json"):
        for action, resource in grants(statement):
            if action in ON_NOTHING_IN_PARTICULAR:
                assert resource == "*"
            elif resource.endswith(":key/*") and process != "setup":
                assert "kms:ResourceAliases" in statement["Condition"]["ForAnyValue:StringEquals"]
            else:
                ours = f"arn:aws:{action.partition(':')[0]}:{REGION}:{ACCOUNT}:"
                assert resource.startswith((ours, *(f"arn:aws:s3:::{bucket}" for bucket in BUCKETS), *THEIRS))


def test_the_policies_know_the_tables_that_there_are():
    text = " ".join((ROOT / f"deploy/iam/{process}.json").read_text() for process in ("api", "worker"))
    named = set(re.findall(r":table/([a-z-]+)", text))
    assert named <= set(vars(NAMES).values())
    assert len(named) >= 6


# What must be refused, whatever else changes

TABLE, KEYS = f"arn:aws:dynamodb:{REGION}:{ACCOUNT}:table", f"arn:aws:kms:{REGION}:{ACCOUNT}:key/1"
SECRET = f"arn:aws:secretsmanager:{REGION}:{ACCOUNT}:secret:threat-engine/account/1-AbCdEf"
OTHER_SECRET = f"arn:aws:secretsmanager:{REGION}:{ACCOUNT}:secret:billing-AbCdEf"
SEALING = {"tenant": "t", "account": "a", "submission": "s", "purpose": "onboarding"}
ALIAS = {"kms:ResourceAliases": ["alias/threat-engine-secrets"]}
RESULTS, RESULTS_ALIAS = f"arn:aws:s3:::{BUCKETS.results}", {"kms:ResourceAliases": ["alias/threat-engine-results"]}
RS256 = {"kms:SigningAlgorithm": "RSASSA_PKCS1_V1_5_SHA_256"}
ES256 = {"kms:SigningAlgorithm": "ECDSA_SHA_256"}
IN_TRANSACTION = {"dynamodb:EnclosingOperation": ["TransactWriteItems"]}


def sealing(**changes: str | None) -> dict[str, str | list[str]]:
    given = {key: value for key, value in {**SEALING, **changes}.items() if value is not None}
    return {**ALIAS, **encryption_context(given)}


REFUSED = {
    "api opens": ("api", Request("kms:Decrypt", KEYS, sealing())),
    "api reads a secret": ("api", Request("secretsmanager:GetSecretValue", SECRET)),
    "api writes a secret": ("api", Request("secretsmanager:PutSecretValue", SECRET)),
    "api seals for no tenant": ("api", Request("kms:GenerateDataKey", KEYS, sealing(tenant=None))),
    "api seals for two purposes": (
        "api",
        Request("kms:GenerateDataKey", KEYS, sealing(purpose="onboarding,webhook")),
    ),
    "api seals for something else": ("api", Request("kms:GenerateDataKey", KEYS, sealing(purpose="backup"))),
    "api seals with more context": ("api", Request("kms:GenerateDataKey", KEYS, sealing(extra="x"))),
    "api seals without context": ("api", Request("kms:GenerateDataKey", KEYS, ALIAS)),
    "api seals with another key": (
        "api",
        Request("kms:GenerateDataKey", KEYS, {**sealing(), "kms:ResourceAliases": ["alias/billing"]}),
    ),
    "api assumes a role": ("api", Request("sts:AssumeRole", "arn:aws:iam::444455556666:role/ThreatEngineReadOnly")),
    "api changes an account": (
        "api",
        Request("dynamodb:UpdateItem", f"{TABLE}/threat-engine-accounts", IN_TRANSACTION),
    ),
    "api makes a key without an event": ("api", Request("dynamodb:PutItem", f"{TABLE}/threat-engine-api-keys")),
    "api deletes a key": ("api", Request("dynamodb:DeleteItem", f"{TABLE}/threat-engine-api-keys", IN_TRANSACTION)),
    "api changes a tenant without its event": ("api", Request("dynamodb:UpdateItem", f"{TABLE}/threat-engine-tenants")),
    "worker opens what is not sealed for it": ("worker", Request("kms:Decrypt", KEYS, sealing(purpose="backup"))),
    "worker decrypts a stored secret by itself": (
        "worker",
        Request("kms:Decrypt", KEYS, {**ALIAS, **encryption_context({"SecretARN": SECRET, "SecretVersionId": "1"})}),
    ),
    "worker reads a foreign secret": ("worker", Request("secretsmanager:GetSecretValue", OTHER_SECRET)),
    "worker decrypts a foreign secret": ("worker", Request("kms:Decrypt", KEYS, through_secrets_manager(OTHER_SECRET))),
    "worker assumes an administrator": (
        "worker",
        Request("sts:AssumeRole", "arn:aws:iam::444455556666:role/Administrator"),
    ),
    "worker assumes our own role": (
        "worker",
        Request("sts:AssumeRole", f"arn:aws:iam::{ACCOUNT}:role/threat-engine-api"),
    ),
    "worker changes a tenant": (
        "worker",
        Request("dynamodb:UpdateItem", f"{TABLE}/threat-engine-tenants", IN_TRANSACTION),
    ),
    "api decrypts results by itself": ("api", Request("kms:Decrypt", KEYS, RESULTS_ALIAS)),
    "api opens through S3": ("api", Request("kms:Decrypt", KEYS, {**through_s3(RESULTS), **ALIAS})),
    "api signs": (
        "api",
        Request("kms:Sign", KEYS, {"kms:ResourceAliases": ["alias/threat-engine-identity"], **RS256}),
    ),
    "worker signs tokens with the audit key": (
        "worker",
        Request("kms:Sign", KEYS, {"kms:ResourceAliases": ["alias/threat-engine-audit"], **RS256}),
    ),
    **{
        f"{process} signs digests": (
            process,
            Request("kms:Sign", KEYS, {"kms:ResourceAliases": ["alias/threat-engine-audit"], **ES256}),
        )
        for process in ("api", "setup", "auditor")
    },
    **{
        f"{process} {action} a digest": (
            process,
            Request(f"dynamodb:{action}Item", f"{TABLE}/threat-engine-audit-digests", IN_TRANSACTION),
        )
        for process in PROCESSES
        for action in ("Update", "Delete")
    },
    "api takes from what waits to be sealed": (
        "api",
        Request("dynamodb:DeleteItem", f"{TABLE}/threat-engine-audit-unsealed", IN_TRANSACTION),
    ),
    "api adds a digest": ("api", Request("dynamodb:PutItem", f"{TABLE}/threat-engine-audit-digests", IN_TRANSACTION)),
    "auditor adds an event": (
        "auditor",
        Request("dynamodb:PutItem", f"{TABLE}/threat-engine-audit-events", IN_TRANSACTION),
    ),
    "worker signs with another key": ("worker", Request("kms:Sign", KEYS, {**ALIAS, **RS256})),
    "api reads another bucket": ("api", Request("s3:GetObject", "arn:aws:s3:::billing/a.json")),
    "api writes results": ("api", Request("s3:PutObject", f"{RESULTS}/a.json")),
    "worker reads results": ("worker", Request("s3:GetObject", f"{RESULTS}/t1/a1/e1.json")),
    "worker tells a topic of ours": (
        "worker",
        Request("sns:Publish", f"arn:aws:sns:{REGION}:{ACCOUNT}:alarms", {"aws:ResourceAccount": ACCOUNT}),
    ),
    "setup reads results": ("setup", Request("s3:GetObject", f"{RESULTS}/a.json")),
    "setup deletes the bucket": ("setup", Request("s3:DeleteBucket", RESULTS)),
    "setup reads accounts": ("setup", Request("dynamodb:GetItem", f"{TABLE}/threat-engine-accounts")),
    "setup opens": ("setup", Request("kms:Decrypt", KEYS, sealing())),
    "setup deletes a table": ("setup", Request("dynamodb:DeleteTable", f"{TABLE}/threat-engine-accounts")),
    "setup deletes a key": ("setup", Request("kms:ScheduleKeyDeletion", KEYS)),
    **{
        f"{process} {action} an audit event": (
            process,
            Request(f"dynamodb:{action}Item", f"{TABLE}/threat-engine-audit-events", IN_TRANSACTION),
        )
        for process in PROCESSES
        for action in ("Update", "Delete")
    },
}


@pytest.mark.parametrize(("process", "request_"), REFUSED.values(), ids=REFUSED.keys())
def test_it_is_refused(process: str, request_: Request):
    assert not allows(statements(f"iam/{process}.json"), request_)
    if key_of(request_) and (ROOT / f"deploy/kms/{key_of(request_)}.json").exists():
        assert not allowed_with_its_key(process, request_)
