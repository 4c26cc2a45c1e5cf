"""`python -m local`, which is `make run`: bring everything up, onboard a demo account, serve until Ctrl-C.

A signal to stop cancels the one task that holds everything; what was started is stopped on its way out, and a
second Ctrl-C changes nothing about that.
"""

import asyncio
import shlex
import signal
import sys
from collections.abc import AsyncIterator, Awaitable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Annotated, TypeVar

import typer
from rich.console import Console

import logs
from local.clouds import CustomerClouds, running_clouds
from local.demo import Demo, DemoScan, onboard, scan, workflow_page
from local.demo_clouds import onboard_others
from local.failures import StackFailed
from local.folder import run_folder, write_private
from local.ministack import REGION
from local.ports import choose_ports
from local.progress import Progress
from local.stack import ROOT, Stack, running_stack
from temporal.program import run_program

Result = TypeVar("Result")

STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


def main(
    once: Annotated[bool, typer.Option("--once", help="Stop after the demo.")] = False,
    folder: Annotated[Path, typer.Option(help="Where logs and stack.env go.")] = ROOT / ".local",
) -> None:
    """Run the whole system on this machine, with a demo account onboarded into it."""
    try:
        with run_folder(folder.resolve()) as path:
            run_program(run(path, once=once))
    except StackFailed as failure:
        print(failure, file=sys.stderr)
    except Exception as error:
        print("The stack failed: {error} at {where}.".format(**logs.describe(error)), file=sys.stderr)
    else:
        return
    raise typer.Exit(1)


async def run(folder: Path, *, once: bool) -> None:
    """Raises StackFailed when a part dies, when the demo fails and when it is interrupted before its end."""
    cancel_on_signals()
    progress, env_file, served = Progress(Console()), folder / "stack.env", False
    try:
        async with everything(folder, progress) as (stack, clouds):
            progress.heading("The demo: an AWS account goes from nothing to active")
            demo = await while_it_lives(stack, onboard(stack, progress))
            progress.heading(f"Account {demo.account_number} is {demo.status} after {progress.seconds:.1f} s")
            progress.heading("One account of each other cloud (stand-ins on this machine, not the real clouds)")
            others = await while_it_lives(stack, onboard_others(stack, clouds, demo, progress))
            progress.heading(f"Accounts of {', '.join(others)} are active too; now the first scan")
            found = await while_it_lives(stack, scan(stack, demo, progress))
            write_private(env_file, stack_env(stack, clouds, demo))
            served = True
            show(stack, demo, found, progress)
            progress.say(f"  {'Other clouds':15} {clouds.folder}: a credential of each, for python cli.py probe")
            if not once:
                progress.say("\nPress Ctrl-C to stop.")
                await stack.watch()
    except asyncio.CancelledError:
        if not served:
            raise StackFailed("Interrupted; everything that was started is stopped.") from None
    finally:
        env_file.unlink(missing_ok=True)
    progress.say("Everything is stopped.")


@asynccontextmanager
async def everything(folder: Path, progress: Progress) -> AsyncIterator[tuple[Stack, CustomerClouds]]:
    """The stack, and the stand-in clouds that it takes for the customers' own."""
    ports = choose_ports()
    with running_clouds(folder / "clouds", port=ports.clouds) as clouds:
        async with running_stack(folder, ports=ports, progress=progress, settings=clouds.settings) as stack:
            yield stack, clouds


def cancel_on_signals() -> None:
    """The first signal to stop cancels this task; later ones change nothing while it stops what it started."""
    loop, task = asyncio.get_running_loop(), asyncio.current_task()

    def cancel() -> None:
        for number in STOP_SIGNALS:
            loop.add_signal_handler(number, lambda: None)
        if task is not None:
            task.cancel()

    for number in STOP_SIGNALS:
        loop.add_signal_handler(number, cancel)


async def while_it_lives(stack: Stack, work: Awaitable[Result]) -> Result:
    """The result of `work`, or StackFailed as soon as a part of the stack ends."""
    watch = asyncio.create_task(stack.watch())
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
        for task in (watch, job):
            task.cancel()
        await asyncio.gather(watch, job, return_exceptions=True)


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
    lines = {
        "The findings": f"{stack.api_url}/api/v1/scan-results/{found.scan_id}",
        "The onboarding": workflow_page(stack, demo),
        "API": f"{stack.api_url}/api/v1",
        "API page": f"{stack.api_url}/docs",
        "API key": stack.api_key,
        "API metrics": stack.metrics["api"],
        "Worker metrics": stack.metrics["worker"],
        "AWS endpoint": stack.platform.endpoint,
        "For scripts": f"set -a; . {stack.folder / 'stack.env'}",
        "Logs": str(stack.folder / "logs"),
    }
    for name, value in lines.items():
        progress.say(f"  {name:15} {value}")


if __name__ == "__main__":
    typer.run(main)
