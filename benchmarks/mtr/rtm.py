"""How much regression to the mean is left in the submedian endpoint after each correction.

Nothing changes in any simulated patient, so every mean change is bias. Lesion sizes are those of real masks
(REMYELIN_SHARED/data/mri/ms_lesion_masks, components of at least 10 mm3 of 1 mm voxels, at most 60 a
patient). The error of a lesion is sqrt(a^2 + b^2 / voxels): a is the floor that all its voxels share. 200
trials of 50 patients a row; the floor is known (columns "known") or comes, anew in each trial, from 10 people
scanned twice.

    python benchmarks/mtr/rtm.py [--trials 200]
"""

from __future__ import annotations

import argparse
import os
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pandas as pd

from remyelin.trial.floor import ErrorFloor, error_floor
from remyelin.trial.regression import below_median, normal_regression_pu
from remyelin.trial.submedian import SubmedianChange, submedian_change

PATIENTS, RESCANNED, CAP, SEED = 50, 10, 60, 11
Draw = Callable[[np.random.Generator, tuple[int, int], float], np.ndarray]


def normal(rng: np.random.Generator, shape: tuple[int, int], sd: float) -> np.ndarray:
    return rng.normal(0, sd, shape)


def gamma(k: float, sign: int) -> Draw:
    """Skewness 2 / sqrt(k), towards high (+1) or low (-1) values."""
    return lambda rng, shape, sd: sign * sd * (rng.gamma(k, size=shape) - k) / np.sqrt(k)


def unequal(rng: np.random.Generator, shape: tuple[int, int], sd: float) -> np.ndarray:
    """A between-lesion SD that differs from patient to patient (CV 0.3)."""
    return rng.normal(size=shape) * sd * np.exp(rng.normal(0, 0.3, (shape[0], 1)))


@dataclass(frozen=True)
class Cell:
    """Between-lesion SD in pu and its distribution, floor a, voxel noise b."""

    label: str
    between: float
    a: float
    b: float
    draw: Draw = normal
    few: bool = False  # 2 to 8 lesions instead of the real numbers


CELLS = (
    Cell("no error", 3, 0, 0),
    Cell("like the simulated brains", 3, 0.3, 2.5),
    Cell("floor 0.5 pu", 3, 0.5, 4),
    Cell("floor 1 pu", 3, 1, 4),
    Cell("floor 1.5 pu", 3, 1.5, 4),
    Cell("floor 1 pu, lesions alike", 2, 1, 4),
    Cell("floor 0.5 pu, skewness 2", 3, 0.5, 4, gamma(1, 1)),
    Cell("floor 1 pu, skewness 1", 3, 1, 4, gamma(4, 1)),
    Cell("floor 1 pu, skewness 2", 3, 1, 4, gamma(1, 1)),
    Cell("floor 1 pu, skewness -2", 3, 1, 4, gamma(1, -1)),
    Cell("floor 1 pu, unequal patients", 3, 1, 4, unequal),
    Cell("floor 1 pu, 2 to 8 lesions", 3, 1, 4, few=True),
)


def lesion_sizes(shared: Path) -> list[np.ndarray]:
    """Sizes in mm3 of the lesions of each real mask; a stated stand-in where there are no masks."""
    masks = sorted((shared / "data/mri/ms_lesion_masks").glob("*.nii.gz"))
    if not masks:
        print("no lesion masks here: log-normal sizes, median 40 voxels, 20 to 60 lesions a patient")
        rng = np.random.default_rng(5)
        return [np.exp(rng.normal(np.log(40), 0.9, rng.integers(20, 61))).clip(10, 400) for _ in range(20)]
    import nibabel
    from scipy.ndimage import find_objects, label

    sizes = []
    for path in masks:
        image = nibabel.load(path)
        mask = np.asarray(image.dataobj, dtype=np.uint8)
        components, _ = label(mask[find_objects(mask)[0]])  # its bounding box only
        volume = np.bincount(components.ravel())[1:] * np.prod(image.header.get_zooms()[:3])
        sizes.append(volume[volume >= 10])
    print(f"{len(masks)} real masks, {sum(map(len, sizes))} lesions of at least 10 mm3")
    return sizes


