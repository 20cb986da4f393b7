"""The how-to of the evidence: every command of it, in order, prints what the page says."""

from __future__ import annotations

import contextlib
import doctest
import io
import re
import shlex
import textwrap
from pathlib import Path

import pytest

from remyelin import cli

PAGE = Path(__file__).parents[1] / "docs/howto/use-the-evidence.md"
BLOCK = re.compile(r"```(console|toml|python)\n(.*?)```(?:\n\n```text\n(.*?)```)?", re.DOTALL)
COUNT = re.compile(r"\b\d+(?= published numbers| records that stand)")  # grows with every record
FLAGS = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE


def console(text: str, capsys: pytest.CaptureFixture[str]) -> None:
    line, _, said = text.partition("\n")
    command = shlex.split(line.removeprefix("$ remyelin "))
    with pytest.raises(SystemExit):
        cli.main(command)
    printed = "".join(capsys.readouterr())
    said = COUNT.sub("...", said)
    assert doctest.OutputChecker().check_output(said, printed, FLAGS), f"{line}\n{printed}"


def python(code: str, said: str) -> None:
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        exec(code, {})
    assert printed.getvalue() == said


def test_the_how_to_prints_what_it_says(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)  # it writes its picture
    blocks = BLOCK.findall(PAGE.read_text())
    assert len(blocks) > 10
    for kind, text, said in blocks:
        if kind == "console":
            console(text, capsys)
        elif kind == "toml":
            name, _, content = text.partition("\n")
            Path(name.removeprefix("# ")).write_text(textwrap.dedent(content))
        else:
            python(text, said)
    assert (tmp_path / "forest.svg").stat().st_size > 10_000
