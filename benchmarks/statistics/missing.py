"""Multiple imputation of those who leave: bias, coverage and type I error of each strategy.

Trials of 40 an arm, three visits, baseline as covariate, about a third leaving with a chance that depends on
the last value (missing at random); effect -2 ms at the last visit, or none. "truth" is the estimand of the
strategy: its effect in one trial of 200,000, by conditional means under the true parameters. Peers: the
completers only, and the MMRM. Each trial has its own seed: with one seed for
all, they would share the chance of imputation.

python benchmarks/statistics/missing.py [--trials 1000] [--m 20]
"""

from __future__ import annotations

import argparse

import numpy as np
import pandas as pd

from remyelin.trial import ancova, impute, mmrm
from remyelin.trial.missing import conditional_mean

VISITS = ["W04", "W12", "W24"]
SHAPE = np.array([0.3, 0.7, 1.0])  # the effect comes slowly
SIGMA = np.array([[4.0, 2.4, 2.0], [2.4, 5.0, 3.2], [2.0, 3.2, 6.0]])
SLOPE = 0.2  # of the outcome on the baseline
LEAVE, DEPENDS = 0.18, 0.5
EFFECT = -2.0
COLUMNS = {"subject": "id", "visit": "visit", "value": "latency", "arm": "arm", "covariates": ["base"]}
STRATEGIES = ("MAR", "CIR", "CR", "J2R")


def arrays(seed: int, n: int, effect: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Baseline (n,), arm (n,) and values (n, visit) with NaN after leaving."""
    rng = np.random.default_rng(seed)
    base, active = rng.normal(120, 8, n), np.arange(n) % 2
    error = rng.multivariate_normal(np.zeros(3), SIGMA, n)
    Y = effect * np.outer(active, SHAPE) + SLOPE * (base[:, None] - 120) + error
    for j in (1, 2):
        before = np.nan_to_num(Y[:, j - 1] - SLOPE * (base - 120))
        chance = 1 / (1 + np.exp(-(np.log(LEAVE / (1 - LEAVE)) + DEPENDS * before)))
        Y[(rng.random(n) < chance) | np.isnan(Y[:, j - 1]), j] = np.nan
    return base, active, Y


def table(seed: int, n: int, effect: float) -> pd.DataFrame:
    base, active, Y = arrays(seed, n, effect)
    arm = np.where(active, "drug", "placebo")
    people = {"id": np.repeat(np.arange(n), 3), "arm": np.repeat(arm, 3), "base": np.repeat(base, 3)}
    return pd.DataFrame(people | {"visit": VISITS * n, "latency": Y.ravel()})


def truth(strategy: str, n: int = 200_000) -> float:
    """Effect at the last visit under the true means and covariance."""
    base, active, Y = arrays(0, n, EFFECT)
    placebo = SLOPE * (base[:, None] - 120) + np.zeros(3)
    own = placebo + EFFECT * np.outer(active, SHAPE)
    end = Y[:, 2].copy()
    for last in (1, 2):
        who = (~np.isnan(Y)).sum(axis=1) == last
        mean = own[who].copy()
        if strategy == "J2R":
            mean[:, last:] = placebo[who][:, last:]
        elif strategy == "CIR":
            mean[:, last:] = placebo[who][:, last:] + (own - placebo)[who][:, [last - 1]]
        elif strategy == "CR":
            mean = placebo[who]
        weight = np.linalg.solve(SIGMA[:last, :last], SIGMA[:last, 2])
        end[who] = mean[:, 2] + (Y[who][:, :last] - mean[:, :last]) @ weight
    X = np.column_stack([np.ones(n), active, base])
    return float(np.linalg.lstsq(X, end, rcond=None)[0][1])


def completers(data: pd.DataFrame, _: int) -> pd.Series:
    last = data[(data["visit"] == VISITS[-1]) & data["latency"].notna()]
    return ancova("latency ~ arm + base", last, reference="placebo").contrasts().iloc[0]


def mixed(data: pd.DataFrame, _: int) -> pd.Series:
    formula = "latency ~ arm * visit + base * visit"
    fit = mmrm(formula, data, subject="id", visit="visit", arm="arm", reference="placebo")
    return fit.contrasts().iloc[-1]


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--trials", type=int, default=1000)
    parser.add_argument("--m", type=int, default=20)
    parser.add_argument("--jackknife", type=int, default=0, help="trials with conditional means too")
    options = parser.parse_args()
    analyses = {"completers": completers, "MMRM": mixed}
    for strategy in STRATEGIES:
        analyses[f"MI {strategy}"] = lambda data, seed, s=strategy: (
            impute(data, **COLUMNS, method=s, reference="placebo", m=options.m, rng=seed).analyse().iloc[0]
        )
    if options.trials:
        report(analyses, options.trials)
    if options.jackknife:
        print()
        exact = {
            f"conditional {s}": lambda data, _, s=s: conditional_mean(
                data, **COLUMNS, method=s, reference="placebo"
            ).iloc[0]
            for s in STRATEGIES
        }
        report(exact, options.jackknife)


def report(analyses: dict, trials: int) -> None:
    target = {name: truth(name.split()[-1]) if " " in name else EFFECT for name in analyses}
    found = {name: [] for name in analyses}
    rejected = dict.fromkeys(analyses, 0)
    for seed in range(1, trials + 1):
        data, null = table(seed, 80, EFFECT), table(10_000_000 + seed, 80, 0.0)
        for name, analysis in analyses.items():
            row = analysis(data, seed)
            held = row["ci_low"] < target[name] < row["ci_high"]
            found[name].append((row["estimate"], row["se"], held, row["p"] < 0.05))
            rejected[name] += analysis(null, seed)["p"] < 0.05
    print("| analysis | truth, ms | bias (SE) | SD of estimates | mean SE | coverage | power | type I |")
    print("|---|---|---|---|---|---|---|---|")
    for name, rows in found.items():
        estimate, se, held, power = np.array(rows, dtype=float).T
        bias, sd = estimate.mean() - target[name], estimate.std(ddof=1)
        shares = (
            f"{100 * held.mean():.1f} % | {100 * power.mean():.0f} % | {100 * rejected[name] / trials:.1f} %"
        )
        error = f"{bias:+.3f} ({sd / np.sqrt(trials):.3f})"
        print(
            f"| {name} | {target[name]:+.2f} | {error} | {sd:.2f} | {se.mean():.2f} | {shares} |", flush=True
        )


if __name__ == "__main__":
    main()
