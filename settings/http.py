"""The settings of the API as a server: where it listens, who may reach it and how often. A part of `config.Settings`,
with the same rules."""

import re
from ipaddress import ip_network
from typing import Annotated

from pydantic import AfterValidator, BaseModel, Field, SecretStr, StringConstraints

Address = Annotated[str, StringConstraints(pattern=r"^[!-~]{1,2048}$")]
PublicUrl = Annotated[str, StringConstraints(pattern=r"^https?://[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?(:[0-9]{1,5})?$")]

_ORIGIN = re.compile(
    r"(https://[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?"
    r"|https?://(([a-z0-9-]{1,63}\.){0,3}localhost|127(\.[0-9]{1,3}){3}|\[::1\]))(:(?P<port>[1-9][0-9]{0,4}))?"
)
"""Nobody between a browser and a page on its own machine can read along, so there http will do."""
_STORE = re.compile(r"rediss?://[!-~]{1,2000}")


def _origins(text: str) -> str:
    """A blank beside a comma and capitals do no harm: a browser sends none, so none are kept, nor the
    usual port."""
    origins = [origin.strip().lower() for origin in text.split(",")]
    for origin in origins:
        found = _ORIGIN.fullmatch(origin)
        if found is None or int(found["port"] or 1) > 65535:
            raise ValueError
    usual = {"https": ":443", "http": ":80"}
    return ",".join(origin.removesuffix(usual[origin.partition(":")[0]]) for origin in origins)


def _networks(text: str) -> str:
    for network in listed(text):
        if ip_network(network).prefixlen == 0:
            raise ValueError
    return text


def _store(url: SecretStr) -> SecretStr:
    if not _STORE.fullmatch(url.get_secret_value()):
        raise ValueError
    return url


def listed(text: str | None) -> tuple[str, ...]:
    """What stands between the commas."""
    return tuple(text.split(",")) if text else ()


class HttpSettings(BaseModel):
    api_host: Address = Field("127.0.0.1", description="the address that the API listens on")
    api_port: int = Field(8000, ge=1, le=65535, description="the port that the API listens on, 1 to 65535")
    public_api_url: PublicUrl | None = Field(
        None, description="the http(s) address, without a path, at which callers reach the API"
    )
    trusted_proxies: Annotated[str, AfterValidator(_networks)] | None = Field(
        None, description="the networks of the proxies whose X-Forwarded-For is believed, with commas between them"
    )
    cors_origins: Annotated[str, AfterValidator(_origins)] | None = Field(
        None,
        description="the origins whose pages may call the API, with commas between them: "
        "https, or http on localhost, a name below it, 127.0.0.1 or [::1]",
    )
    api_max_connections: int = Field(
        512, ge=10, le=65535, description="the number of connections that an API process serves at once, 10 to 65535"
    )
    api_keep_alive_seconds: int = Field(
        5, ge=1, le=600, description="the seconds that an unused connection is kept open, 1 to 600"
    )
    rate_limit_per_key: int = Field(
        600, ge=0, le=1000000, description="the requests a minute of one API key, 0 to 1000000; 0 is no limit"
    )
    rate_limit_per_tenant: int = Field(
        1200, ge=0, le=1000000, description="the requests a minute of one tenant, 0 to 1000000; 0 is no limit"
    )
    rate_limit_per_address: int = Field(
        1200, ge=0, le=1000000, description="the requests a minute of one client address, 0 to 1000000; 0 is no limit"
    )
    rate_limit_dry_runs_per_tenant: int = Field(
        30, ge=0, le=1000000, description="the dry runs a minute of one tenant, 0 to 1000000; 0 is no limit"
    )
    rate_limit_store_url: Annotated[SecretStr, AfterValidator(_store)] | None = Field(
        None, description="the redis:// or rediss:// address at which several API processes count requests together"
    )
