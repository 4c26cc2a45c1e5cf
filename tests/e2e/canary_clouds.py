"""The same search for the clouds other than AWS: each field of each credential, refused, malformed and accepted."""

import json
from collections.abc import Collection, Iterator, Mapping
from typing import Any, Protocol
from uuid import uuid4

from emulators.clouds.all_clouds import all_clouds
from emulators.clouds.azure import AzureCloud

IDENTITIES = {"azure": {"subscription_id"}, "gcp": {"project_id"}, "oci": {"tenancy_ocid", "user_ocid"}}
"""Fields that an accepted credential's account and principal are called by, in answers and rows."""
NO_SECRETS = {"region", "type", "auth_uri", "token_uri", "auth_provider_x509_cert_url", "universe_domain"}


class Scene(Protocol):
    tenant_id: str

    def canary(self, name: str, value: str) -> str: ...
    async def post(self, path: str, body: object, name: str) -> dict[str, Any]: ...
    async def until_settled(self, account_id: str, name: str) -> None: ...


async def refused_elsewhere(scene: Scene) -> None:
    """Credentials of customers that these clouds do not know."""
    strangers: dict[str, Mapping[str, Any]] = {name: cloud.demo_credential() for name, cloud in all_clouds().items()}
    for cloud, credential in strangers.items():
        _plant(scene, f"refused by {cloud}", credential)
        await _submit(scene, cloud, credential, f"refused by {cloud}")
    certificate = AzureCloud().certificate_credential("pass phrase of a stranger")
    _plant(scene, "refused certificate", certificate)
    await _submit(scene, "azure", certificate, "refused certificate", method="certificate")


async def malformed_elsewhere(scene: Scene) -> None:
    for cloud, stranger in all_clouds().items():
        credential = stranger.demo_credential()
        for field, value in credential.items():
            name = f"malformed {field} of {cloud}"
            text = value if isinstance(value, str) else json.dumps(value)
            spoilt = scene.canary(name, f"{uuid4()}/{uuid4()}") + " " + text[:8]
            await _submit(scene, cloud, {**credential, field: [spoilt]}, f"{name}, a list")
            await _submit(scene, cloud, {**credential, field: spoilt}, f"{name}, wrong form")


async def accepted_elsewhere(scene: Scene, credentials: Mapping[str, Mapping[str, Any]]) -> None:
    for cloud, credential in credentials.items():
        secret = {name: value for name, value in credential.items() if name not in IDENTITIES.get(cloud, ())}
        _plant(scene, f"accepted by {cloud}", secret, without={*IDENTITIES.get(cloud, ()), "client_email"})
        await _submit(scene, cloud, credential, f"accepted by {cloud}")


async def _submit(scene: Scene, cloud: str, credentials: object, name: str, *, method: str | None = None) -> None:
    wanted = {"tenant_id": scene.tenant_id, "account_name": name, "auth_method": method}
    started = await scene.post(f"/onboarding/{cloud}/init", {k: v for k, v in wanted.items() if v}, f"init, {name}")
    body = {
        "account_id": started["account_id"],
        "auth_method": started["auth_method"],
        "credentials": credentials,
    }
    await scene.post(f"/onboarding/{cloud}/validate", body, name)
    await scene.until_settled(started["account_id"], name)


def _plant(scene: Scene, name: str, credential: Mapping[str, Any], *, without: Collection[str] = ()) -> None:
    for field, text in _texts(credential):
        if field not in NO_SECRETS and field not in without:
            scene.canary(f"{field}, {name}", text)
            for number, line in enumerate(text.splitlines()[1:3] if "\n" in text else []):
                scene.canary(f"{field}, {name}, line {number}", line)


def _texts(credential: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Each field's text, also of those inside an object."""
    for field, value in credential.items():
        if isinstance(value, Mapping):
            yield from _texts(value)
        else:
            yield field, str(value)
