"""Keys that nobody was given: made at random, changed in one character, or with a good checksum and a wrong secret.
None is accepted, and one with a bad checksum costs no look-up."""

import asyncio
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from random import Random

from api.auth.authenticator import KeyRing
from bench.report import Target
from domain.callers.api_keys import key_id_of, new_key_text
from domain.errors import Unauthenticated
from tests.api.test_auth import KEY_CHARACTERS, CountingKeys, stored

FULL, QUICK = 100_000, 5_000
SEED = 20_261


def changed(good: str, random: Random) -> str:
    place = random.randrange(len(good))
    other = random.choice([each for each in KEY_CHARACTERS if each != good[place]])
    return good[:place] + other + good[place + 1 :]


def anything(_: str, random: Random) -> str:
    """In the form of a key."""
    return f"tek_{''.join(random.choices(KEY_CHARACTERS, k=16))}_{''.join(random.choices(KEY_CHARACTERS, k=38))}"


WAYS: Mapping[str, Callable[[str, Random], str]] = {
    "one character changed": changed,
    "random": anything,
    "random, with its checksum": lambda good, random: new_key_text(),
    "the id of a good key, another secret": lambda good, random: new_key_text(key_id_of(good)),
}


@dataclass
class Tried:
    """How many keys of each way there were, and what came of them."""

    ways: Counter[str] = field(default_factory=Counter)
    accepted: list[str] = field(default_factory=list)
    bad_checksums: int = 0
    looked_up: int = 0
    """Of those with a bad checksum."""
    good_accepted: int = 0


def attack(*, count: int, seed: int = SEED) -> Tried:
    """Against a store that answers every look-up with the record of one good key."""
    random, tried, good = Random(seed), Tried(), new_key_text()
    store = CountingKeys(replace(stored(good), platform=True))
    ring = KeyRing(store)
    for number in range(count):
        way = list(WAYS)[number % len(WAYS)]
        text, before = WAYS[way](good, random), len(store.asked)
        tried.ways[way] += 1
        if accepted(ring, text):
            tried.accepted.append(way)
        if key_id_of(text) is None:
            tried.bad_checksums += 1
            tried.looked_up += len(store.asked) - before
    tried.good_accepted = int(accepted(ring, good))
    return tried


def accepted(ring: KeyRing, text: str) -> bool:
    try:
        ring.recognise(text, "r")
    except Unauthenticated:
        return False
    return True


async def run(*, quick: bool) -> Sequence[Target]:
    count = QUICK if quick else FULL
    tried = await asyncio.to_thread(attack, count=count)
    print("keys by way:", dict(tried.ways), "with a bad checksum:", tried.bad_checksums)
    return (
        Target("keys tried that nobody was given", tried.ways.total(), at_least=count),
        Target("of these accepted", len(tried.accepted), at_most=0),
        Target("look-ups for a key with a bad checksum", tried.looked_up, at_most=0),
        Target("the good key is accepted", tried.good_accepted, at_least=1),
    )
