"""The real server over raw sockets: nobody can make it wait for ever, hold more than its share, or break off without
an answer of the one shape."""

import asyncio
import gzip
import json
import resource
import select
import socket
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import uvicorn
from starlette.types import ASGIApp
from structlog.testing import capture_logs

from api.http.server import ServerLimits, server_config
from emulators.ports import HOST, free_port
from tests.api.portal import Portal
from tests.patience import PATIENCE_SECONDS
from tests.rig import eventually

HURRIED = ServerLimits(head_seconds=1, body_seconds=1, keep_alive_seconds=2, connections=20)
USUAL = ServerLimits(connections=20)
MIB = 1024 * 1024


@dataclass(frozen=True)
class Answer:
    status: int
    headers: dict[str, str]
    body: Any

    @property
    def code(self) -> str:
        return str(self.body["detail"]["code"])


@dataclass(frozen=True)
class Served:
    port: int
    key: str

    def head(self, *lines: str, method: str = "POST", path: str = "/api/v1/tenants") -> bytes:
        fixed = (f"{method} {path} HTTP/1.1", "Host: api.test", f"Authorization: {self.key}")
        return "\r\n".join([*fixed, *lines, "", ""]).encode()

    def post(self, body: bytes, *lines: str) -> bytes:
        return self.head("Content-Type: application/json", f"Content-Length: {len(body)}", *lines) + body

    async def send(self, *pieces: bytes, pause: float = 0) -> Answer | None:
        """The answer; None when the server closes without one."""
        reader, writer = await asyncio.open_connection(HOST, self.port)
        sending = asyncio.create_task(_write(writer, pieces, pause))
        try:
            return await asyncio.wait_for(_read(reader), PATIENCE_SECONDS)
        finally:
            sending.cancel()
            await asyncio.gather(sending, return_exceptions=True)
            writer.close()
            with suppress(ConnectionError):
                await writer.wait_closed()


async def _write(writer: asyncio.StreamWriter, pieces: tuple[bytes, ...], pause: float) -> None:
    for piece in pieces:
        writer.write(piece)
        await writer.drain()
        await asyncio.sleep(pause)


async def _read(reader: asyncio.StreamReader) -> Answer | None:
    try:
        head = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
    except (asyncio.IncompleteReadError, ConnectionError):
        return None
    headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in head[1:] if line)}
    raw = await reader.readexactly(int(headers.get("content-length", "0")))
    return Answer(int(head[0].split(" ")[1]), headers, json.loads(raw) if raw else None)


async def _started(server: uvicorn.Server) -> bool:
    return server.started


@asynccontextmanager
async def serving(
    portal: Portal, limits: ServerLimits = USUAL, app: ASGIApp | None = None, **options: Any
) -> AsyncIterator[Served]:
    listening = socket.create_server((HOST, free_port()), backlog=2048)
    # Small, so that what nobody reads soon waits in the server and not in the kernel. Connections inherit it.
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 32_768)
    port = listening.getsockname()[1]
    server = uvicorn.Server(server_config(app or portal.app, limits=limits, **options))
    running = asyncio.create_task(server.serve([listening]))
    await eventually(lambda: _started(server))
    try:
        yield Served(port, portal.http.headers["Authorization"])
    finally:
        server.should_exit = True
        await running


@pytest.fixture
async def served(offline: Portal) -> AsyncIterator[Served]:
    async with serving(offline) as served:
        yield served


@pytest.fixture
async def hurried(offline: Portal) -> AsyncIterator[Served]:
    async with serving(offline, HURRIED) as served:
        yield served


def of_our_shape(answer: Answer | None, status: int, code: str) -> bool:
    assert answer
    assert (answer.status, answer.code) == (status, code)
    assert set(answer.body["detail"]) == {"code", "message", "errors", "problems"}
    assert answer.headers["content-type"] == "application/json"
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert "server" not in answer.headers
    return bool(answer.headers["x-request-id"])


