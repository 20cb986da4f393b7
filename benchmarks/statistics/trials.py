"""Simulated trials whose truth is known: a row a lesion, eye or visit, `effect` added to one arm.

Each function draws `n` trials of one layout. Sizes are those of trials in the field; the variances are round
numbers, for type I error and coverage do not depend on their unit.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

FloatArray = np.ndarray
# Lesions of 30 people with MS run from 18 to 419, median 85 (docs/theory/power.md); trials follow fewer.
COUNTS = (5, 8, 12, 18, 25, 30, 42, 60, 85, 140)


@dataclass(frozen=True)
class Clustered:
    """Trials of sites in patients: `Y` (trial, row); the layout is the same in all of them.

    `se` (row,) is the error of measurement that is part of `Y`, 0 where there is none.
    """

    patient: FloatArray
    arm: FloatArray
    Y: FloatArray
    se: FloatArray

    def frame(self, k: int) -> pd.DataFrame:
        """Trial `k` as a table."""
        return pd.DataFrame(
            {"patient": self.patient, "arm": np.where(self.arm, "b", "a"), "change": self.Y[k]}
        )


def lesions(
    rng: np.random.Generator,
    n: int,
    *,
    per_arm: int,
    counts: tuple[int, ...],
    patient_sd: float = 0.35,
    lesion_sd: float = 1.3,
    skewed: bool = False,
    ceiling: float | None = None,
    errors: tuple[float, float] | None = None,
    effect: float = 0.0,
) -> Clustered:
    """Changes of lesions; the counts go round the patients of each arm.

    With `errors` each lesion is measured with its own SE, in geometric steps from the first to the second.
    """
    number = np.tile(np.resize(counts, per_arm), 2)
    patient = np.repeat(np.arange(2 * per_arm), number)
    arm = patient >= per_arm
    if skewed:  # lognormal, mean 0 and SD 1
        s2 = np.log(2.0)
        person, noise = (
            (rng.lognormal(-s2 / 2, np.sqrt(s2), (n, size)) - 1.0) for size in (2 * per_arm, len(patient))
        )
    else:
        person, noise = rng.normal(size=(n, 2 * per_arm)), rng.normal(size=(n, len(patient)))
    Y = patient_sd * person[:, patient] + lesion_sd * noise + effect * arm
    se = np.zeros(len(patient))
    if errors is not None:
        steps = np.geomspace(*errors, max(counts))
        se = np.concatenate([steps[:size] for size in number])
        Y = Y + se * rng.normal(size=Y.shape)
    return Clustered(patient, arm, Y if ceiling is None else np.minimum(Y, ceiling), se)


def eyes(
    rng: np.random.Generator, n: int, *, per_arm: int, patient_sd: float, eye_sd: float, effect: float = 0.0
) -> Clustered:
    """Changes of P100 latency, ms, in two eyes of each patient."""
    return lesions(
        rng, n, per_arm=per_arm, counts=(2,), patient_sd=patient_sd, lesion_sd=eye_sd, effect=effect
    )


def parallel(
    rng: np.random.Generator,
    n: int,
    *,
    arms: tuple[int, ...],
    shape: str = "normal",
    sds: tuple[float, ...] | None = None,
    effect: float = 0.0,
) -> list[pd.DataFrame]:
    """One change a participant with its baseline, correlated -0.5; `effect` in the last arm."""
    arm = np.repeat(np.arange(len(arms)), arms)
    trials = []
    for _ in range(n):
        base = rng.normal(size=len(arm))
        noise = rng.normal(size=len(arm))
        if shape == "skewed":
            noise = rng.exponential(size=len(arm)) - 1.0
        own = np.ones(len(arm)) if sds is None else np.asarray(sds)[arm]
        change = -0.5 * base + np.sqrt(0.75) * own * noise + effect * (arm == len(arms) - 1)
        if shape == "ceiling":  # a third cannot gain more
            change = np.minimum(change, 0.43)
        names = np.array(["control", *(f"drug{k}" for k in range(1, len(arms)))])[arm]
        trials.append(pd.DataFrame({"arm": names, "baseline": base, "change": change}))
    return trials


def visits(
    rng: np.random.Generator, n: int, *, per_arm: int, dropout: str | None, effect: float = 0.0
) -> list[pd.DataFrame]:
    """Changes at 4 visits; half of those who were beyond a limit miss all later visits."""
    root = np.linalg.cholesky(np.array([[1.0, 0.6, 0.5, 0.4], [0.6, 1.3, 0.8, 0.6], [0.5, 0.8, 1.6, 1.0],
                                        [0.4, 0.6, 1.0, 2.0]]))  # fmt: skip
    arm = np.arange(2 * per_arm) >= per_arm
    trials = []
    for _ in range(n):
        base = rng.normal(size=(len(arm), 1))
        change = -0.4 * base + rng.normal(size=(len(arm), 4)) @ root.T
        change = change + effect * arm[:, None] * np.array([0.25, 0.5, 0.75, 1.0])
        seen = np.ones_like(change, dtype=bool)
        if dropout is not None:
            for v in range(1, 4):
                before = change[:, v - 1]
                # "mar": in one arm those who do badly leave, in the other those who do well.
                leaves = (
                    np.where(arm, before, -before) > 0.5 if dropout == "mar" else before + 0.5 * arm > 1.0
                )
                gone = leaves & (rng.uniform(size=len(arm)) < 0.5)
                seen[gone, v:] = False
        frame = pd.DataFrame(
            {
                "patient": np.repeat(np.arange(len(arm)), 4),
                "arm": np.repeat(np.where(arm, "b", "a"), 4),
                "visit": np.tile(["V1", "V2", "V3", "V4"], len(arm)),
                "baseline": np.repeat(base[:, 0], 4),
                "change": np.where(seen, change, np.nan).ravel(),
            }
        )
        trials.append(frame)
    return trials


def periods(
    rng: np.random.Generator, n: int, *, patients: int, carry: float = 0.0, effect: float = 0.0
) -> list[pd.DataFrame]:
    """A 2x2 crossover, two eyes; `carry` is left in the second period by a drug given in the first, ms."""
    first = np.arange(patients) % 2 == 0
    drug = np.stack([first, ~first], 1)
    trials = []
    for _ in range(n):
        y = 120 + rng.normal(0, 10, (patients, 1, 1)) + rng.normal(0, 6, (patients, 2, 1))
        y = y + rng.normal(0, 2.5, (patients, 1, 2)) + rng.normal(0, 4, (patients, 2, 2))
        y = y + 0.5 * np.array([0, 1]) + effect * drug[:, None, :]
        y[:, :, 1] += carry * first[:, None]
        index = np.indices(y.shape).reshape(3, -1)
        trials.append(
            pd.DataFrame(
                {
                    "patient": index[0],
                    "eye": np.array(["OD", "OS"])[index[1]],
                    "period": np.array(["1", "2"])[index[2]],
                    "sequence": np.where(first, "AB", "BA")[index[0]],
                    "treatment": np.where(drug[index[0], index[2]], "drug", "placebo"),
                    "latency": y.ravel(),
                }
            )
        )
    return trials
