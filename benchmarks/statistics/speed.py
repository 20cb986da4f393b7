"""How fast a mixed model of a trial is, with Satterthwaite and Kenward-Roger, beside R and statsmodels.

    python benchmarks/statistics/speed.py

1,000 trials of 120 patients x 30 lesions, `change ~ arm + baseline + (1 | patient)`. The peers fit the first
trials of the same data, and their estimates are compared with ours before a time is printed. Ours is compiled
before the clock starts; peers are timed after a first fit. R: Debian r-cran-lmertest, r-cran-pbkrtest.
"""

from __future__ import annotations

import argparse
import importlib.util
import os
import shutil
import subprocess
import tempfile
import time
import warnings
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from remyelin.trial.mixed import Fits, fit_many, mixed_model

PATIENTS, LESIONS, SATTERTHWAITE, KENWARD_ROGER, STATSMODELS = 120, 30, 30, 2, 10
R = """
suppressMessages(library(lmerTest))
given <- commandArgs(TRUE)
d <- read.csv(given[1]); ddf <- given[2]; n <- as.integer(given[3])
d$patient <- factor(d$patient)
one <- function(k) {
  d$y <- d[[paste0("y", k)]]
  coef(summary(lmer(y ~ arm + baseline + (1 | patient), d), ddf = ddf))["arm", 1:3]
}
invisible(one(1))
spent <- system.time(found <- sapply(1:n, one))
cat(spent[["user.self"]] / n, "\n")
write.table(format(t(found), digits = 17), row.names = FALSE, col.names = FALSE, quote = FALSE)
"""


@dataclass(frozen=True)
class Peer:
    """CPU seconds a fit; estimate, standard error and degrees of freedom (trial, 3)."""

    seconds: float
    found: np.ndarray


def trials(count: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Design (row, 3), patient (row,), responses (trial, row); variances of reference a1."""
    rng = np.random.default_rng(2026)
    patient = np.repeat(np.arange(PATIENTS), LESIONS)
    baseline = rng.normal(30, 3, len(patient))
    X = np.column_stack([np.ones(len(patient)), patient % 2, baseline])
    Y = 0.35 * rng.normal(size=(count, PATIENTS))[:, patient] + 1.3 * rng.normal(size=(count, len(patient)))
    return X, patient, Y - 0.14 * baseline


def in_r(data: pd.DataFrame, ddf: str, count: int) -> Peer:
    with tempfile.TemporaryDirectory() as folder:
        data.to_csv(Path(folder) / "trials.csv", index=False)
        (Path(folder) / "fit.R").write_text(R)
        call = ["Rscript", "fit.R", "trials.csv", ddf, str(count)]
        done = subprocess.run(call, cwd=folder, capture_output=True, text=True, check=True)
    first, *rest = done.stdout.splitlines()
    return Peer(float(first), np.array([line.split() for line in rest], dtype=float))


def in_statsmodels(data: pd.DataFrame, count: int) -> Peer:
    from statsmodels.regression.mixed_linear_model import MixedLM

    X = data[["arm", "baseline"]].assign(one=1.0)
    found, spent = [], 0.0
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for k in (1, *range(1, count + 1)):
            begun = time.process_time()
            fit = MixedLM(data[f"y{k}"], X, groups=data["patient"]).fit()
            spent += time.process_time() - begun if found else 0.0
            found.append((fit.params["arm"], fit.bse["arm"], np.inf))
    return Peer(spent / count, np.array(found[1:]))


def ours(X: np.ndarray, patient: np.ndarray, Y: np.ndarray, threads: int) -> tuple[Fits, float, float]:
    """Fits, seconds by the clock and of the processor; the best of five."""
    fit_many(X, patient, Y[:40], [0, 1, 0], threads=threads)
    spent = []
    for _ in range(5):
        wall, cpu = time.perf_counter(), time.process_time()
        fits = fit_many(X, patient, Y, [0, 1, 0], threads=threads)
        spent.append((time.perf_counter() - wall, time.process_time() - cpu))
    return fits, min(each[0] for each in spent), min(each[1] for each in spent)


def by_formula(data: pd.DataFrame) -> float:
    """CPU seconds of one call from the formula to the tables."""
    mixed_model("y1 ~ arm + baseline", data, "patient")
    begun = time.process_time()
    for k in range(1, 11):
        mixed_model(f"y{k} ~ arm + baseline", data, "patient")
    return (time.process_time() - begun) / 10


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--trials", type=int, default=1000)
    count = parser.parse_args().trials
    X, patient, Y = trials(count)
    data = pd.DataFrame({"patient": patient, "arm": X[:, 1], "baseline": X[:, 2]})
    data = pd.concat([data, pd.DataFrame({f"y{k + 1}": Y[k] for k in range(SATTERTHWAITE)})], axis=1)
    fits, _, cpu = ours(X, patient, Y, 1)
    again, wall, _ = ours(X, patient, Y, 2)
    assert all(np.array_equal(getattr(fits, name), getattr(again, name)) for name in Fits.__slots__)
    each = cpu / count
    print(f"| {PATIENTS} patients x {LESIONS} lesions | CPU ms a fit | against ours | largest gap to ours |")
    print("| --- | --- | --- | --- |")
    print(f"| remyelin `fit_many`: Satterthwaite and Kenward-Roger | {1000 * each:.3f} | 1 | |")
    print(f"| remyelin `mixed_model`, from the formula to the tables | {1000 * by_formula(data):.1f} | | |")
    model_based = np.column_stack([fits.estimate, fits.se, fits.df_satt])
    adjusted = np.column_stack([fits.estimate, fits.se_kr, fits.df_kr])
    with_r, with_python = shutil.which("Rscript"), importlib.util.find_spec("statsmodels")
    peers = (
        ("lmerTest: Satterthwaite", with_r, in_r, ("Satterthwaite", SATTERTHWAITE), model_based),
        ("lmerTest and pbkrtest: Kenward-Roger", with_r, in_r, ("Kenward-Roger", KENWARD_ROGER), adjusted),
        ("statsmodels MixedLM: z test", with_python, in_statsmodels, (STATSMODELS,), model_based),
    )
    for name, present, fit, options, expected in peers:
        if not present:
            print(f"| {name} | skipped: not installed here | | |")
            continue
        peer = fit(data, *options)
        cells = f"{1000 * peer.seconds:.0f} | {peer.seconds / each:.0f} | {_gap(peer.found, expected)}"
        print(f"| {name} | {cells} |")
    met = "met" if wall <= 1 else "**NOT MET**"
    print(
        f"\n{count:,} trials: {cpu:.2f} s of the processor; on 2 threads {wall:.2f} s (goal <= 1 s: {met})."
    )
    print(f"Load of the machine meanwhile: {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores.")


def _gap(found: np.ndarray, expected: np.ndarray) -> str:
    """Largest relative gap of estimate (in standard errors), standard error and degrees of freedom."""
    known = expected[: len(found)]
    scale = np.column_stack([known[:, 1], known[:, 1], known[:, 2]])
    gaps = (np.abs(found - known) / scale).max(axis=0)
    words = [
        f"{what} {gap:.0e}"
        for what, gap in zip(("estimate", "SE", "df"), gaps, strict=True)
        if np.isfinite(gap)
    ]
    return ", ".join(words) + ("" if np.isfinite(gaps[2]) else ", no df")


if __name__ == "__main__":
    main()
