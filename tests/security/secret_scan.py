"""Whether a secret lies in the tree or anywhere in its history, by the rules of Kingfisher. Nobody is asked whether one
works."""

import asyncio
import json
import shutil
import sysconfig
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

from bench.report import Target
from emulators.failures import StackFailed
from local.stack import ROOT

CACHES = (".pytest_cache", ".mypy_cache", ".ruff_cache", ".import_linter_cache")
LEFT_OUT = (".venv", ".local", ".hypothesis", "__pycache__", *CACHES)
"""What is not the project's own, and is in no commit."""


class Finding(NamedTuple):
    rule: str
    path: str


ALLOWED = {
    Finding("betterleaks.gcp-application-default-credentials", "tests/providers/test_gcp_reach.py"): "made up",
    Finding("betterleaks.private-key", "tests/domain/test_pasted.py"): "the same, as copying damages them",
    Finding("betterleaks.private-key", "tests/providers/test_oci_signature.py"): "published by Oracle as an example",
    Finding(
        "betterleaks.private-key", "tests/clouds/worst_values.py"
    ): "the beginnings of keys, and nothing behind them",
}
"""Each with the reason why it is no secret."""


async def scan(folder: Path) -> list[Finding]:
    """Of the files and, for a Git repository, of all commits. Raises StackFailed when that cannot be found out."""
    program = shutil.which("kingfisher", path=sysconfig.get_path("scripts"))
    if program is None:
        raise StackFailed("Could not look for secrets: there is no kingfisher-bin for this machine.")
    command = ["scan", str(folder), "--no-validate", "--no-update-check", "--redact", "--format", "json"]
    command += ["--git-history", "full", *(part for name in LEFT_OUT for part in ("--exclude", name))]
    process = await asyncio.create_subprocess_exec(
        program, *command, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.DEVNULL
    )
    said, _ = await process.communicate()
    try:
        report, _ = json.JSONDecoder().raw_decode(said.decode())
    except ValueError:
        raise StackFailed("Could not look for secrets: Kingfisher gave no report.") from None
    return [_finding(found, folder) for found in report["findings"]]


def _finding(found: Any, folder: Path) -> Finding:
    path = Path(found["finding"]["path"])
    return Finding(found["rule"]["id"], str(path.relative_to(folder) if path.is_absolute() else path))


async def run(*, quick: bool) -> Sequence[Target]:
    found = await scan(ROOT)
    secrets = sorted({finding for finding in found if finding not in ALLOWED})
    for finding in secrets:
        print(f"{finding.path}: {finding.rule}")
    return (
        Target("secrets in the tree and its history", len(secrets), at_most=0),
        Target("findings that are explained", len(set(found) & set(ALLOWED)), at_least=len(ALLOWED)),
    )
