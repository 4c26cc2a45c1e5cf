"""Schemathesis makes requests of the OpenAPI document, follows its links and breaks its rules; each answer must be one
that the document tells of. Every link is also followed once on purpose."""

import asyncio
import json
import sys
from collections import Counter
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import uvicorn

from api.http.server import ServerLimits, server_config
from bench.report import Target
from emulators.failures import StackFailed
from emulators.ports import HOST, free_port
from tests.api.whole_portal import WholePortal
from tests.security.bed import bed
from tests.security.links import links, walk

FULL, QUICK = 300, 5
"""Examples of an operation in each phase."""
FULL_CASES, QUICK_CASES = 10_000, 1_000
SEED = 20_260
PHASES = ("examples", "coverage", "fuzzing", "stateful")

NOT_CHECKED = "positive_data_acceptance"
"""What a schema cannot say is refused too: a cursor of another list, a role beside scopes, a control character."""
ANYWHERE = frozenset({"405", "431"})
"""What the way to a route refuses: a method that the path does not have, a head that is too large."""

TRUE_ALL_THE_SAME = ("/api/v1/schedules/preview", "allow_header_conformance")
"""A GET of it is one of a schedule of that name, so `Allow` names GET, which the document has under another path."""

CONFIGURATION = """
[checks.negative_data_rejection]
expected-statuses = [400, 401, 403, 404, 405, 409, 413, 415, 422, 429, 431]

[parameters]
"""
MOSTLY = 0.7
"""How often an id is one of something that is there."""


def _configuration(ids: Mapping[str, str]) -> str:
    parameters = [f'{name} = {{ dictionary = "{name}", probability = {MOSTLY} }}' for name in ids]
    dictionaries = [f'[dictionaries.{name}]\nvalues = ["{value}"]' for name, value in ids.items()]
    return "\n".join([CONFIGURATION, *parameters, *dictionaries])


@dataclass
class Outcome:
    statuses: Counter[int] = field(default_factory=Counter)
    broken: list[str] = field(default_factory=list)
    undocumented: list[str] = field(default_factory=list)
    failed: list[str] = field(default_factory=list)
    """Checks of Schemathesis."""
    followed: Counter[str] = field(default_factory=Counter)
    """Requests that came by a link, by the link: declared, or inferred from names."""


async def explore(whole: WholePortal, *, examples: int, phases: Sequence[str] = PHASES, seed: int = SEED) -> Outcome:
    """Raises StackFailed when Schemathesis itself does not come to its end."""
    with TemporaryDirectory(prefix="schemas-") as folder:
        report, configuration = Path(folder) / "report.ndjson", Path(folder) / "schemathesis.toml"
        # Schemathesis cannot bind a parameter whose schema is named elsewhere, as that of the clouds is.
        ids = {name: text for name, text in whole.ids.items() if name != "provider"}
        configuration.write_text(_configuration(ids))
        async with _served(whole) as url:
            command = ["-m", "schemathesis.cli", f"--config-file={configuration}", "run", f"{url}/openapi.json"]
            command += ["--header", f"Authorization: {whole.portal.http.headers['Authorization']}"]
            command += ["--checks", "all", "--exclude-checks", NOT_CHECKED, "--continue-on-failure", "--no-color"]
            command += [
                "--phases",
                ",".join(phases),
                "--seed",
                str(seed),
                "--max-examples",
                str(examples),
                "--suppress-health-check",
                "all",
            ]
            command += ["--report", "ndjson", "--report-ndjson-path", str(report)]
            process = await asyncio.create_subprocess_exec(
                sys.executable, *command, cwd=folder, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT
            )
            said, _ = await process.communicate()
        if process.returncode not in (0, 1):
            raise StackFailed(f"Schemathesis ended with exit code {process.returncode}:\n{said.decode()[-2000:]}")
        return _read(report, whole.portal.app.openapi())


@asynccontextmanager
async def _served(whole: WholePortal) -> AsyncIterator[str]:
    port = free_port()
    server = uvicorn.Server(server_config(whole.portal.app, limits=ServerLimits(), host=HOST, port=port))
    serving = asyncio.create_task(server.serve())
    try:
        yield f"http://{HOST}:{port}"
    finally:
        server.should_exit = True
        await serving


def _read(report: Path, document: Mapping[str, Any]) -> Outcome:
    outcome = Outcome()
    for recorder in _recorders(report):
        for case_id, case in recorder.get("cases", {}).items():
            answer = recorder.get("interactions", {}).get(case_id, {}).get("response")
            if answer is not None:
                _note(outcome, case["value"], answer["status_code"], document)
            if case.get("is_transition_applied"):
                outcome.followed[case["transition"]["id"]] += 1
            path, checks = case["value"]["path"], recorder.get("checks", {}).get(case_id, ())
            failed = [check["name"] for check in checks if check["status"] == "failure"]
            outcome.failed += [f"{path}: {name}" for name in failed if (path, name) != TRUE_ALL_THE_SAME]
    return outcome


def _recorders(report: Path) -> Iterator[dict[str, Any]]:
    with report.open() as lines:
        for line in lines:
            event = json.loads(line).get("ScenarioFinished")
            if event:
                yield event["recorder"]


def _note(outcome: Outcome, case: Mapping[str, Any], status: int, document: Mapping[str, Any]) -> None:
    """`default` in a document tells of no answer in particular, so it does not count."""
    declared = document["paths"][case["path"]].get(case["method"].lower(), {}).get("responses", {})
    name = f"{case['method']} {case['path']}: {status}"
    outcome.statuses[status] += 1
    if status >= 500:
        outcome.broken.append(name)
    if str(status) not in {*declared, *ANYWHERE}:
        outcome.undocumented.append(name)


async def run(*, quick: bool) -> Sequence[Target]:
    async with bed() as whole:
        declared = list(links(whole.portal.app.openapi()))
        walked = await walk(whole, declared)
        outcome = await explore(whole, examples=QUICK if quick else FULL)
    for name, count in Counter(outcome.broken + outcome.undocumented + outcome.failed).most_common(20):
        print(f"{count} x {name}")
    print("answers by status:", dict(sorted(outcome.statuses.items())), "by a link:", dict(outcome.followed))
    for link in walked.lost:
        print(link)
    return (
        Target(
            "cases of the OpenAPI document", outcome.statuses.total(), at_least=QUICK_CASES if quick else FULL_CASES
        ),
        Target("cases that followed a link by chance", outcome.followed.total(), at_least=1),
        Target("links of the document that lead where they say", len(walked.followed), at_least=len(declared)),
        Target("links of the document that do not", len(walked.lost), at_most=0),
        Target("answers of 500 or more to them", len(outcome.broken), at_most=0),
        Target("answers that no operation tells of", len(outcome.undocumented), at_most=0),
        Target("rules of the document broken", len(outcome.failed), at_most=0),
    )
