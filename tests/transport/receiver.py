"""A web server with a certificate of our own authority, for what is sent to customers' hosts."""

import ssl
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import trustme

from transport.client import GuardedClient
from transport.exchange import Bounds
from transport.guard import PublicOnly

HOST = "hooks.example"
STAND_IN = "127.0.0.1"


@dataclass
class Receiver:
    """What arrived, and what is answered."""

    port: int
    ca_file: str
    answer: Callable[[BaseHTTPRequestHandler], None]
    requests: list[tuple[str, str, dict[str, str], bytes]] = field(default_factory=list)
    connections: list[tuple[str, int]] = field(default_factory=list)

    def client(self, *, bounds: Bounds | None = None, address: str = STAND_IN) -> GuardedClient:
        """The production client, with the name of the host leading here."""
        backend = PublicOnly(lambda host, port: [address], stand_ins=[(STAND_IN, self.port)])
        return GuardedClient(backend, bounds=bounds, ca_file=self.ca_file)

    def replies(self, status: int, body: bytes = b"", **headers: str) -> None:
        def answer(handler: BaseHTTPRequestHandler) -> None:
            handler.send_response(status)
            for name, value in headers.items():
                handler.send_header(name.replace("_", "-"), value)
            handler.send_header("content-length", str(len(body)))
            handler.end_headers()
            handler.wfile.write(body)

        self.answer = answer

    def drips(self, seconds: float) -> None:
        """One byte now and then."""

        def answer(handler: BaseHTTPRequestHandler) -> None:
            handler.send_response(200)
            handler.end_headers()
            deadline = time.monotonic() + seconds
            while time.monotonic() < deadline:
                handler.wfile.write(b".")
                time.sleep(0.05)

        self.answer = answer


@contextmanager
def running_receiver(folder: Path, host: str = HOST) -> Iterator[Receiver]:
    authority = trustme.CA()
    ca_file = folder / "ca.pem"
    authority.cert_pem.write_to_path(str(ca_file))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert(host).configure_cert(context)

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            length = int(self.headers.get("content-length", 0))
            headers = {name.lower(): value for name, value in self.headers.items()}
            receiver.requests.append((self.command, self.path, headers, self.rfile.read(length)))
            receiver.answer(self)

        do_GET = do_POST  # noqa: N815 - the name that the server looks for

        def log_message(self, *_: object) -> None:
            """Nothing."""

    class Server(ThreadingHTTPServer):
        daemon_threads = True

        def handle_error(self, *_: object) -> None:
            """A client that goes away is what some tests are about."""

    server = Server(("127.0.0.1", 0), Handler)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    receiver = Receiver(server.server_port, str(ca_file), lambda handler: None)
    receiver.replies(200)
    with _serving(server):
        yield receiver


@contextmanager
def running_plain_server(answer: Callable[[BaseHTTPRequestHandler], None]) -> Iterator[int]:
    """The port of a server that answers every GET, and does so without TLS."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            answer(self)

        def log_message(self, *_: object) -> None:
            """Nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    with _serving(server):
        yield server.server_port


@contextmanager
def _serving(server: ThreadingHTTPServer) -> Iterator[None]:
    # The default looks for the end twice a second, and each test waits for that.
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    try:
        yield
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
