"""The size of a production install: the files of the distributions that requirements.txt pins, as they are installed
here. Compiled modules are left out, because they are made on the machine."""

from collections.abc import Iterable, Mapping
from importlib import metadata

from packaging.requirements import Requirement


def pinned(lines: Iterable[str]) -> list[str]:
    """The names of the distributions that a requirements file pins for this machine."""
    requirements = (Requirement(line.rstrip(" \\\n")) for line in lines if line[:1].isalnum())
    return [one.name for one in requirements if one.marker is None or one.marker.evaluate()]


def sizes(names: Iterable[str]) -> Mapping[str, int]:
    """Bytes of each. Raises PackageNotFoundError for one that is not installed."""
    return {name: _size(metadata.distribution(name)) for name in names}


def _size(distribution: metadata.Distribution) -> int:
    files = [file.locate() for file in distribution.files or () if file.suffix != ".pyc"]
    return sum(file.stat().st_size for file in files)  # type: ignore[attr-defined]