async def test_an_ordinary_request_is_answered(served: Served):
    answer = await served.send(served.post(b'{"tenant_name": "Acme"}'))
    assert answer
    assert (answer.status, answer.body["tenant_name"]) == (201, "Acme")


# Slow clients


async def test_a_head_that_never_ends_is_given_up(hurried: Served):
    slow = [b"GET /api/v1/tenants HTTP/1.1\r\n", *[b"X-A: 1\r\n"] * 100]
    assert of_our_shape(await hurried.send(*slow, pause=0.05), 408, "request_timeout")


async def test_a_connection_that_says_nothing_is_closed(hurried: Served):
    assert await hurried.send(b"") is None


async def test_a_body_that_never_ends_is_given_up(hurried: Served):
    head = hurried.head("Content-Type: application/json", "Content-Length: 1000")
    assert of_our_shape(await hurried.send(head, *[b" "] * 900, pause=0.02), 408, "request_timeout")


async def test_a_body_that_never_begins_is_given_up(hurried: Served):
    head = hurried.head("Content-Type: application/json", "Content-Length: 1000")
    with capture_logs() as lines:
        assert of_our_shape(await hurried.send(head), 408, "request_timeout")
    assert [line["event"] for line in lines if line["log_level"] in ("error", "critical")] == []


async def test_chunks_that_never_end_are_given_up(hurried: Served):
    head = hurried.head("Content-Type: application/json", "Transfer-Encoding: chunked")
    assert of_our_shape(await hurried.send(head, *[b"1\r\n \r\n"] * 900, pause=0.02), 408, "request_timeout")


async def test_what_is_sent_after_an_early_answer_is_not_read_for_ever(hurried: Served):
    reader, writer = await asyncio.open_connection(HOST, hurried.port)
    writer.write(b"POST /api/v1/tenants HTTP/1.1\r\nHost: a\r\nContent-Length: 1000\r\n\r\n")
    answer = await _read(reader)
    assert answer
    assert answer.status == 401
    async with asyncio.timeout(PATIENCE_SECONDS):
        with suppress(ConnectionError):
            while not reader.at_eof():
                writer.write(b" ")
                with suppress(TimeoutError):
                    await asyncio.wait_for(reader.read(1), 0.05)
    writer.close()


async def test_a_second_request_on_a_connection_has_its_own_deadline(offline: Portal):
    async with serving(offline, ServerLimits(head_seconds=5, keep_alive_seconds=60)) as served:
        reader, writer = await asyncio.open_connection(HOST, served.port)
        for _ in range(2):
            await asyncio.sleep(2.6)
            writer.write(served.head(method="GET"))
            answer = await _read(reader)
            assert answer
            assert answer.status == 200
        writer.write(b"GET /api/v1/tenants HTTP/1.1\r\n")
        assert of_our_shape(await _read(reader), 408, "request_timeout")
        writer.close()


async def test_the_slow_keep_nobody_out(hurried: Served):
    slow = [b"GET /api/v1/tenants HTTP/1.1\r\n", *[b"X-A: 1\r\n"] * 100]
    crowd = [asyncio.create_task(hurried.send(*slow, pause=0.05)) for _ in range(15)]
    await asyncio.sleep(0.1)
    answer = await hurried.send(hurried.head(method="GET"))
    assert answer
    assert answer.status == 200
    assert {answer.status for answer in await asyncio.gather(*crowd) if answer} == {408}


