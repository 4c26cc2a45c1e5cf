"""What is wrong with an argument, in our words: Typer shows pydantic's, and repeats the value."""

import re
from typing import Any

import typer
from typer.core import TyperGroup

_WORDS = (
    (r"(?s)Value error, .* is not one of (.*)\.", r"must be one of \1"),
    (r"Input should be greater than or equal to (\S+)", r"must be at least \1"),
    (r"Input should be less than or equal to (\S+)", r"must be at most \1"),
    (r"Input should be a valid integer.*", "must be a whole number"),
    (r"Input should be (?:a )?valid (\w+).*", r"must be a \1"),
    (r"(?:Value error, |Input )(.*)", r"\1"),
)


class InOurWords(TyperGroup):
    """The group of all commands."""

    def invoke(self, ctx: Any) -> Any:
        try:
            return super().invoke(ctx)
        except typer.BadParameter as error:
            error.message = plain(error.message)
            raise


def plain(message: str) -> str:
    for theirs, ours in _WORDS:
        if found := re.fullmatch(theirs, message):
            return found.expand(ours)
    return message
