"""No credential is readable anywhere. Every field is handed in in every way that can end differently, to the running
stack with all logs at DEBUG; then everything that the stack has said, written or stored is searched."""

import asyncio
import json
from base64 import b64encode
from collections.abc import AsyncIterator, Callable
from contextlib import ExitStack
from dataclasses import dataclass, field
from secrets import token_hex
from typing import Any

import httpx
import pytest
import pytest_asyncio
from hypothesis import given, settings
from hypothesis import strategies as st
from rich.console import Console
from temporalio.client import Client

from local.clouds import CustomerClouds, running_clouds
from local.identities import WORKER_ROLE, policy, worker_policy
from local.ports import Ports, free_port
from local.progress import Progress
from local.stack import Stack, running_stack
from providers.aws_permissions import PERMISSIONS
from tests.e2e.canary import Evidence, files, histories, hits, rows, spellings
from tests.e2e.canary_clouds import accepted_elsewhere, malformed_elsewhere, refused_elsewhere
from tests.e2e.customer_cloud import CustomerCloud, customer_cloud
from tests.rig import eventually
from tests.telemetry.collector import Collector, attributes, collecting, read

pytestmark = [pytest.mark.stack, pytest.mark.e2e, pytest.mark.timeout(120)]

CUSTOMER_SETTINGS = {
    "LOG_LEVEL": "DEBUG",
    "VALIDATE_WAIT_SECONDS": "2",
    "PROVIDER_PATIENCE_SECONDS": "6",
    "ONBOARDING_LATE_WRITE_SECONDS": "1",
    "OTEL_BSP_SCHEDULE_DELAY": "200",
}
ROLE_ARN = "arn:aws:iam::444455556666:role/ThreatEngineReadOnly"
CLOUDS = ("azure", "gcp", "alicloud", "oci", "ibm")
CONTROL = "control/canary+" + token_hex(8)
STEPS = tuple(
    f"RunActivity:{step}" for step in ("store_credential", "validate_credential", "record_attempt", "activate_account")
)


def key_id() -> str:
    return "AKIA" + token_hex(8).upper()


def secret_key() -> str:
    """As AWS makes them, with the characters that encodings change."""
    return f"{token_hex(8)}/{token_hex(8)}+{token_hex(3)}"


@dataclass
class Scene:
    """The customer's side of the story: what was handed in, and what was answered."""

    stack: Stack
    cloud: CustomerCloud
    api: httpx.AsyncClient
    collector: Collector
    tenant_id: str = ""
    secrets: dict[str, str] = field(default_factory=dict)
    answers: dict[str, bytes] = field(default_factory=dict)
    statuses: dict[str, int] = field(default_factory=dict)
    ends: dict[str, str] = field(default_factory=dict)

    def canary(self, name: str, value: str) -> str:
        self.secrets[name] = value
        return value

    async def post(self, path: str, body: object, name: str) -> dict[str, Any]:
        content = body if isinstance(body, bytes) else json.dumps(body).encode()
        answer = await self.api.post(path, content=content, headers={"Content-Type": "application/json"})
        self.statuses[name] = answer.status_code
        return self._kept(answer, name)

    async def get(self, path: str, name: str) -> dict[str, Any]:
        return self._kept(await self.api.get(path), name)

    async def account(self, name: str, method: str = "access_key") -> str:
        body = {"tenant_id": self.tenant_id, "account_name": f"{name} {CONTROL}", "auth_method": method}
        started = await self.post("/onboarding/aws/init", body, f"init of {name}")
        return str(started["account_id"])

    async def submit(self, name: str, method: str, credentials: object, *, account_id: str = "") -> str:
        """Hand in a credential for an account, by default a new one; returns the account's id."""
        account_id = account_id or await self.account(name, method)
        body = {"account_id": account_id, "auth_method": method, "credentials": credentials}
        await self.post("/onboarding/aws/validate", body, name)
        return account_id

    async def until_settled(self, account_id: str, name: str) -> None:
        """Follow the onboarding until no submission is under way, reading what a portal reads."""
        for _ in range(200):
            status = await self.get(f"/onboarding/{account_id}", f"status of {name}")
            if status["state"] in {"waiting_for_credential", "active", "active_limited", "failed"}:
                break
            await asyncio.sleep(0.1)
        self.ends[name] = status["state"]
        await self.get(f"/onboarding/accounts/{account_id}", f"account of {name}")

    async def last_spans_have_come(self) -> bool:
        """The API's last, and one of every step of the worker; they are sent every 0.2 seconds."""
        return all(self.collector.named(name) for name in ("GET /tenants", *STEPS))

    def _kept(self, answer: httpx.Response, name: str) -> dict[str, Any]:
        self.answers[f"answer {len(self.answers)}, {name}"] = str(answer.headers).encode() + answer.content
        return dict(answer.json())