async def test_while_every_place_is_at_work_health_is_answered_and_all_else_is_told_to_come_again(offline: Portal):
    done, begun = asyncio.Event(), list[str]()

    async def busy(scope: Any, receive: Any, send: Any) -> None:
        if scope.get("path") == "/work":
            begun.append("work")
            await done.wait()
        await offline.app(scope, receive, send)

    limits = ServerLimits(connections=3, health_places=2)
    async with serving(offline, limits, app=busy) as served:
        work = [asyncio.create_task(served.send(served.head(method="GET", path="/work"))) for _ in range(3)]

        async def all_have_begun() -> bool:
            return len(begun) == 3

        await eventually(all_have_begun)
        live = await served.send(served.head(method="GET", path="/api/v1/health/live"))
        answer = await served.send(served.head(method="GET"))
        done.set()
        assert live
        assert live.status == 200
        assert of_our_shape(answer, 503, "unavailable")
        assert answer
        assert int(answer.headers["retry-after"]) > 0
        assert {each.status for each in await asyncio.gather(*work) if each} == {404}


# Connections that are not read


class Crowd:
    """Sockets that ask again and again for something large, and read nothing."""

    def __init__(self) -> None:
        self.sockets: list[socket.socket] = []

    async def join(self, port: int, count: int, *, address: str = HOST) -> None:
        loop = asyncio.get_running_loop()
        request = b"GET /openapi.json HTTP/1.1\r\nHost: api.test\r\n\r\n" * 20
        for _ in range(count):
            each = socket.socket()
            self.sockets.append(each)
            each.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            each.setblocking(False)
            each.bind((address, 0))
            await loop.sock_connect(each, (HOST, port))
            await loop.sock_sendall(each, request)

    def still_held(self) -> int:
        """Those that the server has not cut off: it would have sent a reset or an end."""
        watched = select.poll()
        for each in self.sockets:
            watched.register(each, select.POLLHUP | select.POLLERR | select.POLLRDHUP)
        return len(self.sockets) - len(watched.poll(0))

    def close(self) -> None:
        for each in self.sockets:
            each.close()


@pytest.fixture
def crowd() -> Iterator[Crowd]:
    crowd, (soft, hard) = Crowd(), resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, 4096) if hard > 0 else 4096, hard))
    yield crowd
    crowd.close()
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


async def test_who_asks_and_never_reads_is_cut_off(offline: Portal, crowd: Crowd):
    limits = ServerLimits(unread_seconds=1, keep_alive_seconds=60, connections=20)
    async with serving(offline, limits) as served:
        await crowd.join(served.port, 5)

        async def all_gone() -> bool:
            return crowd.still_held() == 0

        await eventually(all_gone)
        answer = await served.send(served.head(method="GET"))
        assert answer
        assert answer.status == 200


async def test_who_reads_slowly_but_reads_has_the_whole(offline: Portal):
    limits = ServerLimits(unread_seconds=2, connections=20)
    async with serving(offline, limits) as served:
        reader, writer = await asyncio.open_connection(HOST, served.port, limit=4096)
        writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        writer.write(served.head("Connection: close", method="GET", path="/openapi.json"))
        whole = b""
        while piece := await reader.read(16_384):
            whole += piece
            await asyncio.sleep(0.05)
        writer.close()
        assert json.loads(whole.partition(b"\r\n\r\n")[2])["openapi"]


async def test_health_and_every_other_route_are_answered_while_600_sockets_hold_on(offline: Portal, crowd: Crowd):
    async with serving(offline, ServerLimits(unread_seconds=600, head_seconds=600)) as served:
        await crowd.join(served.port, 600)
        assert crowd.still_held() > 400
        for path in ("/api/v1/health/live", "/api/v1/health", "/api/v1/tenants") * 3:
            answer = await served.send(served.head(method="GET", path=path))
            assert answer, path
            assert answer.status == 200


async def test_a_crowd_of_one_address_drives_out_its_own(offline: Portal, crowd: Crowd):
    other = "127.0.0.2"
    async with serving(offline, ServerLimits(head_seconds=600, keep_alive_seconds=600, connections=20)) as served:
        try:
            reader, writer = await asyncio.open_connection(HOST, served.port, local_addr=(other, 0))
        except OSError:
            pytest.skip("this machine has one address only")
        await crowd.join(served.port, 60)
        writer.write(served.head("Connection: close", method="GET"))
        answer = await _read(reader)
        writer.close()
        assert answer
        assert answer.status == 200


