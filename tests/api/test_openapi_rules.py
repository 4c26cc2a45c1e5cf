"""What linters and generators of clients ask of the OpenAPI document, with all six clouds in it.

`npx @redocly/cli lint` and `npx @stoplight/spectral-cli lint` (with `spectral:oas`) find no error in it; Redocly's
warnings that two paths are ambiguous are right and stay, because the contract has both.
"""

import json
import re
import shutil
import subprocess
from collections.abc import Iterator
from typing import Any

import jsonschema_rs
import pytest
from openapi_spec_validator import validate

from api.http.docs_page import START
from api.http.openapi import TAGS
from domain.onboarding.catalogue import ProviderDescription
from providers.alicloud import description as alicloud_description
from providers.azure import description as azure_description
from providers.gcp import description as gcp_description
from providers.ibm import description as ibm_description
from providers.oci import description as oci_description
from tests.api.portal import Portal, open_portal
from tests.api.routes import PUBLIC
from tests.fakes_clouds import DESCRIPTION, FakeCatalogue, ScriptedProvider

Document = dict[str, Any]

CLOUDS: tuple[ProviderDescription, ...] = (
    DESCRIPTION,
    azure_description.DESCRIPTION,
    gcp_description.KEYLESS_DESCRIPTION,
    alicloud_description.described(alicloud_description.ACCESS_KEY, alicloud_description.RAM_ROLE),
    oci_description.DESCRIPTION,
    ibm_description.DESCRIPTION,
)
NODE = shutil.which("node") or ""
PUBLIC_URL = "https://onboarding.platform.example"
NO_UUID = {"external_id", "key_id", "platform_account_id", "event_id", "request_id"}


@pytest.fixture
async def document(offline: Portal) -> Document:
    catalogue = FakeCatalogue({cloud.provider_type: ScriptedProvider(description=cloud) for cloud in CLOUDS})
    portal = open_portal(offline.rig, offline.rig.client, catalogue=catalogue, public_url=PUBLIC_URL)
    async with portal.http:
        found: Document = (await portal.http.get("http://api.test/openapi.json")).json()
        return found


def operations(document: Document) -> Iterator[tuple[str, Document]]:
    for path, methods in document["paths"].items():
        yield from ((path, operation) for operation in methods.values())


def nodes(node: Any) -> Iterator[Document]:
    if isinstance(node, dict):
        yield node
    for child in node.values() if isinstance(node, dict) else node if isinstance(node, list) else ():
        yield from nodes(child)


async def test_a_linter_finds_nothing(document: Document) -> None:
    validate(document)
    assert {"contact", "license"} <= set(document["info"])
    assert [server["url"] for server in document["servers"]] == ["/", PUBLIC_URL]
    assert [tag["name"] for tag in document["tags"]] == list(TAGS)
    assert all(tag["description"].endswith((".", "?")) for tag in document["tags"])
    names = [operation["operationId"] for _, operation in operations(document)]
    assert len(names) == len(set(names))
    for path, operation in operations(document):
        assert set(operation["tags"]) <= set(TAGS), path
        assert bool(operation["security"]) == (path not in PUBLIC), path
        assert any(status[0] == "4" for status in operation["responses"]), path


async def test_a_generated_client_has_good_names(document: Document) -> None:
    """Nothing that Python or a generator made up from the place where a schema stands."""
    assert all(re.fullmatch(r"[a-z]+(_[a-z]+)+", operation["operationId"]) for _, operation in operations(document))
    for path, operation in operations(document):
        for body in (operation.get("requestBody"), *operation["responses"].values()):
            schema = (body or {}).get("content", {}).get("application/json", {}).get("schema", {"$ref": ""})
            assert "$ref" in schema, path
    assert not [name for name in document["components"]["schemas"] if re.search(r"Body|__|-", name)]


