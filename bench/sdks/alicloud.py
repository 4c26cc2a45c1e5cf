"""AliCloud's SDK: a client for each service, and the one call that the methods of every service's package are made of.
The SDK itself keeps connections for the length of the process."""

from collections.abc import Mapping
from secrets import token_hex
from typing import Any

from alibabacloud_tea_openapi.client import Client
from alibabacloud_tea_openapi.utils_models import Config, OpenApiRequest, Params
from darabonba.exceptions import DaraException
from darabonba.runtime import RuntimeOptions

from bench.cloud_bed import CloudCustomer, Platform
from bench.cloud_lanes import Validate
from bench.ports import EXTERNAL_ID
from emulators.clouds.server import ADDRESS
from providers.alicloud.calls import SESSION_SECONDS
from providers.alicloud.permissions import PERMISSIONS, PROBES, REGION, Call, policy


class Caller:
    """The clients of one key in one validation."""

    def __init__(self, customer: CloudCustomer, **key: str) -> None:
        endpoint = f"{ADDRESS}:{customer.at.port}"
        self._config = {**key, "endpoint": endpoint, "region_id": REGION}
        self._runtime = RuntimeOptions(ca=customer.at.ca_file, autoretry=False)
        self._clients: dict[str, Any] = {}

    def call(self, call: Call) -> Mapping[str, Any]:
        params = Params(
            action=call.operation,
            version=call.service.version,
            protocol="HTTPS",
            pathname="/",
            method="POST",
            auth_type="AK",
            style="RPC",
            req_body_type="formData",
            body_type="json",
        )
        client = self._client(call.service.host)
        body: Mapping[str, Any] = client.call_api(params, OpenApiRequest(query=dict(call.parameters)), self._runtime)[
            "body"
        ]
        return body

    def _client(self, service: str) -> Any:
        if service not in self._clients:
            self._clients[service] = Client(Config(**self._config))
        return self._clients[service]

    def assume(self, role_arn: str, external_id: str | None) -> Mapping[str, str]:
        parameters = {
            "RoleArn": role_arn,
            "RoleSessionName": "te-validation",
            "DurationSeconds": SESSION_SECONDS,
            "Policy": policy([permission.name for permission in PERMISSIONS]),
            **({"ExternalId": external_id} if external_id else {}),
        }
        given: Mapping[str, str] = self.call(Call("sts:AssumeRole", parameters))["Credentials"]
        return given


def validation(customer: CloudCustomer, platform: Platform) -> Validate:
    if customer.auth_method == "ram_role":
        return lambda: _by_role(customer, platform)
    return lambda: _by_key(customer)


def _by_key(customer: CloudCustomer) -> None:
    fields = customer.fields
    _look(Caller(customer, access_key_id=fields["access_key_id"], access_key_secret=fields["access_key_secret"]))


def _by_role(customer: CloudCustomer, platform: Platform) -> None:
    """With the two attempts to assume the role that its trust policy has to deny."""
    ours = Caller(customer, access_key_id=platform.alicloud_key_id, access_key_secret=platform.alicloud_secret)
    role_arn = customer.fields["role_arn"]
    given = ours.assume(role_arn, EXTERNAL_ID)
    session = Caller(
        customer,
        access_key_id=given["AccessKeyId"],
        access_key_secret=given["AccessKeySecret"],
        security_token=given["SecurityToken"],
    )
    _identify(session)
    for external_id in (None, f"te-probe-{token_hex(16)}"):
        try:
            ours.assume(role_arn, external_id)
        except DaraException as error:
            if error.code != "NoPermission":
                raise
        else:
            raise RuntimeError("The role lets in anyone.")
    _probe(session)


def _look(session: Caller) -> None:
    user = _identify(session).partition(":user/")[2]
    _probe(session)
    for action in ("ram:ListPoliciesForUser", "ram:ListGroupsForUser"):
        try:
            session.call(Call(action, {"UserName": user}))
        except DaraException as error:  # who may not even ask is not known to have power
            if error.code != "NoPermission":
                raise


def _identify(session: Caller) -> str:
    """Return the ARN of the caller."""
    found = session.call(Call("sts:GetCallerIdentity"))
    if not found["AccountId"]:
        raise RuntimeError("The SDK does not find what we find.")
    return str(found["Arn"])


def _probe(session: Caller) -> None:
    for permission in PERMISSIONS:
        session.call(PROBES[permission.name])
