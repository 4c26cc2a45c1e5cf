"""`python -m local`, which is `make run`: bring everything up, onboard a demo account, serve until Ctrl-C.

A signal to stop cancels the one task that holds everything; what was started is stopped on its way out, and a
second Ctrl-C changes nothing about that.
"""

import asyncio
import os
import shlex
import signal
import sys
from collections.abc import AsyncIterator, Awaitable, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Annotated, TypeVar

import typer
from rich.console import Console
from temporalio.service import RPCError

import logs
from emulators.failures import StackFailed
from emulators.ministack import REGION
from emulators.ports import choose_ports
from local.clouds import CustomerClouds, running_clouds
from local.demo import Demo, DemoScan, onboard, scan, workflow_page
from local.demo_clouds import onboard_others
from local.folder import replace_private, run_folder
from local.progress import Progress
from local.settings import ignored
from local.stack import ROOT, Stack, running_stack
from temporal.program import run_program

Result = TypeVar("Result")

PARENT_SECONDS = 0.5
STRANGERS_SECONDS = 10.0
STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


def main(
    once: Annotated[bool, typer.Option("--once", help="Stop after the demo.")] = False,
    folder: Annotated[Path, typer.Option(help="Where logs and stack.env go.")] = ROOT / ".local",
    with_parent: Annotated[
        bool, typer.Option("--with-parent", help="Stop when the caller ends, as make does.")
    ] = False,
) -> None:
    """Run the whole system on this machine, with a demo account onboarded into it."""
    try:
        with run_folder(folder.resolve()) as path:
            run_program(run(path, once=once, with_parent=with_parent))
    except StackFailed as failure:
        print(failure, file=sys.stderr)
    except Exception as error:
        print("The stack failed: {error} at {where}.".format(**logs.describe(error)), file=sys.stderr)
    else:
        return
    raise typer.Exit(1)


async def run(folder: Path, *, once: bool, with_parent: bool = False) -> None:
    """Raises StackFailed when a part dies that nothing replaces, when the demo fails and when it is interrupted before
    its end."""
    cancel_on_signals(os.getppid() if with_parent else None)
    progress, env_file, served = Progress(Console()), folder / "stack.env", False
    try:
        async with everything(folder, progress) as (stack, clouds):
            demos: list[Demo] = []

            def note() -> None:
                # After a restart too: the pids are in it.
                for demo in demos:
                    replace_private(env_file, stack_env(stack, clouds, demo))

            watch = asyncio.create_task(stack.watch(progress.say, note))
            try:
                demo, found = await while_it_lives(watch, play(stack, clouds, progress))
                demos.append(demo)
                note()
                served = True
                show(stack, demo, found, progress)
                progress.say(f"  {'Other clouds':15} {clouds.folder}: a credential of each, for python cli.py probe")
                if not once:
                    progress.say("\nPress Ctrl-C to stop.")
                    await watch
            except StackFailed as failure:
                raise StackFailed("\n".join([str(failure), *await named(stack)])) from None
            finally:
                watch.cancel()
                await asyncio.gather(watch, return_exceptions=True)
    except asyncio.CancelledError:
        if not served:
            raise StackFailed("Interrupted; everything that was started is stopped.") from None
    finally:
        env_file.unlink(missing_ok=True)
    progress.say("Everything is stopped.")


async def play(stack: Stack, clouds: CustomerClouds, progress: Progress) -> tuple[Demo, DemoScan]:
    """The demo. Raises StackFailed."""
    for sentence in await named(stack):
        progress.say(sentence)
    progress.heading("The demo: an AWS account goes from nothing to active")
    demo = await onboard(stack, progress)
    progress.heading(f"Account {demo.account_number} is {demo.status} after {progress.seconds:.1f} s")
    progress.heading("One account of each other cloud (stand-ins on this machine, not the real clouds)")
    others = await onboard_others(stack, clouds, demo, progress)
    progress.heading(f"Accounts of {', '.join(others)} are active too; now the first scan")
    return demo, await scan(stack, demo, progress)


async def named(stack: Stack) -> Sequence[str]:
    """Strangers on the queues. A server that is gone cannot name them."""
    try:
        async with asyncio.timeout(STRANGERS_SECONDS):
            return await stack.strangers()
    except (RPCError, RuntimeError, TimeoutError):
        return ()


@asynccontextmanager
async def everything(folder: Path, progress: Progress) -> AsyncIterator[tuple[Stack, CustomerClouds]]:
    """The stack, and the stand-in clouds that it takes for the customers' own."""
    ports = choose_ports()
    if names := ignored():
        progress.say(f"make run decides itself about {', '.join(names)}, and leaves aside what is set.")
    with running_clouds(folder / "clouds", port=ports.clouds) as clouds:
        async with running_stack(folder, ports=ports, progress=progress, settings=clouds.settings) as stack:
            yield stack, clouds


