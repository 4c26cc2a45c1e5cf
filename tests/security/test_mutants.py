"""The mutation run sees a test that looks away, and says nothing against one that does not."""

from pathlib import Path

import pytest

from emulators.failures import StackFailed
from tests.security.mutants.program import Mutant, equivalents, run, score, try_all
from tests.security.mutants.subjects import SUBJECTS, Subject

LIMIT = '''"""A lock."""

LIMIT = 3


def opens(tries: int, code: str) -> bool:
    """Whether it opens."""
    if tries > LIMIT:
        return False
    return code == "1234"
'''
TESTS = """from lock import opens


def test_the_code_opens_it():
    assert opens(3, "1234") and not opens(1, "12345") and not opens(9, "1234")
"""
UNSEEN = Mutant("lock", "(module)", "3", "4")


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / "lock.py").write_text(LIMIT)
    (tmp_path / "test_lock.py").write_text(TESTS)
    (tmp_path / "pyproject.toml").write_text('[tool.pytest.ini_options]\npythonpath = ["."]\n')
    return tmp_path


async def test_a_bound_that_no_test_reaches_survives_and_the_rest_is_killed(root: Path):
    tried = await try_all("lock", Subject("lock.py", ("test_lock.py",)), root=root)
    assert tried.survived == {UNSEEN}
    assert Mutant("lock", "opens", "if tries > LIMIT", "if False") in tried.killed
    assert score(tried, []).holes == [UNSEEN]
    assert (score(tried, [UNSEEN]).holes, score(tried, [UNSEEN]).percent) == ([], 100)


async def test_an_entry_of_the_list_that_a_test_notices_is_told(root: Path):
    tried = await try_all("lock", Subject("lock.py", ("test_lock.py",), only=("opens",)), root=root)
    noticed = Mutant("lock", "opens", "if tries > LIMIT", "if False")
    assert score(tried, [noticed]).stale == [noticed]


async def test_nothing_is_said_of_tests_that_fail_anyway(root: Path):
    (root / "test_lock.py").write_text("def test_fails():\n    assert False\n")
    with pytest.raises(StackFailed, match="do not pass without a mutant"):
        await try_all("lock", Subject("lock.py", ("test_lock.py",)), root=root)


def test_every_equivalent_is_of_a_module_in_the_table_and_has_a_reason():
    assert {mutant.subject for mutant in equivalents()} <= set(SUBJECTS)
    assert all(Path(subject.path).is_file() for subject in SUBJECTS.values())


@pytest.mark.long
async def test_no_check_of_a_module_in_the_table_can_be_switched_off_unseen():
    assert [figure.name for figure in await run(quick=False) if not figure.met] == []
