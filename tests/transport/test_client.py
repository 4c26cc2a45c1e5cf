"""The guarded client: where it goes, and how long it waits there."""

import socket
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from domain.errors import InvalidInput, PlatformConfig, Unavailable
from tests.transport.receiver import HOST, STAND_IN, Receiver, running_receiver
from transport.client import GuardedClient
from transport.exchange import Bounds
from transport.guard import PublicOnly, is_public

URL = f"https://{HOST}/scan"
PRIVATE = [
    *("0.0.0.1", "10.0.0.1", "100.64.0.1", "127.0.0.1", "127.1.2.3", "169.254.169.254", "172.16.0.1", "192.168.1.1"),
    *(
        "192.0.0.8",
        "192.0.2.1",
        "198.18.0.1",
        "198.51.100.7",
        "203.0.113.9",
        "224.0.0.1",
        "240.0.0.1",
        "255.255.255.255",
    ),
    *("::", "::1", "fe80::1", "fe80::1%eth0", "fc00::1", "fd00:ec2::254", "ff02::1", "2001:db8::1"),
    # Each carries a public address, so that only its own kind says that it leads elsewhere.
    *("::ffff:8.8.8.8", "2002:808:808::1", "64:ff9b::808:808", "64:ff9b:1::808:808", "192.88.99.1"),
    *("::ffff:127.0.0.1", "::ffff:169.254.169.254", "64:ff9b::7f00:1", "64:ff9b:1::a00:1", "2002:7f00:1::", "2001::1"),
]
PUBLIC = ["93.184.216.34", "8.8.8.8", "2606:2800:220:1:248:1893:25c8:1946"]


@pytest.fixture
def receiver(tmp_path: Path) -> Iterator[Receiver]:
    with running_receiver(tmp_path) as receiver:
        yield receiver


class Names:
    """A name server that is asked once a connection, and what it answers in turn."""

    def __init__(self, *answers: Sequence[str]) -> None:
        self.answers = list(answers)
        self.asked: list[str] = []

    def __call__(self, host: str, port: int) -> Sequence[str]:
        self.asked.append(host)
        return self.answers[min(len(self.asked), len(self.answers)) - 1]


def test_a_public_host_is_asked_by_its_name(receiver: Receiver):
    receiver.replies(201, b"done", x_count="1")
    reply = receiver.client().send("POST", URL, headers={"x-id": "7"}, body=b"hello")
    assert (reply.status, reply.body, reply.headers["x-count"]) == (201, b"done", "1")
    [(method, path, headers, body)] = receiver.requests
    assert (method, path, headers["host"], headers["x-id"], body) == ("POST", "/scan", HOST, "7", b"hello")


@pytest.mark.parametrize("address", PRIVATE)
def test_a_name_that_leads_inside_is_not_followed(address: str):
    assert not is_public(address)
    client = GuardedClient(PublicOnly(Names([address])))
    with pytest.raises(InvalidInput):
        client.send("GET", URL)


@pytest.mark.parametrize("address", PUBLIC)
def test_an_address_of_the_internet_is_public(address: str):
    assert is_public(address)


@pytest.mark.parametrize("address", PRIVATE)
def test_one_address_inside_among_public_ones_is_enough(address: str):
    client = GuardedClient(PublicOnly(Names([*PUBLIC, address])))
    with pytest.raises(InvalidInput):
        client.send("GET", URL)


def test_a_name_is_asked_for_once_and_the_answer_is_pinned(receiver: Receiver):
    names = Names([STAND_IN], ["10.0.0.1"])
    client = GuardedClient(PublicOnly(names, stand_ins=[(STAND_IN, receiver.port)]), ca_file=receiver.ca_file)
    assert client.send("GET", URL).status == 200
    assert names.asked == [HOST]
    with pytest.raises(InvalidInput):
        client.send("GET", URL)


