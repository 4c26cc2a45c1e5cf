"""A workflow that imports one of our modules outside of its pass-through block."""

from temporalio import workflow

from domain.accounts import Account


@workflow.defn
class Careless:
    @workflow.run
    async def run(self, account: Account) -> None:
        """Nothing: it is never started."""
