"""Names on the command line."""

import typer

from domain import names


def one_line(text: str) -> str:
    """Return the name tidied. Raise BadParameter for what the API would refuse too."""
    if names.has_hidden(text):
        raise typer.BadParameter(names.NOT_IN_A_NAME)
    name = names.tidied(text)
    if not 1 <= len(name) <= names.MAX_CHARACTERS:
        raise typer.BadParameter(f"must be 1 to {names.MAX_CHARACTERS} characters on one line")
    return name
