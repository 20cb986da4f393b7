"""Fixtures that every test may use."""

from __future__ import annotations

import gc
import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import settings

# The same examples every time and by no clock. `--hypothesis-profile=search` looks for more.
settings.register_profile("same", deadline=None, derandomize=True)
settings.register_profile("search", deadline=None, max_examples=1000)
settings.load_profile("same")


def pytest_collection_finish() -> None:
    """What modules and tests hold stays to the end: the collector need not go through it each time."""
    gc.collect()
    gc.freeze()


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder of real recordings and references; the test skips, with a reason, where it is absent."""
    folder = Path(os.environ.get("REMYELIN_SHARED", Path(__file__).parents[1].parent / "shared"))
    if not folder.is_dir():
        pytest.skip(f"real data and references are not here ({folder}); set REMYELIN_SHARED to their folder")
    return folder


@pytest.fixture(scope="session")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A BIDS dataset that is measured in seconds: two participants, two visits, three lesions each.

    Not to be changed: copy it.
    """
    root = tmp_path_factory.mktemp("tiny") / "bids"
    for k in (1, 2):
        for visit in ("M00", "M06"):
            _write_tiny_visit(root, f"sub-{k:02d}", visit, np.random.default_rng([k, int(visit[1:])]))
    description = {"Name": "Tiny", "BIDSVersion": "1.10.0", "DatasetType": "raw"}
    (root / "dataset_description.json").write_text(json.dumps(description))
    (root / "participants.tsv").write_text("participant_id\tage\nsub-01\t31\nsub-02\t32\n")
    return root


@pytest.fixture(scope="session")
def measured_tiny(
    tiny: Path, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Path, subprocess.CompletedProcess[str]]:
    """The folder that `remyelin measure TINY OUT participant --json` filled, and what it said.

    Not to be changed: copy it.
    """
    out = tmp_path_factory.mktemp("measured_tiny") / "out"
    command = [sys.executable, "-m", "remyelin.cli", "measure", str(tiny), str(out), "participant", "--json"]
    return out, subprocess.run(command, capture_output=True, text=True, timeout=240, check=False)


def _write_tiny_visit(root: Path, person: str, visit: str, rng: np.random.Generator) -> None:
    from remyelin.measure.image import Volume, write_volume

    shape = (20, 24, 16)
    affine = np.diag([2.0, 2.0, 3.0, 1.0])
    affine[:3, 3] = -19.0, -25.0, -21.0
    x, y, z = np.meshgrid(*(np.linspace(-1, 1, n) for n in shape), indexing="ij")
    brain = (x / 0.8) ** 2 + (y / 0.85) ** 2 + (z / 0.8) ** 2 < 1
    lesions = np.zeros(shape, bool)
    mtr = np.where(brain, 0.40, 0.0)
    for a, b, depth in ((-0.35, 0.1, 0.12), (0.3, 0.3, 0.10), (0.2, -0.35, 0.06)):
        here = ((x - a) / 0.2) ** 2 + ((y - b) / 0.2) ** 2 + (z / 0.3) ** 2 < 1
        mtr[here] -= depth - (0.02 if visit == "M06" else 0.0)
        lesions |= here
    # No two sides alike, or left and right could not be told apart.
    off = np.where(brain, 1000 + 150 * x - 100 * y * z + rng.normal(0, 4, shape), 0)
    on = off * (1 - mtr) + np.where(brain, rng.normal(0, 4, shape), 0)
    stem = f"{person}_ses-{visit}"
    anat = root / person / f"ses-{visit}" / "anat"
    for state, data in (("off", off), ("on", on)):
        write_volume(
            Volume(data.astype(np.float32), affine), anat / f"{stem}_mt-{state}_MTR.nii.gz", dtype=np.int16
        )
        sidecar = {"MTState": state == "on", "RepetitionTime": 0.028, "EchoTime": 0.005, "FlipAngle": 5}
        (anat / f"{stem}_mt-{state}_MTR.json").write_text(json.dumps(sidecar))
    drawn = root / "derivatives" / "lesions" / person / f"ses-{visit}" / "anat"
    write_volume(
        Volume(lesions.astype(np.float32), affine), drawn / f"{stem}_label-lesion_mask.nii.gz", dtype=np.uint8
    )
