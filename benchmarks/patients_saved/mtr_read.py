"""From what was measured of virtual people to each method's change, its error and its weights."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np

from remyelin import normalise
from remyelin.signal import mtr_pu, white_matter
from remyelin.trial.submedian import submedian_change

GAIN_SD, B1_SD, DRAWS, SEED = 0.001, 0.003, 20, 2026
CONVENTIONAL, BEST = ("script", "once"), "ours_se"


@dataclass(frozen=True)
class Person:
    """What was measured of one: (lesion, visit) each, reference (visit, mean and se), true change."""

    head: int
    pu: np.ndarray
    se: np.ndarray
    nawm: np.ndarray
    twice: np.ndarray
    once: np.ndarray
    change: float


@dataclass(frozen=True)
class Read:
    """Of one method: a row a person and draw of drift. `own` is the sum of its lesions' squared weights."""

    head: np.ndarray
    change: np.ndarray
    true: np.ndarray
    baseline: np.ndarray
    se: np.ndarray
    own: np.ndarray

    def slope(self, rows: np.ndarray | slice = slice(None)) -> float:
        """What is shown of a true change."""
        return float(np.polyfit(self.true[rows], self.change[rows], 1)[0])

    def bias(self, rows: np.ndarray | slice = slice(None)) -> float:
        """The change that is found where there is none."""
        return float(np.mean(self.change[rows] - self.slope(rows) * self.true[rows]))

    def spread(
        self, true_sd: float, own_sd: float, weighted: bool, rows: np.ndarray | slice = slice(None)
    ) -> float:
        """SD of a person's change in units of the true one: n goes with its square."""
        slope = self.slope(rows)
        left = self.change[rows] - slope * self.true[rows]
        level = self.baseline[rows]
        left = left - np.polyval(np.polyfit(level, left, 1), level)
        more = slope**2 * (true_sd**2 + own_sd**2 * self.own[rows])
        se2 = self.se[rows] ** 2
        unknown = max(float(np.mean(left**2 - se2)), 0.0) if weighted else 0.0
        weight = 1 / (unknown + np.mean(more) + se2) if weighted else np.ones_like(left)
        return float(np.sqrt(np.mean(weight**2 * (left**2 + more))) / np.mean(weight) / slope)


def heads_of(work: Path, count: int) -> list[Path]:
    """The files of the first heads, however many more were measured."""
    every = [work / "mtr" / f"head-{seed:03d}.npz" for seed in range(1, count + 1)]
    return [file for file in every if file.is_file()]


def people(files: list[Path]) -> list[Person]:
    found = []
    for number, file in enumerate(files):
        with np.load(file) as kept:
            count = sum(name.startswith("change_") for name in kept.files)
            for k in range(count):
                arrays = [kept[f"{name}_{k}"] for name in ("pu", "se", "nawm", "twice", "once")]
                known = np.isfinite(np.hstack([arrays[0], arrays[3], arrays[4]])).all(1)
                lesions = [value if name == 2 else value[known] for name, value in enumerate(arrays)]
                found.append(Person(number, *lesions, float(kept[f"change_{k}"])))
    return found


def drifted(mtr: np.ndarray, gain: np.ndarray, b1: np.ndarray) -> np.ndarray:
    """MTR when the gain of MT-on and the transmit field are off by these parts."""
    low, line = _b1_line()
    return (100 - (100 - mtr) * (1 + gain)) * (1 + np.interp(mtr, low, line) * b1)


@cache
def _b1_line() -> tuple[np.ndarray, np.ndarray]:
    """MTR of white matter with less and less myelin, and how it follows the transmit field."""
    tissue = white_matter(np.linspace(0, 1, 21))
    at, above = mtr_pu(tissue), mtr_pu(tissue, b1=1.01)
    return at, (above / at - 1) / 0.01


def read(everybody: list[Person], drift: bool, corrected: bool) -> dict[str, Read]:
    """What each method makes of everybody, each in `DRAWS` sessions if there is drift."""
    rng = np.random.default_rng(SEED)
    rows: dict[str, list[tuple]] = {name: [] for name in CONVENTIONAL}
    ours: list[tuple[Person, np.ndarray, np.ndarray]] = []
    for one in everybody:
        for _ in range(DRAWS if drift else 1):
            gain, b1 = (sd * rng.normal(size=2) if drift else np.zeros(2) for sd in (GAIN_SD, B1_SD))
            for name, values in (("script", one.twice), ("once", one.once)):
                rows[name].append(_unweighted(drifted(values, gain, b1)))
            reference = drifted(one.nawm[:, 0], gain, b1)
            values, se = drifted(one.pu, gain, b1), one.se
            if corrected:
                done = normalise(
                    values,
                    se,
                    method="nawm",
                    visits=["M00", "M06"],
                    reference=reference,
                    reference_se=one.nawm[:, 1],
                )
                values, se = done.values, done.se
            ours.append((one, values, se))
    head, true = (np.array([getattr(one, name) for one, *_ in ours]) for name in ("head", "change"))
    found = {}
    for name, values in rows.items():
        change, baseline, own = np.array(values).T
        found[name] = Read(head, change, true, baseline, np.ones_like(change), own)
    return found | _ours(ours, head, true)


def _unweighted(values: np.ndarray) -> tuple[float, float, float]:
    """Mean change of the lesions below the median, their level, and 1 over their number."""
    below = values[:, 0] < np.median(values[:, 0])
    before, after = values[below].mean(0)
    return after - before, before, 1 / below.sum()


def _ours(rows: list, head: np.ndarray, true: np.ndarray) -> dict[str, Read]:
    most = max(len(values) for _, values, _ in rows)
    value, error = np.full((2, len(rows), most, 2), np.nan)
    for k, (_, values, se) in enumerate(rows):
        value[k, : len(values)], error[k, : len(values)] = values, se
    made = submedian_change(
        value[..., 0], value[..., 1], se_baseline=error[..., 0], se_follow_up=error[..., 1]
    )
    frame = made.to_frame()
    below = value[..., 0] < np.nanmedian(value[..., 0], axis=1, keepdims=True)
    weight = np.where(below, 1 / (error**2).sum(-1), 0.0)
    own = (weight**2).sum(1) / weight.sum(1) ** 2
    columns = {name: frame[name].to_numpy(float) for name in frame.columns if name.endswith("_pu")}
    plain = Read(
        head, columns["plain_pu"], true, columns["baseline_pu"], columns["plain_se_pu"], 1 / below.sum(1)
    )
    best = Read(
        head, columns["weighted_pu"], true, columns["weighted_baseline_pu"], columns["weighted_se_pu"], own
    )
    return {"ours_mean": plain, "ours": best, "ours_se": best}
