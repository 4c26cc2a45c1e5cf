"""Lists, one page at a time."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

Item = TypeVar("Item")

MAX_PAGE = 100


@dataclass(frozen=True)
class Page(Generic[Item]):
    """Some items, and where to go on: None after the last page. A filtered page may be short, even empty."""

    items: Sequence[Item]
    next_cursor: str | None = None
    unreadable: Sequence[str] = ()
    """The keys of the rows of this page that could not be read, and are left out."""


def every_item(read: Callable[[str | None], Page[Item]]) -> Iterator[Item]:
    """Yield the items of all pages. `read` gets the cursor of the page that it returns."""
    cursor = None
    while True:
        page = read(cursor)
        yield from page.items
        if (cursor := page.next_cursor) is None:
            return


def every_key(read: Callable[[str | None], Page[Item]], key_of: Callable[[Item], str]) -> Iterator[str]:
    """Yield the keys of the rows of all pages, of those too that cannot be read."""
    cursor = None
    while True:
        page = read(cursor)
        yield from map(key_of, page.items)
        yield from page.unreadable
        if (cursor := page.next_cursor) is None:
            return
