"""What types cannot say about the shape of the code. Each rule stands under code that it must refuse."""

import ast
import subprocess
import sys
from collections.abc import Callable, Iterator
from functools import cache
from importlib.metadata import packages_distributions
from pathlib import Path
from typing import NamedTuple

import pytest

ROOT = Path(__file__).resolve().parents[1]
HISTORIES = ROOT / "tests" / "workflows" / "histories"

MAX_FILE_LINES = 500
MAX_FUNCTION_LINES = 60

ENTRY_POINTS = ("main.py", "worker.py", "cli.py", "local/", "commands/")
WITHOUT_TEMPORAL = ("bench/validating.py", "tests/security/noisy_neighbour.py")
LONG_LIVED = ("api/", "stores/", "notify/", "providers/", "engines/", "transport/", "temporal/", "telemetry/")
GROWING = {
    ("api/http/openapi.py", "BODIES"): "of the routes that the code has",
    ("api/http/parameters.py", "_places"): "of one route, by the parameters that the code names",
    ("api/auth/last_used.py", "_noted"): "emptied at 10,000 keys",
    ("api/http/rate_limits.py", "_counts"): "100,000 callers and one for all others, a minute",
    ("api/http/rate_limits.py", "_last"): "the counts of the minute before",
    ("engines/aws/reader.py", "items"): "of one listing, 10,000 resources",
    ("engines/aws/reader.py", "_answers"): "of one scan, and of the region that it is in",
    ("engines/aws/scan.py", "_found"): "of one scan, 100,000 findings",
    ("engines/aws/session.py", "_clients"): "of one scan, and of the region that it is in",
    ("providers/aws/provider.py", "_clients"): "of one validation, by services that the code names",
    ("stores/reading.py", "_watchers"): "one, of the process",
    ("stores/session.py", "_clients"): "by the regions that SNS has",
    ("telemetry/steps.py", "_known"): "by steps that the code names",
    ("temporal/signing/guard.py", "_activities"): "of one run of a workflow, until its step ends",
    ("temporal/signing/guard.py", "_children"): "of one run of a workflow, until its child ends",
    ("temporal/signing/signatures.py", "_derived"): "by months that are accepted",
}
"""What an object remembers, and why no value from outside makes it grow for ever (tests/test_memory.py tries them)."""

PROGRAMS = ("cli.py", "commands/", "local/", "bench/", "tests/resilience/", "tests/security/", "tests/house/")

LAST_HANDLERS = ("api/http/errors.py", "temporal/interceptors.py")

Function = ast.FunctionDef | ast.AsyncFunctionDef
Findings = Iterator[str]
Check = Callable[[str, str], Findings]


class Rule(NamedTuple):
    sentence: str
    check: Check
    violations: tuple[tuple[str, str], ...]


RULES: list[Rule] = []


def refuses(*violations: tuple[str, str]) -> Callable[[Check], Check]:
    """Makes a rule of a check: its name is the sentence, and each (path, source) given here must be found."""

    def register(check: Check) -> Check:
        RULES.append(Rule(check.__name__.replace("_", " "), check, violations))
        return check

    return register


# Reading code


@cache
def nodes(source: str) -> list[ast.AST]:
    return list(ast.walk(ast.parse(source)))


def dotted(node: ast.AST) -> str:
    """A chain of names as it is written, `a.b.c`; nothing for the parts that are not names."""
    if isinstance(node, ast.Attribute):
        return f"{dotted(node.value)}.{node.attr}"
    return node.id if isinstance(node, ast.Name) else ""


def imported(node: ast.AST) -> list[str]:
    if isinstance(node, ast.Import):
        return [alias.name for alias in node.names]
    if isinstance(node, ast.ImportFrom):
        return [f"{node.module or ''}.{alias.name}" for alias in node.names]
    return []


def mentions(source: str, *names: str) -> Findings:
    for node in nodes(source):
        for used in [dotted(node), *imported(node)]:
            if any(f".{name}." in f".{used}." for name in names):
                yield at(node, used)


def functions(source: str) -> list[Function]:
    return [node for node in nodes(source) if isinstance(node, Function)]


def workflows_in(source: str) -> list[str]:
    classes = [node for node in nodes(source) if isinstance(node, ast.ClassDef)]
    return [node.name for node in classes if decorated(node, "workflow.defn")]


def decorated(node: ast.ClassDef | Function, name: str) -> bool:
    return any(dotted(d.func if isinstance(d, ast.Call) else d) == name for d in node.decorator_list)


def run_at_import(node: ast.AST) -> Iterator[ast.AST]:
    for child in ast.iter_child_nodes(node):
        if not isinstance(child, Function | ast.Lambda):
            yield child
            yield from run_at_import(child)


