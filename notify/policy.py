"""Which channels customers may name. What can be told from the text is told when a schedule is made; where a name leads
is looked at again whenever something is sent (`transport`)."""

import ipaddress
import re
from collections.abc import Collection, Sequence
from urllib.parse import SplitResult, urlsplit

from domain.errors import Problem
from domain.scans.notifications import Channel, ChannelKind

TOPIC = re.compile(r"arn:([a-z0-9-]{1,32}):sns:([a-z0-9-]{1,32}):([0-9]{12}):[A-Za-z0-9_-]{1,256}(\.fifo)?", re.ASCII)
HOST = re.compile(r"(?=.{1,253}$)([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z]([a-z0-9-]{0,61}[a-z0-9])?", re.ASCII)
PRIVATE_ENDINGS = (
    ".local",
    ".localhost",
    ".internal",
    ".lan",
    ".home",
    ".corp",
    ".intranet",
    ".arpa",
    ".test",
    ".invalid",
)
URL_POINTER, TOPIC_POINTER = "/notification_channels/webhook/url", "/notification_channels/sns/topic_arn"


class PublicChannels:
    """The `ChannelPolicy` port: public web addresses, and SNS topics in the regions of our partition and in any account
    but ours. Our role may not publish to our own, so that nobody has us do it."""

    def __init__(self, *, partition: str, topic_regions: Collection[str], own_account: str) -> None:
        self._partition = partition
        self._regions = topic_regions
        self._own_account = own_account

    def problems(self, channel: Channel) -> Sequence[Problem]:
        return self._topic(channel.target) if channel.kind is ChannelKind.SNS else _webhook(channel.target)

    def _topic(self, arn: str) -> list[Problem]:
        named = TOPIC.fullmatch(arn)
        if named is None or named[1] != self._partition:
            message = f"Name an SNS topic by its ARN, arn:{self._partition}:sns:region:account:name."
            return [Problem("invalid", message, TOPIC_POINTER)]
        if named[2] not in self._regions:
            message = f"SNS has no such region here. Name a topic in one of: {', '.join(sorted(self._regions))}."
            return [Problem("unknown_region", message, TOPIC_POINTER)]
        if named[3] == self._own_account:
            message = "Name a topic of your own AWS account: the platform publishes to none of its own."
            return [Problem("other_account", message, TOPIC_POINTER)]
        return []


def _webhook(url: str) -> list[Problem]:
    parts = _split(url)
    if parts is None or parts.scheme != "https" or parts.username is not None or parts.fragment:
        message = "Write the address as https://host/path, without a user name, a password or a fragment."
        return [Problem("invalid", message, URL_POINTER)]
    host = (parts.hostname or "").rstrip(".")
    if _is_address(host):
        return [Problem("not_public", "Name a host by its public name; an address is not taken.", URL_POINTER)]
    if not HOST.fullmatch(host) or f".{host}".endswith(PRIVATE_ENDINGS):
        return [Problem("not_public", "Name a host that is reachable from the internet.", URL_POINTER)]
    return []


def _split(url: str) -> SplitResult | None:
    """None for what cannot be read as one URL in the same way by everybody."""
    if not re.fullmatch(r"[!-~]{1,2048}", url) or "\\" in url:
        return None
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        return None
    return parts if port in (None, 443) else None


def _is_address(host: str) -> bool:
    """Also in the forms that resolvers take: 127.1, 0x7f000001, 2130706433, [::1]."""
    if re.fullmatch(r"[0-9a-fx.]+", host) and host.rpartition(".")[2][:1].isdigit():
        return True
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True
