"""The stand-in of the customers' other clouds, in this process: it checks every signature as the real ones do, and each
cloud in it has one customer."""

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from emulators.clouds.all_clouds import all_clouds
from emulators.clouds.server import StandIn, running_stand_in
from emulators.ports import HOST
from local.folder import write_private


@dataclass(frozen=True)
class CustomerClouds:
    """The running stand-in."""

    folder: Path
    stand_in: StandIn
    credentials: Mapping[str, Mapping[str, Any]]
    """By cloud, what its customer submits."""

    @property
    def settings(self) -> Mapping[str, str]:
        """What leads API and worker to it."""
        return {"CUSTOMER_CLOUDS_ADDRESS": f"{HOST}:{self.stand_in.port}", "CLOUDS_CA_FILE": self.stand_in.ca_file}

    def file(self, cloud: str) -> Path:
        """Where a cloud's credential lies, for trying it by hand."""
        return self.folder / f"{cloud}.json"


@contextmanager
def running_clouds(folder: Path, *, port: int) -> Iterator[CustomerClouds]:
    """Every cloud but AWS, in an empty `folder`."""
    folder.mkdir(mode=0o700, parents=True)
    clouds = all_clouds()
    with running_stand_in(folder, list(clouds.values()), port=port) as stand_in:
        found = CustomerClouds(folder, stand_in, {name: cloud.demo_credential() for name, cloud in clouds.items()})
        for name, credential in found.credentials.items():
            write_private(found.file(name), json.dumps(credential, indent=1))
        yield found
