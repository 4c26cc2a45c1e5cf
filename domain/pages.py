"""Lists, one page at a time."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

Item = TypeVar("Item")

MAX_PAGE = 100


@dataclass(frozen=True)
class Page(Generic[Item]):
    """Some items, and where to go on: None after the last page. A filtered page may be short, even empty."""

    items: Sequence[Item]
    next_cursor: str | None = None
