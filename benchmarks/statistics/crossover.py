"""Crossover: type I error of each model, what carry-over does to each estimand, and the two-stage procedure.

    python benchmarks/statistics/crossover.py                  # 10,000 null trials a row, half an hour
    python benchmarks/statistics/crossover.py --trials 1000

The truth is the planning model of the project: participant SD 10 ms, eye 6, participant by period 2.5, eye
by period 4, period 0.5. The band, stated before the runs, is the nominal .05 and 3.29 Monte Carlo standard
errors to each side: .0428 to .0572 at 10,000 trials. Seeds are fixed.
"""

from __future__ import annotations

import argparse
import os
from dataclasses import replace

for _name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(_name, "1")

import numpy as np  # noqa: E402
import pandas as pd  # noqa: E402
from scipy import stats  # noqa: E402

from remyelin.trial.design import Design, build  # noqa: E402
from remyelin.trial.mixed.batch import fit_many  # noqa: E402
from remyelin.trial.periods import Crossover, crossover  # noqa: E402
from remyelin.trial.periods.components import blocks  # noqa: E402
from remyelin.trial.periods.grizzle import mean_of_eyes  # noqa: E402
from remyelin.trial.periods.reml import fit_reml, freedom  # noqa: E402
from remyelin.trial.periods.roles import Roles, check_rows  # noqa: E402

SEED, PATTERNS = 2026, 20
ROLES = Roles("treatment", "period", "sequence", "participant_id", "eye")
FORMULA = "latency_ms ~ treatment + period + sequence"
SDS = {"participant": 10.0, "eye": 6.0, "participant x period": 2.5, "eye x period": 4.0}
SCENARIOS: dict[str, dict[str, float]] = {
    "24 participants": {"n": 24},
    "62 participants": {"n": 62},
    "80 participants": {"n": 80},
    "24, no participant by period variance": {"n": 24, "shared": 0.0},
    "24, both eyes change as one (SD 4 and 1)": {"n": 24, "shared": 4.0, "own": 1.0},
    "24, a fifth of the eyes and of the second periods missing": {"n": 24, "missing": 0.2},
    "24, eyes of SE 1 to 8 ms, se given": {"n": 24, "noise": 8.0},
}


def layout(n: int) -> pd.DataFrame:
    """A row an eye and period; sequences in turn."""
    person, eye, period = (each.ravel() for each in np.indices((n, 2, 2)))
    drug = np.where((person + period) % 2 == 0, "drug", "placebo")
    return pd.DataFrame(
        {
            "participant_id": person, "eye": np.array(["OD", "OS"])[eye], "period": period + 1,
            "sequence": np.where(person % 2 == 0, "drug-placebo", "placebo-drug"), "treatment": drug,
        }
    )  # fmt: skip


def draw(
    rng: np.random.Generator, trials: int, n: int, *, effect: float = 0.0, lasting: float = 0.0,
    shared: float = 2.5, own: float = 4.0,
) -> tuple[np.ndarray, np.ndarray]:  # fmt: skip
    """(trial, row) latencies, ms, and the baseline before (trial, row), in the order of `layout`."""
    level = rng.normal(120, SDS["participant"], (trials, n, 1)) + rng.normal(0, SDS["eye"], (trials, n, 2))
    y = level[..., None] + rng.normal(0, shared, (trials, n, 1, 2)) + rng.normal(0, own, (trials, n, 2, 2))
    base = level + rng.normal(0, shared, (trials, n, 1)) + rng.normal(0, own, (trials, n, 2))
    first = np.arange(n) % 2 == 0
    y[..., 1] += 0.5
    y[:, first, :, 0] += effect
    y[:, ~first, :, 1] += effect
    y[:, first, :, 1] += lasting * effect
    return y.reshape(trials, -1), np.repeat(base.reshape(trials, -1), 2, axis=1)


def p_of(design: Design, known: np.ndarray, Y: np.ndarray, eye: str | None) -> np.ndarray:
    """P value of the treatment by the model with participant by period variance.

    `crossover` without what is the same in each trial: reading the table and coding the formula.
    """
    person, eyes, period = (
        None if name is None else pd.factorize(design.data[name])[0]
        for name in (ROLES.participant, eye, ROLES.period)
    )
    laid = blocks(design.X, np.arange(1.0, len(design.y) + 1), known, person, eyes, period)
    place = laid.y.astype(int)
    row = np.array([[0.0, 1.0, 0.0, 0.0]])
    out = []
    for y in Y:
        fit = fit_reml(replace(laid, y=np.append(0.0, y)[place]))
        t = fit.beta[1] / np.sqrt(fit.adjusted[1, 1])
        out.append(2 * stats.t.sf(abs(t), freedom(fit, row, False)[0]))
    return np.array(out)


