"""Links of the OpenAPI document: which answer holds the id that another request needs."""

from typing import Any, NamedTuple


class Source(NamedTuple):
    """Where an id comes from, and what it is called where it goes."""

    operation: str
    status: str
    expression: str
    parameter: str
    followers: tuple[str, ...]


_TENANT = ("get_tenant", "change_tenant")
_ACCOUNT = ("get_account", "list_scan_results")
_ONBOARDING = ("get_onboarding", "cancel_onboarding")
_SCHEDULE = ("get_schedule", "change_schedule", "trigger_schedule", "preview_schedule", "list_executions")
_EXECUTION = ("get_execution", "cancel_execution")

SOURCES = (
    Source("create_tenant", "201", "$response.body#/tenant_id", "tenant_id", _TENANT),
    Source("list_tenants", "200", "$response.body#/tenants/0/tenant_id", "tenant_id", _TENANT),
    Source("start_onboarding", "201", "$response.body#/onboarding_id", "onboarding_id", _ONBOARDING),
    Source("start_onboarding", "201", "$response.body#/account_id", "account_id", _ACCOUNT),
    Source("list_accounts", "200", "$response.body#/accounts/0/account_id", "account_id", _ACCOUNT),
    Source("create_schedule", "201", "$response.body#/schedule_id", "schedule_id", (*_SCHEDULE, "delete_schedule")),
    Source("list_schedules", "200", "$response.body#/schedules/0/schedule_id", "schedule_id", _SCHEDULE),
    Source("create_api_key", "201", "$response.body#/key_id", "key_id", ("revoke_api_key",)),
    Source("trigger_schedule", "200", "$response.body#/scan_id", "execution_id", _EXECUTION),
    Source("list_executions", "200", "$response.body#/executions/0/execution_id", "execution_id", _EXECUTION),
    Source("list_scan_results", "200", "$response.body#/scan_results/0/scan_id", "scan_id", ("get_scan_result",)),
)


def with_links(document: dict[str, Any]) -> dict[str, Any]:
    """The document, whose answers say where to go from here."""
    operations = {each["operationId"]: each for path in document["paths"].values() for each in path.values()}
    for source in SOURCES:
        links = operations[source.operation]["responses"][source.status].setdefault("links", {})
        for follower in source.followers:
            links.setdefault(follower, {"operationId": follower, "parameters": {}})
            links[follower]["parameters"][source.parameter] = source.expression
    return document
