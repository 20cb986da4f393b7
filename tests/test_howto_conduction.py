"""The how-to of conduction: every block of it, in order, prints what the page says."""

from __future__ import annotations

import contextlib
import io
import re
from pathlib import Path

PAGE = Path(__file__).parents[1] / "docs/howto/demyelinated-optic-nerve.md"


def test_the_how_to_prints_what_it_says(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)  # it writes its pictures
    blocks = re.findall(r"```python\n(.*?)```(?:\n\n```text\n(.*?)```)?", PAGE.read_text(), re.DOTALL)
    assert len(blocks) > 6
    session: dict[str, object] = {}
    for code, said in blocks:
        printed = io.StringIO()
        with contextlib.redirect_stdout(printed):
            exec(code, session)
        assert printed.getvalue() == said, code
    for picture in ("axons.svg", "conduction.svg", "nerve.svg"):
        assert (tmp_path / picture).stat().st_size > 10_000
