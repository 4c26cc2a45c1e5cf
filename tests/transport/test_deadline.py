"""Whoever is asked has so many seconds for everything together, however the bytes come."""

import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import httpcore
import pytest

from domain.errors import Unavailable
from tests.transport.drips import dripping
from tests.transport.receiver import HOST, STAND_IN
from transport.client import GuardedClient
from transport.deadline import MAX_LOOKUPS, Connector
from transport.exchange import FAILURES, Bounds, Exchanges
from transport.guard import PublicOnly

BOUNDS = Bounds(seconds=0.5, connect_seconds=100_000, read_seconds=100_000, body_bytes=1_000_000_000)
"""Nothing but the deadline ends a call: the servers here never do."""
HEAD = b"HTTP/1.1 200 OK\r\n"


@contextmanager
def over_soon() -> Iterator[None]:
    """With an error that means: later, perhaps."""
    with pytest.raises((Unavailable, *FAILURES)):
        yield


@pytest.mark.parametrize(
    ("begin", "drip"),
    [
        (b"", b""),
        (b"", b"H"),
        (HEAD + b"x-drip: ", b"y"),
        (HEAD, b"x: y\r\n"),
        (b"", b"HTTP/1.1 102 Processing\r\n\r\n"),
        (HEAD + b"content-length: 1000000\r\n\r\n", b"z"),
        (HEAD + b"transfer-encoding: chunked\r\n\r\n", b"1\r\nz\r\n"),
    ],
    ids=["nothing", "no status", "a header", "headers", "interim answers", "a body", "chunks"],
)
def test_an_answer_that_drips_is_cut_off_wherever_it_drips(begin: bytes, drip: bytes):
    with dripping(begin, drip) as port, Exchanges(Connector(), BOUNDS) as exchanges, over_soon():
        exchanges.send("GET", httpcore.URL(f"http://{STAND_IN}:{port}/"), {})


def test_a_receiver_that_does_not_read_is_left():
    with dripping(b"", b"", reads=False) as port, Exchanges(Connector(), BOUNDS) as exchanges, over_soon():
        exchanges.send("POST", httpcore.URL(f"http://{STAND_IN}:{port}/"), {}, b"x" * 50_000_000)


@pytest.mark.parametrize(("begin", "drip"), [(b"", b""), (b"\x16\x03\x03\x3f\xff", b"\x02")], ids=["nothing", "bytes"])
def test_a_host_that_never_finishes_tls_is_left(begin: bytes, drip: bytes):
    with dripping(begin, drip) as port:
        backend = PublicOnly(lambda host, _: [STAND_IN], stand_ins=[(STAND_IN, port)])
        with GuardedClient(backend, bounds=BOUNDS) as client, over_soon():
            client.send("GET", f"https://{HOST}/")


def test_name_servers_that_do_not_answer_hold_a_few_threads_and_nobody_else():
    over = threading.Event()

    def slow(host: str, port: int) -> Sequence[str]:
        over.wait()
        return [STAND_IN]

    def ask(client: GuardedClient) -> None:
        with pytest.raises(Unavailable):
            client.send("GET", f"https://{HOST}/")

    before = threading.active_count()
    with GuardedClient(PublicOnly(slow), bounds=BOUNDS) as client, over_soon():
        callers = [threading.Thread(target=ask, args=[client]) for _ in range(2 * MAX_LOOKUPS)]
        for caller in callers:
            caller.start()
        for caller in callers:
            caller.join()
        assert threading.active_count() - before <= MAX_LOOKUPS
        client.send("GET", f"https://{HOST}/")
    over.set()


def test_waiting_for_a_connection_counts_too():
    with dripping(HEAD + b"content-length: 9\r\n\r\n", b"") as port:
        url = httpcore.URL(f"http://{STAND_IN}:{port}/")
        with Exchanges(Connector(), Bounds(seconds=15)) as exchanges:
            busy = [threading.Thread(target=_ignored, args=[exchanges, url], daemon=True) for _ in range(32)]
            for each in busy:
                each.start()
            late = Exchanges(Connector(), BOUNDS)
            late._pool = exchanges._pool
            with over_soon():
                late.send("GET", url, {})


def _ignored(exchanges: Exchanges, url: httpcore.URL) -> None:
    try:
        exchanges.send("GET", url, {})
    except FAILURES:
        return
