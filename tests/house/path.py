"""The path of one `POST /validate`: which functions of the product it runs through, and in how many files.

A good credential of a role is validated by the real API application and a real worker in this process, on a Temporal
development server and MiniStack, while a profile hook notes every function of ours that is entered. The process is
warm: another account went the same way first.
"""

import asyncio
import os
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from types import FrameType

from emulators.ministack import running_ministack
from emulators.temporal import running_temporal
from temporal.program import run_program
from tests.commands.conftest import set_up_namespace
from tests.commands.test_counts import at_work
from tests.house.figures import NOT_PRODUCT, ROOT

Place = tuple[str, str]
"""A file, from the root of the repository, and the qualified name of a function in it."""


class Hook:
    """Notes the functions of the product that any thread enters while `on` is true."""

    def __init__(self) -> None:
        self.on = False
        self.seen: set[Place] = set()

    def __call__(self, frame: FrameType, event: str, _: object) -> None:
        if self.on and event == "call":
            code = frame.f_code
            is_function = not code.co_name.startswith("<")  # comprehensions and lambdas have frames too
            if is_function and (place := _in_product(code.co_filename)):
                self.seen.add((place, code.co_qualname))

    @contextmanager
    def installed(self) -> Iterator[None]:
        """Threads are hooked when they start, so install the hook before the servers and pools are made."""
        threading.setprofile(self)
        sys.setprofile(self)
        try:
            yield
        finally:
            sys.setprofile(None)
            threading.setprofile(None)


def walk() -> set[Place]:
    """Return the functions that one validation enters."""
    hook = Hook()
    os.environ.update(AWS_ACCESS_KEY_ID="testing", AWS_SECRET_ACCESS_KEY="testing")
    with TemporaryDirectory() as folder, hook.installed():
        logs = Path(folder)
        with (
            running_ministack(logs / "ministack.log") as aws,
            running_temporal(logs / "temporal.log", ui=False) as server,
        ):
            temporal = set_up_namespace(server.address, "house")

            async def validate_twice() -> None:
                async with at_work(aws, temporal, logs / "profiles") as platform:
                    first, second = [await platform.portal.make_tenant() for _ in range(2)]
                    started = await platform.portal.init(first)
                    url = "/onboarding/aws/cloudformation-template"
                    offered = await platform.portal.get(url, external_id=started["external_id"])
                    await asyncio.to_thread(platform.customer.deploy, offered["template"])
                    await platform.portal.validate(started["account_id"], platform.customer.role_arn)
                    started = await platform.portal.init(second)
                    await asyncio.to_thread(platform.customer.trust, started["external_id"])
                    hook.on = True
                    await platform.portal.validate(started["account_id"], platform.customer.role_arn)
                    hook.on = False

            run_program(validate_twice())
    return hook.seen


def _in_product(filename: str) -> str | None:
    if not filename.startswith(f"{ROOT}/"):
        return None
    path = filename.removeprefix(f"{ROOT}/")
    outside = path.startswith(".venv") or path.split("/", 1)[0] in NOT_PRODUCT
    return None if outside else path
