"""The program that counts duplicates sees both what it is to see and what it is not."""

from collections import Counter

import httpx
import pytest

from tests.security import idempotency
from tests.security.idempotency import DUPLICATES, Found, Kind
from tests.security.test_programs import logs_as_before, meets_its_figures

__all__ = ["logs_as_before"]

KIND = Kind("/api-keys", {}, "key_id", "api_key.created")


def answers(*bodies: str) -> list[httpx.Response]:
    return [httpx.Response(201, text=body) for body in bodies]


@pytest.mark.stack
async def test_what_comes_ten_times_is_done_once():
    await meets_its_figures(idempotency.run)


ONE, OTHER = '{"key_id": "a", "api_key": "tek"}', '{"key_id": "a", "api_key": null}'


@pytest.mark.parametrize(
    ("bodies", "different"),
    [
        ((ONE, *[OTHER] * (DUPLICATES - 1)), 0),
        ((OTHER,) * DUPLICATES, 1),
        ((ONE, ONE), 1),
        ((ONE, '{"key_id": "b", "api_key": null}'), 1),
    ],
    ids=["as it should be", "shown to nobody", "shown twice", "two keys"],
)
def test_answers_are_alike_but_for_what_is_shown_once(bodies: tuple[str, ...], different: int):
    found = Found()
    idempotency._note(found, KIND, answers(*bodies))
    assert len(found.different) == different


@pytest.mark.parametrize(
    ("wanted", "effects", "not_once"),
    [
        (["a", "b"], {"a": 1, "b": 1}, 0),
        (["a", "b"], {"a": 1}, 1),
        (["a"], {"a": 2}, 1),
        (["a"], {"a": 1, "b": 1}, 1),
        (["a", "a"], {"a": 1}, 1),
    ],
    ids=["once", "lost", "twice", "untold", "two keys with one effect"],
)
def test_an_effect_is_there_once(wanted: list[str], effects: dict[str, int], not_once: int):
    assert Found(wanted=wanted, effects=Counter(effects)).not_once == not_once
