"""Asking the issuer, over TLS with a certificate of its own authority."""

import json
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any

import pytest

from api.auth.issuer_keys import usable
from domain.errors import Unavailable
from tests.issuer import Issuer
from tests.transport.receiver import Receiver, running_plain_server, running_receiver
from transport.issuer import IssuerClient

METADATA = "/realm/.well-known/openid-configuration"


class Served:
    """The issuer behind the receiver: what each path answers."""

    def __init__(self, receiver: Receiver) -> None:
        self.receiver = receiver
        self.issuer = f"https://127.0.0.1:{receiver.port}/realm"
        self.metadata: dict[str, Any] = {"issuer": self.issuer, "jwks_uri": f"{self.issuer}/keys"}
        self.key_set = Issuer().key_set()
        receiver.answer = self.answer

    def answer(self, handler: BaseHTTPRequestHandler) -> None:
        known = {METADATA: self.metadata, "/realm/keys": self.key_set}
        body = json.dumps(known.get(handler.path)).encode()
        handler.send_response(200 if handler.path in known else 404)
        handler.send_header("Content-Length", str(len(body)))
        handler.end_headers()
        handler.wfile.write(body)

    def client(self) -> IssuerClient:
        return IssuerClient(self.issuer, ca_file=self.receiver.ca_file)


@pytest.fixture
def served(tmp_path: Path) -> Iterator[Served]:
    with running_receiver(tmp_path, "127.0.0.1") as receiver:
        yield Served(receiver)


def refused(served: Served) -> None:
    with pytest.raises(Unavailable):
        served.client().key_set()


def test_the_keys_are_where_the_metadata_say(served: Served):
    assert usable(served.client().key_set()).keys() == {"rsa-1", "ec-1"}
    assert [path for _, path, _, _ in served.receiver.requests] == [METADATA, "/realm/keys"]


def test_a_proxy_of_the_environment_is_not_asked(served: Served, monkeypatch: pytest.MonkeyPatch):
    for name in ("HTTPS_PROXY", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    assert usable(served.client().key_set())


@pytest.mark.parametrize("other", ["https://evil.example.com", None, 7])
def test_metadata_of_another_issuer_are_refused(served: Served, other: Any):
    served.metadata["issuer"] = other
    refused(served)


@pytest.mark.parametrize(
    "address", ["http://127.0.0.1/keys", "file:///etc/passwd", "", None, 7, "https://", "https://["]
)
def test_keys_are_fetched_over_https_only(served: Served, address: Any):
    served.metadata["jwks_uri"] = address
    refused(served)
    assert len(served.receiver.requests) == 1


def test_keys_that_somebody_serves_without_tls_are_not_taken(served: Served):
    with running_plain_server(served.answer) as port:
        served.metadata["jwks_uri"] = f"http://127.0.0.1:{port}/realm/keys"
        refused(served)


def test_an_issuer_without_tls_is_not_asked(served: Served):
    with running_plain_server(served.answer) as port:
        served.issuer = served.metadata["issuer"] = f"http://127.0.0.1:{port}/realm"
        refused(served)


def test_a_redirect_leads_nowhere(served: Served):
    served.receiver.replies(302, Location=f"{served.issuer}/keys")
    refused(served)
    assert len(served.receiver.requests) == 1


@pytest.mark.parametrize(
    ("status", "body"),
    [(500, b"{}"), (200, b"[]"), (200, b"{"), (200, b"\xff"), (200, b"[" * 100_000), (200, b" " * 300_000 + b"{}")],
    ids=["error", "list", "broken", "binary", "deep", "long"],
)
def test_an_answer_that_is_none_is_refused(served: Served, status: int, body: bytes):
    served.receiver.replies(status, body)
    refused(served)


def test_a_slow_answer_is_cut_off(served: Served):
    served.receiver.drips(5)
    client = IssuerClient(served.issuer, ca_file=served.receiver.ca_file, answer_seconds=0.3)
    with pytest.raises(Unavailable):
        client.key_set()


def test_another_authority_is_not_trusted(served: Served):
    with pytest.raises(Unavailable):
        IssuerClient(served.issuer).key_set()


def test_nobody_there_is_an_outage():
    with pytest.raises(Unavailable):
        IssuerClient("https://127.0.0.1:9").key_set()


def test_a_file_without_authorities_cannot_be_used(tmp_path: Path):
    (tmp_path / "ca.pem").write_text("nothing")
    for name in ("ca.pem", "missing.pem"):
        with pytest.raises(OSError, match=r".*"):
            IssuerClient("https://127.0.0.1:9", ca_file=str(tmp_path / name))
