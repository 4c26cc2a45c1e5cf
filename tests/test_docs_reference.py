"""The pages of docs/reference and the code name the same things: nothing is missing, nothing is there that does not
exist."""

import ast
import json
import re
from collections.abc import Iterator
from dataclasses import fields
from functools import cache
from typing import Any

import pytest
from pydantic_core import PydanticUndefined

import cli
from activities.onboarding_upkeep import LOST
from api.app import create_app
from api.http.errors import reply_of
from api.services import Services
from config import Settings
from domain.accounts import Account
from domain.audit.events import AuditEvent
from domain.callers.api_keys import ApiKey
from domain.callers.tenants import Tenant
from domain.errors import InvalidInput, OnboardingError
from domain.idempotency import IdempotencyRecord
from domain.onboarding.messages import OnboardingState, Result
from domain.scans.runs import ABANDONED, ENGINE_FAILED, NOTHING_SCANNED, TIMED_OUT
from domain.scans.scan import Leaving, ScanState
from domain.schedules.obstacles import OBSTACLES, REFUSED, UNUSABLE
from domain.schedules.schedule import FAILED_REPEATEDLY, MISSED
from emulators.ports import USUAL_PORTS
from engines.http.engine import LOST_JOB
from local.settings import DECIDED
from providers.aws.description import DESCRIPTION
from providers.aws.errors import Reason
from stores.dynamodb.tables import TableNames, definitions
from tests import cloud_errors
from tests.pages import ROOT, commands, first_column, reference, rows, section, source, ticked
from workflows import search_attributes


@cache
def openapi() -> dict[str, Any]:
    nothing: dict[str, Any] = {
        field.name: None for field in fields(Services) if field.name not in {"version", "limits"}
    }
    return create_app(Services(**nothing, version="1")).openapi()


def routes() -> dict[str, dict[str, Any]]:
    paths = openapi()["paths"]
    return {f"{method.upper()} {path}": route for path in paths for method, route in paths[path].items()}


# Settings


def shown(default: Any) -> str:
    """A default as the tables of settings show it."""
    return {PydanticUndefined: "**required**", None: "–"}.get(default, f"`{default}`")


def test_each_setting_is_documented_with_its_default_and_meaning():
    documented = {row[0].strip("`"): (row[1], row[2]) for row in rows(reference("settings")) if len(row) == 3}
    settings = Settings.model_fields.items()
    assert documented == {name.upper(): (shown(field.default), field.description) for name, field in settings}


def test_what_the_embedded_stack_reads_is_documented():
    text = section(reference("settings"), "## `make run`")
    assert {name for name in ticked(text) if name.isupper()} == {*DECIDED, *USUAL_PORTS}
    assert {row[0].strip("`"): int(row[1]) for row in rows(text)} == USUAL_PORTS


# API


def test_each_route_is_documented_and_no_other():
    headings = re.findall(r"^### `([A-Z]+ /.*)`$", reference("api"), re.MULTILINE)
    assert sorted(headings) == sorted(routes())


def names_in(route: dict[str, Any]) -> Iterator[str]:
    """Its parameters, the fields of its body and those of its answers."""
    yield from (p["name"] for p in route.get("parameters", []) if p["in"] == "query")
    if "requestBody" in route:
        yield from fields_of(route["requestBody"]["content"]["application/json"]["schema"])
    for status in {"200", "201", "202"} & set(route["responses"]):
        yield from fields_of(route["responses"][status]["content"]["application/json"]["schema"])


def fields_of(schema: dict[str, Any]) -> Iterator[str]:
    """Of a schema that is named."""
    yield from openapi()["components"]["schemas"][schema["$ref"].rsplit("/", 1)[1]].get("properties", ())


@pytest.mark.parametrize("route", sorted(routes()))
def test_a_route_names_its_parameters_and_the_fields_of_its_body_and_answers(route: str):
    assert set(names_in(routes()[route])) <= set(ticked(section(reference("api"), f"### `{route}`")))


def test_the_api_page_uses_no_name_that_the_api_does_not_have():
    known = json.dumps(openapi()) + source("domain/**/*.py", "api/**/*.py") + repr(DESCRIPTION)
    names = {name for name in ticked(reference("api")) if re.fullmatch(r"[a-z]+(_[a-z]+)+", name)}
    assert [name for name in sorted(names) if not re.search(rf"\b{name}\b", known)] == []


