"""Ports: a configured one or none, the usual one when it is free."""

import socket

import pytest

from emulators.failures import StackFailed
from emulators.ports import HOST, LAST_FREE, USUAL_PORTS, choose_ports, free_port, is_free


@pytest.fixture
def taken():
    with socket.create_server((HOST, 0)) as listening:
        yield listening.getsockname()[1]


def free_usual_port() -> int:
    """One that neither `free_port` nor the system hands out."""
    return next(port for port in range(LAST_FREE, 32_768) if is_free(port))


def test_a_port_that_something_listens_on_is_not_free(taken: int):
    assert not is_free(taken)
    assert is_free(free_port())


@pytest.mark.parametrize("variable", USUAL_PORTS)
def test_a_configured_port_that_is_taken_is_named(monkeypatch: pytest.MonkeyPatch, taken: int, variable: str):
    monkeypatch.setenv(variable, str(taken))
    with pytest.raises(StackFailed, match=rf"^Port {taken} \({variable}\) is in use"):
        choose_ports()


@pytest.mark.parametrize("value", ["0", "65536", "-1", "8000.0", "eight", "", "٣"])
def test_a_configured_port_that_is_none_is_named_without_its_value(monkeypatch: pytest.MonkeyPatch, value: str):
    monkeypatch.setenv("API_PORT", value)
    with pytest.raises(StackFailed, match=r"^API_PORT must be a port number from 1 to 65535\.$"):
        choose_ports()


def test_a_configured_port_is_used(monkeypatch: pytest.MonkeyPatch):
    port = free_port()
    monkeypatch.setenv("AWS_PORT", str(port))
    assert choose_ports().aws == port


def test_a_usual_port_is_for_one_stack_also_when_another_starts_at_the_same_moment(monkeypatch: pytest.MonkeyPatch):
    usual = free_usual_port()
    monkeypatch.setitem(USUAL_PORTS, "API_PORT", usual)
    assert (choose_ports().api == usual, choose_ports().api == usual) == (True, False)


def test_a_usual_port_that_is_taken_is_replaced_by_a_free_one(monkeypatch: pytest.MonkeyPatch, taken: int):
    monkeypatch.setitem(USUAL_PORTS, "API_PORT", taken)
    chosen = choose_ports().api
    assert chosen != taken
    assert is_free(chosen)
