"""The keys that commands are signed with: the same in each process, and another one each month."""

import pytest

from domain.errors import PlatformConfig
from stores.kms.command_keys import KmsCommandKeys
from tests.stores.conftest import Aws, Stores


def test_a_month_has_one_key_and_each_month_its_own(stores: Stores):
    november = stores.commands.derive("2026-11")
    assert len(november) == 32
    assert stores.commands.derive("2026-11") == november
    assert stores.commands.derive("2026-12") != november


def test_a_key_that_is_not_there_is_a_fault_of_the_platform(aws: Aws):
    with pytest.raises(PlatformConfig):
        KmsCommandKeys(aws.clients.kms, key_id="alias/nowhere").derive("2026-11")
