"""`python cli.py audit`: checked on the platform's own tables, and from a file without it."""

import json
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from uuid import uuid4

import pytest
from temporalio.testing import ActivityEnvironment
from typer.testing import CliRunner, Result

import cli
from activities.sealing import AnchorHeads, SealingActivities, SealTrail
from commands.audit.command import exported, text_of
from commands.audit.file import read
from domain.audit.trail import Breach, Fault, breaches
from domain.callers.tenants import PLATFORM
from domain.errors import InvalidInput
from domain.timestamps import parse, stamp
from stores.audit.keys import KmsAuditSigner, checker, name_of, pem_of
from tests.fakes_audit import AuditRig, FakeSigner
from tests.stores.conftest import EMULATORS, Aws, emulated
from tests.stores.samples import new_event, new_tenant

TENANT = str(uuid4())


@pytest.fixture(scope="module")
def rig() -> AuditRig:
    rig = AuditRig()
    rig.lived(TENANT, minutes=20)
    return rig


@pytest.fixture
def lines(rig: AuditRig) -> list[str]:
    return list(exported(rig.stored, TENANT, [rig.signer.public]))


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "trail.jsonl"


def run(*arguments: str) -> Result:
    return CliRunner().invoke(cli.app, ["audit", *arguments])


def kinds(lines: Sequence[str]) -> list[str]:
    return [json.loads(line)["kind"] for line in lines]


def test_an_export_is_a_heading_then_events_then_notes_then_digests(lines: list[str]):
    assert kinds(lines) == ["trail", *["event"] * 60, *["waiting"] * 6, *["digest"] * 18]


def test_an_export_can_be_checked_without_the_platform(rig: AuditRig, lines: list[str], file: Path):
    file.write_text("\n".join(lines) + "\n")
    heading, trail = read(file)
    assert list(breaches(trail, checker([rig.signer.public]), now=rig.stores.ledger.clock())) == []
    assert (heading.tenant_id, len(trail.events), len(trail.digests)) == (TENANT, 60, 18)


def at_export(lines: list[str], rig: AuditRig) -> list[str]:
    """As if it had been exported when the events were young."""
    heading = {**json.loads(lines[0]), "exported_at": stamp(rig.stores.ledger.clock())}
    return [json.dumps(heading), *lines[1:]]


def test_the_command_says_that_a_file_is_sound_and_by_which_key(rig: AuditRig, lines: list[str], file: Path):
    file.write_text("\n".join(at_export(lines, rig)))
    own = file.with_name("key.pem")
    own.write_text(pem_of(rig.signer.public))
    by_itself = run("verify", "--file", str(file))
    with_key = run("verify", "--file", str(file), "--public-key", str(own))
    for result in (by_itself, with_key):
        assert result.exit_code == 0, result.output
        assert f"ok    {TENANT}: 60 events, 18 digests, 6 wait, 0 came late" in result.output
        assert name_of(rig.signer.public) in result.output
    assert "Checked with the key in the file" in by_itself.output
    assert "Checked with the key in the file" not in with_key.output


@pytest.mark.parametrize(
    ("tamper", "said"),
    [
        (lambda lines: [line.replace("thing.changed", "thing.gone") for line in lines], "altered"),
        (lambda lines: [*lines[:5], *lines[6:]], "missing"),
        (lambda lines: [*lines[:5], lines[6], lines[5], *lines[7:]], "reordered"),
        (lambda lines: [*lines[:-2], lines[-1], lines[-2]], "reordered"),
        (lambda lines: lines[:-3], "broken chain  digest 16"),
        (lambda lines: [line for line in lines if json.loads(line)["kind"] != "digest"], "cut"),
    ],
    ids=["altered", "missing", "events reordered", "digests reordered", "cut", "no digests"],
)
def test_the_command_says_what_is_wrong_with_a_file(
    rig: AuditRig, lines: list[str], file: Path, tamper: Callable[[list[str]], list[str]], said: str
):
    file.write_text("\n".join(tamper(at_export(lines, rig))))
    result = run("verify", "--file", str(file))
    assert result.exit_code == 1
    assert said in result.output


def test_another_key_than_the_trusted_one_is_found(rig: AuditRig, lines: list[str], file: Path):
    file.write_text("\n".join(at_export(lines, rig)))
    stranger = file.with_name("key.pem")
    stranger.write_text(pem_of(FakeSigner().public))
    result = run("verify", "--file", str(file), "--public-key", str(stranger))
    assert result.exit_code == 1
    assert result.output.count("bad signature") == 18


