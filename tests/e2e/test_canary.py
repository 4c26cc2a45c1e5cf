"""No credential is readable anywhere. Every field is handed in in every way that can end differently, to the running
stack with all logs at DEBUG; then everything that the stack has said, written or stored is searched."""

import json
import sys
import tempfile
from base64 import b64encode
from collections.abc import AsyncIterator
from contextlib import ExitStack
from pathlib import Path

import httpx
import pytest
import pytest_asyncio
from hypothesis import given, settings
from hypothesis import strategies as st
from rich.console import Console
from temporalio.client import Client

from emulators.ports import free_ports
from emulators.processes import running
from local.clouds import running_clouds
from local.progress import Progress
from local.stack import running_stack
from tests.e2e.canary import Evidence, files, histories, hits, rows, spellings
from tests.e2e.canary_places import (
    FOR_EVERYBODY,
    metrics_with,
    open_elsewhere,
    pages,
    processes,
    send_a_span_with,
    written_since,
)
from tests.e2e.canary_story import CONTROL, Scene, played
from tests.e2e.customer_cloud import customer_cloud
from tests.patience import PATIENCE_SECONDS
from tests.rig import eventually
from tests.telemetry.collector import attributes, collecting, read

pytestmark = [pytest.mark.stack, pytest.mark.e2e]

CUSTOMER_SETTINGS = {
    "LOG_LEVEL": "DEBUG",
    "VALIDATE_WAIT_SECONDS": "2",
    "PROVIDER_PATIENCE_SECONDS": "6",
    "ONBOARDING_LATE_WRITE_SECONDS": "1",
    "OTEL_BSP_SCHEDULE_DELAY": "200",
    "CANARY_CONTROL": CONTROL,
}
CLOUDS = ("azure", "gcp", "alicloud", "oci", "ibm")


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def scene(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Scene]:
    folder = tmp_path_factory.mktemp("canary")
    began = folder.stat().st_mtime
    with ExitStack() as cleanup:
        clouds = cleanup.enter_context(running_clouds(tmp_path_factory.mktemp("clouds") / "clouds", port=0))
        cloud, collector = cleanup.enter_context(customer_cloud()), cleanup.enter_context(collecting())
        ports = free_ports()
        starting = running_stack(
            folder,
            ports=ports,
            progress=Progress(Console(quiet=True)),
            settings={
                **CUSTOMER_SETTINGS,
                **clouds.settings,
                "CUSTOMER_AWS_ENDPOINT_URL": cloud.url,
                "TRACES_ENDPOINT": collector.url,
            },
            temporal_db=folder / "temporal.db",
        )
        async with starting as stack:
            cloud.endpoint = stack.customer.endpoint
            headers = {"Authorization": f"Bearer {stack.api_key}"}
            base_url = f"{stack.api_url}/api/v1"
            async with httpx.AsyncClient(
                base_url=base_url, headers=headers, timeout=PATIENCE_SECONDS, trust_env=False
            ) as api:
                yield await played(Scene(stack, cloud, api, collector, began), clouds)


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def evidence(scene: Scene) -> dict[str, Evidence]:
    client = await Client.connect(scene.stack.temporal.address, namespace=scene.stack.temporal.namespace)
    await eventually(scene.last_spans_have_come)
    send_a_span_with(CONTROL, scene.collector)
    written, folder = files(scene.stack.folder), scene.stack.folder
    return {
        "histories": await histories(client),
        "rows": rows(scene.stack),
        "logs and files": {place: text for place, text in written.items() if "temporal.db" not in place},
        "Temporal's database": {place: text for place, text in written.items() if "temporal.db" in place},
        "answers": scene.answers,
        "metrics": {f"metrics of {name}": read(url).text.encode() for name, url in scene.stack.metrics.items()},
        "spans": {f"spans {number}": request for number, request in enumerate(scene.collector.requests)},
        "processes": processes(scene.stack.children),
        "pages": pages(scene.stack.api_url),
        "files elsewhere": written_since(scene.began, beside=folder),
    }


CLASSES = (
    *("histories", "rows", "logs and files", "Temporal's database", "answers"),
    *("metrics", "spans", "processes", "pages", "files elsewhere"),
)
PLANTED = ("histories", "rows", "Temporal's database", "answers", "spans", "processes")
"""By the story, by a setting of the processes, and by a span of our own at the end. The others have a test each."""


@pytest.mark.parametrize("name", CLASSES)
async def test_no_credential_is_readable(scene: Scene, evidence: dict[str, Evidence], name: str):
    assert evidence[name] or name == "files elsewhere"
    assert hits(evidence[name], scene.secrets) == []


@pytest.mark.parametrize("name", PLANTED)
async def test_a_planted_text_is_found(evidence: dict[str, Evidence], name: str):
    assert hits(evidence[name], {"control": CONTROL})


async def test_a_text_in_a_log_is_found_in_every_spelling(scene: Scene):
    for spelling, text in spellings(CONTROL).items():
        (scene.stack.folder / "logs/planted.log").write_bytes(b"{" + text + b"}")
        found = hits(files(scene.stack.folder / "logs"), {"control": CONTROL})
        assert f"control as {spelling} in file planted.log" in found
    (scene.stack.folder / "logs/planted.log").unlink()


