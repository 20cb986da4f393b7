"""The same endpoint estimated otherwise: what shows how much the answer depends on choices."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pandas as pd

from remyelin.tables import Measurements
from remyelin.trial.endpoint import WEIGHTED, Changes

SLOPE = "mtr_calibration_slope"
LEAST_SLOPE = 0.1  # below it, dividing by the slope is a guess


@dataclass(frozen=True, slots=True)
class Slope:
    """The part of an injected change that the measurement returns, over participants."""

    value: float
    se: float
    n: int


@dataclass(frozen=True, slots=True)
class Sibling:
    """One way to estimate the endpoint.

    Attributes
    ----------
    name
        Of the row in the results; the prespecified one has the id of the endpoint.
    change
        (participant,) the response.
    shared_se
        Columns of the participants' frame whose effect on the estimate is an error all participants share.
    slope
        By which the estimate is divided; None for as it is.
    prespecified
        Whether the protocol asked for it.
    """

    name: str
    change: pd.Series
    shared_se: tuple[str, ...] = ()
    slope: Slope | None = None
    prespecified: bool = False


def siblings(changes: Changes, slope: Slope | None) -> Iterator[Sibling]:
    """The endpoint as in the protocol, then what can be estimated beside it."""
    name, frame = changes.endpoint.id, changes.frame
    yield Sibling(name, frame["change"], prespecified=True)
    other = "mean" if changes.endpoint.summary == WEIGHTED else "precision_weighted"
    sites = f"{changes.endpoint.site}s"
    words = f"plain mean of {sites}" if other == "mean" else f"precision-weighted mean of {sites}"
    shared = ("rtm_floor_se", "rtm_shape_se")
    removed = frame["change_rtm_removed"]
    if changes.submedian is not None and removed.notna().any():
        yield Sibling(f"{name} (regression to the mean removed)", removed, shared)
    if changes.endpoint.site in ("lesion", "eye") and frame[f"change_{other}"].notna().any():
        yield Sibling(f"{name} ({words})", frame[f"change_{other}"])
    # The slope is that of MTR in lesions: it says nothing of an eye.
    if slope is None or slope.value < LEAST_SLOPE or changes.endpoint.site == "eye":
        return
    if changes.submedian is None:
        yield Sibling(f"{name} (calibrated)", frame["change"], slope=slope)
    elif removed.notna().any():
        yield Sibling(f"{name} (regression to the mean removed, calibrated)", removed, shared, slope)


def calibration_slope(measurements: Measurements) -> Slope | None:
    """Mean of the participants' self-calibration slopes, weighted by precision; None without any."""
    rows = measurements.select(measure=SLOPE, site="participant").frame
    rows = rows[rows["value"].notna() & (rows["quality"] != "fail") & (rows["condition"] == "")]
    if rows.empty:
        return None
    # One number a participant: the same images gave all of its slopes.
    people = rows.groupby("participant_id")[["value", "se"]].mean()
    weight = 1 / people["se"] ** 2
    if not np.isfinite(weight).all():
        weight = pd.Series(1.0, index=people.index)
    mean = float(np.average(people["value"], weights=weight))
    n = len(people)
    left = weight / weight.sum() * (people["value"] - mean)
    spread = float(np.sqrt(n / (n - 1) * np.sum(left**2))) if n > 1 else float(people["se"].iloc[0])
    return Slope(mean, spread if np.isfinite(spread) else 0.0, n)