def test_a_head_that_was_noted_finds_a_cut_that_nothing_else_shows(rig: AuditRig, file: Path):
    """Digests, events and notes are all gone from some moment on."""
    head = rig.stores.chain.latest(TENANT)
    assert head
    until = rig.stores.chain.digests(TENANT, after=9, limit=1)[0].until
    shorter = AuditRig()
    shorter.signer = rig.signer
    shorter.steps = shorter.sealing(signer=rig.signer)
    for event in rig.stores.ledger.of(TENANT):
        if event.at < until:
            shorter.stores.audit.record(event)
    shorter.seal(TENANT, at=parse(until) + timedelta(minutes=5))
    file.write_text("\n".join(exported(shorter.stored, TENANT, [rig.signer.public])))
    assert run("verify", "--file", str(file)).exit_code == 0
    result = run("verify", "--file", str(file), "--head", head.hash)
    assert result.exit_code == 1
    assert "no digest has the hash of --head" in result.output


@pytest.mark.parametrize(
    "text",
    [
        "",
        "nonsense",
        "[]",
        '{"kind":"event"}',
        '{"kind":"trail","tenant_id":"t","exported_at":"x","settled":0,"public_keys":[]}\n{"kind":"trail"}',
        '{"kind":"trail","tenant_id":"t","exported_at":"2026-01-01T00:00:00.000Z","settled":0,"public_keys":[]}\n{"kind":1}',
        '{"kind":"trail","tenant_id":"t","exported_at":"2026-01-01T00:00:00.000Z","settled":"x","public_keys":[]}',
        "[" * 100_000,
        '{"kind":"' + "x" * 2_000_000,
    ],
    ids=["empty", "no json", "no object", "no heading", "two headings", "no kind", "no number", "deep", "long"],
)
def test_a_file_that_is_no_trail_is_refused_in_a_sentence(file: Path, text: str):
    file.write_text(text)
    with pytest.raises(InvalidInput):
        read(file)


def test_only_the_first_of_many_breaches_are_shown(rig: AuditRig, lines: list[str], file: Path):
    file.write_text("\n".join(lines))
    many = [Breach(Fault.MISSING, f"event {number}") for number in range(150)]
    assert text_of(read(file)[1], many).splitlines()[-2].strip() == "and 50 more"


# On the tables themselves


@pytest.fixture(scope="module", params=EMULATORS)
def aws(request: pytest.FixtureRequest) -> Aws:
    return emulated(request.param, request)


@pytest.fixture
def platform(aws: Aws, monkeypatch: pytest.MonkeyPatch) -> Aws:
    """The command's environment."""
    environment = {
        "AWS_ENDPOINT_URL": aws.clients.dynamodb.meta.endpoint_url,
        "AWS_ACCESS_KEY_ID": "111111111111",
        "PLATFORM_AWS_ACCOUNT_ID": "111111111111",
        "DYNAMODB_TENANTS_TABLE": aws.names.tenants,
        "DYNAMODB_AUDIT_EVENTS_TABLE": aws.names.audit_events,
        "DYNAMODB_AUDIT_UNSEALED_TABLE": aws.names.audit_unsealed,
        "DYNAMODB_AUDIT_DIGESTS_TABLE": aws.names.audit_digests,
        "AUDIT_ANCHORS_BUCKET": f"{aws.prefix}-anchors",
    }
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    return aws


def test_the_platforms_trails_are_checked_exported_and_checked_again(platform: Aws, file: Path):
    tenant, now = new_tenant(), datetime.now().astimezone()
    for minutes in (30, 20, 10):
        event = replace(new_event(tenant.tenant_id, at=stamp(now - timedelta(minutes=minutes))), details={"codes": "ü"})
        platform.stores.audit.record(event)
    platform.stores.tenants.create(tenant, new_event(tenant.tenant_id, at=stamp(now - timedelta(minutes=40))))
    signer = KmsAuditSigner(platform.clients.kms, key_id="alias/threat-engine-audit")
    steps = SealingActivities(platform.stores.chain, signer, platform.stores.anchors, platform.stores.tenants)
    for owner in (PLATFORM, tenant.tenant_id):
        ActivityEnvironment().run(steps.seal_trail, SealTrail(owner, stamp(now)))
    ActivityEnvironment().run(steps.anchor_heads, AnchorHeads(stamp(now)))
    all_of_them = run("verify")
    assert all_of_them.exit_code == 0, all_of_them.output
    assert f"ok    {tenant.tenant_id}: 4 events, 1 digest, 0 wait, 0 came late" in all_of_them.output
    assert "ok    platform: 1 event, 1 digest, 0 wait" in all_of_them.output
    assert "1 anchor compared" in all_of_them.output
    export = run("export", "--tenant-id", tenant.tenant_id)
    assert export.exit_code == 0
    file.write_text(export.stdout)
    key = file.with_name("key.pem")
    key.write_text(run("key").stdout)
    assert run("verify", "--file", str(file), "--public-key", str(key)).exit_code == 0
    deleted = {"tenant_id": {"S": tenant.tenant_id}, "event_id": {"S": event.event_id}}
    platform.clients.dynamodb.delete_item(TableName=platform.names.audit_events, Key=deleted)
    found = run("verify", "--tenant-id", tenant.tenant_id)
    assert found.exit_code == 1
    assert f"missing       event {event.event_id}" in found.output


