"""Virtual trials as tables: what a real trial would hand to the analysis, and the truth apart."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from remyelin.protocol import Protocol
from remyelin.tables import MEASURES, Measurements

from .exposure import Responses
from .instruments import FAILED, STATES, Readings, read_patients
from .patient import Patients, draw_patients
from .premises import Premises
from .true_tables import true_tables

SOURCE = "virtual"
REASONS = ("", "no P100", "recording without a usable P100", "")
Column = npt.NDArray[Any]


@dataclass(frozen=True)
class Cohort:
    """Virtual trials, measured.

    Attributes
    ----------
    patients
        The truth.
    readings
        What was measured of it, one array a measure.
    first_trial
        The number of the first of these trials.
    """

    patients: Patients
    readings: tuple[Readings, ...]
    first_trial: int = 0

    def measurements(self, trial: int | None = None) -> Measurements:
        """All trials with `trial` in front, or one trial as a real one would give it.

        Parameters
        ----------
        trial
            Its position among these trials; None for all.
        """
        frame = pd.concat([_frame(self.patients, each, trial) for each in self.readings], ignore_index=True)
        if trial is None:
            frame["trial"] += self.first_trial
        return Measurements(frame)

    def allocation(self, trial: int | None = None) -> pd.DataFrame:
        """Who received what, sealed until the analysis: `participant_id, arm`."""
        return self._people({"arm": self.patients.arms}, trial)

    def covariates(self, trial: int | None = None) -> pd.DataFrame:
        """What participants.tsv would hold: `participant_id, age, sex, duration` (years)."""
        people = self.patients.people
        columns = {
            "age": np.rint(people.age_years),
            "sex": np.where(people.female, "F", "M"),
            "duration": np.round(people.duration_years, 1),
        }
        return self._people(columns, trial)

    def truth(self) -> Mapping[str, pd.DataFrame]:
        """What is true, by the name of its table: `participants`, `eyes`, `lesions`, where there are any."""
        found = true_tables(self.patients)
        return {name: table.assign(trial=table["trial"] + self.first_trial) for name, table in found.items()}

    def _people(self, columns: Mapping[str, Column], trial: int | None) -> pd.DataFrame:
        trials = range(self.patients.n_trials) if trial is None else [trial]
        ids = np.tile(np.array(self.patients.ids, dtype=object), len(trials))
        frame = pd.DataFrame({"participant_id": ids})
        for name, values in columns.items():
            frame[name] = values[list(trials)].ravel()
        if trial is None:
            frame.insert(
                0, "trial", self.first_trial + np.repeat(np.arange(len(trials)), len(self.patients.ids))
            )
        return frame


def draw_cohort(
    protocol: Protocol,
    n_trials: int = 1,
    *,
    rng: np.random.Generator,
    response: Responses,
    premises: Premises,
    participants: int | None = None,
    lesions_per_participant: int | None = None,
    first_trial: int = 0,
) -> Cohort:
    """Draw virtual trials and measure them; the arguments are those of `draw_patients`.

    Examples
    --------
    >>> from remyelin.trial.analyse import analyse
    >>> from remyelin.virtual.response import Response
    >>> protocol = Protocol.read("ccmr-two")
    >>> cohort = draw_cohort(protocol, rng=np.random.default_rng(4), premises=Premises.read("trial"),
    ...                      response=Response.constant(latency_ms=-6))
    >>> found = analyse(cohort.measurements(0), protocol, cohort.allocation(0))
    >>> bool(found.results.frame["estimate"][0] < -3)
    True
    """
    of_truth, of_errors = rng.spawn(2)
    patients = draw_patients(
        protocol, n_trials, rng=of_truth, response=response, premises=premises, participants=participants,
        lesions_per_participant=lesions_per_participant,
    )  # fmt: skip
    return Cohort(patients, read_patients(patients, of_errors), first_trial)


def _frame(patients: Patients, readings: Readings, trial: int | None) -> pd.DataFrame:
    """The rows of one measure."""
    at = np.argwhere(readings.listed if trial is None else readings.listed[[trial]])
    k, person, site, visit = at.T
    cell = (k if trial is None else trial, person, site, visit)
    failed, state = readings.failed[cell], readings.state[cell]
    columns: dict[str, Any] = {
        "participant_id": np.array(patients.ids, dtype=object)[person],
        "visit": np.array([each.id for each in patients.protocol.visit], dtype=object)[visit],
        "day": patients.people.day[cell[0], person, visit],
        "site": np.array(readings.sites, dtype=object)[site],
        "measure": readings.measure,
        "condition": readings.condition,
        "value": readings.value[cell],
        "se": readings.se[cell],
        "unit": MEASURES[readings.measure].unit,
        "state": np.array(STATES, dtype=object)[state],
        "quality": np.where(failed, "fail", "pass").astype(object),
        "reason": np.where(failed, FAILED, np.array(REASONS, dtype=object)[state]),
        "source": SOURCE,
    }
    if trial is None:
        columns = {"trial": k, **columns}
    return pd.DataFrame(columns)
