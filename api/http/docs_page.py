"""The interactive page of the OpenAPI document. Everything it loads comes from here: it works without the internet, and
its Content-Security-Policy allows no other origin and no inline script."""

from functools import cache, lru_cache
from importlib.resources import files
from typing import Protocol, cast

from fastapi import APIRouter, Request, Response

from api.auth.permissions import PUBLIC, DeclaredRoute
from api.http.static_answers import Stored
from domain.errors import NotFound

ASSETS = {"swagger-ui.css": "text/css", "swagger-ui-bundle.js": "text/javascript"}
"""The files of Swagger UI, which `fastapi-offline` carries."""

PAGE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Threat Engine Onboarding API</title>
<link rel="icon" href="data:,">
<link rel="stylesheet" href="{swagger-ui.css}">
</head>
<body>
<div id="page"></div>
<script src="{swagger-ui-bundle.js}"></script>
<script src="{start.js}"></script>
</body>
</html>
"""

START = """const KEPT = "threat-engine-login";

const page = SwaggerUIBundle({
  url: "openapi.json",
  dom_id: "#page",
  deepLinking: true,
  tryItOutEnabled: true,
  validatorUrl: null,
  onComplete: () => {
    const kept = sessionStorage.getItem(KEPT);
    if (kept) page.authActions.authorize(JSON.parse(kept));
    page.getStore().subscribe(keep);
  },
});

function keep() {
  const login = JSON.stringify(page.authSelectors.authorized());
  if (login === "{}") sessionStorage.removeItem(KEPT);
  else sessionStorage.setItem(KEPT, login);
}
"""
# Swagger UI's own `persistAuthorization` would leave the key in localStorage, where it outlives the browser. Here it
# outlives a reload, belongs to one tab, and goes with it.

POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; "
    "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
"""Swagger UI sets styles on elements and has its icons as data URLs."""

router = APIRouter(include_in_schema=False, route_class=DeclaredRoute, dependencies=[PUBLIC])


class Documented(Protocol):
    """An application that describes itself."""

    document: Stored


@router.get("/docs")
async def page(request: Request) -> Response:
    return _page().answer(request)


@router.get("/docs/start.js")
async def start(request: Request, v: str = "") -> Response:
    return _start().answer(request, version=v)


@router.get("/docs/assets/{name}")
async def asset(name: str, request: Request, v: str = "") -> Response:
    if name not in ASSETS:
        raise NotFound
    return _asset(name).answer(request, version=v)


@router.get("/openapi.json")
async def document(request: Request) -> Response:
    return cast(Documented, request.app).document.answer(request)


@cache
def _page() -> Stored:
    text = PAGE.replace("{start.js}", f"docs/start.js?v={_start().digest}")
    for name in ASSETS:
        text = text.replace(f"{{{name}}}", f"docs/assets/{name}?v={_asset(name).digest}")
    return Stored(text.encode(), "text/html", POLICY)


@cache
def _start() -> Stored:
    return Stored(START.encode(), "text/javascript")


@lru_cache(maxsize=len(ASSETS))
def _asset(name: str) -> Stored:
    content = (files("fastapi_offline") / "static" / name).read_bytes()
    return Stored(content, ASSETS[name])
