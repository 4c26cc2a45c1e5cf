"""Which addresses the guard connects to, told without a connection."""

from collections.abc import Sequence
from functools import partial
from typing import NoReturn

import pytest

from transport.deadline import deadline
from transport.guard import NotPublic, PublicOnly, is_public

PUBLIC = ("93.184.216.34", "2606:2800:220:1:248:1893:25c8:1946")
STAND_IN = "10.9.9.9"
SECONDS = 10


def answering(answer: Sequence[str], host: str, port: int) -> Sequence[str]:
    """A name server that knows one answer."""
    return answer


class Followed(Exception):
    """It would connect, to these."""


class Watched(PublicOnly):
    """Connects to nothing."""

    def connect(self, addresses: Sequence[tuple[str, int]], timeout: float | None) -> NoReturn:
        raise Followed(*addresses)


def followed(*answer: str, port: int = 443) -> list[tuple[str, int]]:
    guard = Watched(lambda host, port: answer, stand_ins=[(STAND_IN, 8443)])
    with deadline(SECONDS), pytest.raises(Followed) as seen:
        guard.connect_tcp("hooks.example", port)
    return list(seen.value.args)


def test_a_public_address_is_connected_to_at_the_port_of_https():
    for address in PUBLIC:
        assert followed(address) == [(address, 443)]
    assert followed(*PUBLIC) == [(PUBLIC[0], 443)]


def test_only_a_stand_in_is_at_another_port():
    assert followed(STAND_IN) == [(STAND_IN, 8443)]
    with deadline(SECONDS), pytest.raises(NotPublic):
        PublicOnly(lambda host, port: [STAND_IN]).connect_tcp("hooks.example", 443)


@pytest.mark.parametrize(
    "address",
    [
        *("0.0.0.1", "10.0.0.1", "100.64.0.1", "127.0.0.1", "169.254.169.254", "172.16.0.1", "192.168.1.1"),
        *(
            "192.0.0.9",
            "192.0.0.255",
            "192.0.2.1",
            "192.88.99.1",
            "198.18.0.1",
            "224.0.0.1",
            "233.252.1.1",
            "240.0.0.1",
        ),
        *("::", "::1", "fe80::1", "fe80::1%eth0", "fc00::1", "ff02::1", "ff0e::1", "2001:db8::1", "2001::1"),
        *("::ffff:8.8.8.8", "2002:808:808::1", "64:ff9b::808:808", "64:ff9b:1::808:808"),
        *("4000::1", "e000::1"),  # nobody's yet
    ],
)
def test_one_address_inside_is_enough_to_follow_none(address: str):
    assert not is_public(address)
    for answer in ([address], [*PUBLIC, address], [address, STAND_IN]):
        guard = PublicOnly(partial(answering, answer), stand_ins=[(STAND_IN, 8443)])
        with deadline(SECONDS), pytest.raises(NotPublic):
            guard.connect_tcp("hooks.example", 443)


@pytest.mark.parametrize("port", [0, 22, 80, 442, 444, 8443])
def test_no_name_is_asked_for_at_another_port(port: int):
    asked: list[str] = []

    def ask(host: str, port: int) -> Sequence[str]:
        asked.append(host)
        return PUBLIC

    with deadline(SECONDS), pytest.raises(NotPublic):
        PublicOnly(ask).connect_tcp("hooks.example", port)
    assert asked == []
