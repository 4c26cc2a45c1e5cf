"""Names on the command line."""

import typer

MAX_CHARACTERS = 128


def one_line(text: str) -> str:
    """The name without white space around it. Raises BadParameter for what the API would refuse too."""
    name = text.strip()
    if not (name and name.isprintable() and len(name) <= MAX_CHARACTERS):
        raise typer.BadParameter(f"must be 1 to {MAX_CHARACTERS} characters on one line")
    return name
