"""The analyses of the scenarios: p of the treatment effect, and whether the 95 % interval holds the truth."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd
from scipy import stats
from trials import Clustered

import remyelin
from remyelin.trial.mixed.batch import fit_many
from remyelin.trial.repeated import fit_trials


def _answers(estimate: np.ndarray, se: np.ndarray, df: np.ndarray, effect: float) -> pd.DataFrame:
    p = 2 * stats.t.sf(np.abs(estimate / se), df)
    held = np.abs(estimate - effect) <= stats.t.ppf(0.975, df) * se
    return pd.DataFrame({"p": p, "covered": held.astype(int)})


def _each(
    frames: list[pd.DataFrame], one: Callable[[pd.DataFrame], pd.Series], effect: float
) -> pd.DataFrame:
    rows = [one(frame) for frame in frames]
    held = [int(row["ci_low"] <= effect <= row["ci_high"]) for row in rows]
    return pd.DataFrame({"p": [row["p"] for row in rows], "covered": held})


def _design(drawn: Clustered) -> np.ndarray:
    return np.column_stack([np.ones(len(drawn.arm)), drawn.arm])


def mixed(drawn: Clustered, effect: float) -> pd.DataFrame:
    fits = fit_many(_design(drawn), drawn.patient, drawn.Y, [0, 1], threads=1)
    return _answers(fits.estimate, fits.se_kr, fits.df_kr, effect)


def mixed_satterthwaite(drawn: Clustered, effect: float) -> pd.DataFrame:
    fits = fit_many(_design(drawn), drawn.patient, drawn.Y, [0, 1], threads=1)
    return _answers(fits.estimate, fits.se, fits.df_satt, effect)


def mixed_z(drawn: Clustered, effect: float) -> pd.DataFrame:
    fits = fit_many(_design(drawn), drawn.patient, drawn.Y, [0, 1], threads=1)
    return _answers(fits.estimate, fits.se, np.full(len(fits.se), np.inf), effect)


def mixed_known(drawn: Clustered, effect: float) -> pd.DataFrame:
    fits = fit_many(_design(drawn), drawn.patient, drawn.Y, [0, 1], known=drawn.se**2, threads=1)
    return _answers(fits.estimate, fits.se_kr, fits.df_kr, effect)


def _patients(drawn: Clustered) -> tuple[np.ndarray, np.ndarray]:
    n = int(drawn.patient.max()) + 1
    totals = np.stack([np.bincount(drawn.patient, weights=y, minlength=n) for y in drawn.Y])
    arm = np.bincount(drawn.patient, weights=drawn.arm, minlength=n) > 0
    return totals / np.bincount(drawn.patient), arm


def means_of_patients(drawn: Clustered, effect: float) -> pd.DataFrame:
    Y, arm = _patients(drawn)
    names = np.where(arm, "b", "a")
    frames = [pd.DataFrame({"arm": names, "change": y}) for y in Y]
    return _each(frames, lambda frame: remyelin.ancova("change ~ arm", frame).table.loc["arm[T.b]"], effect)


def rows_independent(drawn: Clustered, effect: float) -> pd.DataFrame:
    found = stats.ttest_ind(drawn.Y[:, drawn.arm], drawn.Y[:, ~drawn.arm], axis=1)
    low, high = found.confidence_interval(0.95)
    return pd.DataFrame({"p": found.pvalue, "covered": ((low <= effect) & (effect <= high)).astype(int)})


def gee_eyes(drawn: Clustered, effect: float) -> pd.DataFrame:
    def one(frame: pd.DataFrame) -> pd.Series:
        return remyelin.gee("change ~ arm", frame, "patient").table.loc["arm[T.b]"]

    return _each([drawn.frame(k) for k in range(len(drawn.Y))], one, effect)


def covariance(frames: list[pd.DataFrame], effect: float) -> pd.DataFrame:
    return _each(
        frames, lambda f: remyelin.ancova("change ~ arm + baseline", f).table.loc["arm[T.drug1]"], effect
    )


def covariance_hc3(frames: list[pd.DataFrame], effect: float) -> pd.DataFrame:
    def one(frame: pd.DataFrame) -> pd.Series:
        return remyelin.ancova("change ~ arm + baseline", frame, covariance="HC3").table.loc["arm[T.drug1]"]

    return _each(frames, one, effect)


def dunnett(frames: list[pd.DataFrame], effect: float) -> pd.DataFrame:
    """The smallest of the adjusted p values: rejected once means any of the three was."""

    def one(frame: pd.DataFrame) -> pd.Series:
        found = remyelin.ancova("change ~ arm + baseline", frame, reference="control").contrasts(
            adjust="dunnett"
        )
        return found.loc[found["p"].idxmin()]

    return _each(frames, one, effect)


def repeated(frames: list[pd.DataFrame], effect: float, information: str = "expected") -> pd.DataFrame:
    """The difference at the last visit, from the compiled fits of one layout."""
    first = frames[0]
    arm = (first["arm"] == "b").to_numpy(float)
    visit = first["visit"].str[1].astype(int).to_numpy() - 1
    at = (visit[:, None] == np.arange(4)).astype(float)
    ask = np.zeros(12)
    ask[7] = 1.0
    found = []
    for frame in frames:  # the baselines differ from trial to trial, and so the design
        base = frame["baseline"].to_numpy()
        X = np.hstack([at, at * arm[:, None], at * base[:, None]])
        fit = fit_trials(
            frame["change"].to_numpy()[None], X, first["patient"], visit, ask, information=information
        )
        found.append((fit.estimate[0, 0], fit.se[0, 0], fit.df[0, 0]))
    return _answers(*np.array(found).T, effect)


def repeated_observed(frames: list[pd.DataFrame], effect: float) -> pd.DataFrame:
    return repeated(frames, effect, information="observed")


def completers(frames: list[pd.DataFrame], effect: float) -> pd.DataFrame:
    last = [f[(f["visit"] == "V4") & f["change"].notna()] for f in frames]
    return _each(last, lambda f: remyelin.ancova("change ~ arm + baseline", f).table.loc["arm[T.b]"], effect)


def crossed(frames: list[pd.DataFrame], effect: float) -> pd.DataFrame:
    return _each(frames, lambda frame: _crossover(frame, "crossover"), effect)


def first_period(frames: list[pd.DataFrame], effect: float) -> pd.DataFrame:
    return _each(frames, lambda frame: _crossover(frame, "first-period"), effect)


def _crossover(frame: pd.DataFrame, estimand: str) -> pd.Series:
    fit = remyelin.crossover(
        "latency ~ treatment + period + sequence", frame, participant="patient", eye="eye",
        reference="placebo", estimand=estimand,
    )  # fmt: skip
    return fit.contrasts().iloc[0]