def conditions(source: str) -> Iterator[ast.AST]:
    for node in nodes(source):
        match node:
            case ast.If() | ast.While() | ast.IfExp() | ast.Assert():
                yield node.test
            case ast.Match():
                yield node.subject
            case ast.comprehension():
                yield from node.ifs
            case ast.Compare():
                yield node


def as_text(node: ast.AST) -> set[str]:
    """The names that this node turns into text."""
    if isinstance(node, ast.Call) and dotted(node.func) in {"str", "repr"}:
        return {dotted(argument) for argument in node.args}
    return {dotted(node.value)} if isinstance(node, ast.FormattedValue) else set()


def at(node: ast.AST, what: str) -> str:
    return f"{getattr(node, 'lineno', 0)}: {what}"


def within(path: str, *places: str) -> bool:
    return any(path == place or (place.endswith("/") and path.startswith(place)) for place in places)


# The rules


@refuses(
    ("stores/session.py", "import os\nregion = os.environ['AWS_REGION']"),
    ("main.py", "import os\nregion = os.getenv('AWS_REGION')"),
    ("worker.py", "from os import environ"),
    ("temporal/client.py", "from temporalio.envconfig import ClientConfig"),
    ("api/schemas.py", "from pydantic_settings import BaseSettings"),
)
def only_config_local_and_the_emulators_read_the_environment(path: str, source: str) -> Findings:
    if not within(path, "config.py", "local/", "emulators/", "tests/"):
        yield from mentions(source, "os.environ", "os.getenv", "temporalio.envconfig", "pydantic_settings")


@refuses(
    ("stores/dynamodb/tables.py", "import boto3\naccounts = boto3.resource('dynamodb').Table('accounts')"),
    ("stores/secrets/vault.py", "class Vault:\n    client = boto3.client('secretsmanager')"),
    ("providers/aws/provider.py", "if True:\n    session = boto3.session.Session()"),
)
def no_aws_client_is_made_at_import(path: str, source: str) -> Findings:
    makers = {"boto3.client", "boto3.resource", "boto3.Session", "boto3.session.Session"}
    for node in run_at_import(ast.parse(source)):
        if isinstance(node, ast.Call) and dotted(node.func) in makers:
            yield at(node, dotted(node.func))


@refuses(
    ("api/app.py", "def create_app():\n    import fastapi"),
    ("tests/test_a.py", "async def test_a():\n    from domain.accounts import Account"),
)
def nothing_is_imported_inside_a_function(path: str, source: str) -> Findings:
    for function in functions(source):
        yield from (at(node, function.name) for node in ast.walk(function) if imported(node))


@refuses(
    ("local/clouds.py", "from tests.issuer import Issuer"),
    ("emulators/clouds/oci.py", "import bench.report"),
    ("api/app.py", "from tests.fakes import FakeVault"),
)
def only_tests_and_benchmarks_import_tests_or_benchmarks(path: str, source: str) -> Findings:
    for node in nodes(source) if not within(path, "tests/", "bench/") else ():
        for name in imported(node):
            if name.split(".")[0] in ("tests", "bench"):
                yield at(node, name)


@refuses(("workflows/__init__.py", "from workflows.onboarding.onboard_account import OnboardAccount"))
def the_workflows_package_is_empty(path: str, source: str) -> Findings:
    """Whatever it held would be imported again for every workflow run in the sandbox."""
    if path == "workflows/__init__.py" and source.strip():
        yield "not empty"


@refuses(("stores/dynamodb/accounts.py", "a = 1\n" * 501))
def a_source_file_is_short(path: str, source: str) -> Findings:
    length = len(source.splitlines())
    if length > MAX_FILE_LINES and not within(path, "tests/"):
        yield f"{length} lines"


@refuses(("stores/dynamodb/accounts.py", "def put():\n" + "    a = 1\n" * 60))
def a_function_is_short(path: str, source: str) -> Findings:
    for function in functions(source):
        length = (function.end_lineno or 0) - function.lineno + 1
        if length > MAX_FUNCTION_LINES:
            yield at(function, f"{function.name} has {length} lines")


@refuses(
    ("activities/accounts.py", "try: f()\nexcept Exception: pass"),
    ("stores/secrets/vault.py", "try: f()\nexcept (KeyError, BaseException): pass"),
    ("stores/dynamodb/tables.py", "with contextlib.suppress(Exception): f()"),
    ("api/app.py", "try: f()\nexcept: pass"),
)
def only_an_entry_point_or_a_last_handler_catches_everything(path: str, source: str) -> Findings:
    if within(path, *ENTRY_POINTS, *LAST_HANDLERS, "tests/"):
        return
    for node in nodes(source):
        if isinstance(node, ast.ExceptHandler):
            caught = [dotted(name) for name in ast.walk(node.type)] if node.type else ["Exception"]
        elif isinstance(node, ast.Call) and dotted(node.func).endswith("suppress"):
            caught = [dotted(name) for name in node.args]
        else:
            continue
        if {"Exception", "BaseException"} & set(caught):
            yield at(node, "catches everything")