# The ways that a submission can go


async def accepted(scene: Scene) -> None:
    iam = scene.stack.customer.session.client("iam", endpoint_url=scene.stack.customer.endpoint)
    iam.create_user(UserName="scanner")
    allowed = policy([{"Action": [permission.name for permission in PERMISSIONS], "Resource": "*"}])
    iam.put_user_policy(UserName="scanner", PolicyName="scan", PolicyDocument=allowed)
    key = iam.create_access_key(UserName="scanner")["AccessKey"]
    credentials = {
        "access_key_id": scene.canary("accepted key id", key["AccessKeyId"]),
        "secret_access_key": scene.canary("accepted secret key", key["SecretAccessKey"]),
    }
    account_id = await scene.submit("accepted", "access_key", credentials)
    await scene.until_settled(account_id, "accepted")


async def refused(scene: Scene) -> None:
    credentials = {
        "access_key_id": scene.canary("refused key id", key_id()),
        "secret_access_key": scene.canary("refused secret key", secret_key()),
    }
    account_id = await scene.submit("refused", "access_key", credentials)
    await scene.until_settled(account_id, "refused")
    role = f"arn:aws:iam::444455556666:role/ThreatEngine{scene.canary('refused role', token_hex(12))}"
    account_id = await scene.submit("refused role", "iam_role", {"role_arn": role})
    await scene.until_settled(account_id, "refused role")
    foreign = {"role_arn": ROLE_ARN, "external_id": scene.canary("foreign external id", f"te-{token_hex(16)}")}
    await scene.submit("foreign external id", "iam_role", foreign)


async def tried(scene: Scene) -> None:
    for kind, prefix in (("unknown", "AKIA"), ("temporary", "ASIA")):
        name = f"dry run, {kind} key"
        credentials = {
            "access_key_id": scene.canary(f"key id, {name}", key_id().replace("AKIA", prefix)),
            "secret_access_key": scene.canary(f"secret key, {name}", secret_key()),
        }
        body = {"account_id": await scene.account(name), "auth_method": "access_key", "credentials": credentials}
        await scene.post("/onboarding/aws/validate?dry_run=true", body, name)


async def malformed(scene: Scene) -> None:
    good = {"access_key_id": key_id(), "secret_access_key": secret_key()}
    role = {"role_arn": ROLE_ARN, "external_id": "te-0", "account_number": "444455556666"}
    for method, fields in (("access_key", good), ("iam_role", role)):
        account_id = await scene.account("malformed", method)
        for name in fields:
            for way, spoil in SPOILT.items():
                case = f"malformed {name}, {way}"
                bad = fields | {name: spoil(scene.canary(case, secret_key()))}
                await scene.submit(case, method, bad, account_id=account_id)
    names = {scene.canary("unknown field", token_hex(20)): "x", "password": scene.canary("unknown value", secret_key())}
    await scene.submit("unknown fields", "access_key", good | names)
    await scene.submit("no object", "access_key", scene.canary("no object", secret_key()))
    sibling = {"account_id": account_id, scene.canary("sibling", token_hex(20)): 1}
    await scene.post("/onboarding/aws/validate", sibling, "unknown sibling")
    broken = b'{"credentials": {"secret_access_key": "' + scene.canary("broken JSON", secret_key()).encode()
    await scene.post("/onboarding/aws/validate", broken, "broken JSON")
    account_id = await scene.account("outputs", "iam_role")
    outputs = '{"RoleArn": "' + scene.canary("broken outputs", secret_key())
    body = {"account_id": account_id, "onboarding_json": outputs}
    await scene.post("/onboarding/aws/validate-json", body, "broken outputs")


