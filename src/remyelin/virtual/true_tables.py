"""The truth of virtual patients as tables, which no analysis reads."""

from __future__ import annotations

import numpy as np
import pandas as pd

from .patient import Patients


def true_tables(patients: Patients) -> dict[str, pd.DataFrame]:
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
                # 0 is added so that no effect is 0, and not -0.
                "effect_ms": 0.0 + eyes.effect_ms.ravel(),
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
