"""What recurs is made, signed in the present month, and left paused where somebody paused it."""

from datetime import timedelta

from temporalio.client import Client

from domain.setup import SetupState
from temporal.client import plugin
from temporal.schedules.recurring import Recurring, ensure_recurring, kept, signed_in
from temporal.signing.signatures import Signer
from tests.fakes import FakeCommandKeys
from workflows.scans.scheduled_scan import reconciling, sealing

EVERY = timedelta(hours=1)


def signing(client: Client) -> tuple[Client, Signer]:
    signer = Signer(FakeCommandKeys(), key_name="alias/test-commands")
    return Client(client.service_client, namespace=client.namespace, plugins=[plugin(signer=signer)]), signer


async def test_one_that_an_older_release_left_unsigned_is_signed_and_stays_paused(client: Client):
    ours, signer = signing(client)
    await ensure_recurring(client, reconciling(), EVERY)
    schedule = ours.get_schedule_handle(reconciling().id)
    await schedule.pause(note="ticket 4714")
    assert signed_in((await schedule.describe()).schedule) == 0
    async with kept(ours, [Recurring(reconciling(), EVERY)], lambda: signer.generation):
        found = (await schedule.describe()).schedule
    assert signed_in(found) == signer.generation
    assert (found.state.paused, found.state.note) == (True, "ticket 4714")


async def test_one_of_this_month_is_left_alone_and_one_of_another_interval_is_not(client: Client):
    ours, signer = signing(client)
    states = [
        (await ensure_recurring(ours, sealing(), every, generation=signer.generation)).state
        for every in (EVERY, EVERY, 2 * EVERY)
    ]
    assert states == [SetupState.CREATED, SetupState.FOUND, SetupState.REPAIRED]
