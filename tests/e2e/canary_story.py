"""The customer's side of the story: every field of a credential, handed in in every way that can end differently."""

import asyncio
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from secrets import token_hex
from typing import Any

import httpx

from deploy.ministack.policies import as_ministack_judges
from deploy.ministack.roles import POLICY
from emulators.ministack import REGION
from local.clouds import CustomerClouds
from local.identities import WORKER_ROLE, policy
from local.stack import Stack
from providers.aws.permissions import PERMISSIONS
from tests.e2e.canary_clouds import accepted_elsewhere, malformed_elsewhere, refused_elsewhere
from tests.e2e.customer_cloud import CustomerCloud
from tests.patience import PATIENCE_SECONDS
from tests.telemetry.collector import Collector

ROLE_ARN = "arn:aws:iam::444455556666:role/ThreatEngineReadOnly"
CONTROL = "control/canary+" + token_hex(8)
"""What the search must find wherever the story can leave it."""
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
    """What was handed in, and what was answered."""

    stack: Stack
    cloud: CustomerCloud
    api: httpx.AsyncClient
    collector: Collector
    began: float
    """By the clock of the file system."""
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
        """Ask until there is an answer: a busy emulator keeps the API waiting for longer than it waits."""
        async with asyncio.timeout(PATIENCE_SECONDS):
            while (answer := await self.api.get(path)).status_code == httpx.codes.SERVICE_UNAVAILABLE:
                self._kept(answer, name)
                await asyncio.sleep(1)
        return self._kept(answer, name)

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
        async with asyncio.timeout(PATIENCE_SECONDS):
            while True:
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
    await told_of_scans(scene, account_id)


async def told_of_scans(scene: Scene, account_id: str) -> None:
    """A schedule whose webhook has a token in its address. Whoever may change it sees it, so no such answer is kept."""
    token = scene.canary("token of a webhook", f"{token_hex(12)}/{token_hex(12)}")
    secret = scene.canary("signing secret", secret_key())
    webhook = {"url": f"https://hooks.example/services/{token}?key={token}", "secret": secret}
    body = {
        "tenant_id": scene.tenant_id,
        "account_id": account_id,
        "name": "Nightly",
        "schedule_type": "cron",
        "cron_expression": "0 2 * * *",
        "notify_on_success": True,
        "notification_channels": {"webhook": webhook},
    }
    made = await scene.post("/schedules", body, "schedule")
    refused = {**body, "notification_channels": {"webhook": {**webhook, "url": f"http://hooks.example/{token}"}}}
    await scene.post("/schedules", refused, "schedule that is refused")
    run = await scene.post(f"/schedules/{made['schedule_id']}/trigger", {}, "trigger")
    async with asyncio.timeout(PATIENCE_SECONDS):
        while True:
            if (await scene.get(f"/executions/{run['scan_id']}", "execution"))["status"] != "running":
                break
            await asyncio.sleep(0.2)
    await scene.get(f"/schedules?tenant_id={scene.tenant_id}", "schedules")


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
    allowed = as_ministack_judges("worker", stack.platform.number, REGION)
    iam = stack.platform.session.client("iam", endpoint_url=stack.platform.endpoint)
    iam.put_role_policy(
        RoleName=WORKER_ROLE, PolicyName=POLICY, PolicyDocument=allowed.replace(without, "none:None", 1)
    )


async def played(scene: Scene, clouds: CustomerClouds) -> Scene:
    tenant = await scene.post("/tenants", {"tenant_name": "Canary"}, "tenant")
    scene.tenant_id = tenant["tenant_id"]
    for way in (accepted, refused, tried, refused_elsewhere):
        await way(scene)
    await accepted_elsewhere(scene, clouds.credentials)
    # What is malformed comes no further than the API, so it does not mind that the worker is hindered meanwhile.
    await asyncio.gather(failing_midway(scene), malformed(scene), malformed_elsewhere(scene))
    await scene.get(f"/onboarding/accounts?tenant_id={scene.tenant_id}", "list")
    await scene.get("/tenants", "tenants")
    await scene.get("/health", "health")
    return scene
