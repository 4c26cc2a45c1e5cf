"""The folder of a run: it starts empty, belongs to one run at a time and to one user."""

import fcntl
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from emulators.failures import StackFailed


@contextmanager
def run_folder(path: Path) -> Iterator[Path]:
    """Take the folder for one run. Raises StackFailed while another run holds it. The lock ends with the
    process, however that ends, so there is nothing to clean up after a crash."""
    path.mkdir(mode=0o700, parents=True, exist_ok=True)
    descriptor = os.open(path, os.O_RDONLY)
    try:
        _lock(descriptor, path)
        _empty(path)
        yield path
    finally:
        os.close(descriptor)


def write_private(file: Path, text: str) -> None:
    """Write a file that only its owner may read, from its first byte on."""
    with os.fdopen(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as opened:
        opened.write(text)


def replace_private(file: Path, text: str) -> None:
    """Write such a file anew; who reads it meanwhile sees the old text or the new one."""
    new = file.with_name(f".{file.name}.new")
    write_private(new, text)
    new.replace(file)


def _lock(descriptor: int, path: Path) -> None:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise StackFailed(f"The stack is running already, in {path}; stop that one first.") from None


def _empty(path: Path) -> None:
    for entry in path.iterdir():
        if entry.is_dir() and not entry.is_symlink():
            shutil.rmtree(entry)
        else:
            entry.unlink()
