"""A workflow whose code fails, as after a deployment that went wrong: its task is tried again for ever."""

from temporalio import workflow


@workflow.defn
class Broken:
    @workflow.run
    async def run(self) -> None:
        raise RuntimeError