# Commands


def test_each_command_is_documented_and_no_other():
    headings = re.findall(r"^## `python cli\.py (.+)`$", reference("cli"), re.MULTILINE)
    assert sorted(headings) == sorted(commands(cli.app))


# Errors and codes


def error_classes(kind: type[OnboardingError] = OnboardingError) -> Iterator[type[OnboardingError]]:
    yield kind
    for child in kind.__subclasses__():
        yield from error_classes(child)


def test_each_error_code_is_documented_with_its_status():
    text = section(reference("errors"), "## Codes of an answer")
    statuses = {row[0].strip("`"): row[1] for row in rows(text)}
    answered = {kind.code: str(reply_of(kind()).status) for kind in error_classes()}
    unseen = {"seal_broken", "user_error", "error"}
    assert unseen <= set(ticked(text))
    framework = {"method_not_allowed": "405", "http_error": "4xx"}
    assert statuses == {code: answered[code] for code in answered if code not in unseen} | framework


CODE_ARGUMENT = dict.fromkeys(("problem", "Problem", "_malformed", "_invalid"), 0) | {
    "failed": 1,
    "warned": 1,
    "Rule": 1,
    "Unreadable": 9,
    "Step": 2,
}
STEP_ARGUMENT = {"Step": 0, "passed": 0, "failed": 0, "warned": 0, "refused": 0}


def literals(call: ast.Call, position: int, keyword: str) -> Iterator[str]:
    given = [argument.value for argument in call.keywords if argument.arg == keyword]
    for argument in [*call.args[position : position + 1], *given]:
        yield from (n.value for n in ast.walk(argument) if isinstance(n, ast.Constant) and isinstance(n.value, str))


def calls(*patterns: str) -> Iterator[tuple[str, ast.Call]]:
    for node in ast.walk(ast.parse(source(*patterns))):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
            yield node.func.id, node


def pairs(path: str) -> Iterator[str]:
    """api/http/json_body.py hands some codes on in pairs, each with its words."""
    for node in ast.walk(ast.parse(source(path))):
        match node:
            case ast.Tuple([ast.Constant(str(code)), ast.Constant(str()) | ast.JoinedStr()]):
                yield code


def problem_codes() -> set[str]:
    made = calls("api/**/*.py", "domain/**/*.py", "notify/*.py", "providers/**/*.py", "stores/cursors.py")
    # of a cron expression the exception has the code
    codes = {c for name, call in made if name in CODE_ARGUMENT for c in literals(call, CODE_ARGUMENT[name], "code")}
    return {*codes, *pairs("api/http/json_body.py"), *(reason.value for reason in Reason), "ok"}


def test_each_code_of_a_problem_or_step_is_documented_and_no_other():
    page = reference("errors")
    documented = first_column(section(page, "## Codes of a problem")) + first_column(
        section(page, "## Steps of a validation")
    )
    of_errors = {kind.code for kind in error_classes()} - {InvalidInput.code}
    elsewhere = cloud_errors.codes()
    assert {*documented, "ok", "skipped", *elsewhere} - of_errors == (problem_codes() | elsewhere) - of_errors


def test_the_page_of_the_clouds_errors_says_what_the_tables_say():
    assert cloud_errors.PAGE.read_text() == cloud_errors.page(), "After a change: python -m tests.cloud_errors"


def test_each_step_is_documented_and_no_other():
    made = calls("domain/onboarding/answers.py", "providers/**/*.py")
    names = {s for name, call in made if name in STEP_ARGUMENT for s in literals(call, STEP_ARGUMENT[name], "name")}
    assert set(re.findall(r"^### Step `(\w+)`$", reference("errors"), re.MULTILINE)) == names


def test_the_examples_of_the_api_name_steps_that_exist():
    steps = {s for _, call in calls("api/**/*.py") for s in literals(call, 99, "step")}
    assert steps <= set(re.findall(r"^### Step `(\w+)`$", reference("errors"), re.MULTILINE))


def test_each_result_and_each_reason_is_documented():
    page = reference("errors")
    assert set(first_column(section(page, "## Results of a submission"))) == set(Result)
    workflow = source("workflows/onboarding/onboard_account.py")
    reasons = re.findall(
        r'Ending\(OnboardingState\.\w+, "(\w+)"|^CANCELLED_BY_OPERATOR = "(\w+)"', workflow, re.MULTILINE
    )
    assert set(first_column(section(page, "## Reasons"))) == {name for pair in reasons for name in pair if name} | {
        LOST
    }


