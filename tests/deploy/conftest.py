"""The image without Docker: its folder /app, made by the rules of .dockerignore."""

import shutil
import subprocess
from fnmatch import fnmatchcase
from pathlib import Path

import pytest

from tests.pages import ROOT

IGNORED = [line for line in (ROOT / ".dockerignore").read_text().splitlines() if line and not line.startswith("#")]


def ignored(path: str) -> bool:
    """By the rules of Docker that .dockerignore uses: a pattern is for a path from the root and for all below it, `!`
    makes an exception, and the last one that fits decides."""
    answer = False
    for pattern in IGNORED:
        if fits(pattern.removeprefix("!"), path):
            answer = not pattern.startswith("!")
    return answer


def fits(pattern: str, path: str) -> bool:
    parts = path.split("/")
    if pattern.startswith("**/"):
        return any(fnmatchcase(part, pattern.removeprefix("**/")) for part in parts)
    depth = pattern.count("/") + 1
    return len(parts) >= depth and all(fnmatchcase(*pair) for pair in zip(parts, pattern.split("/"), strict=False))


def context() -> set[str]:
    """The files of the repository that are copied into the image."""
    listing = ["git", "ls-files", "--cached", "--others", "--exclude-standard"]
    listed = subprocess.run(listing, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    return {path for path in listed.splitlines() if not ignored(path) and (ROOT / path).is_file()}


@pytest.fixture(scope="session")
def image(tmp_path_factory: pytest.TempPathFactory) -> Path:
    app = tmp_path_factory.mktemp("image")
    for path in context():
        (app / path).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / path, app / path)
    return app
