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
    """

    patients: Patients
    readings: tuple[Readings, ...]

    def measurements(self, trial: int | None = None) -> Measurements:
        """All trials with `trial` in front, or one trial as a real one would give it.

        Parameters
        ----------
        trial
            From 0; None for all.
        """
        return Measurements(pd.concat([_frame(self.patients, each, trial) for each in self.readings]))

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
        return truth_tables(self.patients)

    def _people(self, columns: Mapping[str, Column], trial: int | None) -> pd.DataFrame:
        trials = range(self.patients.n_trials) if trial is None else [trial]
        ids = np.tile(np.array(self.patients.ids, dtype=object), len(trials))
        frame = pd.DataFrame({"participant_id": ids})
        for name, values in columns.items():
            frame[name] = values[list(trials)].ravel()
        if trial is None:
            frame.insert(0, "trial", np.repeat(np.arange(len(trials)), len(self.patients.ids)))
        return frame


def draw_cohort(
    protocol: Protocol,
    n_trials: int = 1,
    *,
    rng: np.random.Generator,
    response: Responses,
    premises: Premises,
    participants: int | None = None,
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
        protocol, n_trials, rng=of_truth, response=response, premises=premises, participants=participants
    )
    return Cohort(patients, read_patients(patients, of_errors))


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


def truth_tables(patients: Patients) -> dict[str, pd.DataFrame]:
    """The truth as tables: a row a participant, an eye and visit, a lesion and visit."""
    people, (trials, n) = patients.people, patients.people.arm.shape
    visits = np.array([visit.id for visit in patients.protocol.visit], dtype=object)
    ids = np.array(patients.ids, dtype=object)
    trial, person = (each.ravel() for each in np.indices((trials, n)))
    found = {
        "participants": pd.DataFrame(
            {
                "trial": trial,
                "participant_id": ids[person],
                "arm": patients.arms.ravel(),
                "age_years": people.age_years.ravel(),
                "female": people.female.ravel(),
                "duration_years": people.duration_years.ravel(),
                "left_day": np.where(np.isfinite(people.left_day), people.left_day, np.nan).ravel(),
                "adherence": people.adherence.ravel(),
            }
        )
    }
    if patients.eyes is not None:
        eyes = patients.eyes
        trial, person, eye, visit = (each.ravel() for each in np.indices(eyes.latency_ms.shape))
        found["eyes"] = pd.DataFrame(
            {
                "trial": trial,
                "participant_id": ids[person],
                "eye": np.array(["OD", "OS"], dtype=object)[eye],
                "visit": visits[visit],
                "day": people.day[trial, person, visit],
                "lesion": eyes.affected[trial, person, eye],
                "responds": eyes.responds.ravel(),
                "latency_ms": eyes.latency_ms.ravel(),
                "effect_ms": (patients.latency_effect_ms * people.adherence[..., None])[trial, person, visit]
                * eyes.affected[trial, person, eye],
            }
        )
    if patients.lesions is not None:
        lesions = patients.lesions
        which, visit = (each.ravel() for each in np.indices(lesions.mtr_pu.shape))
        trial, person = np.divmod(lesions.owner[which], n)
        found["lesions"] = pd.DataFrame(
            {
                "trial": trial,
                "participant_id": ids[person],
                "lesion": [f"{k:03d}" for k in lesions.number[which]],
                "visit": visits[visit],
                "there": visit >= lesions.onset[which],
                "volume_mm3": lesions.volume_mm3[which],
                "age_days": lesions.age_days[which],
                "remyelinated": lesions.remyelinated[which],
                "mtr_pu": lesions.mtr_pu.ravel(),
            }
        )
    return found
