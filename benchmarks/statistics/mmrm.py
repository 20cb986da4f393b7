"""The mixed model for repeated measures: how fast, type I error in small trials, what known errors buy.

    python benchmarks/statistics/mmrm.py

One thread, CPU time. R's nlme is timed in the same run where Rscript is found; R's mmrm is not in Debian.
"""

from __future__ import annotations

import argparse
import shutil
import subprocess
import tempfile
import time
from pathlib import Path

import numpy as np
import pandas as pd
from scipy.special import stdtr

from remyelin.trial.repeated import fit_trials, mmrm

GLS = """
library(nlme)
d <- read.csv(commandArgs(TRUE)[1], stringsAsFactors = TRUE)
f <- y ~ arm * visit + base * visit
one <- function() gls(f, d, correlation = corSymm(form = ~ code | id), weights = varIdent(form = ~ 1 | visit))
invisible(one())
cat(system.time(for (i in 1:10) one())[["user.self"]] / 10)
"""


def layout(n: int, m: int, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Design with arm and baseline at each visit, subjects, visits."""
    subject, visit = np.repeat(np.arange(n), m), np.tile(np.arange(m), n)
    at = (visit[:, None] == np.arange(m)).astype(float)
    base = rng.normal(size=n)[subject][:, None]
    return np.hstack([at, at * (subject % 2)[:, None], at * base]), subject, visit


def responses(trials: int, n: int, m: int, loss: float, rng: np.random.Generator) -> np.ndarray:
    """Null trials: correlation .6^lag, SD 1 to 1.7, `loss` of those still in lost before each later visit."""
    root = np.linalg.cholesky(0.6 ** np.abs(np.subtract.outer(range(m), range(m))))
    y = rng.normal(size=(trials, n, m)) @ root.T * np.linspace(1, 1.7, m)
    lost = rng.random(y.shape) < loss * (np.arange(m) > 0)
    y[np.maximum.accumulate(lost, axis=2)] = np.nan
    return y.reshape(trials, n * m)


def speed() -> None:
    """Time per fit of 100 subjects at 4 visits, 10 % lost before each later visit."""
    rng = np.random.default_rng(1)
    X, subject, visit = layout(100, 4, rng)
    Y = responses(1000, 100, 4, 0.1, rng)
    L = np.eye(12)[7]
    fit_trials(Y[:1], X, subject, visit, L)
    print("| 100 subjects, 4 visits | CPU ms a fit |\n|---|---|")
    for covariance in ("unstructured", "heterogeneous-toeplitz", "ar1", "compound-symmetry"):
        begin = time.process_time()
        fit_trials(Y, X, subject, visit, L, covariance=covariance)
        print(f"| fit_trials, {covariance}, KR-Linear | {time.process_time() - begin:.2f} |")
    data = pd.DataFrame({"id": subject, "code": visit + 1, "visit": np.char.add("V", visit.astype(str))})
    data = data.assign(arm=np.where(subject % 2, "b", "a"), base=X[:, 8:].sum(axis=1), y=Y[0]).dropna()
    roles = {"subject": "id", "visit": "visit", "arm": "arm"}
    mmrm("y ~ arm * visit + base * visit", data, **roles)
    begin = time.process_time()
    for _ in range(50):
        mmrm("y ~ arm * visit + base * visit", data, **roles)
    print(f"| mmrm, from the formula to the tables | {(time.process_time() - begin) * 20:.1f} |")
    if shutil.which("Rscript") is None:
        print("| R nlme::gls, unstructured, no degrees of freedom | no Rscript here |")
        return
    with tempfile.TemporaryDirectory() as folder:
        data.to_csv(Path(folder) / "trial.csv", index=False)
        (Path(folder) / "gls.R").write_text(GLS)
        done = subprocess.run(
            ["Rscript", "gls.R", "trial.csv"], cwd=folder, capture_output=True, text=True, check=True
        )
    print(f"| R nlme::gls, unstructured, no degrees of freedom | {1000 * float(done.stdout):.0f} |")


def type_one_error(trials: int) -> None:
    """Share of null trials with p < .05 at the last visit."""
    print(f"\n| {trials} null trials, 4 visits | lost | KR-Linear | KR | Satterthwaite | z | no fit |")
    print("|---|---|---|---|---|---|---|")
    for n, loss in ((20, 0.0), (20, 0.05), (24, 0.1), (40, 0.1), (100, 0.1)):
        rng = np.random.default_rng([n, int(100 * loss)])
        X, subject, visit = layout(n, 4, rng)
        Y = responses(trials, n, 4, loss, rng)
        shares = []
        for df in ("kenward-roger-linear", "kenward-roger", "satterthwaite"):
            fits = fit_trials(Y, X, subject, visit, np.eye(12)[7], df=df)
            t, ok = fits.estimate / fits.se, fits.converged
            shares.append(np.mean(2 * stdtr(fits.df[ok], -np.abs(t[ok])) < 0.05))
        shares.append(np.mean(np.abs(t[ok]) > 1.959964))
        cells = " | ".join(f"{share:.4f}" for share in shares)
        print(f"| {n // 2} an arm | {100 * loss:.0f} % | {cells} | {np.mean(~ok):.4f} |")


def known_errors(trials: int) -> None:
    """SD of the estimate with and without the errors of the rows, which differ between eyes or sites."""
    print("\n| errors of the rows, 30 an arm, 3 visits | SD, errors ignored | SD, errors known | ratio |")
    print("|---|---|---|---|")
    for low, high in ((0.5, 0.5), (0.5, 1.5), (0.5, 3.0)):
        rng = np.random.default_rng(int(10 * high))
        X, subject, visit = layout(60, 3, rng)
        se = np.where(rng.random(180) < 0.5, low, high)
        Y = responses(trials, 60, 3, 0.05, rng) + se * rng.normal(size=(trials, 180))
        sd = [
            np.nanstd(fit_trials(Y, X, subject, visit, np.eye(9)[5], se=known).estimate)
            for known in (None, se)
        ]
        words = f"half {low:g}, half {high:g}" if low < high else f"all {low:g}"
        print(f"| {words} (SD between subjects 1 to 1.7) | {sd[0]:.3f} | {sd[1]:.3f} | {sd[1] / sd[0]:.2f} |")


def determined(trials: int) -> None:
    """Which small trials determine an unstructured covariance: 2 x 7 subjects, 4 visits."""
    rng = np.random.default_rng(14)
    X, subject, visit = layout(14, 4, rng)
    Y = responses(trials, 14, 4, 0.12, rng)
    fits = fit_trials(Y, X, subject, visit, np.eye(12)[7])
    full = (~np.isnan(Y.reshape(trials, 14, 4))).all(axis=2).sum(axis=1)
    print("\n| 7 an arm: subjects with all 4 visits | trials | fitted |\n|---|---|---|")
    for low, high in ((0, 5), (5, 6), (6, 7), (7, 8), (8, 15)):
        here = (full >= low) & (full < high)
        words = str(low) if high == low + 1 else f"{low} to {high - 1}"
        print(f"| {words} | {here.sum()} | {fits.converged[here].sum()} |")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--trials", type=int, default=10_000)
    trials = parser.parse_args().trials
    speed()
    type_one_error(trials)
    known_errors(trials // 5)
    determined(trials // 5)
