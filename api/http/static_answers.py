"""Answers that are the same for everybody until the next version: made once, compressed once, asked for again by their
digest, and sent in pieces, so that a slow reader holds little memory."""

import gzip
import hashlib
from collections.abc import AsyncIterator
from dataclasses import dataclass
from functools import cached_property

from fastapi import Request, Response
from fastapi.responses import StreamingResponse

PIECE_BYTES = 64 * 1024
FOR_GOOD = "public, max-age=31536000, immutable"
ASK_AGAIN = "no-cache"
"""It may be kept, and is asked for by its ETag each time."""


@dataclass(frozen=True)
class Stored:
    """One such answer."""

    content: bytes
    media_type: str
    policy: str | None = None
    """Its Content-Security-Policy, where it needs one of its own."""

    @cached_property
    def digest(self) -> str:
        return hashlib.sha256(self.content).hexdigest()[:32]

    @cached_property
    def compressed(self) -> bytes:
        return gzip.compress(self.content, mtime=0)

    def answer(self, request: Request, *, version: str = "") -> Response:
        """`version` is the digest that the address names: what stands under such an address never changes."""
        packed = "gzip" in request.headers.get("accept-encoding", "")
        etag = f'"{self.digest}{"-gzip" if packed else ""}"'
        kept = FOR_GOOD if version == self.digest else ASK_AGAIN
        headers = {"ETag": etag, "Cache-Control": kept, "Vary": "Accept-Encoding"}
        if self.policy:
            headers["Content-Security-Policy"] = self.policy
        if etag in [each.strip().removeprefix("W/") for each in request.headers.get("if-none-match", "").split(",")]:
            return Response(status_code=304, headers=headers)
        content = self.compressed if packed else self.content
        headers["Content-Length"] = str(len(content))
        if packed:
            headers["Content-Encoding"] = "gzip"
        return StreamingResponse(_pieces(content), headers=headers, media_type=self.media_type)


async def _pieces(content: bytes) -> AsyncIterator[bytes]:
    for start in range(0, len(content), PIECE_BYTES):
        yield content[start : start + PIECE_BYTES]
