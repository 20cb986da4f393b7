"""The command line in this process: its exit code and what it prints."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import pytest

from remyelin import cli


class Done(NamedTuple):
    code: int
    out: str
    err: str


Run = Callable[..., Done]


def runner(capsys: pytest.CaptureFixture[str], *first: str) -> Run:
    """A function that runs `remyelin FIRST ...`."""

    def call(*args: object) -> Done:
        with pytest.raises(SystemExit) as ended:
            cli.main([*first, *map(str, args)])
        return Done(ended.value.code, *capsys.readouterr())

    return call
