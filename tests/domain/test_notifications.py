"""What became of each notification, in one order."""

from dataclasses import replace

from domain.scans.notifications import ChannelKind, Delivery, DeliveryState, in_its_place

AT = "2026-01-01T00:00:00.000Z"
FIRST, SECOND = (
    Delivery(ChannelKind.WEBHOOK, f"https://{name}.example/hook", DeliveryState.PENDING, AT) for name in "ab"
)


def test_what_became_of_one_stands_where_it_was_announced():
    told = replace(FIRST, state=DeliveryState.DELIVERED)
    assert in_its_place((FIRST, SECOND), told) == (told, SECOND)


def test_of_the_same_target_on_another_channel_nothing_is_replaced():
    topic = replace(FIRST, kind=ChannelKind.SNS)
    assert in_its_place((FIRST,), topic) == (FIRST, topic)
