"""A scan engine that keeps the protocol and scans nothing: the test says what it finds.

It writes down what came and what it answered, so that both can be compared with the protocol's description.
"""

import threading
from collections import deque
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from socket import AF_INET, SOCK_STREAM, socket
from typing import Any

import uvicorn
from fastapi import FastAPI, Request, Response
from fastapi.responses import JSONResponse

RUNNING = "running"


@dataclass
class Job:
    order: dict[str, Any]
    status: str = RUNNING
    percent: int = 0
    error_code: str | None = None
    findings: list[dict[str, Any]] = field(default_factory=list)
    credentials: list[dict[str, Any]] = field(default_factory=list)
    """Every one that it was given, the latest last."""


@dataclass(frozen=True)
class Exchange:
    operation: str
    status: int
    headers: Mapping[str, str]
    query: Mapping[str, str]
    given: Any
    answered: Any


class ReferenceEngine:
    def __init__(self) -> None:
        self.url = ""
        self.jobs: dict[str, Job] = {}
        self.exchanges: list[Exchange] = []
        self.moods: deque[Response] = deque()
        """Answers to give instead of its own, one a call."""

    def start(self, given: dict[str, Any]) -> tuple[int, Any]:
        job = self.jobs.get(given["job_id"])
        status = 202 if job is None else 200
        if job is None:
            job = self.jobs[given["job_id"]] = Job({name: given[name] for name in given if name != "credential"})
        if job.status == RUNNING:
            job.credentials.append(given["credential"])
        return status, self._status(given["job_id"], job)

    def status(self, job_id: str) -> tuple[int, Any]:
        job = self.jobs.get(job_id)
        return (404, None) if job is None else (200, self._status(job_id, job))

    def page(self, job_id: str, limit: int, cursor: str) -> tuple[int, Any]:
        if job_id not in self.jobs:
            return 404, None
        first = int(cursor or 0)
        rest = self.jobs[job_id].findings[first:]
        more = str(first + limit) if len(rest) > limit else None
        return 200, {"findings": rest[:limit], "next_cursor": more}

    def cancel(self, job_id: str) -> tuple[int, Any]:
        job = self.jobs.get(job_id)
        if job is None:
            return 404, None
        if job.status == RUNNING:
            job.status = "cancelled"
        job.credentials.clear()
        return 204, None

    def _status(self, job_id: str, job: Job) -> dict[str, Any]:
        return {"job_id": job_id, "status": job.status, "percent": job.percent, "error_code": job.error_code}


def application(engine: ReferenceEngine) -> FastAPI:
    app = FastAPI()

    async def answer(operation: str, request: Request, result: Any) -> Response:
        if engine.moods:
            return engine.moods.popleft()
        given = await request.json() if request.method == "POST" else None
        status, content = result(given)
        query, headers = dict(request.query_params), dict(request.headers)
        engine.exchanges.append(Exchange(operation, status, headers, query, given, content))
        return Response(status_code=status) if content is None else JSONResponse(content, status)

    @app.post("/api/v1/scan")
    async def start(request: Request) -> Response:
        return await answer("start", request, engine.start)

    @app.get("/api/v1/scan/{job_id}/status")
    async def status(request: Request, job_id: str) -> Response:
        return await answer("status", request, lambda _: engine.status(job_id))

    @app.get("/api/v1/scan/{job_id}/findings")
    async def findings(request: Request, job_id: str, limit: int, cursor: str = "") -> Response:
        return await answer("findings", request, lambda _: engine.page(job_id, limit, cursor))

    @app.delete("/api/v1/scan/{job_id}")
    async def cancel(request: Request, job_id: str) -> Response:
        return await answer("cancel", request, lambda _: engine.cancel(job_id))

    return app


@contextmanager
def running_reference_engine() -> Iterator[ReferenceEngine]:
    """On a free port of this machine."""
    engine = ReferenceEngine()
    server = uvicorn.Server(uvicorn.Config(application(engine), log_config=None, lifespan="off", timeout_keep_alive=1))
    with socket(AF_INET, SOCK_STREAM) as listening:
        listening.bind(("127.0.0.1", 0))
        listening.listen()
        engine.url = f"http://127.0.0.1:{listening.getsockname()[1]}"
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]}, daemon=True)
        thread.start()
        try:
            yield engine
        finally:
            server.should_exit = True
            thread.join(10)
