"""Every route of the API as a request, so that a rule can be tried on all of them."""

from typing import Any, NamedTuple

from fastapi import FastAPI

ID = "00000000-0000-4000-8000-000000000000"
PUBLIC = {
    *("/api/v1/health", "/api/v1/health/live", "/api/v1/health/ready"),
    *("/.well-known/openid-configuration", "/.well-known/jwks.json"),
}
KNOWN = {"/api/v1/me"}
"""For every caller that is known, whatever its scopes."""
FILLED = {
    "provider": "aws",
    "key_id": "0" * 16,
    **dict.fromkeys(
        ("account_id", "execution_id", "onboarding_id", "scan_id", "schedule_id", "tenant_id"),
        ID,
    ),
}


class Call(NamedTuple):
    method: str
    path: str
    operation: dict[str, Any]

    @property
    def example(self) -> dict[str, Any]:
        """The document's own body of it."""
        found: dict[str, Any] = self.operation["requestBody"]["content"]["application/json"]["example"]
        return found

    @property
    def query(self) -> list[str]:
        """The names of its query parameters."""
        return [each["name"] for each in self.operation.get("parameters", []) if each["in"] == "query"]

    @property
    def url(self) -> str:
        """The path with an id in each place."""
        return "http://api.test" + self.path.format_map(FILLED)


def calls(app: FastAPI) -> list[Call]:
    return [
        Call(method.upper(), path, operation)
        for path, operations in app.openapi()["paths"].items()
        for method, operation in operations.items()
    ]