SPOILT: dict[str, Callable[[str], object]] = {
    "wrong form": lambda secret: f"{secret} {secret}",
    "too long": lambda secret: secret * 500,
    "a list": lambda secret: [secret],
    "an object": lambda secret: {secret: secret},
}


async def failing_midway(scene: Scene) -> None:
    scene.cloud.out_of_order.set()
    await scene.until_settled(await submit_a_key(scene, "cloud answers 500"), "cloud answers 500")
    scene.cloud.out_of_order.clear()
    for step, action in (("unsealing", "kms:Decrypt"), ("storing", "secretsmanager:CreateSecret")):
        let_the_worker(scene.stack, without=action)
        account_id = await submit_a_key(scene, f"{step} is denied")
        let_the_worker(scene.stack)
        await scene.until_settled(account_id, f"{step} is denied")


async def submit_a_key(scene: Scene, name: str) -> str:
    credentials = {
        "access_key_id": scene.canary(f"key id, {name}", key_id()),
        "secret_access_key": scene.canary(f"secret key, {name}", secret_key()),
    }
    return await scene.submit(name, "access_key", credentials)


def let_the_worker(stack: Stack, *, without: str = "nothing") -> None:
    """What the worker's role may do, less one action."""
    allowed = worker_policy(stack.platform.number)
    iam = stack.platform.session.client("iam", endpoint_url=stack.platform.endpoint)
    iam.put_role_policy(
        RoleName=WORKER_ROLE, PolicyName="what-it-needs", PolicyDocument=allowed.replace(without, "none:None", 1)
    )


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def scene(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Scene]:
    folder = tmp_path_factory.mktemp("canary")
    with ExitStack() as cleanup:
        clouds = cleanup.enter_context(running_clouds(tmp_path_factory.mktemp("clouds") / "clouds", port=0))
        cloud, collector = cleanup.enter_context(customer_cloud()), cleanup.enter_context(collecting())
        ports = Ports(free_port(), free_port(), free_port(), free_port())
        running = running_stack(
            folder,
            ports=ports,
            progress=Progress(Console(quiet=True)),
            settings={
                **CUSTOMER_SETTINGS,
                **clouds.settings,
                "CUSTOMER_AWS_ENDPOINT_URL": cloud.url,
                "TRACES_ENDPOINT": collector.url,
            },
            temporal_db=folder / "temporal.db",
        )
        async with running as stack:
            cloud.endpoint = stack.customer.endpoint
            headers = {"Authorization": f"Bearer {stack.api_key}"}
            base_url = f"{stack.api_url}/api/v1"
            async with httpx.AsyncClient(base_url=base_url, headers=headers, timeout=30, trust_env=False) as api:
                yield await played(Scene(stack, cloud, api, collector), clouds)


async def played(scene: Scene, clouds: CustomerClouds) -> Scene:
    tenant = await scene.post("/tenants", {"tenant_name": "Canary"}, "tenant")
    scene.tenant_id = tenant["tenant_id"]
    for way in (accepted, refused, tried, malformed, failing_midway):
        await way(scene)
    await refused_elsewhere(scene)
    await malformed_elsewhere(scene)
    await accepted_elsewhere(scene, clouds.credentials)
    await scene.get(f"/onboarding/accounts?tenant_id={scene.tenant_id}", "list")
    await scene.get("/tenants", "tenants")
    await scene.get("/health", "health")
    return scene


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def evidence(scene: Scene) -> dict[str, Evidence]:
    client = await Client.connect(scene.stack.temporal.address)
    await eventually(scene.last_spans_have_come, within=30)
    written = files(scene.stack.folder)
    return {
        "histories": await histories(client),
        "rows": rows(scene.stack),
        "logs and files": {place: text for place, text in written.items() if "temporal.db" not in place},
        "Temporal's database": {place: text for place, text in written.items() if "temporal.db" in place},
        "answers": scene.answers,
        "metrics": {f"metrics of {name}": read(url).text.encode() for name, url in scene.stack.metrics.items()},
        "spans": {f"spans {number}": request for number, request in enumerate(scene.collector.requests)},
    }


