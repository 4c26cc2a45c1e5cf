import pytest

from domain.accounts import ProviderType
from domain.errors import NotFound
from providers.registry import Registry
from tests.fakes_clouds import ScriptedProvider


def test_a_cloud_on_offer_is_found_by_its_name():
    aws = ScriptedProvider()
    assert Registry({ProviderType.AWS: aws}).provider("aws") is aws


@pytest.mark.parametrize("name", ["azure", "AWS", "", "aws ", "<script>"])
def test_anything_else_is_not_found_and_not_repeated(name: str):
    with pytest.raises(NotFound) as raised:
        Registry({ProviderType.AWS: ScriptedProvider()}).provider(name)
    assert "aws" in raised.value.message
    assert not name.strip(" aws") or name not in raised.value.message


def test_the_names_are_those_of_the_clouds_on_offer():
    assert Registry({ProviderType.AWS: ScriptedProvider()}).names() == ("aws",)