# Large ones


async def test_a_head_of_too_many_bytes_is_refused(served: Served):
    for head in (served.head("X-A: " + "a" * 20_000), served.head("X-A: " + "a" * 400_000)):
        assert of_our_shape(await served.send(head), 431, "head_too_large")
    endless = [b"GET /" + b"a" * 4_000] + [b"a" * 4_000] * 10
    assert of_our_shape(await served.send(*endless, pause=0.01), 431, "head_too_large")


async def test_a_head_of_too_many_headers_is_refused(served: Served):
    head = served.head(*(f"X-{number}: 1" for number in range(100)))
    assert of_our_shape(await served.send(head), 431, "head_too_large")
    answer = await served.send(served.head(*(f"X-{number}: 1" for number in range(90)), method="GET"))
    assert answer
    assert answer.status == 200


DEEP = b'{"tenant_name": ' + b"[" * 100_000 + b"]" * 100_000 + b"}"
MANY = b"{" + b",".join(b'"%d":1' % number for number in range(20_000)) + b"}"
HUGE = b'{"tenant_name": ' + b"9" * 200_000 + b"}"
LARGE = {
    "10 MB": (b'{"tenant_name": "' + b"a" * 10 * MIB + b'"}', 413),
    "a million keys": (b"{" + b",".join(b'"%d":1' % number for number in range(1_000_000)) + b"}", 413),
    "a hundred thousand levels": (DEEP, 422),
    "twenty thousand keys": (MANY, 422),
    "two hundred thousand digits": (HUGE, 422),
}


@pytest.mark.parametrize("name", LARGE)
async def test_a_large_body_is_refused(served: Served, name: str):
    body, status = LARGE[name]
    answer = await served.send(served.post(body))
    assert of_our_shape(answer, status, {413: "payload_too_large", 422: "malformed_body"}[status])


async def test_a_compressed_body_is_refused(served: Served):
    bomb = gzip.compress(b'{"tenant_name": "' + b"a" * 100 * MIB + b'"}')
    answer = await served.send(served.post(bomb, "Content-Encoding: gzip"))
    assert of_our_shape(answer, 415, "unsupported_media_type")


