"""The OpenAPI document, kept as a snapshot, and the page that shows it."""

import json
import re

import pytest

from tests.api.portal import Portal
from tests.api.record import SNAPSHOT, document
from tests.api.routes import PUBLIC, calls

ORIGIN = "http://api.test"


def test_the_document_is_the_recorded_one() -> None:
    assert document() == SNAPSHOT.read_text(), "After an intended change: python -m tests.api.record"


async def test_every_route_is_described(offline: Portal) -> None:
    for call in calls(offline.app):
        assert call.operation["summary"], call.path
        assert call.operation["description"].endswith("."), call.path
        assert set(call.operation["responses"]) > {"401", "503", "default"} or call.path in PUBLIC


async def test_every_body_has_a_schema_and_an_example_that_fits(offline: Portal) -> None:
    for call in calls(offline.app):
        if call.method in ("POST", "PUT", "PATCH"):
            name = call.operation["requestBody"]["content"]["application/json"]["schema"]["$ref"].rpartition("/")[2]
            schema = offline.app.openapi()["components"]["schemas"][name]
            assert name.endswith("Request")
            assert set(schema.get("required", [])) <= set(call.example) <= set(schema["properties"])
            assert schema["additionalProperties"] is False
            assert all(field["description"] for field in schema["properties"].values())


async def test_every_post_takes_an_idempotency_key(offline: Portal) -> None:
    for call in calls(offline.app):
        names = [parameter["name"] for parameter in call.operation.get("parameters", [])]
        assert ("Idempotency-Key" in names) == (call.method == "POST"), call.path


async def test_the_document_holds_together(offline: Portal) -> None:
    text = json.dumps((await offline.http.get(f"{ORIGIN}/openapi.json")).json())
    schemas = json.loads(text)["components"]["schemas"]
    assert set(re.findall(r'"#/components/schemas/(\w+)"', text)) == set(schemas)
    assert "#/$defs/" not in text


async def test_the_page_loads_from_us_alone(offline: Portal) -> None:
    del offline.http.headers["Authorization"]
    page = await offline.http.get(f"{ORIGIN}/docs")
    loaded = re.findall(r'(?:src|href)="(?!data:)([^"]+)"', page.text)
    assert len(loaded) == 3
    for path in [*loaded, "openapi.json"]:
        assert (await offline.http.get(f"{ORIGIN}/{path}")).status_code == 200, path
    policy = page.headers["Content-Security-Policy"]
    assert "script-src 'self';" in policy
    assert not re.search(r"https?:|\*", policy)
    assert "<script>" not in page.text


@pytest.mark.parametrize("path", ["../__init__.py", "..%2f__init__.py", "%2e%2e/__init__.py", "nothing"])
async def test_the_page_serves_its_own_files_only(offline: Portal, path: str) -> None:
    assert (await offline.http.get(f"{ORIGIN}/docs/assets/{path}")).status_code == 404


async def test_what_never_changes_is_kept_and_the_rest_is_asked_for_again(offline: Portal) -> None:
    page = await offline.http.get(f"{ORIGIN}/docs")
    loaded = re.findall(r'(?:src|href)="(?!data:)([^"]+)"', page.text)
    for path in loaded:
        answer = await offline.http.get(f"{ORIGIN}/{path}")
        assert answer.headers["Cache-Control"] == "public, max-age=31536000, immutable", path
        unnamed = await offline.http.get(f"{ORIGIN}/{path.partition('?')[0]}")
        assert unnamed.headers["Cache-Control"] == "no-cache"
    for path in (*loaded, "docs", "openapi.json"):
        first = await offline.http.get(f"{ORIGIN}/{path}")
        again = await offline.http.get(f"{ORIGIN}/{path}", headers={"If-None-Match": first.headers["ETag"]})
        assert (again.status_code, again.content) == (304, b""), path
        whole = await offline.http.get(f"{ORIGIN}/{path}", headers={"Accept-Encoding": "identity"})
        assert whole.content == first.content
        assert "Content-Encoding" not in whole.headers
        assert whole.headers["ETag"] != first.headers["ETag"]
