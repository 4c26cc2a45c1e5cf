"""The policy in the documentation for an auditor of one tenant: what `audit verify` asks of AWS for that tenant is
allowed, and nothing of another one."""

import json
import re
from typing import Any

import pytest
from boto3.session import Session
from botocore.awsrequest import AWSResponse
from botocore.compat import HTTPHeaders

from commands.audit.command import Audited, exported, read_trail, tenants_of
from stores.audit.chain import DynamoAuditChain
from stores.audit.events import DynamoAuditStore
from stores.dynamodb.tables import TableNames
from stores.dynamodb.tenants import DynamoTenantStore
from tests.deploy.policies import ACCOUNT, REGION, Request, Statement, allows, grants
from tests.pages import ROOT

PAGE = ROOT / "docs/how-to/read-the-audit-trail.md"
TENANT, OTHER = "3f1d5a52-8c1e-4a44-9a55-0d2a9a3f4b1c", "00000000-0000-4000-8000-000000000000"
TABLE = f"arn:aws:dynamodb:{REGION}:{ACCOUNT}:table/"
TRAIL = [f"{TABLE}threat-engine-audit-{name}" for name in ("events", "unsealed", "digests")]
TAG, LEADING = "aws:PrincipalTag/tenant", "dynamodb:LeadingKeys"


def policy(tenant_id: str) -> list[Statement]:
    """As AWS reads it for a role with this tag."""
    [text] = [block for block in re.findall(r"```json\n(.*?)```", PAGE.read_text(), re.DOTALL) if LEADING in block]
    found: list[Statement] = json.loads(text.replace("${aws:PrincipalTag/tenant}", tenant_id))["Statement"]
    return found


def asked(action: str, table: str, *leading: str, tag: str | None = TENANT) -> Request:
    context: dict[str, str | list[str]] = {LEADING: list(leading)} if leading else {}
    return Request(f"dynamodb:{action}", table, {**context, TAG: tag} if tag else context)


class Recorder:
    """DynamoDB without a server: every table is empty."""

    def __init__(self) -> None:
        self.requests: list[Request] = []
        session = Session(ACCOUNT, "test", region_name=REGION)
        self.client = session.client("dynamodb", endpoint_url="http://127.0.0.1:9")
        self.client.meta.events.register("before-call", self._answer)  # type: ignore[arg-type]
        self.client.meta.events.register("before-parameter-build", self._note)

    def _note(self, params: dict[str, Any], model: Any, **_: Any) -> None:
        tenant = params.get("ExpressionAttributeValues", {}).get(":tenant_id")
        self.requests.append(asked(model.name, TABLE + params["TableName"], *([tenant["S"]] if tenant else [])))

    def _answer(self, **_: Any) -> tuple[AWSResponse, dict[str, Any]]:
        return AWSResponse("", 200, HTTPHeaders(), None), {"Items": [], "ResponseMetadata": {"HTTPStatusCode": 200}}

    @property
    def stored(self) -> Audited:
        names = TableNames()
        return Audited(
            DynamoAuditStore(self.client, names),
            DynamoAuditChain(self.client, names),
            DynamoTenantStore(self.client, names),
        )


@pytest.fixture
def recorder() -> Recorder:
    return Recorder()


def test_the_tenants_own_trail_can_be_checked_and_exported(recorder: Recorder):
    read_trail(recorder.stored, TENANT)
    list(exported(recorder.stored, TENANT, []))
    assert {request.resource for request in recorder.requests} == set(TRAIL)
    assert [request for request in recorder.requests if not allows(policy(TENANT), request)] == []


def test_neither_another_tenants_trail_nor_the_list_of_tenants_can(recorder: Recorder):
    read_trail(recorder.stored, OTHER)
    list(tenants_of(recorder.stored))
    assert len(recorder.requests) >= 5
    assert [request for request in recorder.requests if allows(policy(TENANT), request)] == []


REFUSED = {
    "two tenants at once": asked("Query", TRAIL[0], TENANT, OTHER),
    "the platform's": asked("Query", TRAIL[0], "platform"),
    "no key at all": asked("Query", TRAIL[0]),
    "a scan": asked("Scan", TRAIL[0]),
    "a change": asked("PutItem", TRAIL[0], TENANT),
    "another table of the tenant": asked("Query", f"{TABLE}threat-engine-api-keys", TENANT),
    "a role without the tag": asked("Query", TRAIL[0], TENANT, tag=None),
}


@pytest.mark.parametrize("request_", REFUSED.values(), ids=REFUSED.keys())
def test_it_is_refused(request_: Request):
    assert not allows(policy(TENANT), request_)


def test_it_grants_nothing_that_the_auditor_of_all_does_not_have():
    everyone = json.loads((ROOT / "deploy/iam/auditor.json").read_text())["Statement"]
    assert {g for s in policy(TENANT) for g in grants(s)} <= {g for s in everyone for g in grants(s)}
