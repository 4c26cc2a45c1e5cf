"""The edge of the API from the settings: rates, origins, limits of the server."""

from limits.aio.storage import RedisStorage
from pydantic import SecretStr

from api.http.hardening import Edge
from api.http.rate_limits import Rates
from api.http.server import ServerLimits
from config import Settings
from domain.metrics import RATE_STORE_FAILURES
from settings.http import listed
from telemetry.process import Telemetry

RATE_STORE_SECONDS = 0.25
"""For an answer of the store of rates: a request waits for it."""


def edge(settings: Settings, watched: Telemetry) -> Edge:
    return Edge(
        rates=Rates(
            per_key=settings.rate_limit_per_key,
            per_tenant=settings.rate_limit_per_tenant,
            per_address=settings.rate_limit_per_address,
            dry_runs_per_tenant=settings.rate_limit_dry_runs_per_tenant,
        ),
        rate_store=rate_store(settings.rate_limit_store_url),
        on_rate_outage=watched.counter(RATE_STORE_FAILURES),
        trusted_proxies=listed(settings.trusted_proxies),
        cors_origins=listed(settings.cors_origins),
        https=(settings.public_api_url or "").startswith("https:"),
    )


def server_limits(settings: Settings) -> ServerLimits:
    return ServerLimits(keep_alive_seconds=settings.api_keep_alive_seconds, connections=settings.api_max_connections)


def rate_store(url: SecretStr | None) -> RedisStorage | None:
    """None for one process alone. It is asked once, as redis-py tries again only when told to: while it is out of order
    each process counts for itself."""
    if url is None:
        return None
    return RedisStorage(
        f"async+{url.get_secret_value()}",
        wrap_exceptions=True,
        implementation="redispy",
        key_prefix="threat-engine-rates",
        socket_timeout=RATE_STORE_SECONDS,
        socket_connect_timeout=RATE_STORE_SECONDS,
    )
