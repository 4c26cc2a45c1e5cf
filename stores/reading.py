"""Reading on past what cannot be read. A row that another program wrote, or a newer version, keeps nobody from the
others: lists leave it out and say so, and a look at it alone is refused with a code of its own."""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from domain.errors import UnreadableRow
from stores.dynamodb.items import Row, from_item
from stores.dynamodb.structure import OtherForm

Thing = TypeVar("Thing")
Watcher = Callable[[str, str], None]
"""Is told the table, by our name for it, and the key of a row that could not be read."""

_SHOWN = re.compile(r"[!-~]{1,128}", re.ASCII)

_watchers: list[Watcher] = []


@contextmanager
def watching_unreadable_rows(watcher: Watcher) -> Iterator[None]:
    """For the process that counts and logs them: stores are many, and none of them has a meter."""
    _watchers.append(watcher)
    try:
        yield
    finally:
        _watchers.remove(watcher)


@dataclass(frozen=True)
class Readings(Generic[Thing]):
    """The things that could be read, in order, and the keys of the rows that could not."""

    things: list[Thing]
    unreadable: tuple[str, ...] = ()


@dataclass(frozen=True)
class Reader(Generic[Thing]):
    """Reads the rows of one table. `key` names the attributes of its key, which is all that is ever shown of a row."""

    table: str
    """Our name for it, not the one in the settings."""
    key: tuple[str, ...]
    read: Callable[[Row], Thing]

    def one(self, row: Row) -> Thing:
        """Raises UnreadableRow."""
        try:
            return self.read(row)
        except (OtherForm, ArithmeticError, AttributeError, LookupError, TypeError, ValueError):
            self._tell(row)
        raise UnreadableRow

    def all(self, items: Iterable[Mapping[str, Any]]) -> Readings[Thing]:
        """Every item that can be read."""
        things, unreadable = [], []
        for item in items:
            row = from_item(item)
            try:
                things.append(self.one(row))
            except UnreadableRow:
                unreadable.append(self.named(row))
        return Readings(things, tuple(unreadable))

    def named(self, row: Row) -> str:
        """The key for people. A foreign key may hold anything, so only what looks like an id is repeated."""
        parts = [row.get(name) for name in self.key]
        return "/".join(p if isinstance(p, str) and _SHOWN.fullmatch(p) else "(not an id)" for p in parts)

    def _tell(self, row: Row) -> None:
        for watcher in tuple(_watchers):
            watcher(self.table, self.named(row))


def owner_of(row: Row) -> str:
    """The tenant that a row belongs to. Raises UnreadableRow."""
    owner = row.get("tenant_id")
    if not isinstance(owner, str):
        raise UnreadableRow
    return owner
