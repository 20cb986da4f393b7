"""Recordings of virtual people, measured, against what is true in them.

    python benchmarks/virtual/recovery.py [--people 4] [--work FOLDER] [--voxel-mm 2 1]

Clean recordings: no transmit or receive field, no drift, no reader, a tenth of the noise; heads still move.
Noisy ones: as `remyelin simulate --recordings` writes them. Half the people of a set are treated (+1 pu in
every lesion, -5 ms in every affected eye). Heads of 1 mm are scaled by 0.65, so that a set takes minutes.

The level of a lesion is compared with what a perfect reading of images without noise gives over the voxels
that were drawn. Its change, divided by its own calibration slope (how much of a change reads through
partial volume), is compared with the true change of its tissue.

First comes the time that one patient takes at 1 mm: two visits, each with MT-on, MT-off, T1-weighted, both
masks, and two eyes with two replicates of 60 reversals; 66 lesions; everything from drawing the patient to
the written files. The first in a process also reads the template, makes tables and loads compiled code.
"""

from __future__ import annotations

import argparse
import os
import shutil
import time
from pathlib import Path

import nibabel as nib
import numpy as np
import pandas as pd

from remyelin.measure.run import measure_participants, resolve_settings
from remyelin.protocol import Protocol
from remyelin.virtual.dataset import write_trial
from remyelin.virtual.potentials import Laboratory
from remyelin.virtual.premises import Premises
from remyelin.virtual.recorded import Truth
from remyelin.virtual.response import Response
from remyelin.virtual.scanner import Scanner

SEED = 2026
NEAR_MM = 8.0  # a measured lesion is the true one whose middle lies this near, if no other lies half as near
GOAL_PU, GOAL_MS = 0.1, 0.5
AUTO = "check=60;reader=auto"
WORDS = {
    "level": "MTR of a lesion",
    "level_by_volume": "the same, weighted by volume",
    "change": "its change, by its calibration slope",
    "change_by_volume": "the same, weighted by volume",
    "latency": "P100 latency",
    "shift": "shift of the response",
    "shift_of_peaks": "difference of two latencies",
}


def written(folder: Path, *, people: int, clean: bool, voxel_mm: float) -> Truth:
    """One set of recordings."""
    scanner = Scanner(voxel_mm=voxel_mm, head_scale=1.0 if voxel_mm == 2 else 0.65, t1w=False)
    laboratory = Laboratory()
    return write_trial(
        Protocol.read("demo"),
        folder,
        rng=np.random.default_rng([SEED, int(voxel_mm), int(clean)]),
        response=Response.constant(latency_ms=-5.0, mtr_pu=1.0),
        premises=Premises.read("trial", absent_part=0.0),
        participants=people // 2,
        lesions_per_participant=40,
        scanner=scanner.clean() if clean else scanner,
        laboratory=laboratory.clean() if clean else laboratory,
    )


def errors(truth: Truth, out: Path) -> dict[str, np.ndarray]:
    """Measured less true and the weight of each, (n, 2), by quantity."""
    found: dict[str, list[tuple[float, float]]] = {name: [] for name in WORDS}
    for person in truth.participants["participant_id"]:
        rows = pd.read_csv(out / person / f"{person}_measurements.tsv", sep="\t", keep_default_na=False)
        rows["value"] = pd.to_numeric(rows["value"], errors="coerce")
        _lesions(truth, out, person, rows, found)
        _eyes(truth, person, rows, found)
    return {name: np.array(values) for name, values in found.items()}


def _lesions(
    truth: Truth, out: Path, person: str, rows: pd.DataFrame, found: dict[str, list[tuple[float, float]]]
) -> None:
    own = truth.lesions[truth.lesions["participant_id"] == person]
    before, after = (own[own["visit"] == visit].set_index("lesion") for visit in ("M00", "M06"))
    image = nib.load(out / person / "anat" / f"{person}_space-halfway_desc-lesion_dseg.nii.gz")
    labels = np.asarray(image.dataobj)
    slopes = rows[rows["measure"] == "mtr_calibration_slope"].set_index("site")["value"]
    names = pd.read_csv(out / person / "anat" / f"{person}_space-halfway_desc-lesion_dseg.tsv", sep="\t")
    number = dict(zip(names["name"], names["index"], strict=True))
    values = rows[(rows["measure"] == "mtr_pu") & (rows["condition"].isin(["", "n/a"]))]
    values = values[values["site"].str.startswith("lesion:")]
    table = values.pivot(index="site", columns="visit", values="value")
    centres = before[["x_mm", "y_mm", "z_mm"]].to_numpy(float)
    for site, row in table.dropna().iterrows():
        voxels = np.argwhere(labels == number.get(str(site), -1))
        if not len(voxels):
            continue
        middle = voxels.mean(0) @ image.affine[:3, :3].T + image.affine[:3, 3]
        away = np.linalg.norm(centres - middle, axis=1)
        name = before.index[away.argmin()]
        if away.min() > min(NEAR_MM, np.partition(away, 1)[1] / 2) or name not in after.index:
            continue
        level = row["M00"] - before.loc[name, "drawn_mtr_pu"]
        true = after.loc[name, "mtr_pu"] - before.loc[name, "mtr_pu"]
        change = (row["M06"] - row["M00"]) / slopes.get(site, np.nan) - true
        for name, error in (("level", level), ("change", change)):
            found[name].append((error, 1.0))
            found[f"{name}_by_volume"].append((error, float(len(voxels))))