def cancel_on_signals(parent: int | None = None) -> None:
    """The first signal to stop cancels this task, and so does the end of the parent, if one is given; later ones change
    nothing while it stops what it started."""
    loop, task = asyncio.get_running_loop(), asyncio.current_task()

    def cancel() -> None:
        for number in STOP_SIGNALS:
            loop.add_signal_handler(number, lambda: None)
        if task is not None:
            task.cancel()

    def look_for(parent: int) -> None:
        if os.getppid() != parent:
            cancel()
        else:
            loop.call_later(PARENT_SECONDS, look_for, parent)

    for number in STOP_SIGNALS:
        loop.add_signal_handler(number, cancel)
    if parent is not None:
        look_for(parent)


async def while_it_lives(watch: asyncio.Task[None], work: Awaitable[Result]) -> Result:
    """The result of `work`, or StackFailed as soon as a part of the stack ends that nothing replaces."""
    job = asyncio.ensure_future(work)
    try:
        await asyncio.wait({watch, job}, return_when=asyncio.FIRST_COMPLETED)
        if job.done() and job.exception():
            # A part that dies closes its connections a moment before it is seen to be dead.
            await asyncio.wait({watch}, timeout=1)
        if watch.done():
            watch.result()
        return await job
    finally:
        job.cancel()
        await asyncio.gather(job, return_exceptions=True)


def stack_env(stack: Stack, clouds: CustomerClouds, demo: Demo) -> str:
    """The lines of stack.env. With them `python cli.py` acts as the platform's operator."""
    values = {
        "ONBOARDING_API_URL": stack.api_url,
        "ONBOARDING_API_KEY": stack.api_key,
        "TEMPORAL_ADDRESS": stack.temporal.address,
        "TEMPORAL_NAMESPACE": stack.temporal.namespace,
        "TEMPORAL_UI_URL": stack.temporal.ui_url or "",
        "AWS_ENDPOINT_URL": stack.platform.endpoint,
        "AWS_REGION": REGION,
        **stack.platform.environment,
        "CUSTOMER_AWS_ENDPOINT_URL": stack.customer.endpoint,
        **clouds.settings,
        "PLATFORM_AWS_ACCOUNT_ID": stack.platform.number,
        **{f"{name.upper()}_PID": str(pid) for name, pid in pids(stack).items()},
        "DEMO_TENANT_ID": demo.tenant_id,
        "DEMO_ACCOUNT_NUMBER": demo.account_number,
        "DEMO_ROLE_ARN": demo.role_arn,
        "DEMO_AWS_ACCESS_KEY_ID": stack.customer.number,
        "DEMO_AWS_SECRET_ACCESS_KEY": stack.customer.secret,
    }
    return "".join(f"{name}={shlex.quote(value)}\n" for name, value in values.items())


def show(stack: Stack, demo: Demo, found: DemoScan, progress: Progress) -> None:
    progress.heading(
        f"The scan made {found.total_checks} checks: {found.passed_checks} passed, {found.failed_checks} failed, "
        f"{found.error_checks} could not be decided"
    )
    for failure in found.failures:
        progress.say(f"  {failure}")
    progress.heading("Where to look")
    env_file = shlex.quote(str(stack.folder / "stack.env"))
    key = '-H "Authorization: Bearer $ONBOARDING_API_KEY"'
    lines = {
        "The findings": f"(. {env_file}; curl -sS {key} {stack.api_url}/api/v1/scan-results/{found.scan_id})",
        "The onboarding": workflow_page(stack, demo),
        "API page": f"{stack.api_url}/docs (Authorize takes the API key)",
        "API key": stack.api_key,
        "API health": f"{stack.api_url}/api/v1/health",
        "API metrics": stack.metrics["api"],
        "Worker metrics": stack.metrics["worker"],
        "For scripts": f"set -a; . {env_file}; set +a",
        "Logs": str(stack.folder / "logs"),
    }
    lines |= {f"Process {pid}": f"{name}: kill -9 {pid}, and it is started again" for name, pid in pids(stack).items()}
    for name, value in lines.items():
        progress.say(f"  {name:15} {value}")


def pids(stack: Stack) -> dict[str, int]:
    """Of the processes that are started again."""
    return {kept.name: kept.child.pid for kept in stack.kept}


if __name__ == "__main__":
    typer.run(main)
