"""Measurements to treatment effects, as the protocol says."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from remyelin.errors import Flag, InputError, RefuseRun
from remyelin.protocol import Endpoint, Protocol
from remyelin.tables import MEASURES, Measurements, Results
from remyelin.trial.allocation import check_allocation, read_allocation
from remyelin.trial.endpoint import Changes, participant_changes
from remyelin.trial.linear import Ancova, ancova
from remyelin.trial.methods import methods_text
from remyelin.trial.people import allocation_flags, attrition, join
from remyelin.trial.siblings import Sibling, Slope, calibration_slope, siblings

__all__ = ["ESTIMATORS", "Analysis", "analyse", "read_allocation"]

ESTIMATORS = ("ancova",)
COMPLETERS, ALL = "completers", "all measured"


@dataclass(frozen=True, slots=True)
class Analysis:
    """The treatment effects of a trial and what they rest on.

    Attributes
    ----------
    results
        The prespecified estimates, then their siblings.
    participants
        One row a participant and endpoint, also those left out: `endpoint, participant_id, arm, baseline,
        follow_up, change, ...`, `analysed`, `quality`, `reason`; see `remyelin.trial.endpoint.Changes`.
    attrition
        Participants and sites left after each step of the primary endpoint: `step, participants, sites,
        reason`.
    methods
        A paragraph for the methods section, with numbers and citations.
    flags
        What is doubtful; a secondary endpoint that could not be analysed has quality ``"fail"``.
    fits
        The models behind the prespecified rows, by endpoint.
    """

    results: Results
    participants: pd.DataFrame
    attrition: pd.DataFrame
    methods: str
    flags: tuple[Flag, ...]
    fits: dict[str, Ancova]

    def to_frame(self) -> pd.DataFrame:
        """The results as a frame."""
        return self.results.frame

    def __str__(self) -> str:
        return self.results.told(list(dict.fromkeys(self.participants["endpoint"])))

    def _repr_html_(self) -> str:
        return self.results._repr_html_()


def analyse(
    measurements: Measurements,
    protocol: Protocol,
    allocation: pd.DataFrame,
    covariates: pd.DataFrame | None = None,
) -> Analysis:
    """Compare the arms on every endpoint of the protocol.

    Parameters
    ----------
    measurements
        Of all participants; the analysis cannot tell virtual ones from real ones.
    protocol
        Endpoints, arms, visits and models.
    allocation
        `participant_id, arm` (`read_allocation` reads it from a file).
    covariates
        `participant_id` and the columns that the formulas name besides `arm` and `baseline`.

    Raises
    ------
    RefuseRun
        For an estimator that is not offered, an allocation that cannot be right, or a primary endpoint that
        cannot be analysed.

    Examples
    --------
    >>> rng = np.random.default_rng(3)
    >>> arms = {f"sub-{k:02d}": ("placebo", "bexarotene")[k % 2] for k in range(20)}
    >>> rows = [{"participant_id": person, "visit": visit, "site": f"lesion:{k}", "measure": "mtr_pu",
    ...          "value": 25 + k + rng.normal(0, 0.5) + (visit == "M06" and arm != "placebo"),
    ...          "se": 0.5, "unit": "pu"}
    ...         for person, arm in arms.items() for visit in ("M00", "M06") for k in range(8)]
    >>> allocation = pd.DataFrame({"participant_id": list(arms), "arm": list(arms.values())})
    >>> analysis = analyse(Measurements.from_rows(rows), Protocol.read("ccmr-one"), allocation)
    >>> print(str(analysis).splitlines()[0])
    submedian-lesion-mtr, bexarotene - placebo: +0.839 pu (CI +0.615 to +1.06), p < 0.0001; ...
    """
    _check_estimators(protocol)
    allocation = check_allocation(allocation, protocol)
    trial = _Trial(measurements, protocol, allocation, covariates, calibration_slope(measurements))
    done: list[_Analysed] = []
    failed: list[Flag] = []
    for endpoint in sorted(protocol.endpoint, key=lambda each: each.role != "primary"):
        try:
            done.append(_analyse_endpoint(trial, endpoint))
        except (InputError, RefuseRun) as error:
            field = _named(endpoint, error.field)
            if endpoint.role == "primary":
                raise RefuseRun(error.file, field, error.found, error.expected, error.fix) from None
            failed.append(Flag(error.file, field, error.found, error.expected, error.fix, "fail"))
    measured = sorted(set(measurements.frame["participant_id"]))
    flags = [
        *allocation_flags(allocation, measured),
        *failed,
        *(flag for each in done for flag in each.flags),
    ]
    return Analysis(
        results=Results.from_rows([row for each in done for row in each.rows]),
        participants=pd.concat([each.people for each in done], ignore_index=True),
        attrition=attrition(done[0].changes, done[0].people, allocation, measured),
        methods=methods_text(protocol, [(each.changes, each.people, each.fit) for each in done], trial.slope),
        flags=tuple(dict.fromkeys(flags)),
        fits={each.changes.endpoint.id: each.fit for each in done},
    )


@dataclass(frozen=True, slots=True)
class _Trial:
    measurements: Measurements
    protocol: Protocol
    allocation: pd.DataFrame
    covariates: pd.DataFrame | None
    slope: Slope | None


@dataclass(frozen=True, slots=True)
class _Analysed:
    changes: Changes
    people: pd.DataFrame
    fit: Ancova
    rows: list[dict[str, Any]]
    flags: tuple[Flag, ...]


def _check_estimators(protocol: Protocol) -> None:
    for endpoint in protocol.endpoint:
        if endpoint.estimator not in ESTIMATORS:
            raise RefuseRun(
                "", f"endpoint '{endpoint.id}' estimator", endpoint.estimator,
                f"one that is offered now: {', '.join(ESTIMATORS)}",
                'write estimator = "ancova", or wait for a version that has it',
            )  # fmt: skip


def _analyse_endpoint(trial: _Trial, endpoint: Endpoint) -> _Analysed:
    changes = participant_changes(trial.measurements, trial.protocol, endpoint)
    people, flags = join(changes, trial.allocation, trial.covariates)
    first, *others = siblings(changes, trial.slope)
    fit, rows = _estimate(trial, changes, people, first)
    found = [*changes.flags, *flags]
    for sibling in others:
        try:
            rows += _estimate(trial, changes, people, sibling)[1]
        except InputError as error:
            found.append(Flag(error.file, sibling.name, error.found, error.expected, error.fix))
    if (people["n_failed"] > 0).any():
        rows += _with_failed(trial, endpoint)
    return _Analysed(changes, people, fit, rows, tuple(found))


def _with_failed(trial: _Trial, endpoint: Endpoint) -> list[dict[str, Any]]:
    """How the answer would be with the values of quality fail."""
    changes = participant_changes(trial.measurements, trial.protocol, endpoint, keep_failed=True)
    people, _ = join(changes, trial.allocation, trial.covariates)
    sibling = Sibling(f"{endpoint.id} (quality fail included)", changes.frame["change"])
    return _estimate(trial, changes, people, sibling, ALL)[1]


def _estimate(
    trial: _Trial, changes: Changes, people: pd.DataFrame, sibling: Sibling, analysis_set: str = COMPLETERS
) -> tuple[Ancova, list[dict[str, Any]]]:
    """The fit of one sibling and its rows of the results, one a contrast."""
    endpoint, reference = changes.endpoint, trial.protocol.reference
    change = pd.Series(sibling.change.to_numpy(), index=changes.frame["participant_id"])
    data = people[people["analysed"]].set_index("participant_id").assign(change=change)
    data = data[data["change"].notna()]
    data["value"] = data["baseline"] + data["change"]
    data["arm"] = pd.Categorical(data["arm"], categories=[arm.id for arm in trial.protocol.arm])
    fit = ancova(endpoint.formula, data, reference=reference.id if reference else None, alpha=endpoint.alpha)
    shared = [fit.contrasts_of(data[name].to_numpy()) for name in sibling.shared_se]
    rows = []
    for k, (contrast, row) in enumerate(fit.contrasts().iterrows()):
        se = float(np.sqrt(row["se"] ** 2 + sum(each[k] ** 2 for each in shared)))
        estimate, se = _scaled(float(row["estimate"]), se, sibling.slope)
        rows.append(
            {
                "endpoint": sibling.name,
                "contrast": str(contrast),
                **_test(estimate, se, fit.df, endpoint.alpha),
                "unit": MEASURES[endpoint.measure].unit,
                "n_participants": fit.n,
                "n_sites": int(data["n_used"].sum()),
                "analysis_set": analysis_set,
                "estimator": endpoint.estimator,
                "prespecified": sibling.prespecified,
            }
        )
    return fit, rows


def _scaled(estimate: float, se: float, slope: Slope | None) -> tuple[float, float]:
    """Divided by the calibration slope, whose own error is added."""
    if slope is None:
        return estimate, se
    scaled = estimate / slope.value
    return scaled, float(np.hypot(se, scaled * slope.se) / slope.value)


def _test(estimate: float, se: float, df: float, alpha: float) -> dict[str, float]:
    from scipy.special import stdtr, stdtrit

    t, half = estimate / se, float(stdtrit(df, 1 - alpha / 2)) * se
    numbers = {"estimate": estimate, "se": se, "df": df, "statistic": t, "p": 2 * float(stdtr(df, -abs(t)))}
    return numbers | {"ci_low": estimate - half, "ci_high": estimate + half}


def _named(endpoint: Endpoint, field: str) -> str:
    return field if endpoint.id in field else f"endpoint '{endpoint.id}' {field}"
