"""Progress: plain lines when the output is no terminal."""

import io
import re

import pytest
from rich.console import Console

from local.progress import Progress


@pytest.fixture
def output() -> io.StringIO:
    return io.StringIO()


@pytest.fixture
def progress(output: io.StringIO) -> Progress:
    return Progress(Console(file=output))


def test_a_step_is_a_line_with_its_time(progress: Progress, output: io.StringIO):
    with progress.step("tables are made"):
        assert output.getvalue() == ""
    assert re.fullmatch(r" +0\.0\d s  tables are made\n", output.getvalue())


def test_a_step_that_fails_is_not_told_as_done(progress: Progress, output: io.StringIO):
    with pytest.raises(OSError, match="broken"), progress.step("tables are made"):
        raise OSError("broken")
    assert output.getvalue() == ""


def test_a_long_address_stays_in_one_line_and_no_control_character_is_written(progress: Progress, output: io.StringIO):
    progress.heading("Done")
    progress.say("http://127.0.0.1/" + "x" * 300)
    assert [len(line) for line in output.getvalue().splitlines()] == [0, 4, 317]
    assert output.getvalue().replace("\n", "").isprintable()
