"""Each eye from the first visit to the last, as a table of the trial's page."""

from __future__ import annotations

import numpy as np
import pandas as pd

from remyelin.tables import MEASURES

from .evoked import KEYS, split_conditions

PARTS = ["run", "hump", "sector"]
COLUMNS = ["participant_id", "eye", "baseline", "follow_up", "change", "se", "state_0", "state_1"]


def eye_changes(
    measurements: pd.DataFrame, measure: str, condition: str, visits: tuple[str, str]
) -> pd.DataFrame:
    """One row an eye: `participant_id, eye, baseline, follow_up, change, se, state_0, state_1`.

    `measure` is a latency or another value of each visit, or itself a change since the first one, as
    ``"vep_shift_ms"``. Without a `condition` the program's pooled values at the largest checks count.
    A state is that of the response at the visit, ``"missing"`` where there is no row.
    """
    known = MEASURES.get(measure)
    of = known.change_of if known else ""
    start = _values(measurements, of or measure, condition, visits[0]).add_suffix("_0")
    end = _values(measurements, measure, condition, visits[1]).add_suffix("_1")
    frame = start.join(end, how="outer").reset_index()
    change = frame["value_1"] if of else frame["value_1"] - frame["value_0"]
    se = frame["se_1"] if of else np.hypot(frame["se_0"], frame["se_1"])
    frame = frame.assign(
        baseline=frame["value_0"],
        follow_up=frame["value_0"] + change,
        change=change,
        se=se,
        state_0=frame["state_0"].fillna("missing"),
        state_1=frame["state_1"].fillna("missing"),
    )
    return frame[COLUMNS]


def _values(measurements: pd.DataFrame, measure: str, condition: str, visit: str) -> pd.DataFrame:
    """`value, se, state` by participant and eye."""
    own = measurements[
        (measurements["measure"] == measure)
        & (measurements["visit"] == visit)
        & measurements["site"].str.startswith("eye:")
    ]
    split = split_conditions(own)
    if condition:
        wanted = {key: word for key, _, word in (part.partition("=") for part in condition.split(";"))}
        split = split[(split[list(KEYS)] == [wanted.get(key, "") for key in KEYS]).all(axis=1)]
    else:
        whole = (split[PARTS] == "").all(axis=1) & split["reader"].isin(["auto", ""])
        size = pd.to_numeric(split["check"], errors="coerce")
        split = split[whole].assign(size=size[whole].fillna(np.inf))
        split = split.sort_values(["participant_id", "eye", "size"], ascending=[True, True, False])
        split = split.drop_duplicates(["participant_id", "eye"])
    usable = split["quality"].ne("fail") & split["state"].eq("present")
    split = split.assign(value=split["value"].where(usable))
    return split.set_index(["participant_id", "eye"])[["value", "se", "state"]]