def test_why_a_run_failed_or_left_and_why_a_schedule_stands_still_is_documented():
    page = reference("errors")
    assert {ABANDONED, ENGINE_FAILED, LOST_JOB, NOTHING_SCANNED, TIMED_OUT} <= set(
        first_column(section(page, "## Why a run failed"))
    )
    assert set(first_column(section(page, "## Why a run leaves"))) == set(Leaving)
    assert set(first_column(section(page, "## Why a schedule stands still"))) == {
        *(FAILED_REPEATEDLY, MISSED, REFUSED, UNUSABLE),
        *OBSTACLES,
    }


# Tables


def test_each_table_and_index_is_documented_with_its_key_and_no_other():
    documented = [[tuple(ticked(cell)) for cell in row] for row in rows(reference("tables")) if len(row) == 4]
    defined = [
        [(table.name,), table.key, (index.name,) if index else (), index.key if index else ()]
        for table in definitions(TableNames())
        for index in table.indexes or (None,)
    ]
    assert documented == defined


@pytest.mark.parametrize(
    ("table", "row"),
    [
        ("threat-engine-tenants", Tenant),
        ("threat-engine-accounts", Account),
        ("threat-engine-api-keys", ApiKey),
        ("threat-engine-audit-events", AuditEvent),
        ("threat-engine-idempotency", IdempotencyRecord),
    ],
)
def test_each_attribute_is_documented(table: str, row: Any):
    assert {field.name for field in fields(row)} <= set(ticked(section(reference("tables"), f"## {table}")))


def test_each_audit_action_is_documented_and_no_other():
    nouns = "account|cancellation|api_key|credential|delivery|onboarding|scan|schedule|tenant"
    made = re.findall(rf'"((?:{nouns})\.(?!py)[a-z]+)"', source("a*/**/*.py", "domain/scans/runs.py", "cli.py"))
    documented = [name for name in ticked(reference("tables")) if re.fullmatch(r"(?!details)[a-z_]+\.[a-z]+", name)]
    assert sorted(documented) == sorted(set(made))


# Workflows


def test_each_workflow_with_its_messages_is_documented_and_no_other():
    made = {}
    for path in sorted(ROOT.glob("workflows/**/*.py")):
        code = path.read_text()
        for workflow in re.findall(r"^@workflow\.defn\nclass (\w+)", code, re.MULTILINE):
            messages = r"@workflow\.(update|query|signal)(?:\(.*\))?\n    (?:async )?def (\w+)"
            made[workflow] = set(re.findall(messages, code))
    page, documented = reference("workflows"), {}
    for heading in re.findall(r"^## ([A-Z]\w+)$", page, re.MULTILINE):
        table = rows(section(page, f"## {heading}").partition("###")[0])
        documented[heading] = {(row[1], row[0].strip("`")) for row in table}
    assert documented == made


def test_each_activity_is_documented_with_its_id_and_no_other():
    page = reference("workflows")
    headings = re.findall(r"^### Activities.*$", page, re.MULTILINE)
    documented = [row for heading in headings for row in rows(section(page, heading))]
    defined = re.findall(r'@activity\.defn\(name="(\w+)"', source("activities/*.py"))
    assert sorted(row[0].strip("`") for row in documented) == sorted(defined)
    ids = re.findall(
        r'activity_id=f?"([^"]+)"',
        source("workflows/onboarding/steps.py", "workflows/scans/steps.py", "workflows/onboarding/probe_credential.py"),
    )
    assert {row[1].strip("`") for row in documented} - {""} == {re.sub(r"{\w+}", "{n}", name) for name in ids}


def test_each_state_is_documented_and_whether_it_is_final():
    documented = {row[0].strip("`"): row[1] == "yes" for row in rows(section(reference("workflows"), "### States"))}
    assert documented == {state.value: state.final for state in OnboardingState}


def test_each_state_of_a_run_is_documented():
    assert first_column(section(reference("workflows"), "### States of a run")) == [state.value for state in ScanState]


def test_each_search_attribute_is_documented_and_no_other():
    documented = first_column(section(reference("workflows"), "## Search attributes"))
    assert documented == [key.name for key in search_attributes.ALL]
