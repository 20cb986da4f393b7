"""Power and type I error of a planned trial by simulation, with their Monte Carlo errors."""

from __future__ import annotations

import math
import tempfile
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from remyelin.errors import InputError, RefuseRun
from remyelin.provenance import settings_hash
from remyelin.run import Job, map_jobs
from remyelin.trial.power.estimators import ESTIMATORS, Fit
from remyelin.trial.power.layout import Design, Layout
from remyelin.trial.power.size import check_effect, groups
from remyelin.trial.power.spread import Spread
from remyelin.trial.power.worlds import World

RECORDS = "records"
BATCH = 250  # trials a job: a batch fits into memory, and a batch has a seed of its own
SEED = 2026
WORDS = {
    "participants": "one outcome a participant, least squares",
    "mixed": "mixed model of all sites, Kenward-Roger",
    "mmrm": "MMRM, unstructured, Kenward-Roger, last visit",
    "independent": "all sites as independent: wrong",
}


@dataclass(frozen=True, slots=True)
class Operating:
    """How a planned trial behaves when it is repeated.

    Attributes
    ----------
    world, estimator
        What was simulated, and how it was analysed.
    trials, failed
        How many, and how many of them could not be fitted: these count as not significant.
    power, type_1, coverage
        Parts of the trials with a result in the direction of the effect; with any significant result where
        there is no effect; whose interval of 1 - alpha holds the true effect. Each `_se` is its Monte Carlo
        error.
    bias
        Mean estimate less true effect.
    measured
        Mean number of participants measured.
    closed_form
        Power in closed form with as many measured.
    """

    world: World
    estimator: str
    trials: int
    failed: int
    power: float
    type_1: float
    coverage: float
    bias: float
    measured: float
    closed_form: float

    @property
    def power_se(self) -> float:
        """Monte Carlo error of the power."""
        return math.sqrt(self.power * (1 - self.power) / self.trials)

    @property
    def type_1_se(self) -> float:
        """Monte Carlo error of the type I error."""
        return math.sqrt(self.type_1 * (1 - self.type_1) / self.trials)

    def to_dict(self) -> dict[str, Any]:
        """One row of numbers."""
        kept = {key: value for key, value in asdict(self).items() if key not in ("world", "estimator")}
        own = {"estimator": WORDS[self.estimator], "n_first": self.world.n[0], "n_second": self.world.n[-1]}
        return own | kept | {"power_se": self.power_se, "type_1_se": self.type_1_se}

    def to_frame(self) -> pd.DataFrame:
        """The same as a frame."""
        return pd.DataFrame([self.to_dict()])

    def __str__(self) -> str:
        return (
            f"{WORDS[self.estimator]}: power {self.power:.3f} (Monte Carlo SE {self.power_se:.3f}), "
            f"type I error {self.type_1:.3f} ({self.type_1_se:.3f}), coverage {self.coverage:.3f}; "
            f"{self.trials} trials"
        )

    def _repr_html_(self) -> str:
        return str(self.to_frame().to_html(index=False))


def simulated_power(
    n: int | tuple[int, ...],
    effect: float,
    spread: Spread,
    *,
    design: Design = "parallel",
    estimator: str = "participants",
    alpha: float = 0.05,
    sided: int = 2,
    correlation: float = 0.0,
    carry_over: float = 0.0,
    dropout: float = 0.0,
    dropout_slope: float = 0.0,
    visit_shares: tuple[float, ...] = (1.0,),
    visit_correlation: float = 0.0,
    trials: int = 2000,
    seed: int = SEED,
    workers: int = 1,
    out: Path | None = None,
) -> Operating:
    """Simulate a trial and analyse it, with and without the effect.

    Parameters
    ----------
    n, effect, spread, design, alpha, sided, correlation, carry_over
        As for `trial_power`. Participants have as many sites as one of `spread.counts`, drawn anew.
    estimator
        ``"participants"`` (ANCOVA or t test on one outcome each), ``"mixed"`` (all sites, random intercept,
        Kenward-Roger), ``"mmrm"`` (several visits), ``"independent"`` (all sites alike: wrong).
    dropout, dropout_slope
        Part that is not measured, and by how much its log odds rise for each SD of the baseline (of the last
        outcome, for an MMRM).
    visit_shares, visit_correlation
        For an MMRM: part of the effect at each follow-up visit, the last one 1, and the correlation of
        changes.
    trials, seed
        The same seed gives the same bytes, for any number of workers.
    workers
        Processes.
    out
        An output folder: a stopped simulation goes on from its records there.

    Raises
    ------
    InputError
        Values that cannot be, named.

    Examples
    --------
    >>> print(simulated_power(64, 1.2, Spread.of_participant(2.4), trials=1000))
    one outcome a participant, least squares: power 0.789 (Monte Carlo SE 0.013), ...
    """
    layout = Layout(spread, design, alpha, sided, 1.0, correlation, carry_over)
    check_effect(effect)
    world = World(
        layout=layout,
        effect=effect,
        n=groups(n, layout),
        dropout=dropout,
        dropout_slope=dropout_slope,
        visit_shares=visit_shares,
        visit_correlation=visit_correlation,
        windows=((0.0, 0.0),) * len(visit_shares),
    )
    return operate(world, estimator, trials, seed=seed, workers=workers, out=out, progress=False)