CLASSES = ("histories", "rows", "logs and files", "Temporal's database", "answers", "metrics", "spans")
PLANTED_BY_THE_STORY = ("histories", "rows", "Temporal's database", "answers")


@pytest.mark.parametrize("name", CLASSES)
async def test_no_credential_is_readable(scene: Scene, evidence: dict[str, Evidence], name: str):
    assert evidence[name]
    assert hits(evidence[name], scene.secrets) == []


@pytest.mark.parametrize("name", PLANTED_BY_THE_STORY)
async def test_a_planted_text_is_found(evidence: dict[str, Evidence], name: str):
    assert hits(evidence[name], {"control": CONTROL})


async def test_a_text_in_a_log_is_found_in_every_spelling(scene: Scene):
    for spelling, text in spellings(CONTROL).items():
        (scene.stack.folder / "logs/planted.log").write_bytes(b"{" + text + b"}")
        found = hits(files(scene.stack.folder / "logs"), {"control": CONTROL})
        assert f"control as {spelling} in file planted.log" in found
    (scene.stack.folder / "logs/planted.log").unlink()


async def test_the_logs_that_were_searched_are_those_of_the_whole_story(evidence: dict[str, Evidence]):
    logs = evidence["logs and files"]
    assert b'"level": "debug"' in logs["file logs/worker.log"]
    assert logs["file logs/api.log"].count(b'"logger": "api.access"') > 30


async def test_the_metrics_and_spans_that_were_searched_are_those_of_the_whole_story(
    scene: Scene, evidence: dict[str, Evidence]
):
    worker = evidence["metrics"]["metrics of worker"].decode()
    assert 'onboarding_refusals_total{code="unknown_key"' in worker
    assert 'onboarding_step_failures_total{code="platform_config",step="store_credential"} ' in worker
    assert any("error.type" in attributes(span) for span in scene.collector.named("RunActivity:validate_credential"))


@pytest.mark.parametrize(
    ("name", "statuses"),
    [
        ("accepted", {200, 202}),
        ("refused", {400}),
        ("refused role", {400}),
        *((f"refused by {cloud}", {400}) for cloud in CLOUDS),
        *((f"accepted by {cloud}", {200, 202}) for cloud in CLOUDS),
        ("refused certificate", {400}),
        ("dry run, unknown key", {400}),
        ("dry run, temporary key", {400}),
        ("foreign external id", {400}),
        ("malformed secret_access_key, wrong form", {400}),
        ("malformed role_arn, an object", {400}),
        ("unknown fields", {400}),
        ("no object", {422}),
        ("unknown sibling", {422}),
        ("broken JSON", {422}),
        ("broken outputs", {400}),
        ("cloud answers 500", {202, 503}),
        ("unsealing is denied", {202}),
        ("storing is denied", {202}),
    ],
)
async def test_each_way_went_as_it_was_meant(scene: Scene, name: str, statuses: set[int]):
    assert scene.statuses[name] in statuses


async def test_each_account_ended_where_it_was_meant_to(scene: Scene):
    waiting = ("refused", "refused role", "cloud answers 500", "unsealing is denied", "storing is denied")
    elsewhere = [name for name in scene.ends if name.startswith(("refused by", "refused certificate", "malformed"))]
    active = ("accepted", *(f"accepted by {cloud}" for cloud in CLOUDS))
    assert scene.ends == dict.fromkeys(active, "active") | dict.fromkeys(
        (*waiting, *elsewhere), "waiting_for_credential"
    )
    assert len(elsewhere) > 2 * len(CLOUDS)


@settings(deadline=None)
@given(st.binary(), st.text(st.characters(codec="ascii"), min_size=8), st.binary())
def test_an_encoded_secret_is_found_wherever_it_stands(before: bytes, secret: str, after: bytes):
    text = before + secret.encode() + after
    for content in (text, text.hex().encode(), b64encode(text), json.dumps({"a": [secret]}).encode()):
        assert hits({"place": content}, {"secret": secret})
