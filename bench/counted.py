"""One of our processes with every call to AWS written down: `python -m bench.counted api|worker FILE`.

The hook is botocore's own and reaches every session, also the customers' isolated ones. A line is the service and the
operation; parameters are not looked at."""

from enum import StrEnum
from pathlib import Path
from typing import Any, TextIO

import botocore
import typer
from botocore.session import Session

import main as api
import worker


class Program(StrEnum):
    API = "api"
    WORKER = "worker"


def write_down_calls(file: TextIO) -> None:
    """From now on, for sessions that are made from now on."""

    def write(**call: Any) -> None:
        model = call["model"]
        file.write(f"{model.service_model.service_name}.{model.name}\n")

    def hook(session: Session) -> None:
        session.register("before-call", write)

    botocore.register_initializer(hook)


def main(program: Program, file: Path) -> None:
    write_down_calls(file.open("a", buffering=1))
    {Program.API: api.main, Program.WORKER: worker.main}[program]()


if __name__ == "__main__":
    typer.run(main)
