"""Fixtures that every test may use."""

from __future__ import annotations

import os
from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder of real recordings and references; the test skips, with a reason, where it is absent."""
    folder = Path(os.environ.get("REMYELIN_SHARED", Path(__file__).parents[1].parent / "shared"))
    if not folder.is_dir():
        pytest.skip(f"real data and references are not here ({folder}); set REMYELIN_SHARED to their folder")
    return folder
