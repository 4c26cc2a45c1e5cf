"""A server that says something now and then, and never comes to an end."""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress


@contextmanager
def dripping(begin: bytes, drip: bytes = b"x", *, reads: bool = True) -> Iterator[int]:
    """The port of a server that answers `begin` at once and then `drip` again and again. With `reads` false it reads
    nothing of what is sent."""
    over = threading.Event()

    def serve(connection: socket.socket) -> None:
        with connection, suppress(OSError):
            if reads:
                connection.recv(65_536)
            connection.sendall(begin)
            while drip and not over.wait(0.02):
                connection.sendall(drip)
            over.wait()

    def accept() -> None:
        with suppress(OSError):
            while True:
                threading.Thread(target=serve, args=[server.accept()[0]], daemon=True).start()

    with socket.create_server(("127.0.0.1", 0)) as server:
        accepting = threading.Thread(target=accept, daemon=True)
        accepting.start()
        try:
            yield server.getsockname()[1]
        finally:
            over.set()
            server.shutdown(socket.SHUT_RDWR)
            accepting.join(10)