@pytest.mark.parametrize(
    "url",
    [
        "http://hooks.example/",
        "https://hooks.example:8443/",
        "https://hooks.example:22/",
        "ftp://hooks.example/",
        "file:///etc/passwd",
        "gopher://hooks.example/",
        "https:///etc/passwd",
        "//hooks.example/",
        "hooks.example",
        "",
        "https://[::1",
        "https://hooks.example\r\nx: y/",
        "https://hooks.example:99999/",
        "https://127.0.0.1/",
        "https://[::1]/",
        "https://[::ffff:127.0.0.1]/",
        "https://2130706433/",
        "https://0x7f000001/",
        "https://0177.0.0.1/",
        "https://127.1/",
        "https://localhost/",
        "https://user@127.0.0.1/",
    ],
)
def test_nothing_else_than_https_to_a_public_host_is_connected_to(url: str):
    def real(host: str, port: int) -> Sequence[str]:
        """What the C library makes of the many ways to write an address, without a name server."""
        found = socket.getaddrinfo(host, port, flags=socket.AI_NUMERICHOST) if host != "localhost" else []
        return [str(entry[4][0]) for entry in found] or ["127.0.0.1"]

    with pytest.raises((InvalidInput, Unavailable)):
        GuardedClient(PublicOnly(real)).send("GET", url)


@pytest.mark.parametrize("port", [22, 80, 442, 444, 8443])
def test_a_host_that_answers_at_another_port_is_not_connected_to(receiver: Receiver, port: int):
    with pytest.raises(InvalidInput):
        receiver.client().send("GET", f"https://{HOST}:{port}/scan")
    assert receiver.requests == []


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_is_an_answer_and_not_followed(receiver: Receiver, status: int):
    receiver.replies(status, location="https://169.254.169.254/latest/meta-data/")
    assert receiver.client().send("GET", URL).status == status
    assert len(receiver.requests) == 1


def test_a_host_that_is_not_on_the_list_is_not_asked():
    names = Names(PUBLIC)
    client = GuardedClient(PublicOnly(names), is_allowed=lambda host: host == "login.example")
    with pytest.raises(InvalidInput):
        client.send("GET", URL)
    assert names.asked == []


def test_a_certificate_of_another_host_is_not_accepted(tmp_path: Path):
    with running_receiver(tmp_path, "other.example") as receiver, pytest.raises(PlatformConfig):
        receiver.client().send("GET", URL)
    assert receiver.requests == []


def test_a_certificate_of_an_unknown_authority_is_not_accepted(receiver: Receiver):
    backend = PublicOnly(Names([STAND_IN]), stand_ins=[(STAND_IN, receiver.port)])
    with pytest.raises(PlatformConfig):
        GuardedClient(backend).send("GET", URL)


def test_proxies_of_the_environment_are_not_used(receiver: Receiver, monkeypatch: pytest.MonkeyPatch):
    for name in ("HTTPS_PROXY", "https_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    assert receiver.client().send("GET", URL).status == 200


def test_an_answer_has_a_limit(receiver: Receiver):
    receiver.replies(200, b"x" * 5000)
    with pytest.raises(Unavailable):
        receiver.client(bounds=Bounds(body_bytes=1000)).send("GET", URL)


def test_an_answer_that_drips_is_cut_off(receiver: Receiver):
    receiver.drips(5)
    with pytest.raises(Unavailable):
        receiver.client(bounds=Bounds(seconds=0.3)).send("GET", URL)


def test_a_host_that_does_not_answer_is_waited_for_no_longer_than_said(receiver: Receiver):
    receiver.answer = lambda handler: time.sleep(1)
    with pytest.raises(Unavailable):
        receiver.client(bounds=Bounds(read_seconds=0.3)).send("GET", URL)


def test_a_name_that_does_not_exist_is_no_mistake_for_ever():
    def unknown(host: str, port: int) -> Sequence[str]:
        raise socket.gaierror

    with pytest.raises(Unavailable):
        GuardedClient(PublicOnly(unknown)).send("GET", URL)


def test_what_was_answered_is_not_shown_by_accident(receiver: Receiver):
    receiver.replies(200, b"canary-body")
    assert "canary" not in repr(receiver.client().send("GET", URL))
