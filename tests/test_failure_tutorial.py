"""The tutorial of failure and the page of treatments: every block runs, and prints what the page says."""

from __future__ import annotations

import contextlib
import io
import re
import runpy
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
THEORY = ROOT / "docs/theory/treatments.md"


@pytest.mark.parametrize("page", [ROOT / "docs/tutorials/why-a-lesion-does-not-heal.md", THEORY])
def test_the_page_prints_what_it_says(page):
    blocks = re.findall(r"```python\n(.*?)```(?:\n\n```text\n(.*?)```)?", page.read_text(), re.DOTALL)
    assert blocks
    session: dict[str, object] = {}
    for code, said in blocks:
        printed = io.StringIO()
        with contextlib.redirect_stdout(printed):
            exec(code, session)
        assert printed.getvalue() == said, code


def test_the_table_of_treatments_is_the_catalogue():
    table = runpy.run_path(str(ROOT / "benchmarks/biology/treatments.py"))["table"]()
    assert table in THEORY.read_text()
