"""Records the OpenAPI document: `python -m tests.api.record`."""

import json
from pathlib import Path

from temporalio.client import Client

from temporal.program import run_program
from tests.api.portal import open_portal
from tests.rig import Rig

SNAPSHOT = Path(__file__).with_name("openapi.json")


def document() -> str:
    return json.dumps(run_program(_document()), indent=2, ensure_ascii=False) + "\n"


async def _document() -> dict[str, object]:
    client = await Client.connect("127.0.0.1:9", lazy=True)
    return open_portal(Rig(client), client).app.openapi()


if __name__ == "__main__":
    SNAPSHOT.write_text(document())