async def test_ids_and_times_have_their_format(document: Document) -> None:
    schemas = document["components"]["schemas"]
    ours = [schema for name, schema in schemas.items() if not name.endswith("Credentials")]
    for schema in ours:
        for name, field in schema.get("properties", {}).items():
            formats = {place["format"] for place in (field, *field.get("anyOf", ())) if "format" in place}
            if name.endswith("_at"):
                assert formats == {"date-time"}, name
            elif name.endswith("_id") and name not in NO_UUID:
                assert formats in ({"uuid"}, {"tenant-or-platform"}), name
    parameters = [each for _, operation in operations(document) for each in operation.get("parameters", ())]
    paths = {each["name"]: each["schema"].get("format") for each in parameters if each["in"] == "path"}
    assert {name for name, found in paths.items() if found != "uuid"} == {"provider", "key_id"}


async def test_the_cloud_is_one_of_an_enum(document: Document) -> None:
    found = [node for node in nodes(document["paths"]) if node.get("name") == "provider"]
    assert {node["schema"]["$ref"] for node in found} == {"#/components/schemas/ProviderType"}


async def test_a_credential_is_one_of_the_methods_with_their_fields(document: Document) -> None:
    schemas = document["components"]["schemas"]
    choices = schemas["ValidateCredentialRequest"]["properties"]["credentials"]["oneOf"]
    named = [choice["$ref"].rpartition("/")[2] for choice in choices]
    methods = [method for cloud in CLOUDS for method in cloud.methods]
    assert len(set(named)) == len(methods)
    for name, method in zip(named, methods, strict=True):
        assert list(schemas[name]["properties"]) == [field.name for field in method.fields]
        assert schemas[name].get("required", []) == list(method.requires)
        secret = {field.name for field in method.fields if field.secret}
        assert secret <= {field for field, said in schemas[name]["properties"].items() if said.get("writeOnly")}


async def test_every_example_of_a_body_fits_its_schema(document: Document) -> None:
    for path, operation in operations(document):
        if "requestBody" in operation:
            content = operation["requestBody"]["content"]["application/json"]
            schema = {**content["schema"], "components": document["components"]}
            assert jsonschema_rs.is_valid(schema, content["example"]), path


async def test_the_headers_of_answers_are_declared(document: Document) -> None:
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            for status, answer in operation["responses"].items():
                headers = set(answer["headers"])
                assert "X-Request-Id" in headers, path
                assert ("Retry-After" in headers) == (status in ("429", "503") and path not in PUBLIC) or path in PUBLIC
                assert status != "202" or "Location" in headers or path.endswith("/cancel"), path
                assert method != "post" or status not in ("200", "201") or "Idempotency-Replayed" in headers, path


@pytest.mark.skipif(not NODE, reason="the page's script is tried in node")
def test_the_login_of_the_page_outlives_a_reload_and_not_its_tab() -> None:
    """With the two things of a browser that the script uses; the key is never in localStorage."""
    browser = """
      const kept = new Map(), told = [];
      let login = {}, changed = () => {};
      globalThis.sessionStorage = {
        getItem: (name) => kept.get(name) ?? null,
        setItem: (name, text) => kept.set(name, text),
        removeItem: (name) => kept.delete(name),
      };
      const page = {
        authActions: { authorize: (found) => told.push(found) },
        authSelectors: { authorized: () => login },
        getStore: () => ({ subscribe: (listener) => { changed = listener; } }),
      };
      globalThis.SwaggerUIBundle = (options) => { queueMicrotask(options.onComplete); return page; };
      const load = async () => { new Function(SCRIPT)(); await null; await null; };
      await load();
      login = { bearer: "key" }; changed();
      await load();
      login = {}; changed();
      await load();
      console.log(JSON.stringify([told, kept.size]));
    """
    program = f"const SCRIPT = {json.dumps(START)};{browser}"
    done = subprocess.run([NODE, "--input-type=module", "-e", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == '[[{"bearer":"key"}],0]'
    assert "localStorage" not in START