@dataclass(frozen=True)
class Patients:
    """(participant, lesion) truth and error SDs; NaN where there is no lesion."""

    truth: np.ndarray
    floor: float
    voxel: np.ndarray
    rng: np.random.Generator

    def halves(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """One scan: the value, and the means of two halves of the voxels."""
        shared = self.truth + self.rng.normal(0, self.floor, self.truth.shape) if self.floor else self.truth
        a, b = (shared + self.rng.normal(size=shared.shape) * np.sqrt(2) * self.voxel for _ in range(2))
        return (a + b) / 2, a, b

    def scan(self) -> np.ndarray:
        """One more scan."""
        return self.halves()[0]


def recruit(cell: Cell, n: int, sizes: list[np.ndarray], rng: np.random.Generator) -> Patients:
    picked = [sizes[k] for k in rng.integers(len(sizes), size=n)]
    most = [int(rng.integers(2, 9)) if cell.few else CAP for _ in range(n)]
    picked = [
        v if len(v) <= m else rng.choice(v, m, replace=False) for v, m in zip(picked, most, strict=True)
    ]
    voxels = np.full((n, max(map(len, picked))), np.nan)
    for row, v in zip(voxels, picked, strict=True):
        row[: len(v)] = v
    truth = np.where(np.isfinite(voxels), 32 + cell.draw(rng, voxels.shape, cell.between), np.nan)
    return Patients(truth, cell.a, cell.b / np.sqrt(voxels), rng)


def rescan(cell: Cell, sizes: list[np.ndarray], rng: np.random.Generator) -> ErrorFloor:
    people = recruit(replace(cell, few=False), RESCANNED, sizes, rng)
    return error_floor(people.scan(), people.scan(), people.voxel, people.voxel)


def one_trial(cell: Cell, sizes: list[np.ndarray], rng: np.random.Generator) -> dict[str, pd.Series]:
    """Change of each patient by each method; every value should be 0 on average."""
    people = recruit(cell, PATIENTS, sizes, rng)
    (y0, half_a, half_b), y1, again = people.halves(), people.scan(), people.scan()
    known = {"se_baseline": people.voxel, "se_follow_up": people.voxel, "floor": ErrorFloor.given(cell.a)}
    found = known | {"floor": rescan(cell, sizes, rng)}
    by_any = submedian_change(y0, y1, **found)
    picked, _, _ = below_median(people.truth)
    picked &= np.isfinite(y0)
    oracle = pd.Series(np.nanmean(np.where(picked, y1 - y0, np.nan), axis=1))
    change = {
        "published": by_any.frame["plain_pu"],
        "oracle": oracle,
        "2nd baseline": submedian_change(
            y0, y1, correction="second-baseline", second_baseline=again, **known
        ).frame["corrected_pu"],
        "own, known": submedian_change(y0, y1, prior="participant", **known).frame["corrected_pu"],
        "pooled, known": submedian_change(y0, y1, prior="pooled", **known).frame["corrected_pu"],
        "any, known": submedian_change(y0, y1, prior="any", **known).frame["corrected_pu"],
        "any, 10 rescans": by_any.frame["corrected_pu"],
        "weighted": by_any.frame["weighted_pu"],
        "weighted, any": by_any.frame["weighted_corrected_pu"],
    }
    halves = submedian_change(y0, y1, correction="cross-fit", half_a=half_a, half_b=half_b, **found)
    change["cross-fit"] = halves.frame["corrected_pu"]
    change["cross-fit, left"] = halves.frame["left_pu"]
    change["interval"] = pd.Series([covers_zero(by_any)])
    return change


def covers_zero(change: SubmedianChange) -> float:
    """Whether the 95 % interval of the corrected mean holds 0, with the error that the floor brings in."""
    values = change.frame["corrected_pu"].dropna()
    se = np.hypot(values.std() / np.sqrt(len(values)), change.frame["floor_se_pu"].mean())
    return float(abs(values.mean()) <= 1.96 * se)


def bias_table(trials: int, sizes: list[np.ndarray]) -> tuple[pd.DataFrame, pd.DataFrame]:
    bias, spread = {}, {}
    for k, cell in enumerate(CELLS):
        runs = [one_trial(cell, sizes, np.random.default_rng([SEED, k, t])) for t in range(trials)]
        whole = {name: pd.concat([run[name] for run in runs]) for name in runs[0]}
        covered = 100 * whole.pop("interval").mean()
        bias[cell.label] = {name: values.mean() for name, values in whole.items()}
        error = np.sqrt(cell.a**2 + cell.b**2 * np.mean([np.mean(1 / v) for v in sizes]))
        bias[cell.label] |= {"closed form": normal_regression_pu(error, cell.between), "covers %": covered}
        by_trial = pd.Series([run["any, 10 rescans"].mean() for run in runs])
        spread[cell.label] = {name: values.std() for name, values in whole.items()}
        spread[cell.label] |= {"SE of bias": by_trial.std() / np.sqrt(trials)}
    return pd.DataFrame(bias).T, pd.DataFrame(spread).T


def false_effect(trials: int, sizes: list[np.ndarray]) -> pd.DataFrame:
    """Difference between two arms of 25 in which the drug does nothing but the noise differs."""
    rows = {}
    for k, (a1, a2) in enumerate(((1.0, 1.0), (1.0, 1.5), (0.5, 1.5))):
        runs = []
        for t in range(trials):
            rng = np.random.default_rng([SEED, 100 + k, t])
            arms = [recruit(Cell("", 3, a, 4), PATIENTS // 2, sizes, rng) for a in (a1, a2)]
            width = max(arm.truth.shape[1] for arm in arms)
            floor = np.repeat([[a1], [a2]], PATIENTS // 2, axis=0)
            y0, y1, voxel = (
                np.vstack(
                    [np.pad(x, ((0, 0), (0, width - x.shape[1])), constant_values=np.nan) for x in pair]
                )
                for pair in zip(*((arm.scan(), arm.scan(), arm.voxel) for arm in arms), strict=True)
            )
            error = np.hypot(voxel, floor)
            change = submedian_change(y0, y1, se_baseline=error, se_follow_up=error).frame
            arm = np.arange(PATIENTS) < PATIENTS // 2
            means = change[["plain_pu", "corrected_pu"]].groupby(arm).mean()
            runs.append(means.loc[False] - means.loc[True])
        each = pd.DataFrame(runs)
        rows[f"{a1} v {a2} pu"] = {
            "published": each["plain_pu"].mean(),
            "corrected": each["corrected_pu"].mean(),
            "SE": each["corrected_pu"].std() / np.sqrt(trials),
        }
    return pd.DataFrame(rows).T


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--trials", type=int, default=200)
    trials = parser.parse_args().trials
    start = time.process_time()
    shared = Path(os.environ.get("REMYELIN_SHARED", Path(__file__).parents[3] / "shared"))
    sizes = lesion_sizes(shared)
    bias, spread = bias_table(trials, sizes)
    pd.set_option("display.width", 250, "display.max_columns", 30)
    print(f"\nMean change in pu where nothing changed ({trials} trials of {PATIENTS} patients, seed {SEED})")
    print(bias.round(3).to_string())
    print("\nSD between patients in pu; the last column is the SE of the bias of 'any, 10 rescans'")
    print(spread.round(3).to_string())
    print("\nFalse drug effect where the arms have unequal floors, in pu")
    print(false_effect(trials, sizes).round(3).to_string())
    left = bias[["2nd baseline", "any, known", "any, 10 rescans", "weighted, any"]].abs().max()
    print("\nLargest regression to the mean left in pu (goal 0.02):", left.round(3).to_dict())
    print(f"\n{time.process_time() - start:.0f} CPU s")


if __name__ == "__main__":
    main()
