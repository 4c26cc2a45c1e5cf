"""Which channels customers may name."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.scans.notifications import Channel, ChannelKind
from notify.policy import PublicChannels
from tests.channels import CHANNELS, OWN_ACCOUNT


def codes(kind: ChannelKind, target: str) -> list[str]:
    return [problem.code for problem in CHANNELS.problems(Channel(kind, target))]


@pytest.mark.parametrize(
    "url",
    [
        "https://hooks.example.com/scan",
        "https://hooks.example.com",
        "https://HOOKS.example.com:443/a?b=c",
        "https://a.b.io/",
        "https://1.feed.de/",
        "https://feed.de/",  # of the digits of hexadecimal numbers, and no number
        "https://hooks.example.com./",
    ],
)
def test_a_public_web_address_is_taken(url: str):
    assert codes(ChannelKind.WEBHOOK, url) == []


@pytest.mark.parametrize(
    "url",
    [
        *("", "hooks.example.com", "http://hooks.example.com/", "ftp://hooks.example.com/", "file:///etc/passwd"),
        *(
            "https://user@hooks.example.com/",
            "https://user:password@hooks.example.com/",
            "https://hooks.example.com/#a",
        ),
        *("https://hooks.example.com:8443/", "https://hooks.example.com:80/", "https://hooks.example.com:x/"),
        *(
            "https://hooks.example.com\\@inside/",
            "https://hooks.example.com/a\\b",
            "https://hooks.example.com/ a",
            "https://hooks.example.com/\r\nx",
            "https://[::1",
        ),
        *("https://hööks.example.com/", "https://hooks.example.com/\0"),
    ],
)
def test_what_is_not_a_plain_https_address_is_refused(url: str):
    assert codes(ChannelKind.WEBHOOK, url) == ["invalid"]


@pytest.mark.parametrize(
    "host",
    [
        *("localhost", "inside", "metadata.google.internal", "printer.local", "db.corp", "a.localhost", "x.home.arpa"),
        *("a.lan", "a.home", "a.intranet", "a.test", "a.invalid", "printer.local.", "LOCAL", "corp", ""),
        *("-a.example", "a..example", "a_b.example", "a.g.3c", f"{'a.' * 126}example"),
    ],
)
def test_a_name_that_leads_inside_is_refused(host: str):
    [problem] = CHANNELS.problems(Channel(ChannelKind.WEBHOOK, f"https://{host}/"))
    assert (problem.code, problem.pointer) == ("not_public", "/notification_channels/webhook/url")
    assert "reachable from the internet" in problem.message


@pytest.mark.parametrize(
    "host",
    [
        *("127.0.0.1", "10.0.0.1", "169.254.169.254", "8.8.8.8", "127.1", "2130706433", "0x7f000001", "0x7f.1"),
        *("0177.0.0.1", "0xA.0xB.0xC.0xD", "[::1]", "[::ffff:10.0.0.1]", "[fd00:ec2::254]", "[fe80::1]"),
    ],
)
def test_an_address_is_refused_in_every_spelling(host: str):
    [problem] = CHANNELS.problems(Channel(ChannelKind.WEBHOOK, f"https://{host}/"))
    assert (problem.code, problem.pointer) == ("not_public", "/notification_channels/webhook/url")
    assert "an address is not taken" in problem.message


def test_a_topic_is_named_by_its_arn():
    assert codes(ChannelKind.SNS, "arn:aws:sns:eu-central-1:111122223333:scans") == []
    assert codes(ChannelKind.SNS, "arn:aws:sns:eu-central-1:111122223333:scans.fifo") == []


@pytest.mark.parametrize(
    "arn",
    [
        "",
        "scans",
        "arn:aws:sqs:eu-central-1:111122223333:q",
        "arn:aws:sns:x/../y:111122223333:s",
        "arn:aws:sns:eu-central-1:1:s",
    ],
)
def test_anything_else_is_no_topic(arn: str):
    assert codes(ChannelKind.SNS, arn) == ["invalid"]


@pytest.mark.parametrize("region", ["mars-north-1", "cn-north-1", "us-gov-west-1", "eu-central-9"])
def test_a_topic_is_in_a_region_that_aws_has_for_it(region: str):
    [problem] = CHANNELS.problems(Channel(ChannelKind.SNS, f"arn:aws:sns:{region}:111122223333:scans"))
    assert (problem.code, problem.pointer) == ("unknown_region", "/notification_channels/sns/topic_arn")
    assert "eu-central-1" in problem.message
    assert region not in problem.message


def test_a_topic_of_the_platforms_own_account_is_refused_because_its_policy_forbids_it():
    [problem] = CHANNELS.problems(Channel(ChannelKind.SNS, f"arn:aws:sns:eu-central-1:{OWN_ACCOUNT}:alarms"))
    assert (problem.code, problem.pointer) == ("other_account", "/notification_channels/sns/topic_arn")


def test_a_topic_is_of_our_partition():
    china = PublicChannels(partition="aws-cn", topic_regions=["cn-north-1"], own_account=OWN_ACCOUNT)
    found = [
        [problem.code for problem in china.problems(Channel(ChannelKind.SNS, f"arn:{place}:111122223333:scans"))]
        for place in ("aws-cn:sns:cn-north-1", "aws:sns:cn-north-1", "aws:sns:eu-west-1")
    ]
    assert found == [[], ["invalid"], ["invalid"]]


@given(st.text(max_size=80) | st.from_regex(r"https://[a-z0-9.\[\]:@/\\-]{0,40}", fullmatch=True))
def test_any_text_is_judged_without_repeating_it(url: str):
    problems = CHANNELS.problems(Channel(ChannelKind.WEBHOOK, url))
    assert all(len(url) < 12 or url not in problem.message for problem in problems)
