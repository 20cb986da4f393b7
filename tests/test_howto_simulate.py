"""The how-to of virtual trials: its block prints what the page says, and its commands run."""

from __future__ import annotations

import contextlib
import io
import re
import shlex
from pathlib import Path

import pytest

from remyelin.cli import main

PAGE = Path(__file__).parents[1] / "docs/howto/simulate.md"


def test_the_how_to_prints_what_it_says() -> None:
    blocks = re.findall(r"```python\n(.*?)```\n\n```text\n(.*?)```", PAGE.read_text(), re.DOTALL)
    assert len(blocks) == 1
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        exec(blocks[0][0], {})
    assert printed.getvalue() == blocks[0][1]


def test_the_commands_of_the_how_to_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    lines = [line for line in PAGE.read_text().splitlines() if line.startswith("remyelin ")]
    assert len(lines) == 3
    for line in lines:
        with pytest.raises(SystemExit) as stopped:
            main(shlex.split(line.replace("--trials 10000 --jobs 2", "--trials 20"))[1:])
        assert stopped.value.code == 0, line
    assert (tmp_path / "MANY" / "trials.tsv").exists()
