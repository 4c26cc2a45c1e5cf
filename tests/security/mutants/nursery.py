"""A process in which the mutants of one module are tried: `python -m tests.security.mutants.nursery` reads a `Subject`
as JSON, and prints what each mutant came to as JSON lines.

It loads the libraries once and then forks for each mutant. The child puts the changed module into the import system, so
no file is touched, and runs the tests from the beginning to the first that fails.
"""

import ast
import contextlib
import importlib
import importlib.abc
import importlib.machinery
import importlib.util
import io
import json
import os
import signal
import sys
import time
import warnings
from collections.abc import Sequence
from pathlib import Path
from types import CodeType
from typing import Any

import pytest

from tests.security.mutants.sites import sites

CLEAN_SECONDS = 300
LEAST_SECONDS = 20
TIMES_AS_LONG = 6
"""A mutant may take so many times as long as the module as it is, and is killed by the clock after that."""
UNLOADABLE = (ImportError, AttributeError, LookupError, RuntimeError, TypeError, ValueError)
"""What a part of a library may raise that was not meant to be loaded by itself. The tests load it again."""
PYTEST = ("-x", "-q", "-p", "no:cacheprovider", "-W", "ignore::pytest.PytestAssertRewriteWarning", "-n", "0")


class Changed(importlib.abc.MetaPathFinder):
    """Finds the module with its change in it."""

    def __init__(self, name: str, path: Path, code: CodeType) -> None:
        self._name, self._path, self._code = name, path, code

    def find_spec(self, name: str, path: Any, target: Any = None) -> importlib.machinery.ModuleSpec | None:
        if name != self._name:
            return None
        loader = ChangedLoader(name, str(self._path))
        loader.code = self._code
        return importlib.util.spec_from_file_location(name, self._path, loader=loader)


class ChangedLoader(importlib.machinery.SourceFileLoader):
    code: CodeType

    def get_code(self, fullname: str) -> CodeType:
        return self.code


def module_of(path: str) -> str:
    return path.removesuffix(".py").removesuffix("/__init__").replace("/", ".")


def changed(source: str, path: str, number: int) -> CodeType:
    tree = ast.parse(source)
    sites(tree)[number].make()
    return compile(ast.fix_missing_locations(tree), path, "exec")


def child(arguments: Sequence[str], finder: Changed | None, loaded: Path | None) -> int:
    """The exit status of pytest. Writes down which modules of libraries were loaded."""
    os.setsid()
    nowhere = os.open(os.devnull, os.O_RDWR)
    for descriptor in (0, 1, 2):
        os.dup2(nowhere, descriptor)
    if finder is not None:
        sys.meta_path.insert(0, finder)
    sys.stdout = sys.stderr = io.StringIO()
    status = int(pytest.main(list(arguments)))
    if loaded is not None:
        loaded.write_text(json.dumps(libraries()))
    return status


def libraries() -> list[str]:
    """What is loaded from outside the folder that the tests run in, in the order in which it was."""
    here = str(Path.cwd())
    found = []
    for name, module in list(sys.modules.items()):
        file = getattr(module, "__file__", None) or ""
        library = not file.startswith(here) or "site-packages" in file
        if library and name != "__main__":
            found.append(name)
    return found


def preload(names: Sequence[str]) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for name in names:
            with contextlib.suppress(*UNLOADABLE):
                importlib.import_module(name)


def in_a_child(
    arguments: Sequence[str], *, seconds: float, finder: Changed | None = None, loaded: Path | None = None
) -> int | None:
    """The exit status of pytest; None when it took too long."""
    process = os.fork()
    if process == 0:
        status = 70
        try:
            status = child(arguments, finder, loaded)
        finally:
            os._exit(status)
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        ended, status = os.waitpid(process, os.WNOHANG)
        if ended:
            _end_group(process)
            return os.waitstatus_to_exitcode(status)
        time.sleep(0.02)
    _end_group(process)
    os.waitpid(process, 0)
    return None


def _end_group(process: int) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(process, signal.SIGKILL)


def say(**what: Any) -> None:
    print(json.dumps(what), flush=True)


def main() -> None:
    subject = json.loads(sys.stdin.read())
    path, only = subject["path"], subject["only"]
    source = Path(path).read_text()
    arguments = [*subject["tests"], *PYTEST, *subject["options"]]
    loaded = Path(subject["scratch"]) / "loaded.json"
    preloaded = in_a_child(arguments, seconds=CLEAN_SECONDS, loaded=loaded)
    if preloaded == 0:
        preload(json.loads(loaded.read_text()))
    began = time.monotonic()
    status = in_a_child(arguments, seconds=CLEAN_SECONDS)
    if preloaded != 0 or status != 0:
        say(refused=f"The tests do not pass without a mutant; pytest ended with {preloaded}, {status}.")
        return
    seconds = max(LEAST_SECONDS, TIMES_AS_LONG * (time.monotonic() - began))
    for number, site in enumerate(sites(ast.parse(source))):
        if only and not any(site.where.startswith(name) for name in only):
            continue
        finder = Changed(module_of(path), Path(path).resolve(), changed(source, path, number))
        status = in_a_child(arguments, seconds=seconds, finder=finder)
        say(where=site.where, was=site.was, becomes=site.becomes, status=status)


if __name__ == "__main__":
    main()
