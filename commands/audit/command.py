"""`python cli.py audit`: whether the audit trail is what it was, and a copy of it that others can check."""

import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from operator import attrgetter
from pathlib import Path
from typing import Annotated

import typer

import config
from commands.audit import file as audit_file
from commands.output import count
from composition.aws import aws_of
from domain.audit.anchors import Anchor, contradictions
from domain.audit.events import AuditEvent
from domain.audit.ports import AuditAnchors, AuditChain
from domain.audit.trail import AuditDigest, Breach, Fault, Note, Seen, Trail, breaches, fingerprint
from domain.callers.tenants import PLATFORM
from domain.errors import InvalidInput, UnreadableRow
from domain.pages import MAX_PAGE, every_item, every_key
from domain.ports import AuditStore, TenantStore
from domain.timestamps import parse, stamp
from stores.audit.anchors import S3AuditAnchors
from stores.audit.chain import DynamoAuditChain
from stores.audit.events import DynamoAuditStore
from stores.audit.keys import PublicKey, checker, name_of, pem_of, public_key_of, read_public_key
from stores.dynamodb.items import is_id
from stores.dynamodb.tenants import DynamoTenantStore

MOST_DIGESTS = 25
"""At once: each may hold a hundred events."""
SHOWN = 100
"""Breaches of one trail; more say nothing more."""

Tenant = Annotated[str | None, typer.Option("--tenant-id", help="One tenant, or `platform`; by default all of them.")]
OneTenant = Annotated[str, typer.Option("--tenant-id", help="The tenant, or `platform`.")]
File = Annotated[Path | None, typer.Option("--file", help="An exported trail instead of the platform's own.")]
Keys = Annotated[
    list[Path] | None, typer.Option("--public-key", help="A key to trust, as a PEM file; may be repeated.")
]
Head = Annotated[
    str | None, typer.Option("--head", help="The hash of a digest that was noted: it must be in the chain.")
]

WithoutAnchors = Annotated[
    bool, typer.Option("--without-anchors", help="Do not compare the anchors, for a role that may not read them.")
]

audit = typer.Typer(help="The audit trail.", no_args_is_help=True)


@dataclass(frozen=True)
class Audited:
    """What is read."""

    events: AuditStore
    chain: AuditChain
    tenants: TenantStore
    anchors: AuditAnchors | None = None
    """Nothing for somebody who may not read them: they name the heads of all tenants."""


@audit.command()
def verify(
    tenant_id: Tenant = None,
    file: File = None,
    public_key: Keys = None,
    head: Head = None,
    without_anchors: WithoutAnchors = False,
) -> None:
    """Check every sealed event, the chain of digests, their signatures and the anchors. Exit with 1 when anything is
    wrong."""
    trusted = [read_public_key(path.read_bytes()) for path in public_key or []]
    if file is not None:
        heading, trail = audit_file.read(file)
        keys = trusted or [read_public_key(pem.encode()) for pem in heading.public_keys]
        if not trusted:
            print("Checked with the key in the file: compare its name, or name the key with --public-key.")
        found = [_examined(trail, keys, head, now=parse(heading.exported_at))]
    else:
        stored, own = _connected()
        stored = replace(stored, anchors=None) if without_anchors else stored
        keys = [own, *trusted]
        found = list(_verified(stored, tenant_id, keys, head))
    for key in keys:
        print(f"key   {name_of(key)}")
    raise typer.Exit(int(any(found)))


def _verified(stored: Audited, tenant_id: str | None, keys: Sequence[PublicKey], head: str | None) -> Iterator[bool]:
    """Check the trails in the tables, of one tenant or of all, and yield whether something is wrong with each. The
    anchors are read first: whatever they name must then be in the chains."""
    anchors: list[Anchor] = []
    if stored.anchors is None:
        print("The anchors are not compared: a trail that was written anew from its beginning is not found.")
    else:
        found, hidden = list(stored.anchors.all()), stored.anchors.hidden()
        anchors = [anchor for anchor in found if not anchor.unreadable]
        strange = [anchor.unreadable for anchor in found if anchor.unreadable]
        print(f"{count(len(anchors), 'anchor')} compared" + (f", the last of {anchors[-1].at}" if anchors else ""))
        for fault, names in ((Fault.HIDDEN, hidden), (Fault.UNREADABLE, strange)):
            for name in names[:SHOWN]:
                print(f"fail  {fault.value:13} anchor {name}")
        yield bool(hidden or strange)
    if tenant_id and not _is_known(stored, tenant_id, anchors):
        raise InvalidInput("There is no such tenant: no event, no digest and no anchor has this id.")
    for name in [tenant_id] if tenant_id else tenants_of(stored, anchors):
        try:
            trail = read_trail(stored, name)
        except UnreadableRow:
            print(f"{'fail':5} {name}: {Fault.UNREADABLE.value}, among its digests stands something that is none")
            yield True
        else:
            compared = None if stored.anchors is None else anchors
            yield _examined(trail, keys, head, now=datetime.now(UTC), anchors=compared)


def _is_known(stored: Audited, tenant_id: str, anchors: Sequence[Anchor] = ()) -> bool:
    anchored = any(tenant_id in anchor.heads for anchor in anchors)
    try:
        return tenant_id == PLATFORM or anchored or _settled(stored, tenant_id) > 0 or any(_events(stored, tenant_id))
    except UnreadableRow:
        return True


