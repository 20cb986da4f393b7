"""A trial repeated thousands of times, each time analysed as its protocol says."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from remyelin.errors import InputError, did_you_mean
from remyelin.number import several
from remyelin.protocol import Protocol
from remyelin.tables import MEASURES

from .answers import answers
from .batches import Batch, Order, run_batches
from .cohort import Cohort
from .exposure import Responses
from .premises import Premises

FloatArray = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Trials:
    """What was found in many virtual trials.

    Attributes
    ----------
    protocol, premises
        Under what and from what they were drawn.
    frame
        A row a trial, endpoint and contrast: `trial, endpoint, contrast, estimate, se, df, p, ci_low,
        ci_high, n_participants`; the numbers of the prespecified row of `analyse`, missing where a trial
        could not be analysed.
    """

    protocol: Protocol
    premises: Premises
    frame: pd.DataFrame

    def significant(self) -> pd.DataFrame:
        """A row an endpoint and contrast: how often, in which direction, and with which Monte Carlo error.

        Columns `endpoint, contrast, trials, failed, mean, sd, mean_se, negative, positive, either,
        either_se`: `negative` is the part of the trials with a significant estimate below 0.
        """
        alpha = {endpoint.id: endpoint.alpha for endpoint in self.protocol.endpoint}
        rows = []
        for (name, contrast), own in self.frame.groupby(["endpoint", "contrast"], sort=False):
            hit = own["p"].to_numpy() < alpha[str(name)]
            either, n = float(hit.mean()), len(own)
            rows.append(
                {
                    "endpoint": name,
                    "contrast": contrast,
                    "trials": n,
                    "failed": int(own["p"].isna().sum()),
                    "mean": float(own["estimate"].mean()),
                    "sd": float(own["estimate"].std()),
                    "mean_se": float(own["se"].mean()),
                    "negative": float((hit & (own["estimate"] < 0)).mean()),
                    "positive": float((hit & (own["estimate"] > 0)).mean()),
                    "either": either,
                    "either_se": math.sqrt(either * (1 - either) / n),
                }
            )
        return pd.DataFrame(rows)

    def to_frame(self) -> pd.DataFrame:
        """A row a trial, endpoint and contrast."""
        return self.frame.copy()

    def __str__(self) -> str:
        unit = {endpoint.id: MEASURES[endpoint.measure].unit for endpoint in self.protocol.endpoint}
        lines = []
        for row in self.significant().to_dict("records"):
            if row["failed"] == row["trials"]:
                lines.append(
                    f"{row['endpoint']}, {row['contrast']}: no answer in any of {row['trials']} trials"
                )
                continue
            failed = f", {row['failed']} without an answer" if row["failed"] else ""
            lines.append(
                f"{row['endpoint']}, {row['contrast']}: mean {row['mean']:+.3g} {unit[row['endpoint']]} "
                f"(SD {row['sd']:.3g}); significant in {100 * row['either']:.1f} % "
                f"(Monte Carlo SE {100 * row['either_se']:.1f}) of {row['trials']} trials{failed}"
            )
        return "\n".join(lines)

    def _repr_html_(self) -> str:
        return str(self.significant().to_html(index=False))


def run_trials(
    protocol: Protocol,
    n_trials: int,
    *,
    rng: np.random.Generator,
    response: Responses,
    premises: Premises,
    participants: int | None = None,
    endpoints: str | Sequence[str] | None = None,
    workers: int = 1,
    out: Path | None = None,
    progress: bool = False,
) -> Trials:
    """Simulate a trial many times and analyse each one by the protocol's own estimator.

    Parameters
    ----------
    protocol, n_trials, rng, response, premises, participants
        As of `draw_patients`.
    endpoints
        Only this one or these; all by default.
    workers
        Processes; their number changes no bit of the answer.
    out
        An output folder: a stopped simulation goes on from its records there.
    progress
        Tell on standard error what happens.

    Raises
    ------
    InputError, RefuseRun
        What `draw_patients` refuses; an endpoint that the protocol has not.

    Examples
    --------
    >>> from remyelin.virtual.response import Response
    >>> found = run_trials(Protocol.read("ccmr-two"), 200, endpoints=["p100-latency"],
    ...                    rng=np.random.default_rng(1), response=Response.constant(),
    ...                    premises=Premises.read("trial"))
    >>> print(found)
    p100-latency, clemastine-metformin - placebo: mean ... ms (SD 0.6...); significant in ... % ...
    """
    known = [endpoint.id for endpoint in protocol.endpoint]
    wanted = None if endpoints is None else several(endpoints)
    if wanted == ():
        raise InputError("", "endpoint", "not given", "an endpoint of the protocol", did_you_mean("", known))
    for name in wanted or ():
        if name not in known:
            raise InputError(
                "", "endpoint", f"'{name}'", "an endpoint of the protocol", did_you_mean(name, known)
            )
    batches = Order(protocol, response, premises, participants).batches(n_trials, rng)
    asked = tuple(name for name in known if wanted is None or name in wanted)
    parts = run_batches(_analysed, batches, asked, workers=workers, out=out, progress=progress)
    return Trials(protocol, premises, answer_table(protocol, parts))


def _analysed(task: tuple[Batch, Sequence[str]]) -> Mapping[str, Any]:
    batch, asked = task
    return answer_lists(batch.draw(), asked)


def answer_lists(cohort: Cohort, asked: Sequence[str]) -> dict[str, Any]:
    """The answers of a batch as lists, which JSON can hold."""
    found = {}
    for endpoint in cohort.patients.protocol.endpoint:
        if endpoint.id in asked:
            own = answers(cohort, endpoint)
            numbers = {name: getattr(own, name).tolist() for name in ("estimate", "se", "df", "participants")}
            found[endpoint.id] = {"contrasts": list(own.contrasts), **numbers}
    return {"first": cohort.first_trial, "endpoints": found}


def answer_table(protocol: Protocol, parts: Sequence[Mapping[str, Any]]) -> pd.DataFrame:
    """The answers of all batches as one table; see `Trials`."""
    frames = []
    for endpoint in protocol.endpoint:
        own = [part for part in parts if endpoint.id in part["endpoints"]]
        for part in own:
            frames.append(_frame(part["first"], endpoint.id, endpoint.alpha, part["endpoints"][endpoint.id]))
    return pd.concat(frames, ignore_index=True)


def _frame(first: int, name: str, alpha: float, part: Mapping[str, Any]) -> pd.DataFrame:
    from scipy.special import stdtr, stdtrit

    estimate, se, df = (np.asarray(part[key], dtype=np.float64) for key in ("estimate", "se", "df"))
    n, k = estimate.shape
    with np.errstate(invalid="ignore"):
        p = 2 * stdtr(df, -np.abs(estimate / se))
        reach = stdtrit(df, 1 - alpha / 2) * se
    return pd.DataFrame(
        {
            "trial": first + np.repeat(np.arange(n), k),
            "endpoint": name,
            "contrast": np.tile(np.array(part["contrasts"], dtype=object), n),
            "estimate": estimate.ravel(),
            "se": se.ravel(),
            "df": df.ravel(),
            "p": p.ravel(),
            "ci_low": (estimate - reach).ravel(),
            "ci_high": (estimate + reach).ravel(),
            "n_participants": np.repeat(part["participants"], k),
        }
    )