@refuses(
    ("stores/secrets/vault.py", "try: f()\nexcept OSError as failure:\n    if 'gone' in str(failure).lower(): pass"),
    ("stores/errors.py", "def is_missing(exc): return 'not found' in str(exc)"),
    ("api/http/errors.py", "def status(error):\n    while repr(error).startswith('4'): pass"),
    ("api/app.py", "try: f()\nexcept OSError as e:\n    answer = 404 if 'gone' in f'{e}' else 500"),
)
def no_decision_hangs_on_the_text_of_an_error(path: str, source: str) -> Findings:
    caught = {node.name for node in nodes(source) if isinstance(node, ast.ExceptHandler)}
    errors = caught | {"exc", "err", "error"}
    for condition in conditions(source) if not within(path, "tests/") else ():
        if any(as_text(node) & errors for node in ast.walk(condition)):
            yield at(condition, ast.unparse(condition))


@refuses(
    ("stores/session.py", "@cache\ndef client(region: str): ..."),
    ("domain/schedules/cadence.py", "@functools.lru_cache(maxsize=None)\ndef zone(name): ..."),
    ("api/http/rate_limits.py", "class Rates:\n    def __init__(self):\n        self._seen: dict[str, int] = {}"),
    ("notify/sns.py", "class Topics:\n    clients = defaultdict(list)"),
    ("providers/rest.py", "KNOWN = set()"),
    ("transport/guard.py", "class Hosts:\n    names: set[str] = field(default_factory=set)"),
)
def what_input_can_make_grow_has_a_bound(path: str, source: str) -> Findings:
    if within(path, "tests/", "bench/"):
        return
    for function in functions(source):
        if function.args.args and any(_is_unbounded(each) for each in function.decorator_list):
            yield at(function, f"{function.name} remembers every argument; give the cache a size")
    for node in nodes(source) if within(path, *LONG_LIVED) else ():
        if isinstance(node, ast.Assign | ast.AnnAssign) and _is_empty(node.value) and _outlives_a_call(source, node):
            name = dotted(_target(node)).removeprefix("self.")
            if (path, name) not in GROWING:
                yield at(node, f"{name} may grow; give it a bound and name it in GROWING")


def _is_unbounded(decorator: ast.expr) -> bool:
    if not isinstance(decorator, ast.Call):
        return dotted(decorator) in {"cache", "functools.cache"}
    sizes = [*decorator.args, *(keyword.value for keyword in decorator.keywords if keyword.arg == "maxsize")]
    return dotted(decorator.func).endswith("lru_cache") and any(ast.unparse(size) == "None" for size in sizes)


def _is_empty(value: ast.expr | None) -> bool:
    match value:
        case ast.Dict(keys=[]) | ast.List(elts=[]):
            return True
        case ast.Call(func=func, args=args, keywords=keywords):
            made = dotted(func.value if isinstance(func, ast.Subscript) else func).rpartition(".")[2]
            factories = {dotted(each.value) for each in keywords if each.arg == "default_factory"}
            bounded = any(each.arg == "maxlen" for each in keywords)
            growing = made in {"defaultdict", "Counter"} or (made in {"dict", "set", "list", "deque"} and not args)
            return (growing and not bounded) or bool(factories & {"dict", "set", "list", "deque"})
        case _:
            return False


def _target(node: ast.Assign | ast.AnnAssign) -> ast.expr:
    return node.target if isinstance(node, ast.AnnAssign) else node.targets[0]


def _outlives_a_call(source: str, node: ast.Assign | ast.AnnAssign) -> bool:
    """An attribute that `__init__` sets, or a name of a class or a module. What is frozen is a value, not a memory."""
    around = [each for each in nodes(source) if isinstance(each, Function | ast.ClassDef) and node in ast.walk(each)]
    if isinstance(_target(node), ast.Attribute):
        return any(isinstance(each, Function) and each.name == "__init__" for each in around)
    frozen = any("frozen=True" in ast.unparse(d) for each in around for d in each.decorator_list)
    return not frozen and not any(isinstance(each, Function) for each in around)


@refuses(
    *((f"{name}.py", "") for name in ("secrets", "queue", "token", "signal", "select", "utils", "base")),
    *((f"{name}/aws.py", "") for name in ("platform", "types", "logging", "calendar", "common", "shared")),
    ("tests/helpers.py", ""),
)
def no_name_hides_the_standard_library_or_says_nothing(path: str, source: str) -> Findings:
    names = [part.removesuffix(".py") for part in path.split("/")]
    if names[0] in sys.stdlib_module_names:
        yield "the root comes first on sys.path: this hides a standard module from every dependency"
    if {"utils", "common", "helpers", "base", "shared"} & set(names):
        yield "says nothing about what is inside"


