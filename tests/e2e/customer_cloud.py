"""The way to the customers' AWS, which can be cut: every call is then answered with 500."""

from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Event, Thread
from urllib.parse import urlsplit

from tests.patience import PATIENCE_SECONDS


class CustomerCloud:
    """A proxy in front of an endpoint that is known only later."""

    def __init__(self) -> None:
        self.endpoint = ""
        self.out_of_order = Event()
        self.faults: deque[tuple[int, bytes]] = deque()
        """Answers to come in place of the cloud's own: status and body."""
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self.url = f"http://127.0.0.1:{self._server.server_port}"

    def serve(self) -> None:
        self._server.serve_forever(poll_interval=0.05)

    def stop(self) -> None:
        self._server.shutdown()
        self._server.server_close()

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        cloud = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
                if cloud.faults:
                    self._reply(*cloud.faults.popleft(), "text/xml")
                    return
                if cloud.out_of_order.is_set():
                    self._reply(500, b"")
                    return
                upstream = HTTPConnection(urlsplit(cloud.endpoint).netloc, timeout=PATIENCE_SECONDS)
                upstream.request(self.command, self.path, body, dict(self.headers))
                answer = upstream.getresponse()
                self._reply(answer.status, answer.read(), answer.headers.get("Content-Type", ""))
                upstream.close()

            do_GET = do_POST  # noqa: N815

            def _reply(self, status: int, body: bytes, content_type: str = "text/plain") -> None:
                with suppress(ConnectionError):  # who asked has given up
                    self.send_response(status)
                    self.send_header("Content-Type", content_type)
                    self.send_header("Content-Length", str(len(body)))
                    self.end_headers()
                    self.wfile.write(body)

            def log_message(self, format: str, *args: object) -> None:
                """Nothing: the calls carry nobody's secret, but pytest would print them."""

        return Handler


@contextmanager
def customer_cloud() -> Iterator[CustomerCloud]:
    cloud = CustomerCloud()
    thread = Thread(target=cloud.serve)
    thread.start()
    try:
        yield cloud
    finally:
        cloud.stop()
        thread.join()
