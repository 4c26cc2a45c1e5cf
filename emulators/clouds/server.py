"""The stand-in of the customers' clouds: one TLS server on loopback that answers for many hosts, each under a
certificate with its own name. What is signed, it verifies with code of its own, as the real services do.

It can be made to fail like the real ones: see `faults`. A test that wants to know what arrived reads `log`.
"""

import json
import ssl
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from email.utils import formatdate
from fnmatch import fnmatch
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Protocol
from urllib.parse import parse_qsl, urlsplit

import trustme

from emulators.clouds.faults import Broken, Fault, Faults
from transport.client import GuardedClient
from transport.exchange import Bounds
from transport.guard import PublicOnly

ADDRESS = "127.0.0.1"


@dataclass(frozen=True)
class Asked:
    """A request as it arrived. Header names are in lower case."""

    method: str
    host: str
    target: str
    """Path and query exactly as sent: what signatures cover."""
    headers: Mapping[str, str]
    body: bytes

    @property
    def path(self) -> str:
        return urlsplit(self.target).path

    @property
    def query(self) -> dict[str, str]:
        return dict(parse_qsl(urlsplit(self.target).query, keep_blank_values=True))

    @property
    def form(self) -> dict[str, str]:
        return dict(parse_qsl(self.body.decode(errors="replace"), keep_blank_values=True))

    @property
    def bearer(self) -> str:
        return self.headers.get("authorization", "").removeprefix("Bearer ")


@dataclass(frozen=True)
class Answer:
    """What is sent back: an object as JSON, or bytes as they are."""

    status: int
    body: object
    headers: Mapping[str, str] = field(default_factory=dict)


class Cloud(Protocol):
    """One cloud's services."""

    hosts: Sequence[str]
    """The names that it answers for, as shell patterns."""

    def answer(self, asked: Asked, now: float) -> Answer:
        """`now` is the cloud's clock, in seconds since 1970."""


@dataclass
class StandIn:
    """The running server."""

    port: int
    ca_file: str
    clouds: Sequence[Cloud]
    faults: Faults = field(default_factory=Faults)
    log: list[str] = field(default_factory=list)
    """`METHOD host/path` of each request."""
    clock_offset: float = 0.0
    """Seconds by which the clouds' clock is ahead of ours."""

    def client(self, *, bounds: Bounds | None = None) -> GuardedClient:
        """The production client; every name leads here."""
        return GuardedClient(self.backend(), bounds=bounds, ca_file=self.ca_file, keep_alive=True)

    def backend(self) -> PublicOnly:
        return PublicOnly(lambda host, port: [ADDRESS], stand_ins=[(ADDRESS, self.port)])

    def respond(self, asked: Asked) -> Answer:
        for cloud in self.clouds:
            if any(fnmatch(asked.host, pattern) for pattern in cloud.hosts):
                return cloud.answer(asked, time.time() + self.clock_offset)
        return Answer(421, {"error": "no such host here"})


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    stand_in: StandIn
    disable_nagle_algorithm = True

    def _handle(self) -> None:
        body = self.rfile.read(int(self.headers.get("content-length") or 0))
        headers = {name.lower(): value for name, value in self.headers.items()}
        asked = Asked(self.command, headers.get("host", "").split(":")[0], self.path, headers, body)
        self.stand_in.log.append(f"{asked.method} {asked.host}{asked.path}")
        try:
            fault = self.stand_in.faults.take(f"{asked.host}{asked.path}")
            answer = self._faulty(fault) if fault else self.stand_in.respond(asked)
            self._send(answer, slow=fault.drip_seconds if fault else 0)
        except Broken:
            self.close_connection = True
            self.connection.close()

    do_GET = do_POST = do_PUT = do_DELETE = _handle  # noqa: N815  # the names that the server looks for

    def _faulty(self, fault: Fault) -> Answer:
        time.sleep(fault.delay_seconds)
        if fault.cut:
            raise Broken
        return Answer(fault.status, fault.body, fault.headers)

    def _send(self, answer: Answer, *, slow: float) -> None:
        content = answer.body if isinstance(answer.body, bytes) else json.dumps(answer.body).encode()
        self.send_response_only(answer.status)
        offset = self.stand_in.clock_offset
        headers = {"Date": formatdate(time.time() + offset, usegmt=True), "Content-Type": "application/json"}
        for name, value in {**headers, **answer.headers, "Content-Length": str(len(content))}.items():
            self.send_header(name, value)
        self.end_headers()
        if slow:
            for byte in content:
                self.wfile.write(bytes([byte]))
                time.sleep(slow)
        else:
            self.wfile.write(content)

    def log_message(self, *_: object) -> None:
        """Nothing."""


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128

    def handle_error(self, *_: object) -> None:
        """A client that goes away is what some tests are about."""


@contextmanager
def running_stand_in(folder: Path, clouds: Sequence[Cloud], *, port: int = 0) -> Iterator[StandIn]:
    """The server, on a free port unless one is given. Its authority's certificate is written to `folder`/ca.pem."""
    authority = trustme.CA()
    ca_file = folder / "ca.pem"
    authority.cert_pem.write_to_path(str(ca_file))
    server = _Server((ADDRESS, port), type("Handler", (_Handler,), {}), bind_and_activate=True)
    context = _certificates(authority)
    # the handshake belongs to the connection's own thread, not to the one that accepts
    server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
    stand_in = StandIn(server.server_port, str(ca_file), clouds)
    server.RequestHandlerClass.stand_in = stand_in  # type: ignore[attr-defined]
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield stand_in
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def _certificates(authority: trustme.CA) -> ssl.SSLContext:
    """A context that has a certificate for whatever name is asked for."""
    made: dict[str, ssl.SSLContext] = {}
    lock = threading.Lock()

    def context_for(*names: str) -> ssl.SSLContext:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        authority.issue_cert(*names).configure_cert(context)
        return context

    def choose(connection: ssl.SSLObject | ssl.SSLSocket, name: str | None, _: ssl.SSLContext) -> None:
        if name:
            with lock:
                if name not in made:
                    made[name] = context_for(name)
            connection.context = made[name]

    default = context_for(ADDRESS, "localhost")
    default.sni_callback = choose
    return default
