"""The package face: the list of public names, and what it costs to import it."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import remyelin

STUB = Path(remyelin.__file__).with_suffix(".pyi")


def test_every_name_of_the_stub_is_exported_and_nothing_else() -> None:
    tree = ast.parse(STUB.read_text())
    names = [
        alias.asname or alias.name
        for node in tree.body
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
    ]
    assert sorted(names) == sorted(set(names))
    assert sorted(remyelin.__all__) == sorted(names)
    for name in names:
        assert getattr(remyelin, name) is not None


def test_a_public_function_or_class_says_what_it_does_and_shows_it() -> None:
    silent = [n for n in remyelin.__all__ if not (getattr(remyelin, n).__doc__ or "").strip()]
    assert silent == []


HEAVY = (
    "numba",
    "SimpleITK",
    "nibabel",
    "matplotlib",
    "duckdb",
    "formulaic",
    "scipy.stats",
    "mne",
    "nilearn",
    "pandas",
)


@pytest.mark.parametrize(
    "code", ["import remyelin", "from remyelin.cli import app; app(['--help'], result_action='return_value')"]
)
def test_start_is_quick(code: str) -> None:
    """Under 0.3 CPU seconds, the best of five: a shared machine makes single runs slow."""
    meter = (
        "import resource, sys\n"
        "a = resource.getrusage(resource.RUSAGE_SELF); before = a.ru_utime + a.ru_stime\n"
        f"{code}\n"
        "b = resource.getrusage(resource.RUSAGE_SELF); print('CPU', b.ru_utime + b.ru_stime - before)\n"
        f"print('HEAVY', [m for m in {HEAVY!r} if m in sys.modules])"
    )
    runs = []
    for _ in range(5):
        lines = subprocess.run(
            [sys.executable, "-c", meter], capture_output=True, text=True, check=True
        ).stdout.splitlines()
        assert lines[-1] == "HEAVY []"
        runs.append(float(lines[-2].split()[1]))
    assert min(runs) < 0.3, runs