def operate(
    world: World,
    estimator: str,
    trials: int,
    *,
    seed: int = SEED,
    workers: int = 1,
    out: Path | None = None,
    progress: bool = True,
) -> Operating:
    """Simulate a world; see `simulated_power`."""
    _check(world, estimator, trials)
    if out is None:
        with tempfile.TemporaryDirectory() as folder:
            return operate(
                world, estimator, trials, seed=seed, workers=workers, out=Path(folder), progress=progress
            )
    settings = {"world": asdict(world), "estimator": estimator, "seed": seed}
    jobs = []
    for k, first in enumerate(range(0, trials, BATCH)):
        task = (world, estimator, min(BATCH, trials - first), (seed, k))
        key = settings_hash(settings | {"batch": k, "trials": task[2]})
        size = "-".join(map(str, world.n))
        jobs.append(Job(f"{estimator}-{size}-{k + 1:05d}", key, task))
    outcome = map_jobs(
        _batch, jobs, record=out / RECORDS, where="processes" if workers > 1 else "serial", workers=workers,
        progress=progress,
    )  # fmt: skip
    if outcome.failures:
        raise RefuseRun("", *outcome.failures[0].facts().values())
    return _summary(world, estimator, trials, list(outcome.results.values()))


def _batch(task: tuple[World, str, int, tuple[int, int]]) -> Mapping[str, Any]:
    """Counts of one batch; they are added up, so the order of the batches does not matter."""
    world, estimator, trials, seed = task
    pair = ESTIMATORS[estimator](world, trials, np.random.default_rng(seed))
    layout = world.layout
    sign = math.copysign(1.0, world.effect)
    hits = _t(pair.alternative) * sign > _critical(pair.alternative, layout.alpha / layout.sided)
    null = _t(pair.null)
    level = _critical(pair.null, layout.alpha / layout.sided)
    false = np.abs(null) > level if layout.sided == 2 else null * sign > level
    estimate, se, _ = pair.alternative
    with np.errstate(invalid="ignore"):
        covered = np.abs(estimate - world.effect) <= _critical(pair.alternative, layout.alpha / 2) * se
    fitted = np.isfinite(estimate) & np.isfinite(se)
    return {
        "hits": int(hits.sum()),
        "false": int(false.sum()),
        "covered": int(covered.sum()),
        "fitted": int(fitted.sum()),
        "sum": float(math.fsum(estimate[fitted])),
        "measured": float(pair.measured.sum()),
    }


def _t(fit: Fit) -> np.ndarray:
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.nan_to_num(fit[0] / fit[1], nan=0.0)


def _critical(fit: Fit, tail: float) -> np.ndarray:
    from scipy.special import stdtrit

    return np.asarray(stdtrit(np.where(np.isfinite(fit[2]), fit[2], 1.0), 1 - tail))


def _summary(world: World, estimator: str, trials: int, results: list[Mapping[str, Any]]) -> Operating:
    total = {name: math.fsum(result[name] for result in results) for name in results[0]}
    fitted = int(total["fitted"])
    share = total["measured"] / trials / sum(world.n)
    layout = replace(world.layout, summary="mixed" if estimator == "mixed" else "mean")
    return Operating(
        world=world,
        estimator=estimator,
        trials=trials,
        failed=trials - fitted,
        power=total["hits"] / trials,
        type_1=total["false"] / trials,
        coverage=total["covered"] / trials,
        bias=total["sum"] / fitted - world.effect if fitted else math.nan,
        measured=total["measured"] / trials,
        closed_form=layout.power(world.effect, *(share * each for each in world.n)),
    )


def _check(world: World, estimator: str, trials: int) -> None:
    if estimator not in ESTIMATORS:
        raise InputError(
            "", "estimator", repr(estimator), f"one of {', '.join(ESTIMATORS)}", "name one of these"
        )
    if trials < 1:
        raise InputError("", "trials", str(trials), "1 or more", "2,000 give a power to within 0.01")
    if estimator in ("mixed", "independent") and not (
        world.layout.spread.site and max(world.layout.spread.counts) > 1
    ):
        raise InputError(
            "", "spread", "of one value a participant", f"several sites, for the estimator {estimator!r}",
            "give between and site SD, or estimator='participants'",
        )  # fmt: skip
    if estimator == "mmrm" and (len(world.visit_shares) < 2 or world.layout.design != "parallel"):
        raise InputError(
            "", "visit_shares", f"{len(world.visit_shares)} visit in a {world.layout.design} design",
            "two or more visits of parallel arms, for an MMRM", "give visit_shares, as (0.5, 1.0)",
        )  # fmt: skip
    if not 0 <= world.dropout < 1 or not math.isfinite(world.dropout_slope):
        raise InputError("", "dropout", f"{world.dropout:g}", "0 or more and below 1", "write 0.1 for 10 %")
    if not 0 <= world.visit_correlation < 1:
        found = f"{world.visit_correlation:g}"
        raise InputError("", "visit_correlation", found, "0 or more and below 1", "correct it")
