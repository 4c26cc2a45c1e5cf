"""Whether a pinned dependency has a known vulnerability. pip-audit says that none is known also when it could ask
nobody, so its word counts only when it has judged every package; otherwise nothing was checked, which is no success."""

import asyncio
import json
import sys
from collections.abc import Sequence
from pathlib import Path

from bench.report import Target
from emulators.failures import StackFailed
from local.stack import ROOT

LOCK_FILES = ("requirements.txt", "requirements-dev.txt")
PATIENCE_SECONDS = 300


async def audit(lock_file: Path) -> tuple[int, list[str]]:
    """How many packages were judged, and what is known against them. Raises StackFailed when that cannot be found
    out."""
    command = ["-m", "pip_audit", "--strict", "--require-hashes", "--disable-pip", "--format", "json"]
    command += ["--progress-spinner", "off", "--requirement", str(lock_file)]
    process = await asyncio.create_subprocess_exec(
        sys.executable, *command, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.DEVNULL
    )
    try:
        said, _ = await asyncio.wait_for(process.communicate(), PATIENCE_SECONDS)
    except TimeoutError:
        process.kill()
        raise could_not_check(lock_file) from None
    return judged(lock_file, said)


def judged(lock_file: Path, said: bytes) -> tuple[int, list[str]]:
    """What an answer of pip-audit says. Raises StackFailed when it leaves a package out."""
    try:
        packages = json.loads(said)["dependencies"]
    except (ValueError, KeyError):
        raise could_not_check(lock_file) from None
    if not packages or any("skip_reason" in package for package in packages):
        raise could_not_check(lock_file)
    return len(packages), [
        f"{package['name']} {package['version']}: {vulnerability['id']}"
        for package in packages
        for vulnerability in package["vulns"]
    ]


def could_not_check(lock_file: Path) -> StackFailed:
    return StackFailed(f"Could not check {lock_file.name}: the service that knows of vulnerabilities did not answer.")


async def run(*, quick: bool) -> Sequence[Target]:
    """Raises StackFailed when it could not be checked."""
    found: list[str] = []
    packages = 0
    for name in LOCK_FILES:
        count, known = await audit(ROOT / name)
        packages, found = packages + count, found + known
    for line in sorted(set(found)):
        print(line)
    return (
        Target("packages asked about", packages, at_least=1),
        Target("known vulnerabilities of dependencies", len(set(found)), at_most=0),
    )
