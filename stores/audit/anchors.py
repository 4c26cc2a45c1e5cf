"""The anchors of the audit trail in S3. The bucket's Object Lock keeps every version of every object from everybody,
its owner included, so writing over an anchor or deleting it leaves the anchor readable."""

import json
import re
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from domain.audit.anchors import RETENTION_DAYS, Anchor, Head
from domain.timestamps import parse, stamp
from stores.errors import aws_failures

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

PREFIX = "heads/"
_NAME = re.compile(r"heads/\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z-[0-9a-f]{64}\.json", re.ASCII)
_AT_ONCE = 16
"""A year of anchors is 50,000 small objects."""


class S3AuditAnchors:
    """An object is named `heads/<time>-<digest of the heads>.json`, so that a listing tells the last anchor and
    whether it still holds."""

    def __init__(self, s3: "S3Client", *, bucket: str) -> None:
        self._s3 = s3
        self._bucket = bucket

    @aws_failures()
    def latest(self, *, day: str) -> tuple[str, str] | None:
        # At most one each ten minutes, so a day fits a page.
        listed = self._s3.list_objects_v2(Bucket=self._bucket, Prefix=f"{PREFIX}{day}").get("Contents", [])
        ours = [found["Key"] for found in listed if _NAME.fullmatch(found["Key"])]
        return _named(ours[-1]) if ours else None

    @aws_failures()
    def add(self, anchor: Anchor) -> None:
        body = json.dumps({"at": anchor.at, "heads": {tenant: list(head) for tenant, head in anchor.heads.items()}})
        self._s3.put_object(
            Bucket=self._bucket,
            Key=f"{PREFIX}{anchor.at}-{anchor.digest}.json",
            Body=body.encode(),
            ContentType="application/json",
            ChecksumAlgorithm="SHA256",  # S3 asks for a checksum where an object is locked
        )

    def all(self) -> Iterator[Anchor]:
        with ThreadPoolExecutor(_AT_ONCE) as threads:
            yield from threads.map(self._read, self._versions())

    @aws_failures()
    def hidden(self) -> list[str]:
        since = stamp(datetime.now(UTC) - timedelta(days=RETENTION_DAYS))
        names = [marker["Key"] for page in self._pages() for marker in page.get("DeleteMarkers", [])]
        return sorted({name for name in names if _named(name)[0] > since})

    @aws_failures()
    def _versions(self) -> list[tuple[str, str]]:
        found = (version for page in self._pages() for version in page.get("Versions", []))
        return [(version["Key"], version["VersionId"]) for version in found]

    def _pages(self) -> Iterator[dict[str, list[dict[str, str]]]]:
        paginator = self._s3.get_paginator("list_object_versions")
        yield from paginator.paginate(Bucket=self._bucket, Prefix=PREFIX)  # type: ignore[misc]

    @aws_failures()
    def _read(self, version: tuple[str, str]) -> Anchor:
        key, version_id = version
        body = self._s3.get_object(Bucket=self._bucket, Key=key, VersionId=version_id)["Body"].read()
        try:
            return _anchor(json.loads(body))
        except (AttributeError, LookupError, RecursionError, TypeError, ValueError):
            return Anchor("", {}, unreadable=key if _NAME.fullmatch(key) else "(of another name)")


def _anchor(content: Any) -> Anchor:
    """Raises what the content is no anchor for."""
    anchor = Anchor(content["at"], {tenant: Head(*head) for tenant, head in content["heads"].items()})
    parse(anchor.at)
    if not all(isinstance(head.sequence, int) and isinstance(head.hash, str) for head in anchor.heads.values()):
        raise TypeError
    return anchor


def _named(key: str) -> tuple[str, str]:
    """Return the time and the digest in the name of an anchor."""
    at, _, digest = key.removeprefix(PREFIX).removesuffix(".json").rpartition("-")
    return at, digest