def resident() -> int:
    """Bytes of this process that are in memory."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * 4096


@pytest.fixture
def measurable() -> None:
    if not Path("/proc/self/statm").exists():
        pytest.skip("only where there is /proc")


@pytest.mark.usefixtures("measurable")
async def test_large_bodies_are_not_kept(offline: Portal):
    async with serving(offline, ServerLimits(connections=100)) as served:
        large = [served.post(body) for body, _ in LARGE.values()]
        await asyncio.gather(*(served.send(body) for body in large))
        before = resident()
        for _ in range(10):
            await asyncio.gather(*(served.send(body) for body in large))
        assert resident() - before < 50 * MIB


# Two readers, two readings


SMUGGLED = {
    "two lengths": ("Content-Length: 5", "Content-Length: 6"),
    "two lengths in one": ("Content-Length: 5, 6",),
    "a length and chunks": ("Content-Length: 5", "Transfer-Encoding: chunked"),
    "chunks twice": ("Transfer-Encoding: chunked", "Transfer-Encoding: chunked"),
    "chunks and identity": ("Transfer-Encoding: chunked, identity",),
    "another coding": ("Transfer-Encoding: gzip",),
    "a coding with a tab": ("Transfer-Encoding:\tchunked", "Content-Length: 5"),
    "a signed length": ("Content-Length: +5",),
    "a negative length": ("Content-Length: -5",),
    "a length in hexadecimal": ("Content-Length: 0x5",),
    "a space before the colon": ("Content-Length : 5",),
    "a line that goes on": ("X-A: 1\r\n Content-Length: 5", "X-B: 1\r\n\x0b2"),
    "a bare carriage return": ("X-A: 1\rContent-Length: 5",),
    "a NUL": ("X-A: \x00",),
    "two hosts": ("Host: other.test",),
    "two keys": ("X-API-Key: a", "X-API-Key: b"),
    "two callers": ("Authorization: Bearer other",),
    "two kinds of body": ("Content-Type: application/json", "Content-Type: text/plain"),
}


@pytest.mark.parametrize("name", SMUGGLED)
async def test_a_head_of_two_readings_is_refused_and_nothing_after_it_is_read(served: Served, name: str):
    smuggled = b"0\r\n\r\n" + served.head(method="GET", path="/api/v1/health/live")
    answer = await served.send(served.head(*SMUGGLED[name]) + smuggled)
    assert of_our_shape(answer, 400, "malformed_request")
    assert answer
    assert answer.headers["connection"] == "close"


async def test_a_length_that_is_told_twice_in_the_same_way_is_one(served: Served):
    """The parser folds equal lengths into one, so no second reader can differ."""
    body = b'{"tenant_name": "Acme"}'
    answer = await served.send(served.post(body, f"Content-Length: {len(body)}"))
    assert answer
    assert answer.status == 201


@pytest.mark.parametrize(
    "garbage",
    [
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        b"GET /\r\n\r\n",
        b"GET / HTTP/1.1\r\n\r\n",
        b"\x00" * 2000 + b"\r\n\r\n",
        b"GET /\xff HTTP/1.1\r\nHost: a\r\n\r\n",
        b"GET / HTTP/9.9\r\nHost: a\r\n\r\n",
    ],
    ids=["tls", "http2", "http09", "no-host", "nul", "not-ascii", "no-such-version"],
)
async def test_what_is_no_http_is_told_so(served: Served, garbage: bytes):
    assert of_our_shape(await served.send(garbage), 400, "malformed_request")


async def test_a_chunk_that_is_none_is_refused(served: Served):
    head = served.head("Content-Type: application/json", "Transfer-Encoding: chunked")
    with capture_logs() as lines:
        assert of_our_shape(await served.send(head, b"zz\r\n", pause=0.05), 400, "malformed_request")
    assert [line["event"] for line in lines if line["log_level"] in ("error", "critical")] == []


@pytest.mark.parametrize("method", ["TRACE", "CONNECT", "FOO", "get", "PROPFIND", "X" * 500])
async def test_an_unknown_method_is_refused(served: Served, method: str):
    assert of_our_shape(await served.send(served.head(method=method)), 405, "method_not_allowed")


@pytest.mark.parametrize(
    "path", ["*", "http://elsewhere.test/api/v1/tenants", "//api/v1/tenants", "/%00", "/api/v1/tenants/%2e%2e"]
)
async def test_an_unusual_path_leads_nowhere(served: Served, path: str):
    assert of_our_shape(await served.send(served.head(method="GET", path=path)), 404, "not_found")


async def test_an_upgrade_is_not_one(served: Served):
    lines = ("Connection: Upgrade", "Upgrade: websocket", "Sec-WebSocket-Version: 13", "Sec-WebSocket-Key: YWJj")
    answer = await served.send(served.head(*lines, method="GET"))
    assert answer
    assert answer.status == 200


# Proxies


@pytest.mark.parametrize(("trusted", "seen"), [((), HOST), (("127.0.0.0/8",), "203.0.113.9"), (("10.0.0.0/8",), HOST)])
async def test_the_address_is_the_socket_s_unless_a_trusted_proxy_tells_another(
    offline: Portal, trusted: tuple[str, ...], seen: str
):
    found: list[str] = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "http":
            found.append(scope["client"][0])
        await offline.app(scope, receive, send)

    lines = ("X-Forwarded-For: 198.51.100.7, 203.0.113.9",)
    async with serving(offline, app=app, trusted_proxies=trusted) as served:
        await served.send(served.head(*lines, method="GET", path="/api/v1/health/live"))
    assert found == [seen]
