"""The sandbox: strict about imports, and left alone with questions that have one answer."""

import json

import pytest
from temporalio.bridge.proto.workflow_activation import WorkflowActivation
from temporalio.bridge.proto.workflow_completion import WorkflowActivationCompletion
from temporalio.client import WorkflowHistory
from temporalio.converter import StorageDriverStoreContext
from temporalio.worker import Replayer, WorkflowInstance
from temporalio.workflow import Info

from temporal.client import plugin
from temporal.sandbox import ContextFree
from tests.temporal.careless import Careless
from tests.workflows.record import HISTORIES


class Inside(WorkflowInstance):
    """A sandboxed instance that must not be asked about payloads."""

    def __init__(self) -> None:
        self.completion = WorkflowActivationCompletion(run_id="inside")

    def activate(self, act: WorkflowActivation) -> WorkflowActivationCompletion:
        return self.completion

    def get_info(self) -> Info:
        raise LookupError

    def get_thread_id(self) -> int | None:
        return 7

    def get_serialization_context(self, command_info: object) -> None:
        raise AssertionError

    def get_external_store_context(self, command_info: object) -> StorageDriverStoreContext:
        raise AssertionError


async def test_an_import_outside_of_the_pass_through_block_fails_by_name():
    recorded = json.loads((HISTORIES / "onboard_account.active.json").read_text())
    history = WorkflowHistory.from_json(str(recorded.pop("workflowId")), recorded)
    with pytest.raises(RuntimeError, match="Careless") as failed:
        await Replayer(workflows=[Careless], plugins=[plugin()]).replay_workflow(history)
    assert "domain" in str(failed.value.__cause__)


def test_the_sandbox_is_not_entered_to_ask_what_a_payload_belongs_to():
    instance = ContextFree(Inside())
    assert instance.get_serialization_context(None) is None
    assert instance.get_external_store_context(None) == StorageDriverStoreContext(target=None)


def test_all_else_is_asked_of_the_sandbox():
    inside = Inside()
    instance = ContextFree(inside)
    assert instance.activate(WorkflowActivation()) is inside.completion
    assert instance.get_thread_id() == 7
    with pytest.raises(LookupError):
        instance.get_info()