async def test_a_text_on_a_command_line_is_found(tmp_path: Path):
    command = [sys.executable, "-c", "import sys, time; print('up', flush=True); time.sleep(60)", CONTROL]
    with running("It", command, log=tmp_path / "log", environment={}) as child:
        child.wait_until(lambda: b"up" in child.log.read_bytes())
        found = hits(processes([child]), {"control": CONTROL})
    assert f"control as raw in cmdline of It, process {child.pid}" in found


async def test_the_processes_that_were_searched_are_all_of_the_stack(evidence: dict[str, Evidence]):
    """MiniStack is the customers' and our AWS, and keeps what it is given; how it was started is ours all the same."""
    places = " ".join(evidence["processes"])
    assert all(f"cmdline of {name}, " in places for name in ("The API", "The worker", "MiniStack", "Temporal"))


async def test_a_text_in_metrics_is_found():
    with metrics_with(CONTROL) as url:
        assert hits({"metrics": read(url).text.encode()}, {"control": CONTROL})


async def test_a_text_on_a_page_is_found(evidence: dict[str, Evidence]):
    """These two show no input, so what is sought is in them by themselves."""
    for page, text in (("/openapi.json", "x-required-scope"), ("/docs", "swagger-ui")):
        assert any(hit.endswith(f"in {page}") for hit in hits(evidence["pages"], {"control": text})), page


@pytest.mark.parametrize("place", FOR_EVERYBODY, ids=str)
async def test_a_file_that_is_written_where_everybody_may_is_found(scene: Scene, place: Path):
    with tempfile.TemporaryDirectory(prefix="canary-", dir=place) as folder:
        (Path(folder) / "planted").write_text(CONTROL)
        found = hits(written_since(scene.began, beside=scene.stack.folder), {"control": CONTROL})
    assert f"control as raw in file {folder}/planted" in found


async def test_no_process_has_a_file_open_elsewhere(scene: Scene, tmp_path: Path):
    assert open_elsewhere(scene.stack.children, scene.stack.folder) == []
    assert open_elsewhere(scene.stack.children, tmp_path)


async def test_the_logs_that_were_searched_are_those_of_the_whole_story(evidence: dict[str, Evidence]):
    logs = evidence["logs and files"]
    assert b'"level": "debug"' in logs["file logs/worker.log"]
    assert logs["file logs/api.log"].count(b'"logger": "api.access"') > 30


async def test_the_metrics_and_spans_that_were_searched_are_those_of_the_whole_story(
    scene: Scene, evidence: dict[str, Evidence]
):
    worker = evidence["metrics"]["metrics of worker"].decode()
    assert 'onboarding_refusals_total{code="unknown_key"' in worker
    assert 'onboarding_step_failures_total{code="platform_config",step="store_credential"} ' in worker
    assert any("error.type" in attributes(span) for span in scene.collector.named("RunActivity:validate_credential"))


REFUSED = {400, 202}
"""On a busy machine the verdict comes after the wait for it."""


@pytest.mark.parametrize(
    ("name", "statuses"),
    [
        ("accepted", {200, 202}),
        ("refused", REFUSED),
        ("refused role", REFUSED),
        *((f"refused by {cloud}", REFUSED) for cloud in CLOUDS),
        *((f"accepted by {cloud}", {200, 202}) for cloud in CLOUDS),
        ("refused certificate", REFUSED),
        ("dry run, unknown key", {400}),
        ("dry run, temporary key", {400}),
        ("foreign external id", {400}),
        ("malformed secret_access_key, wrong form", {400}),
        ("malformed role_arn, an object", {400}),
        ("unknown fields", {400}),
        ("no object", {422}),
        ("unknown sibling", {422}),
        ("broken JSON", {422}),
        ("broken outputs", {400}),
        ("cloud answers 500", {202, 503}),
        ("unsealing is denied", {202}),
        ("storing is denied", {202}),
    ],
)
async def test_each_way_went_as_it_was_meant(scene: Scene, name: str, statuses: set[int]):
    assert scene.statuses[name] in statuses


async def test_what_is_malformed_came_no_further_than_the_api(scene: Scene):
    found = {status for name, status in scene.statuses.items() if name.startswith("malformed")}
    assert found == {400}


async def test_each_account_ended_where_it_was_meant_to(scene: Scene):
    waiting = ("refused", "refused role", "cloud answers 500", "unsealing is denied", "storing is denied")
    elsewhere = [name for name in scene.ends if name.startswith(("refused by", "refused certificate", "malformed"))]
    active = ("accepted", *(f"accepted by {cloud}" for cloud in CLOUDS))
    assert scene.ends == dict.fromkeys(active, "active") | dict.fromkeys(
        (*waiting, *elsewhere), "waiting_for_credential"
    )
    assert len(elsewhere) > 2 * len(CLOUDS)


@settings(deadline=None)
@given(st.binary(), st.text(st.characters(codec="ascii"), min_size=8), st.binary())
def test_an_encoded_secret_is_found_wherever_it_stands(before: bytes, secret: str, after: bytes):
    text = before + secret.encode() + after
    for content in (text, text.hex().encode(), b64encode(text), json.dumps({"a": [secret]}).encode()):
        assert hits({"place": content}, {"secret": secret})
