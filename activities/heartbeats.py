"""Heartbeats for one blocking call, so that a dead worker is noticed long before the call's own timeout."""

import contextvars
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Event, Thread

from temporalio import activity


@contextmanager
def heartbeating(*, every_seconds: float = 2.0) -> Iterator[None]:
    """Heartbeat from a second thread while the block runs; the start-to-close timeout still bounds a hung call."""
    done = Event()
    context = contextvars.copy_context()

    def beat() -> None:
        while not done.wait(every_seconds):
            context.run(activity.heartbeat)

    thread = Thread(target=beat, name="heartbeat", daemon=True)
    thread.start()
    try:
        yield
    finally:
        done.set()
        thread.join()
