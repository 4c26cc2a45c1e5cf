"""Payloads between Python and Temporal, signed.

A codec signs what leaves and marks what it cannot accept; it never raises for that, because a workflow whose payloads
cannot be decoded is tried again for ever. The converter raises when it meets the mark. What a workflow sends and
receives is looked after by `temporal.signing.guard`, which knows the place of each payload without asking the sandbox.
"""

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from temporalio.api.common.v1 import Payload
from temporalio.api.failure.v1 import Failure
from temporalio.converter import (
    ActivitySerializationContext,
    CompositePayloadConverter,
    DataConverter,
    DefaultPayloadConverter,
    EncodingPayloadConverter,
    PayloadCodec,
    SerializationContext,
    WorkflowSerializationContext,
)

from domain.commands import CommandKind
from domain.errors import OnboardingError, UnsignedCommand
from temporal.signing.signatures import REFUSED_ENCODING, Place, Signer, Way, refusal, refuse

FROM_THE_SERVER = ("AcceptedUpdateCompletedWorkflow",)
"""Errors that the server words itself. They say that something ended, and a caller looks into the row then."""


class RefusedPayload(EncodingPayloadConverter):
    """Raises at a payload that was marked as refused."""

    @property
    def encoding(self) -> str:
        return REFUSED_ENCODING.decode()

    def to_payload(self, value: Any) -> None:
        return None

    def from_payload(self, payload: Payload, type_hint: type | None = None) -> Any:
        raise refusal()


class CheckedPayloads(CompositePayloadConverter):
    """The usual converters, and the one that refuses."""

    def __init__(self) -> None:
        super().__init__(*DefaultPayloadConverter.default_encoding_payload_converters, RefusedPayload())


@dataclass(frozen=True)
class SigningCodec(PayloadCodec):
    """Of one place. `inbound` are the labels that are accepted."""

    signer: Signer
    outbound: bytes
    inbound: tuple[bytes, ...]
    kind: CommandKind

    async def encode(self, payloads: Sequence[Payload]) -> list[Payload]:
        if months := self.signer.lacking():
            with suppress(OnboardingError):
                await asyncio.to_thread(self.signer.derive, months)
        return [self._signed(payload) for payload in payloads]

    async def decode(self, payloads: Sequence[Payload]) -> list[Payload]:
        if months := self.signer.lacking(payloads):
            await asyncio.to_thread(self.signer.derive, months)
        accepted = self.signer.accepts(payloads, *self.inbound, kind=self.kind)
        return list(payloads) if accepted else [_refused() for _ in payloads]

    def _signed(self, payload: Payload) -> Payload:
        signed = Payload()
        signed.CopyFrom(payload)
        self.signer.sign(signed, self.outbound)
        return signed


@dataclass(frozen=True)
class SignedConverter(DataConverter):
    """The converter of a client; with `worker`, that of a worker, whose activities are on the other end."""

    signer: Signer | None = None
    worker: bool = False

    def with_context(self, context: SerializationContext) -> "SignedConverter":
        codec = self._codec(context)
        if codec is None:
            return self
        # As copy.copy does, which takes five times as long; the converters are the same for every place.
        placed = object.__new__(type(self))
        vars(placed).update(vars(self), payload_codec=codec)
        return placed

    async def encode_failure(self, exception: BaseException, failure: Failure) -> None:
        # The SDK wraps what a converter raises into a failure that is retried.
        refused = isinstance(cause := exception.__cause__, Exception) and _is_refusal(cause)
        self.failure_converter.to_failure(cause if refused and cause else exception, self.payload_converter, failure)
        if isinstance(codec := self.payload_codec, SigningCodec):
            codec.signer.sign_failure(failure, codec.outbound)

    async def decode_failure(self, failure: Failure) -> BaseException:
        codec = self.payload_codec
        signed = failure.application_failure_info.type not in FROM_THE_SERVER
        if signed and isinstance(codec, SigningCodec) and not codec.signer.accepts_failure(failure, codec.inbound[0]):
            return refusal()
        return self.failure_converter.from_failure(failure, self.payload_converter)

    def _codec(self, context: SerializationContext) -> SigningCodec | None:
        if self.signer is None:
            return None
        if isinstance(context, ActivitySerializationContext):
            place = Place(
                context.namespace, context.workflow_id or "", context.activity_type or "", context.activity_id or ""
            )
            there, back = place.label(Way.THERE), place.label(Way.BACK)
            if self.worker:
                # What it told with an earlier heartbeat comes back with the input.
                return SigningCodec(self.signer, back, (there, back), CommandKind.ACTIVITY)
            return SigningCodec(self.signer, there, (back,), CommandKind.RESULT)
        if isinstance(context, WorkflowSerializationContext) and not self.worker:
            place = Place(context.namespace, context.workflow_id)
            return SigningCodec(self.signer, place.label(Way.THERE), (place.label(Way.BACK),), CommandKind.RESULT)
        return None


def signed_converter(signer: Signer, *, worker: bool = False) -> SignedConverter:
    return SignedConverter(payload_converter_class=CheckedPayloads, signer=signer, worker=worker)


def _refused() -> Payload:
    payload = Payload()
    refuse(payload)
    return payload


def _is_refusal(error: Exception) -> bool:
    return getattr(error, "type", None) == UnsignedCommand.code
