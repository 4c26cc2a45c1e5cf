"""An API process with a tenant for each key: `python -m tests.security.neighbours PORT LIMIT KEY KEY`. Its ports are in
memory; only the rate of a tenant is limited."""

import typer
import uvicorn
from temporalio.client import Client

import logs
from api.http.hardening import Edge
from api.http.rate_limits import Rates
from api.http.server import server_config
from domain.callers.api_keys import digest_of, key_id_of
from emulators.ports import HOST
from temporal.program import run_program
from tests.api.portal import add_key, open_portal
from tests.rig import Rig


async def serve(port: int, limit: int, keys: list[str]) -> None:
    rig = Rig(await Client.connect(f"{HOST}:9", lazy=True))
    for text in keys:
        tenant = Rig(rig.client, stores=rig.stores)
        add_key(rig, tenant_id=tenant.tenant_id, key_id=key_id_of(text), digest=digest_of(text))
    portal = open_portal(rig, rig.client, edge=Edge(rates=Rates(per_tenant=limit)))
    await uvicorn.Server(server_config(portal.app, host=HOST, port=port)).serve()


def main(port: int, limit: int, keys: list[str]) -> None:
    logs.configure("INFO")
    run_program(serve(port, limit, keys))


if __name__ == "__main__":
    typer.run(main)