def _eyes(truth: Truth, person: str, rows: pd.DataFrame, found: dict[str, list[tuple[float, float]]]) -> None:
    own = truth.eyes[truth.eyes["participant_id"] == person].set_index(["eye", "visit"])["latency_ms"]
    auto = rows[rows["condition"] == AUTO].set_index(["site", "visit", "measure"])["value"]
    for eye in ("OD", "OS"):
        at = {visit: auto.get((f"eye:{eye}", visit, "p100_latency_ms"), np.nan) for visit in ("M00", "M06")}
        true = {visit: float(own[eye, visit]) for visit in at}
        found["latency"] += [(at[visit] - true[visit], 1.0) for visit in at]
        change = true["M06"] - true["M00"]
        shift = auto.get((f"eye:{eye}", "M06", "vep_shift_ms"), np.nan)
        found["shift"].append((shift - change, 1.0))
        found["shift_of_peaks"].append((at["M06"] - at["M00"] - change, 1.0))


def row(words: str, error: np.ndarray, name: str, *, clean: bool) -> str:
    """One line of the table."""
    unit, goal = ("pu", GOAL_PU) if name.startswith(("level", "change")) else ("ms", GOAL_MS)
    error, weight = error[np.isfinite(error[:, 0])].T
    bias = np.average(error, weights=weight)
    half = 1.96 * np.sqrt((weight**2 * (error - bias) ** 2).sum()) / weight.sum()
    verdict = "" if not clean else ("met" if abs(bias) <= goal else "**not met**")
    return (
        f"| {words} | {len(error)} | {bias:+.3f} ± {half:.3f} | {np.median(error):+.3f} | "
        f"{np.sqrt(np.average(error**2, weights=weight)):.3f} | {unit} | {verdict} |"
    )


def table(work: Path, *, people: int, clean: bool, voxel_mm: float) -> str:
    """Write, measure, compare."""
    folder = work / f"{'clean' if clean else 'noisy'}-{voxel_mm:g}mm"
    shutil.rmtree(folder, ignore_errors=True)
    begun = time.process_time()
    truth = written(folder / "sourcedata", people=people, clean=clean, voxel_mm=voxel_mm)
    wrote = time.process_time() - begun
    summary = measure_participants(truth.dataset, folder / "out", resolve_settings("demo"), progress=False)
    if summary.failures:
        raise SystemExit(str(summary))
    error = errors(truth, folder / "out")
    lines = [
        f"### {'Clean' if clean else 'As simulated'}, {voxel_mm:g} mm, {people} people "
        f"({wrote / people:.1f} CPU s each to write)",
        "",
        "| measured less true | n | bias, 95 % interval | median | RMSE | unit | goal |",
        "|---|---|---|---|---|---|---|",
        *(row(WORDS[name], values, name, clean=clean) for name, values in error.items()),
    ]
    return "\n".join(lines)


def speed(work: Path) -> str:
    """CPU time of one patient at 1 mm."""
    lines = ["| one patient at 1 mm | CPU s |", "|---|---|"]
    for name in ("the first in a process", "the next"):
        folder = work / "speed"
        shutil.rmtree(folder, ignore_errors=True)
        arm = Protocol.read("demo").arm[0].model_copy(update={"n": 1})
        begun = time.process_time()
        write_trial(
            Protocol.read("demo").model_copy(update={"arm": (arm,)}),
            folder,
            rng=np.random.default_rng(SEED),
            response=Response.constant(latency_ms=-5.0, mtr_pu=1.0),
            premises=Premises.read("trial"),
            lesions_per_participant=66,
            scanner=Scanner(voxel_mm=1),
        )
        lines.append(f"| {name} | {time.process_time() - begun:.1f} |")
    return "\n".join([*lines, "", f"load {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores"])


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--people", type=int, default=4)
    parser.add_argument("--work", type=Path, default=Path(__file__).parent / "work" / "recovery")
    parser.add_argument("--voxel-mm", type=float, nargs="+", default=[2.0, 1.0])
    chosen = parser.parse_args()
    print(speed(chosen.work), flush=True)
    print(flush=True)
    for voxel_mm in chosen.voxel_mm:
        for clean in (True, False):
            print(table(chosen.work, people=chosen.people, clean=clean, voxel_mm=voxel_mm), flush=True)
            print(flush=True)


if __name__ == "__main__":
    main()