def test_a_trail_that_is_written_anew_and_sealed_by_the_honest_sealer_contradicts_its_anchors(platform: Aws):
    """Whoever can write the tables alters an old event, deletes the digests, and lets the event be sealed again."""
    stores, dynamodb, now = platform.stores, platform.clients.dynamodb, datetime.now().astimezone()
    signer = KmsAuditSigner(platform.clients.kms, key_id="alias/threat-engine-audit")
    steps = SealingActivities(stores.chain, signer, stores.anchors, stores.tenants)
    tenant = new_tenant()
    created = new_event(tenant.tenant_id, at=stamp(now - timedelta(minutes=30)))
    stores.tenants.create(tenant, created)
    seal = SealTrail(tenant.tenant_id, stamp(now - timedelta(minutes=20)))
    ActivityEnvironment().run(steps.seal_trail, seal)
    ActivityEnvironment().run(steps.anchor_heads, AnchorHeads(stamp(now + timedelta(minutes=11))))
    assert run("verify", "--tenant-id", tenant.tenant_id).exit_code == 0

    names, of_tenant = platform.names, {"tenant_id": {"S": tenant.tenant_id}}
    digest, event = {"sequence": {"S": f"{1:012}"}}, {"event_id": {"S": created.event_id}}
    dynamodb.delete_item(TableName=names.audit_digests, Key={**of_tenant, **digest})
    dynamodb.delete_item(TableName=names.audit_events, Key={**of_tenant, **event})
    stores.audit.record(replace(created, actor="key:somebody-else"))
    ActivityEnvironment().run(steps.seal_trail, seal)
    found = run("verify", "--tenant-id", tenant.tenant_id)
    assert (found.exit_code, "rewritten     digest 1" in found.output) == (1, True)

    dynamodb.delete_item(TableName=names.audit_digests, Key={**of_tenant, **digest})
    dynamodb.delete_item(TableName=names.audit_events, Key={**of_tenant, **event})
    dynamodb.delete_item(TableName=names.tenants, Key=of_tenant)
    vanished = run("verify")
    assert (vanished.exit_code, f"fail  {tenant.tenant_id}: 0 events" in vanished.output) == (1, True)
    assert any(event.target == created.target for event in stores.events(PLATFORM))


def test_a_tenant_that_does_not_exist_is_no_sound_trail(platform: Aws):
    for command in ("verify", "export"):
        result = run(command, "--tenant-id", str(uuid4()))
        assert isinstance(result.exception, InvalidInput)
        assert "no such tenant" in str(result.exception)


def test_what_somebody_writes_between_the_digests_or_the_anchors_hides_nothing_else(platform: Aws):
    """A row that cannot be read, an object that can never be removed again, and a chain that nobody anchors."""
    stores, now = platform.stores, datetime.now().astimezone()
    signer = KmsAuditSigner(platform.clients.kms, key_id="alias/threat-engine-audit")
    steps = SealingActivities(stores.chain, signer, stores.anchors, stores.tenants)
    spoilt, sealed, unread = sorted((new_tenant() for _ in range(3)), key=lambda tenant: tenant.tenant_id)
    for tenant in (spoilt, sealed, unread):
        stores.tenants.create(tenant, new_event(tenant.tenant_id, at=stamp(now - timedelta(hours=3))))
        seal = SealTrail(tenant.tenant_id, stamp(now - timedelta(hours=2)))
        ActivityEnvironment().run(steps.seal_trail, seal)
    row = {"tenant_id": {"S": spoilt.tenant_id}, "sequence": {"S": "999999999999"}}
    platform.clients.dynamodb.put_item(TableName=platform.names.audit_digests, Item=row)
    row = {"tenant_id": {"S": unread.tenant_id}}
    platform.clients.dynamodb.put_item(TableName=platform.names.tenants, Item=row)
    before = run("verify")
    assert f"fail  {spoilt.tenant_id}: unreadable" in before.output
    assert before.output.count("unanchored    digest 1") >= 2
    ActivityEnvironment().run(steps.anchor_heads, AnchorHeads(stamp(now + timedelta(minutes=25))))
    for name in (f"heads/{now.date()}~", f"heads/2031-01-01T00:00:00.000Z-{'a' * 64}.json"):
        anchors = f"{platform.prefix}-anchors"
        platform.clients.s3.put_object(Bucket=anchors, Key=name, Body=b"[]", ChecksumAlgorithm="SHA256")
    after = run("verify")
    assert after.exit_code == 1
    assert after.output.count("fail  unreadable    anchor") == 2
    for tenant in (sealed, unread):
        assert f"ok    {tenant.tenant_id}: 1 event, 1 digest" in after.output
    assert stores.anchors.latest(day=f"{now.date()}") is not None
