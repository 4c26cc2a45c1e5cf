"""How the embedded stack says that something is wrong."""


class StackFailed(Exception):
    """The stack cannot start or go on. The message is for the person who ran it: what happened and what to
    do."""