def null(name: str, trials: int) -> dict[str, float]:
    """Share of null trials that each model rejects."""
    about = dict(SCENARIOS[name])
    n, missing, noise = int(about.pop("n")), about.pop("missing", 0.0), about.pop("noise", 0.0)
    rng = np.random.default_rng([SEED, list(SCENARIOS).index(name)])
    frame = layout(n)
    found: dict[str, list[np.ndarray]] = {"rows": [], "nested": [], "default": [], "grizzle": []}
    for _ in range(PATTERNS):
        Y, _base = draw(rng, -(-trials // PATTERNS), n, **about)
        se = np.exp(rng.uniform(0, np.log(noise), len(frame))) if noise else np.zeros(len(frame))
        Y = Y + rng.normal(size=Y.shape) * se
        seen = np.ones(len(frame), bool)
        if missing:
            gone = rng.uniform(size=(n, 3)) < missing
            seen = ~((gone[:, [0]] & (np.arange(4) < 2)) | (gone[:, [1]] & (np.arange(4) % 2 == 1))).ravel()
        part(frame[seen].reset_index(drop=True), Y[:, seen], se[seen], found)
    return {key: float(np.mean(np.concatenate(each) < 0.05)) for key, each in found.items()}


def part(frame: pd.DataFrame, Y: np.ndarray, se: np.ndarray, found: dict[str, list[np.ndarray]]) -> None:
    """Analyse trials of one layout in all ways."""
    table = check_rows(frame.assign(latency_ms=0.0), ROLES)
    design = build(FORMULA, table, "treatment", "placebo", keep=("participant_id", "eye"))
    found["default"].append(p_of(design, se**2, Y, ROLES.eye))
    person = pd.factorize(frame["participant_id"])[0]
    eye = person * 2 + (frame["eye"] == "OS").to_numpy()
    fits = fit_many(design.X, person, Y, [0, 1, 0, 0], inner=eye, known=se**2, threads=1)
    found["nested"].append(fits.p())
    q, r = np.linalg.qr(design.X)
    beta = np.linalg.solve(r, q.T @ Y.T)
    df = len(frame) - design.X.shape[1]
    rss = np.sum((Y.T - design.X @ beta) ** 2, axis=0)
    t = beta[1] / np.sqrt(rss / df * np.sum(np.linalg.inv(r)[1] ** 2))
    found["rows"].append(2 * stats.t.sf(np.abs(t), df))
    short, variance = mean_of_eyes(table, se**2, ROLES, ["latency_ms", "treatment", "sequence"], True)
    small = build(FORMULA, short, "treatment", "placebo", keep=("participant_id",))
    found["grizzle"].append(p_of(small, variance, means(table, short, Y), None))


def means(table: pd.DataFrame, short: pd.DataFrame, Y: np.ndarray) -> np.ndarray:
    """(trial, participant and period) means of the eyes that have both periods, in the order of `short`."""
    complete = table.groupby(["participant_id", "eye"])["period"].transform("nunique").to_numpy() == 2
    keys = [each["participant_id"].astype(str) + "-" + each["period"].astype(str) for each in (table, short)]
    number = pd.Index(keys[1]).get_indexer(pd.Index(keys[0]))
    into = np.zeros((len(table), len(short)))
    into[np.flatnonzero(complete), number[complete]] = 1.0
    return np.asarray(Y @ (into / into.sum(axis=0)))


def estimands(share: float, trials: int, n: int = 80, effect: float = -1.7) -> pd.DataFrame:
    """Mean estimate, power and coverage of the effect by each estimand, where a share of it lasts."""
    rng = np.random.default_rng([SEED, 100 + int(100 * share)])
    frame = layout(n)
    Y, base = draw(rng, trials, n, effect=effect, lasting=share)
    table = frame.assign(latency_ms=Y[0], base_ms=base[0])
    fit = crossover(FORMULA, table, eye="eye", baseline="base_ms", reference="placebo")
    found = {}
    for name, row in fit.estimands().iterrows():
        one = crossover(
            FORMULA, table, eye="eye", baseline="base_ms", reference="placebo", estimand=str(name)
        )
        there = (frame["period"] == 1).to_numpy() if name == "first-period" else np.ones(len(frame), bool)
        answers = each(one, Y[:, there], base[:, there])
        assert abs(answers[0, 0] - row["estimate"]) < 1e-6
        estimate, se, df = answers.T
        held = np.abs(estimate - effect) <= stats.t.ppf(0.975, df) * se
        seen = 2 * stats.t.sf(np.abs(estimate / se), df) < 0.05
        found[name] = {"estimate": estimate.mean(), "seen": seen.mean(), "held": held.mean()}
    return pd.DataFrame(found).T


def each(one: Crossover, Y: np.ndarray, base: np.ndarray) -> np.ndarray:
    """(trial, 3) estimate, standard error and df of the effect, by the design of one fit."""
    design = one.design
    arm = next(k for k, name in enumerate(design.names) if name.startswith(f"{one.arm}["))
    named = ("participant_id", "eye", None if one.estimand == "first-period" else "period")
    codes = [None if name is None else pd.factorize(design.data[name])[0] for name in named]
    row, X = np.eye(len(design.names))[[arm]], design.X.copy()
    out = []
    for y, b in zip(Y, base, strict=True):
        if "base_ms" in design.names:
            X[:, design.names.index("base_ms")] = b
        fit = fit_reml(blocks(X, y, np.zeros(len(y)), *codes))
        out.append((fit.beta[arm], np.sqrt(fit.adjusted[arm, arm]), freedom(fit, row, False)[0]))
    return np.array(out)


def two_stage(trials: int, n: int = 80) -> tuple[float, float, float]:
    """Type I error of the two-stage procedure, of its first-period branch, and how often it goes there."""
    rng = np.random.default_rng([SEED, 500])
    Y, _ = draw(rng, trials, n)
    mean = Y.reshape(trials, n, 2, 2).mean(axis=2)
    first = np.arange(n) % 2 == 0

    def p(values: np.ndarray) -> np.ndarray:
        return np.asarray(stats.ttest_ind(values[:, first], values[:, ~first], axis=1).pvalue)

    carry = p(mean.sum(axis=2)) < 0.10
    wrong = np.where(carry, p(mean[..., 0]), p(mean[..., 1] - mean[..., 0])) < 0.05
    return float(wrong.mean()), float(wrong[carry].mean()), float(carry.mean())


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--trials", type=int, default=10_000)
    trials = parser.parse_args().trials
    half = 3.29 * np.sqrt(0.05 * 0.95 / trials)
    print(f"Type I error, {trials:,} null trials a row; band {0.05 - half:.4f} to {0.05 + half:.4f}\n")
    print("| scenario | rows independent | nested | participant-period (default) | Grizzle |")
    print("|---|---|---|---|---|", flush=True)
    for name in SCENARIOS:
        rates = null(name, trials)
        cells = [f"{rate:.4f}" + ("" if abs(rate - 0.05) <= half else " *") for rate in rates.values()]
        print(f"| {name} | {' | '.join(cells)} |", flush=True)
    print("\n\\* outside the band\n")
    fewer = max(trials // 5, 50)
    print(f"Mean estimate (power, coverage of -1.7 ms); 80 participants, {fewer:,} trials a column\n")
    shares = (0.0, 0.5, 1.0)
    found = {share: estimands(share, fewer) for share in shares}
    print("| estimand | " + " | ".join(f"{share:.0%} lasts" for share in shares) + " |\n|---|---|---|---|")
    for name in found[0.0].index:
        rows = [found[share].loc[name] for share in shares]
        cells = [f"{r['estimate']:+.3f} ({r['seen']:.3f}, {r['held']:.3f})" for r in rows]
        print(f"| {name} | {' | '.join(cells)} |")
    every, branch, often = two_stage(10 * trials)
    print(
        f"\nTwo-stage procedure (carry-over tested at .10), {10 * trials:,} null trials of 80: type I error "
        f"{every:.4f}; {branch:.3f} where it goes to the first period ({often:.3f} of the trials)"
    )


if __name__ == "__main__":
    main()
