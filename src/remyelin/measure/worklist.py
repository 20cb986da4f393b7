"""Work for blinded readers: traces in an order and under names that tell nothing, and the way back."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from remyelin.errors import InputError, did_you_mean

from .condition import AUTO, is_pooled, parse_condition
from .readings import PEAKS

if TYPE_CHECKING:
    import pandas as pd

SHEET = ("trace", "check_arcmin", "N75_ms", "P100_ms", "N135_ms", "amplitude_uv", "quality", "time", "reason")
KEY = ("trace", "participant_id", "visit", "site", "condition", "repeat")


@dataclass(frozen=True, slots=True)
class Worklist:
    """A reader's sheet, to fill in, and its key, to keep from the reader.

    Parameters
    ----------
    sheet
        `SHEET`: the traces in the order of reading, without eye, participant, visit or arm.
    key
        `KEY`: whose each trace is.
    """

    sheet: pd.DataFrame
    key: pd.DataFrame

    def blinded(self, waveforms: pd.DataFrame) -> pd.DataFrame:
        """The traces of the sheet, `trace, time_ms, average_uv, se_uv`, of all participants' waveforms.

        Parameters
        ----------
        waveforms
            `participant_id, visit, site, condition, time_ms, average_uv, se_uv`; the fit, which would tell
            the automatic latency, is left out.
        """
        place = ["participant_id", "visit", "site", "condition"]
        joined = self.key.merge(waveforms, on=place, how="inner")
        chosen = joined[["trace", "time_ms", "average_uv", "se_uv"]]
        return chosen.sort_values(["trace", "time_ms"], kind="stable").reset_index(drop=True)


def worklist(frame: pd.DataFrame, seed: int, *, repeats: int = 0) -> Worklist:
    """The traces to read, shuffled: the same rows, in any order, and the same seed give the same work.

    Parameters
    ----------
    frame
        Measurements: one trace for each pooled automatic P100 of an eye, whatever its state.
    seed
        Of the order. Give each reader another, and they cannot compare their sheets by number.
    repeats
        How many of the traces come twice, at random: they show how well a reader repeats.

    Examples
    --------
    >>> import pandas as pd
    >>> frame = pd.DataFrame([
    ...     {"participant_id": f"sub-{n:02d}", "visit": "M00", "site": "eye:OD", "measure": "p100_latency_ms",
    ...      "condition": "check=60;reader=auto"} for n in range(1, 4)])
    >>> work = worklist(frame, seed=7, repeats=1)
    >>> work.sheet["trace"].tolist(), sorted(work.key["participant_id"].value_counts())
    (['T0001', 'T0002', 'T0003', 'T0004'], [1, 1, 2])
    """
    import pandas as pd

    places = ["participant_id", "visit", "site", "condition"]
    rows = frame[(frame["measure"] == "p100_latency_ms") & frame["site"].str.startswith("eye:")]
    parts = [parse_condition(condition) for condition in rows["condition"]]
    automatic = [is_pooled(part) and part.get("reader") == AUTO for part in parts]
    traces = rows.loc[automatic, places].drop_duplicates().sort_values(places).to_numpy(dtype=object)
    if not 0 <= repeats <= len(traces):
        expected = f"0 to {len(traces)}, the number of traces"
        raise InputError("", "repeats", str(repeats), expected, "give fewer")
    rng = np.random.default_rng(seed)
    twice = rng.choice(len(traces), repeats, replace=False)
    shown = [(*row, 1) for row in traces] + [(*traces[index], 2) for index in np.sort(twice)]
    order = rng.permutation(len(shown))
    width = max(4, len(str(len(shown))))
    names = [f"T{number:0{width}d}" for number in range(1, len(shown) + 1)]
    key = pd.DataFrame([shown[index] for index in order], columns=[*places, "repeat"])
    key.insert(0, "trace", names)
    sheet = pd.DataFrame({name: [""] * len(key) for name in SHEET})
    sheet["trace"] = names
    sheet["check_arcmin"] = [parse_condition(text).get("check", "n/a") for text in key["condition"]]
    return Worklist(sheet, key)


def unblind(sheet: pd.DataFrame, key: pd.DataFrame, reader: str) -> pd.DataFrame:
    """A filled sheet as a table of readings (`*_readings.tsv`); a trace that was not read yet is left out.

    A peak left empty on a trace that has a time was looked for and not found.

    Raises
    ------
    InputError
        A trace that the key does not know or that stands twice, a column that is missing.

    Examples
    --------
    >>> import pandas as pd
    >>> key = pd.DataFrame([["T0001", "sub-01", "M00", "eye:OD", "check=60;reader=auto", 1]], columns=KEY)
    >>> line = ["T0001", "60", "", "118.5", "", "", "", "2026-03-09T14:05", "late"]
    >>> sheet = pd.DataFrame([line], columns=SHEET)
    >>> unblind(sheet, key, "AB")[["participant_id", "eye", "reader", "peak", "latency_ms"]].iloc[1].tolist()
    ['sub-01', 'OD', 'AB', 'P100', '118.5']
    """
    import pandas as pd

    for name in SHEET:
        if name not in sheet:
            raise InputError("", "columns", f"without '{name}'", "a column of the sheet", f"add '{name}'")
    known = {str(row["trace"]): row for row in key.to_dict("records")}
    rows: list[dict[str, Any]] = []
    seen: set[str] = set()
    for line in sheet.fillna("").astype(str).to_dict("records"):
        name = line["trace"]
        if name not in known:
            raise InputError("", "trace", f"'{name}'", "a trace of the key", did_you_mean(name, known))
        if name in seen:
            raise InputError("", "trace", f"'{name}' twice", "each trace once", "keep one of the two")
        seen.add(name)
        if line["time"].strip() not in ("", "n/a"):
            rows += _peaks(line, known[name], reader)
    return pd.DataFrame(rows, columns=[*_READING])


_READING = (
    "participant_id",
    "visit",
    "eye",
    "check_arcmin",
    "run",
    "reader",
    "peak",
    "latency_ms",
    "amplitude_uv",
    "time",
    "reason",
    "quality",
    "repeat",
)


def _peaks(line: Mapping[Hashable, Any], place: Mapping[Hashable, Any], reader: str) -> list[dict[str, str]]:
    parts = parse_condition(place["condition"])
    rows = []
    for peak in PEAKS:
        latency = line[f"{peak}_ms"].strip() or "n/a"
        reason = line["reason"].strip()
        rows.append(
            {
                "participant_id": place["participant_id"],
                "visit": place["visit"],
                "eye": place["site"].removeprefix("eye:"),
                "check_arcmin": parts.get("check", "n/a"),
                "run": parts.get("run", "n/a"),
                "reader": reader,
                "peak": peak,
                "latency_ms": latency,
                "amplitude_uv": (line["amplitude_uv"].strip() or "n/a") if peak == "P100" else "n/a",
                "time": line["time"].strip(),
                "reason": reason or ("not found" if latency == "n/a" else "n/a"),
                "quality": line["quality"].strip() or "pass",
                "repeat": str(place["repeat"]),
            }
        )
    return rows
