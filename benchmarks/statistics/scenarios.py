"""The scenarios of `null.py`: a design, its analysis, and the band that was stated before the runs."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import analyses as a
import numpy as np
import pandas as pd
import trials as t

# The project's goal for its first scenario; the others have the nominal level and BAND Monte Carlo standard
# errors to each side.
NARROW, BAND = (0.045, 0.055), 3.29


@dataclass(frozen=True)
class Scenario:
    """One design and its analysis; `run` gives p and whether the interval holds the effect, (trial,) each."""

    words: str
    run: Callable[[np.random.Generator, int, float], pd.DataFrame]
    effect: float | None = None
    band: tuple[float, float] | None = None
    wrong: bool = False

    def limits(self, n: int) -> tuple[float, float]:
        """The band of `n` trials."""
        half = BAND * (0.05 * 0.95 / n) ** 0.5
        return self.band or (0.05 - half, 0.05 + half)


def _of(
    draw: Callable[..., object], analysis: Callable[..., pd.DataFrame], **layout: object
) -> Callable[..., pd.DataFrame]:
    def run(rng: np.random.Generator, n: int, effect: float) -> pd.DataFrame:
        return analysis(draw(rng, n, effect=effect, **layout), effect)

    return run


FEW, MANY = {"per_arm": 10, "counts": (30,)}, {"per_arm": 10, "counts": t.COUNTS}
EYES = {"per_arm": 20, "patient_sd": 2.0, "eye_sd": 3.0}
SCENARIOS: dict[str, Scenario] = {
    "lesions": Scenario(
        "20 patients x 30 lesions; mixed model, Kenward-Roger", _of(t.lesions, a.mixed, **FEW), 0.3, NARROW
    ),
    "lesions-satterthwaite": Scenario(
        "the same, Satterthwaite", _of(t.lesions, a.mixed_satterthwaite, **FEW), 0.3
    ),
    "lesions-counts": Scenario(
        "20 patients, 5 to 140 lesions; mixed model, Kenward-Roger", _of(t.lesions, a.mixed, **MANY), 0.3
    ),
    "lesions-counts-means": Scenario(
        "the same; ANCOVA of the participants' means", _of(t.lesions, a.means_of_patients, **MANY), 0.3
    ),
    "lesions-skewed": Scenario(
        "20 an arm, 30 lesions, lognormal patients and lesions; mixed model, Kenward-Roger",
        _of(t.lesions, a.mixed, per_arm=20, counts=(30,), skewed=True),
    ),
    "lesions-ceiling": Scenario(
        "20 patients x 30 lesions, a third of the lesions at a ceiling; mixed model, Kenward-Roger",
        _of(t.lesions, a.mixed, ceiling=0.6, **FEW),
    ),
    "lesions-noisy": Scenario(
        "20 patients x 30 lesions of SE 0.3 to 3, known; mixed model with se",
        _of(t.lesions, a.mixed_known, errors=(0.3, 3.0), **FEW),
        0.3,
    ),
    "eyes-mixed": Scenario(
        "20 an arm, two correlated eyes; mixed model, Kenward-Roger", _of(t.eyes, a.mixed, **EYES), 1.2
    ),
    "eyes-gee": Scenario(
        "the same; GEE, exchangeable, Mancl-DeRouen, t", _of(t.eyes, a.gee_eyes, **EYES), 1.2
    ),
    "eyes-ancova": Scenario(
        "the same; ANCOVA of the participants' means", _of(t.eyes, a.means_of_patients, **EYES), 1.2
    ),
    "crossover": Scenario(
        "2x2 crossover, 24 patients, two eyes; default model",
        _of(t.periods, a.crossed, patients=24),
    ),
    "crossover-first": Scenario(
        "the same; first period only, where carry-over does no harm",
        _of(t.periods, a.first_period, patients=24, carry=2.0),
    ),
    "mar-mild": Scenario(
        "30 an arm, 4 visits, those who do badly leave; MMRM unstructured, KR-linear",
        _of(t.visits, a.repeated, per_arm=30, dropout="mild"),
        0.5,
    ),
    "mar": Scenario(
        "30 an arm, 4 visits, dropout of 38 %, opposite in the arms; MMRM unstructured, KR-linear",
        _of(t.visits, a.repeated, per_arm=30, dropout="mar"),
        0.5,
    ),
    "mar-observed": Scenario(
        "the same, observed information", _of(t.visits, a.repeated_observed, per_arm=30, dropout="mar"), 0.5
    ),
    "mmrm-small": Scenario(
        "10 an arm, 4 visits, complete; MMRM unstructured, KR-linear",
        _of(t.visits, a.repeated, per_arm=10, dropout=None),
        0.5,
    ),
    "ancova-small": Scenario("10 an arm; ANCOVA", _of(t.parallel, a.covariance, arms=(10, 10)), 0.5),
    "ancova-skewed": Scenario(
        "20 an arm, exponential changes; ANCOVA", _of(t.parallel, a.covariance, arms=(20, 20), shape="skewed")
    ),
    "ancova-ceiling": Scenario(
        "20 an arm, a third at a ceiling; ANCOVA",
        _of(t.parallel, a.covariance, arms=(20, 20), shape="ceiling"),
    ),
    "ancova-hc3": Scenario(
        "40 and 20, SD 1 and 2; ANCOVA, HC3", _of(t.parallel, a.covariance_hc3, arms=(40, 20), sds=(1.0, 2.0))
    ),
    "dunnett": Scenario(
        "three drugs and placebo, 20 an arm; any Dunnett p below .05",
        _of(t.parallel, a.dunnett, arms=(20, 20, 20, 20)),
    ),
    "wrong-lesions": Scenario(
        "20 patients x 30 lesions, lesions as independent",
        _of(t.lesions, a.rows_independent, **FEW),
        wrong=True,
    ),
    "wrong-z": Scenario(
        "20 patients x 30 lesions, mixed model with z for t",
        _of(t.lesions, a.mixed_z, **FEW),
        wrong=True,
    ),
    "wrong-eyes": Scenario(
        "20 an arm, two eyes as independent", _of(t.eyes, a.rows_independent, **EYES), wrong=True
    ),
    "wrong-carry": Scenario(
        "crossover of no effect of its own but 2 ms left over from the first period; default model",
        _of(t.periods, a.crossed, patients=24, carry=2.0),
        wrong=True,
    ),
    "wrong-completers": Scenario(
        "30 an arm, dropout of 38 %, opposite in the arms; ANCOVA of completers",
        _of(t.visits, a.completers, per_arm=30, dropout="mar"),
        wrong=True,
    ),
    "wrong-variances": Scenario(
        "40 and 20, SD 1 and 2; ANCOVA, classical",
        _of(t.parallel, a.covariance, arms=(40, 20), sds=(1.0, 2.0)),
        wrong=True,
    ),
}