@audit.command("export")
def export_trail(tenant_id: OneTenant) -> None:
    """Write a tenant's events and digests as JSON lines to the standard output."""
    stored, key = _connected()
    if not _is_known(stored, tenant_id):
        raise InvalidInput("There is no such tenant: no event and no digest has this id.")
    for line in exported(stored, tenant_id, [key]):
        sys.stdout.write(f"{line}\n")


@audit.command("key")
def show_key() -> None:
    """Show the public key that the digests are checked with, in PEM form."""
    print(pem_of(_connected()[1]), end="")


def read_trail(stored: Audited, tenant_id: str) -> Trail:
    settled = _settled(stored, tenant_id)
    events = [Seen(event.event_id, fingerprint(event)) for event in _events(stored, tenant_id)]
    waiting = {note.event_id: note for note in _waiting(stored, tenant_id)}
    return Trail(tenant_id, settled, events, waiting, list(_digests(stored, tenant_id)))


def exported(stored: Audited, tenant_id: str, keys: Sequence[PublicKey]) -> Iterator[str]:
    """Line by line, in the order in which a trail is read."""
    pems, settled = tuple(map(pem_of, keys)), _settled(stored, tenant_id)
    yield audit_file.line("trail", audit_file.Heading(tenant_id, stamp(datetime.now(UTC)), settled, pems))
    yield from (audit_file.line("event", event) for event in _events(stored, tenant_id))
    yield from (audit_file.line("waiting", note) for note in _waiting(stored, tenant_id))
    yield from (audit_file.line("digest", digest) for digest in _digests(stored, tenant_id))


def tenants_of(stored: Audited, anchors: Sequence[Anchor] = ()) -> Iterator[str]:
    """Yield the owners of all trails, those included of which only the anchors still know."""
    known = {PLATFORM: None}
    tenants = every_key(lambda cursor: stored.tenants.page(limit=MAX_PAGE, cursor=cursor), attrgetter("tenant_id"))
    known |= dict.fromkeys(filter(is_id, tenants))
    yield from known
    yield from sorted({tenant_id for anchor in anchors for tenant_id in anchor.heads} - known.keys())


def _examined(
    trail: Trail, keys: Sequence[PublicKey], head: str | None, *, now: datetime, anchors: Sequence[Anchor] | None = None
) -> bool:
    """Print what is wrong with a trail, and return whether anything is. None for anchors compares it with none."""
    found = list(breaches(trail, checker(keys), now=now))
    if anchors is not None:
        found += contradictions(trail.tenant_id, trail.digests, anchors, now=now)
    print(text_of(trail, found, head))
    return bool(found) or not _holds(trail, head)


def text_of(trail: Trail, found: Sequence[Breach], head: str | None = None) -> str:
    late = sum(digest.late for digest in trail.digests)
    counts = ", ".join(
        [
            count(len(trail.events), "event"),
            count(len(trail.digests), "digest"),
            f"{len(trail.waiting)} {'waits' if len(trail.waiting) == 1 else 'wait'}",
            f"{late} came late",
        ]
    )
    lines = [f"{'fail' if found else 'ok':5} {trail.tenant_id}: {counts}"]
    lines += [f"{'':5} {breach.fault.value:13} {breach.where}" for breach in found[:SHOWN]]
    if len(found) > SHOWN:
        lines.append(f"{'':5} and {len(found) - SHOWN} more")
    if not _holds(trail, head):
        lines.append(f"{'':5} cut: no digest has the hash of --head")
    if trail.digests:
        last = trail.digests[-1]
        lines.append(f"{'':5} head {last.hash} (digest {last.sequence}, sealed {last.sealed_at})")
    return "\n".join(lines)


def _holds(trail: Trail, head: str | None) -> bool:
    return head is None or any(digest.hash == head for digest in trail.digests)


def _connected() -> tuple[Audited, PublicKey]:
    settings, _ = config.load()
    aws = aws_of(settings)
    tables = settings.tables
    stored = Audited(
        events=DynamoAuditStore(aws.dynamodb, tables),
        chain=DynamoAuditChain(aws.dynamodb, tables),
        tenants=DynamoTenantStore(aws.dynamodb, tables),
        anchors=S3AuditAnchors(aws.s3, bucket=settings.buckets.anchors),
    )
    return stored, public_key_of(aws.kms, settings.audit_kms_key_id)


def _settled(stored: Audited, tenant_id: str) -> int:
    last = stored.chain.latest(tenant_id)
    return last.sequence if last else 0


def _events(stored: Audited, tenant_id: str) -> Iterator[AuditEvent]:
    return every_item(lambda cursor: stored.events.page(tenant_id, limit=MAX_PAGE, cursor=cursor))


def _waiting(stored: Audited, tenant_id: str) -> Iterator[Note]:
    after = ""
    while batch := stored.chain.waiting(tenant_id, after=after, limit=MAX_PAGE):
        yield from batch
        after = batch[-1].event_id


def _digests(stored: Audited, tenant_id: str) -> Iterator[AuditDigest]:
    after = 0
    while batch := stored.chain.digests(tenant_id, after=after, limit=MOST_DIGESTS):
        yield from batch
        after = batch[-1].sequence
