"""Connections to public addresses only. A name is resolved once, every address that it has must be public, and the
connection is made to one of exactly these, so that a second answer of the name server changes nothing."""

import ipaddress
from collections.abc import Iterable
from typing import Any

import httpcore

from transport.deadline import Connector, Resolver, resolve

IpAddress = ipaddress.IPv4Address | ipaddress.IPv6Address

PORT = 443
_SPECIAL = tuple(
    ipaddress.ip_network(network)
    # IETF protocol assignments, of which older Pythons take some for global; and addresses that carry another one,
    # which a gateway may unpack (RFC 6052, RFC 8215, RFC 7526).
    for network in ("192.0.0.0/24", "192.88.99.0/24", "64:ff9b::/96", "64:ff9b:1::/48")
)


class NotPublic(httpcore.ConnectError):
    """The name leads, or may lead, to an address that is not public."""


def is_public(text: str) -> bool:
    """Whether an address is one of the internet's, also when it carries another one inside."""
    address: IpAddress = ipaddress.ip_address(text)
    if isinstance(address, ipaddress.IPv6Address) and (address.ipv4_mapped or address.sixtofour or address.teredo):
        return False
    if any(address in network for network in _SPECIAL):
        return False
    return address.is_global and not address.is_multicast and not address.is_reserved


class PublicOnly(Connector):
    """What connects for the guarded client. `resolver` is the one seam for tests: it can send a name to a stand-in, and
    `stand_ins` are the addresses that it may then be at."""

    def __init__(self, resolver: Resolver = resolve, *, stand_ins: Iterable[tuple[str, int]] = ()) -> None:
        super().__init__(resolver)
        self._stand_ins = dict(stand_ins)

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Any = None,
    ) -> httpcore.NetworkStream:
        """Raises NotPublic, httpcore.ConnectError and httpcore.ConnectTimeout."""
        if port != PORT:
            raise NotPublic
        addresses = self.addresses(host, port, timeout)
        if not all(address in self._stand_ins or is_public(address) for address in addresses):
            raise NotPublic
        address = addresses[0]
        return self.connect([(address, self._stand_ins.get(address, port))], timeout)