@refuses(("worker.py", "print('started')"), ("tests/test_a.py", "def test_a(): print(1)"))
def only_what_a_person_starts_prints(path: str, source: str) -> Findings:
    for node in nodes(source) if not within(path, *PROGRAMS) else ():
        if isinstance(node, ast.Call) and dotted(node.func) == "print":
            yield at(node, "print")


@refuses(
    ("domain/accounts.py", "import structlog"),
    ("domain/ports.py", "from stores.secrets.vault import Vault"),
)
def the_domain_needs_the_standard_library_only(path: str, source: str) -> Findings:
    for node in nodes(source) if within(path, "domain/") else ():
        for name in imported(node):
            if name.split(".")[0] not in sys.stdlib_module_names | {"domain"}:
                yield at(node, name)


@refuses(
    ("tests/test_a.py", "from unittest.mock import patch"),
    ("tests/test_b.py", "from unittest import mock"),
    ("tests/test_c.py", "def test_c(monkeypatch): monkeypatch.setattr(vault, 'put', None)"),
)
def a_test_hands_in_a_fake_and_replaces_no_code(path: str, source: str) -> Findings:
    yield from mentions(source, "unittest.mock", "pytest_mock", "monkeypatch.setattr")


@refuses(
    ("worker.py", "from temporalio.worker import UnsandboxedWorkflowRunner"),
    ("temporal/client.py", "runner = SandboxRestrictions.default.with_passthrough_all_modules()"),
)
def the_workflow_sandbox_stays_on(path: str, source: str) -> Findings:
    yield from mentions(source, "UnsandboxedWorkflowRunner", "with_passthrough_all_modules")


@refuses(
    ("worker.py", "import asyncio\nasyncio.run(work())"),
    ("commands/status.py", "from asyncio import run"),
    ("tests/workflows/record.py", "import asyncio\nwith asyncio.Runner() as runner: ..."),
)
def a_program_that_talks_to_temporal_ends_with_a_pause(path: str, source: str) -> Findings:
    if not within(path, "temporal/program.py", *WITHOUT_TEMPORAL):
        yield from mentions(source, "asyncio.run", "asyncio.Runner")


@refuses(("activities/a.py", "class A:\n    @activity.defn(name='register')\n    async def register(self): ..."))
def an_activity_is_a_plain_def_because_boto3_blocks(path: str, source: str) -> Findings:
    for function in functions(source):
        if isinstance(function, ast.AsyncFunctionDef) and decorated(function, "activity.defn"):
            yield at(function, function.name)


@refuses(("workflows/scan.py", "@workflow.defn\nclass A: ...\n@workflow.defn(name='B')\nclass B: ..."))
def a_file_holds_one_workflow(path: str, source: str) -> Findings:
    if len(found := workflows_in(source)) > 1 and not within(path, "tests/"):
        yield ", ".join(found)


@refuses(("workflows/never_recorded.py", "@workflow.defn\nclass NeverRecorded: ..."))
def a_workflow_has_a_recorded_history(path: str, source: str) -> Findings:
    recorded = list(HISTORIES.glob(f"{Path(path).stem}*.json"))
    if within(path, "workflows/") and workflows_in(source) and not recorded:
        yield "none; run `make histories`"


# The tests


@cache
def code() -> list[tuple[str, str]]:
    tops = [top for top in ROOT.iterdir() if not top.name.startswith(".") and top.name != "build"]
    files = [file for top in tops for file in (top.rglob("*.py") if top.is_dir() else [top])]
    return [(file.relative_to(ROOT).as_posix(), file.read_text()) for file in files if file.suffix == ".py"]


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.sentence)
def test_the_code_keeps_the_rule(rule: Rule):
    assert [f"{path}:{finding}" for path, source in code() for finding in rule.check(path, source)] == []


VIOLATIONS = {f"{rule.sentence}: {path}": (rule.check, path, source) for rule in RULES for path, source in rule[2]}


@pytest.mark.parametrize(("check", "path", "source"), VIOLATIONS.values(), ids=VIOLATIONS.keys())
def test_the_rule_bites(check: Check, path: str, source: str):
    assert list(check(path, source)) != []


def test_imports_keep_their_contracts():
    # Not called in this process: it would turn off every logger that there is.
    command = [str(Path(sys.executable).with_name("lint-imports")), "--no-cache"]
    assert subprocess.run(command, cwd=ROOT, capture_output=True, check=False).returncode == 0


def test_no_dependency_brings_a_package_of_our_name():
    ours = {path.split("/")[0].removesuffix(".py") for path, _ in code()}
    brought = {name: set(by) - {"threat-engine-onboarding"} for name, by in packages_distributions().items()}
    assert {name: by for name, by in brought.items() if name in ours and by} == {}
