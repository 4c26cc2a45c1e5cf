"""The folder of a run: empty at its start, private, and one run's only."""

import stat
from pathlib import Path

import pytest

from emulators.failures import StackFailed
from local.folder import run_folder, write_private


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_the_folder_starts_empty_and_private(tmp_path: Path):
    folder = tmp_path / ".local"
    (folder / "logs").mkdir(parents=True)
    (folder / "logs/api.log").write_text("old")
    (folder / "stack.env").write_text("old")
    with run_folder(folder):
        assert list(folder.iterdir()) == []


def test_a_new_folder_is_its_owners_only(tmp_path: Path):
    with run_folder(tmp_path / ".local") as folder:
        assert mode(folder) == 0o700


def test_what_a_link_points_at_is_not_emptied(tmp_path: Path):
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "kept").touch()
    (tmp_path / ".local").mkdir()
    (tmp_path / ".local/link").symlink_to(outside)
    with run_folder(tmp_path / ".local") as folder:
        assert list(folder.iterdir()) == []
    assert (outside / "kept").exists()


def test_a_second_run_is_refused_and_disturbs_nothing(tmp_path: Path):
    with run_folder(tmp_path) as folder:
        (folder / "stack.env").touch()
        with pytest.raises(StackFailed, match="is running already"), run_folder(tmp_path):
            pass
        assert (folder / "stack.env").exists()


def test_the_folder_is_free_again_after_a_run(tmp_path: Path):
    with run_folder(tmp_path):
        pass
    with run_folder(tmp_path) as folder:
        assert folder == tmp_path


def test_a_private_file_is_its_owners_only(tmp_path: Path):
    write_private(tmp_path / "stack.env", "A=1\n")
    assert mode(tmp_path / "stack.env") == 0o600
    assert (tmp_path / "stack.env").read_text() == "A=1\n"
