"""Measurements to treatment effects, as the protocol says."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pandas as pd

from remyelin.errors import Flag, InputError, RefuseRun
from remyelin.protocol import Endpoint, Protocol
from remyelin.tables import Measurements, Results
from remyelin.trial.allocation import check_allocation, read_allocation
from remyelin.trial.case import Study
from remyelin.trial.estimate import Estimated, estimate
from remyelin.trial.family import family_table
from remyelin.trial.methods import methods_text
from remyelin.trial.people import allocation_flags, attrition
from remyelin.trial.siblings import calibration_slope

__all__ = ["Analysis", "analyse", "read_allocation"]


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
        `baseline_at_entry` is that of all selected sites, also of who was lost afterwards.
    attrition
        Participants and sites left after each step of the primary endpoint: `step, participants, sites,
        reason`.
    multiplicity
        The family of tests that the protocol names, with adjusted p values; see `remyelin.trial.family`.
    tipping
        How the answer moves as values after a withdrawal are shifted, where the protocol asks:
        ``endpoint, contrast, delta, estimate, se, df, p, ci_low, ci_high``.
    methods
        A paragraph for the methods section, with numbers and citations.
    flags
        What is doubtful; a secondary endpoint that could not be analysed has quality ``"fail"``.
    fits
        The models behind the prespecified rows, by endpoint.
    rows
        What these models were fitted to, by endpoint: a row a participant, visit, site or period.
    members
        Who is in which analysis set, by endpoint: see `remyelin.trial.sets.members`.
    """

    results: Results
    participants: pd.DataFrame
    attrition: pd.DataFrame
    multiplicity: pd.DataFrame
    tipping: pd.DataFrame
    methods: str
    flags: tuple[Flag, ...]
    fits: Mapping[str, Any]
    rows: Mapping[str, pd.DataFrame]
    members: Mapping[str, pd.DataFrame]

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
        For an allocation that cannot be right, measurements of several virtual trials, or a primary endpoint
        that cannot be analysed.

    Examples
    --------
    >>> import numpy as np
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
    _one_trial(measurements)
    allocation = check_allocation(allocation, protocol)
    study = Study(measurements, protocol, allocation, covariates, calibration_slope(measurements))
    done: list[Estimated] = []
    failed: list[Flag] = []
    for endpoint in sorted(protocol.endpoint, key=lambda each: each.role != "primary"):
        try:
            done.append(estimate(study, endpoint))
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
    rows = [row for each in done for row in each.results]
    fits = {each.endpoint.id: each.fitted.model for each in done}
    multiplicity = family_table(protocol, rows, fits)
    return Analysis(
        results=Results.from_rows(rows),
        participants=pd.concat([each.people for each in done], ignore_index=True),
        attrition=attrition(done[0].long.steps, done[0].people, done[0].fitted.n_sites, allocation, measured),
        multiplicity=multiplicity,
        tipping=_joined([table for each in done for table in each.tipping]),
        methods=methods_text(study, done, multiplicity),
        flags=tuple(dict.fromkeys(flags)),
        fits=fits,
        rows={each.endpoint.id: each.rows for each in done},
        members={each.endpoint.id: each.members for each in done},
    )


def _one_trial(measurements: Measurements) -> None:
    if "trial" in measurements.frame:
        n = measurements.frame["trial"].nunique()
        raise RefuseRun(
            "measurements", "trial", f"a column, with {n:,} virtual trials", "the measurements of one trial",
            "simulate one trial, or see what was found in each in the table `trials`",
        )  # fmt: skip


def _joined(tables: list[pd.DataFrame]) -> pd.DataFrame:
    return pd.concat(tables, ignore_index=True) if tables else pd.DataFrame()


def _named(endpoint: Endpoint, field: str) -> str:
    return field if endpoint.id in field else f"endpoint '{endpoint.id}' {field}"
