"""The figures that describe the shape of the code, read from the files that git tracks."""

import ast
import re
import subprocess
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from functools import cached_property
from pathlib import Path, PurePosixPath
from statistics import median

import grimp

ROOT = Path(__file__).resolve().parents[2]

NOT_PRODUCT = ("tests", "bench")
RECORDED = re.compile(r"requirements.*\.txt|tests/.*\.(json|txt)|CHANGELOG\.md|docs/decisions/.*")
"""Locks, recordings and the past: nobody edits them to add something."""

RELATIVE_WORDS = frozenset(
    re.findall(
        r"\w+",
        """of what whom whose whether those that which who as where when why how for from in on at by with
        without to into out after before behind beside between beyond under until unlike like than through
        about above across against among around along during except inside near off onto outside over past
        per since toward towards upon within""",
    )
)
"""First words that leave a docstring without a subject or a verb."""

FAMILIES = re.compile(
    r"DYNAMODB_\w+_TABLE|[A-Z]+_ENGINE_URL|[A-Z]+_ENGINE_TOKEN|[A-Z]+_ENGINE_PERMISSIONS|\w+_FILE|OIDC_\w+"
)

EXAMPLES = {
    "a cloud (IBM Cloud)": re.compile(r"ibm", re.IGNORECASE),
    "a workflow (the dry run)": re.compile(r"ProbeCredential|probe_credential|api[./]probes|onboarding[./]dry_run"),
    "a resource (API keys)": re.compile(r"ApiKeyStore|API_KEYS_TABLE|/api-keys|routes[./]keys|key_schemas"),
}

Function = ast.FunctionDef | ast.AsyncFunctionDef
Documented = ast.Module | ast.ClassDef | Function


class House:
    """The tree as git tracks it. Every figure is a property, and none runs code of the product."""

    @cached_property
    def files(self) -> list[PurePosixPath]:
        listed = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True)  # noqa: S607
        return [PurePosixPath(line) for line in listed.stdout.splitlines()]

    @cached_property
    def modules(self) -> dict[PurePosixPath, ast.Module]:
        return {path: ast.parse((ROOT / path).read_text()) for path in self.files if path.suffix == ".py"}

    @cached_property
    def product(self) -> dict[PurePosixPath, ast.Module]:
        return {path: tree for path, tree in self.modules.items() if path.parts[0] not in NOT_PRODUCT}

    @property
    def private_helpers_called_once(self) -> tuple[int, int]:
        """Return how many private functions are named exactly once beside their definition, and how many functions
        there are."""
        functions = once = 0
        for tree in self.product.values():
            used = Counter(_names(tree))
            found = [node for node in ast.walk(tree) if isinstance(node, Function)]
            functions += len(found)
            once += sum(used[node.name] == 1 for node in found if _is_private(node.name))
        return once, functions

    @property
    def files_in_a_folder(self) -> tuple[float, int, str]:
        """Return the median, the largest number and the folder with the largest number of Python files."""
        folders = Counter(path.parent for path in self.product if path.name != "__init__.py")
        largest, count = folders.most_common(1)[0]
        return median(folders.values()), count, str(largest)

    @property
    def docstrings_without_a_subject(self) -> tuple[int, int]:
        texts = [text for tree in self.product.values() for text in _docstrings(tree)]
        bad = sum(re.split(r"\W+", text.strip(), maxsplit=1)[0].lower() in RELATIVE_WORDS for text in texts)
        return bad, len(texts)

    @property
    def modules_for_one_sibling(self) -> int:
        """Count the product modules that exactly one module imports, which stands in the same package."""
        packages = sorted({path.parts[0] for path in self.product if len(path.parts) > 1})
        alone = sorted({path.stem for path in self.product if len(path.parts) == 1})
        graph = grimp.build_graph(*packages, include_external_packages=True, cache_dir=None)
        ours = {module for module in graph.modules if module.split(".")[0] in packages}
        count = 0
        for module in ours:
            importers = graph.find_modules_that_directly_import(module) & (ours | set(alone))
            count += len(importers) == 1 and next(iter(importers)).rpartition(".")[0] == module.rpartition(".")[0]
        return count

    @property
    def files_to_add(self) -> dict[str, int]:
        """Count the files that name an example of each thing, which somebody who adds the next one touches."""
        texts = {
            path: (ROOT / path).read_text(errors="ignore") for path in self.files if not RECORDED.fullmatch(str(path))
        }
        return {
            what: sum(bool(name.search(text) or name.search(str(path))) for path, text in texts.items())
            for what, name in EXAMPLES.items()
        }

    @property
    def settings(self) -> int:
        """Count the settings of `.env.example`; a family counts as one."""
        text = (ROOT / ".env.example").read_text()
        names = set(re.findall(r"^#?\s?([A-Z][A-Z0-9_]+)=", text, re.MULTILINE))
        families = {pattern for pattern in FAMILIES.pattern.split("|") for name in names if re.fullmatch(pattern, name)}
        return sum(not FAMILIES.fullmatch(name) for name in names) + len(families)

    @property
    def lines(self) -> tuple[int, int]:
        """Return the lines of tests (the programs that attack and kill included) and of the product."""
        counted: dict[bool, int] = defaultdict(int)
        for path in self.modules:
            if path.parts[0] == "bench":
                continue
            counted[path.parts[0] in NOT_PRODUCT] += _lines(path)
        return counted[True], counted[False]

    @property
    def circles(self) -> list[tuple[str, ...]]:
        """Return the sets of top-level packages that import each other in a circle."""
        arrows: dict[str, set[str]] = defaultdict(set)
        tops = {path.parts[0].removesuffix(".py") for path in self.modules}
        for path, tree in self.modules.items():
            here = path.parts[0].removesuffix(".py")
            arrows[here] |= {top for top in _imported_packages(tree) if top in tops and top != here}
        return [tuple(sorted(circle)) for circle in _circles(arrows)]


def _lines(path: PurePosixPath) -> int:
    return len((ROOT / path).read_text().splitlines())


def _is_private(name: str) -> bool:
    return name.startswith("_") and not name.startswith("__")


def _names(tree: ast.Module) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Name):
            yield node.id
        elif isinstance(node, ast.Attribute):
            yield node.attr


def _docstrings(tree: ast.Module) -> Iterator[str]:
    """Yield the docstrings of modules, classes and functions, and the texts under attributes and constants."""
    for node in ast.walk(tree):
        if isinstance(node, Documented):
            for statement in node.body:
                match statement:
                    case ast.Expr(value=ast.Constant(value=str() as text)) if text.strip():
                        yield text


def _imported_packages(tree: ast.Module) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name.split(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module.split(".")[0]


def _circles(arrows: Mapping[str, Iterable[str]]) -> list[set[str]]:
    reach = {start: _reachable(start, arrows) for start in arrows}
    circles: list[set[str]] = []
    for start in reach:
        circle = {other for other in reach[start] if start in reach.get(other, ())}
        if circle and circle not in circles:
            circles.append(circle)
    return circles


def _reachable(start: str, arrows: Mapping[str, Iterable[str]]) -> set[str]:
    seen: set[str] = set()
    waiting = list(arrows.get(start, ()))
    while waiting:
        if (name := waiting.pop()) not in seen:
            seen.add(name)
            waiting.extend(arrows.get(name, ()))
    return seen
