"""The clouds that our providers and the SDKs are measured against: stand-ins that verify what is signed, in a process
of their own, so that their time is nobody's."""

import asyncio
import json
import sys
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from bench.measuring import tell
from bench.processes import Observed
from emulators.processes import running
from local.stack import ROOT

STAND_INS = "stand-ins"


@dataclass(frozen=True)
class Address:
    """Of a stand-in, on loopback."""

    port: int
    ca_file: str


@dataclass(frozen=True)
class CloudCustomer:
    """A customer of one cloud, with a good credential of one method."""

    cloud: str
    auth_method: str
    fields: Mapping[str, Any]
    """As they are submitted."""
    at: Address
    """Where this cloud alone answers, also to an SDK, which is given an address in place of its cloud's names."""

    @property
    def name(self) -> str:
        return f"{self.cloud}, {self.auth_method}"


@dataclass(frozen=True)
class Platform:
    """Who we are to the clouds."""

    identity_key: str
    """The private key of our identity provider, as PEM."""
    alicloud_key_id: str
    alicloud_secret: str
    alicloud_arn: str


@dataclass(frozen=True)
class CloudBed:
    customers: Sequence[CloudCustomer]
    platform: Platform
    together: Address
    """Where all the clouds answer under their own names."""

    def write(self, file: Path) -> None:
        tell(file, asdict(self))

    @classmethod
    def read(cls, file: Path) -> "CloudBed":
        found = json.loads(file.read_text())
        customers = [CloudCustomer(**{**given, "at": Address(**given["at"])}) for given in found["customers"]]
        return cls(customers, Platform(**found["platform"]), Address(**found["together"]))


def bed_file(folder: Path) -> Path:
    return folder / "clouds.json"


@asynccontextmanager
async def cloud_bed(folder: Path) -> AsyncIterator[tuple[CloudBed, Observed]]:
    """With the process of the stand-ins. Raises StackFailed when it does not start."""
    await asyncio.to_thread(folder.mkdir, mode=0o700, parents=True)
    command = [sys.executable, "-m", "bench.stand_ins", str(folder)]
    log, environment = folder / "stand-ins.log", {"HOME": str(folder)}
    with running("The stand-ins of the clouds", command, log=log, environment=environment, cwd=ROOT) as child:
        await asyncio.to_thread(child.wait_until, bed_file(folder).exists)
        yield CloudBed.read(bed_file(folder)), Observed(STAND_INS, child.pid)
