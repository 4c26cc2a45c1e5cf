"""AWS's partitions as botocore knows them: clouds of their own, with accounts, keys and names of their own. And in
which order their regions are tried when ours is closed to somebody."""

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from botocore.loaders import Loader

_KNOWN: Mapping[str, Mapping[str, Any]] = {
    found["id"]: found for found in Loader().load_data("partitions")["partitions"]
}

PARTITIONS = tuple(_KNOWN)
PARTITION_PATTERN = "(?:" + "|".join(PARTITIONS) + ")"

_FIRST = (
    *("eu-central-1", "us-east-2", "ap-southeast-1", "eu-west-1", "us-west-2", "ap-northeast-1", "ca-central-1"),
    *("sa-east-1", "ap-southeast-2", "eu-west-2", "eu-west-3", "eu-north-1", "ap-south-1"),
)
"""Regions that every account has, one part of the world after the other: where an organisation allows some regions
only, these tell it soonest."""
MAX_TRIED = 24


def in_order(regions: Iterable[str], *, partition: str) -> Iterator[str]:
    """Those of the regions to try, and the one of the partition's global services as the last one."""
    last = str(_KNOWN[partition]["outputs"]["implicitGlobalRegion"])
    known = sorted(regions, key=lambda region: (_FIRST.index(region) if region in _FIRST else len(_FIRST), region))
    yield from [region for region in known if region != last][: MAX_TRIED - 1]
    if last in known:
        yield last


def partition_of(region: str) -> str | None:
    """None for a region of no partition that is known."""
    return next((name for name, found in _KNOWN.items() if re.match(found["regionRegex"], region)), None)
