"""Every error has one shape, wherever it comes from, and an unexpected one tells nothing."""

from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from structlog.testing import capture_logs

from domain import edge_errors, errors
from domain.errors import OnboardingError, Problem, Trouble
from tests.api.portal import Portal, open_portal
from tests.api.routes import PUBLIC, calls
from tests.fakes import FakeTenantStore

CANARY = "kanarienvogel"
PROBLEM = ("code", "message", "pointer", "step", "remedy", "missing_permissions")
STATUS: dict[type[BaseException], int] = {
    errors.InvalidInput: 400,
    errors.MalformedBody: 422,
    errors.CredentialRefused: 400,
    errors.Unauthenticated: 401,
    errors.Forbidden: 403,
    errors.NotFound: 404,
    edge_errors.MalformedRequest: 400,
    edge_errors.RequestTooSlow: 408,
    edge_errors.RateLimited: 429,
    edge_errors.HeadTooLarge: 431,
    errors.IdempotencyMismatch: 422,
    errors.PayloadTooLarge: 413,
    errors.UnsupportedMediaType: 415,
    errors.Conflict: 409,
    errors.Trouble: 503,
    OnboardingError: 500,
}


def assert_shape(answer: httpx.Response) -> None:
    detail = answer.json()["detail"]
    assert list(answer.json()) == ["detail"]
    assert set(detail) == {"code", "message", "errors", "problems"}
    assert detail["message"].endswith(".")
    assert detail["errors"]
    for problem in detail["problems"]:
        assert (
            {"code", "message"}
            < set(problem)
            <= {"code", "message", "pointer", "step", "remedy", "missing_permissions"}
        )
        assert ("pointer" in problem) != ("step" in problem)
    assert answer.headers["X-Request-Id"]
    assert answer.headers["Content-Type"] == "application/json"


class Failing:
    """A store of tenants that fails in one way."""

    def __init__(self, error: Exception) -> None:
        self._error = error

    def get(self, tenant_id: str) -> Any:
        raise self._error


async def failed(portal: Portal, error: Exception) -> httpx.Response:
    broken = open_portal(portal.rig, portal.rig.client, tenants=Failing(error))
    return await broken.http.get(f"/tenants/{portal.rig.tenant_id}")


def tree(kind: type[OnboardingError]) -> Iterator[type[OnboardingError]]:
    yield kind
    for child in kind.__subclasses__():
        yield from tree(child)


@pytest.mark.parametrize("kind", list(tree(OnboardingError)), ids=lambda kind: kind.__name__)
async def test_every_error_of_ours_has_its_status(offline: Portal, kind: type[OnboardingError]) -> None:
    answer = await failed(offline, kind())
    expected = next(STATUS[ancestor] for ancestor in kind.__mro__ if ancestor in STATUS)
    assert (answer.status_code, answer.json()["detail"]["code"]) == (expected, kind.code)
    assert_shape(answer)
    assert ("Retry-After" in answer.headers) == issubclass(kind, Trouble | edge_errors.RateLimited)


async def test_trouble_says_how_long_to_wait(offline: Portal) -> None:
    answer = await failed(offline, errors.Throttled(retry_after=1.2))
    assert answer.headers["Retry-After"] == "2"


async def test_a_problem_shows_what_it_has(offline: Portal) -> None:
    problem = Problem("missing_permissions", "Some are missing.", step="permissions", missing_permissions=("a:B",))
    detail = (await failed(offline, errors.CredentialRefused(problems=[problem]))).json()["detail"]
    assert detail["errors"] == ["Some are missing."]
    assert detail["problems"] == [
        {
            "step": "permissions",
            "code": "missing_permissions",
            "message": "Some are missing.",
            "missing_permissions": ["a:B"],
        }
    ]


async def test_a_bug_tells_nothing_and_is_logged_by_its_class(offline: Portal) -> None:
    with capture_logs() as lines:
        answer = await failed(offline, ValueError(CANARY))
    assert (answer.status_code, answer.json()["detail"]["code"]) == (500, "internal")
    assert_shape(answer)
    assert CANARY not in answer.text
    crash = next(line for line in lines if line["event"] == "request.crashed")
    assert crash["request_id"] == answer.headers["X-Request-Id"]
    assert type(crash["exc_info"]) is ValueError


async def test_an_answer_that_does_not_fit_its_shape_is_a_bug(offline: Portal) -> None:
    class Strange(FakeTenantStore):
        def get(self, tenant_id: str) -> Any:
            return CANARY

    broken = open_portal(offline.rig, offline.rig.client, tenants=Strange(offline.rig.stores.ledger))
    answer = await broken.http.get(f"/tenants/{offline.rig.tenant_id}")
    assert answer.status_code == 500
    assert CANARY not in answer.text


@pytest.mark.parametrize("path", ["/api/v1/nothing", "/api/v2/health", "/", "/api/v1/health/", f"/{CANARY}"])
async def test_an_unknown_route_has_the_shape_too(offline: Portal, path: str) -> None:
    answer = await offline.http.get(f"http://api.test{path}")
    assert answer.status_code == 404
    assert_shape(answer)
    assert CANARY not in answer.text


async def test_every_route_has_the_shape_for_a_wrong_method(offline: Portal) -> None:
    for path in {call.path for call in calls(offline.app)}:
        answer = await offline.http.request("OPTIONS", f"http://api.test{path}")
        assert (answer.status_code, answer.json()["detail"]["code"]) == (405, "method_not_allowed")
        assert_shape(answer)
        assert answer.headers["Allow"]


async def test_every_route_has_the_shape_for_what_it_refuses(offline: Portal) -> None:
    """Absent ids and a body of the wrong kind: whatever a route objects to first."""
    for call in calls(offline.app):
        if call.path in PUBLIC or call.path.endswith("/methods"):
            continue
        answer = await offline.http.request(call.method, call.url + "?limit=0&external_id=x", json=[CANARY])
        if answer.status_code != 200:
            assert_shape(answer)
        assert str(answer.status_code) in call.operation["responses"], (call.path, answer.status_code)
        assert CANARY not in answer.text


@pytest.mark.parametrize("status", ["400", "401", "404", "409", "413", "415", "422", "503", "default"])
async def test_the_examples_of_errors_are_real(offline: Portal, status: str) -> None:
    operation = offline.app.openapi()["paths"]["/api/v1/onboarding/{provider}/validate"]["post"]
    example = operation["responses"][status]["content"]["application/json"]["example"]
    assert set(example["detail"]) == {"code", "message", "errors", "problems"}
