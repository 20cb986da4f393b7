"""The visual evoked potentials (VEP) of a participant as the page reads them: values and waveforms."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from remyelin.errors import InputError
from remyelin.files import read_tsv

from .lesions import visit_order
from .panels import worst

PEAKS = ("n75_latency_ms", "p100_latency_ms", "n135_latency_ms")
MEASURES = (*PEAKS, "p100_amplitude_uv", "vep_snr", "vep_shift_ms")
EYES = {"OD": "right eye (OD)", "OS": "left eye (OS)"}
KEYS = ("check", "reader", "run", "hump", "sector")
TEXT = ("visit", "site", "condition")
NUMBERS = ("time_ms", "average_uv", "se_uv", "fit_uv")
Z95 = 1.96
STATE_WORDS = {"absent": "no response", "indeterminate": "response uncertain", "present": "not measured"}


@dataclass(frozen=True, slots=True)
class EyeShift:
    """The shift of one eye's response at a visit since the first one, ms; NaN where there is none."""

    eye: str
    check: str
    visit: str
    value_ms: float
    se_ms: float
    state: str

    @property
    def known(self) -> bool:
        """Whether there is a shift."""
        return bool(np.isfinite(self.value_ms))

    @property
    def half_ms(self) -> float:
        """Half the 95 % interval; NaN where the error is not known."""
        return Z95 * self.se_ms

    def words(self, with_check: bool) -> str:
        """Eye, check size and visit."""
        return named(eye_words(self.eye), check_words(self.check) if with_check else "", self.visit)


@dataclass(frozen=True)
class Evoked:
    """The VEP of one participant.

    Parameters
    ----------
    rows
        Its measurements at eyes, with the keys of the condition as columns `check, reader, run, hump,
        sector`, empty where not given, and `eye` (``"OD"``, ``"OS"``).
    waves
        `visit, eye, check, run, time_ms, average_uv, se_uv, fit_uv`; empty where none were written.
    """

    rows: pd.DataFrame
    waves: pd.DataFrame

    @classmethod
    def of(cls, measurements: pd.DataFrame, waveforms: Path, root: Path) -> Evoked:
        """From the measurements of a participant and the table of its waveforms, which may be absent.

        Raises
        ------
        InputError
            Where there is a table of waveforms that cannot be read.
        """
        own = measurements[
            measurements["measure"].isin(MEASURES) & measurements["site"].str.startswith("eye:")
        ]
        rows = split_conditions(own).assign(value=own["value"].where(own["state"] == "present"))
        return cls(
            rows.reset_index(drop=True), split_conditions(_read_waves(waveforms, root)).reset_index(drop=True)
        )

    @property
    def present(self) -> bool:
        """Whether there is anything to show."""
        return len(self.rows) > 0

    @cached_property
    def visits(self) -> list[str]:
        """Visits with a VEP, in order of their days."""
        return visit_order(self.rows)

    @cached_property
    def pooled(self) -> pd.DataFrame:
        """The values of all replicates together, by whoever read them; sectors and humps left out."""
        return self.rows[(self.rows[["run", "hump", "sector"]] == "").all(axis=1)]

    @cached_property
    def eyes(self) -> list[str]:
        """The eyes, right one first."""
        return sorted(self.rows["eye"].unique())

    @cached_property
    def checks(self) -> list[str]:
        """Check sizes in minutes of arc, the largest first; ``""`` where none was stated."""
        known = self.pooled["check"].unique()
        return sorted(known, key=lambda check: (-_number(check), check))

    @cached_property
    def readers(self) -> list[str]:
        """Who read the peaks, the program first."""
        return sorted(self.pooled["reader"].unique(), key=lambda name: (name not in ("auto", ""), name))

    @cached_property
    def _by_key(self) -> dict[tuple[str, ...], dict[str, Any]]:
        """Each row by measure, eye, visit and the keys of its condition; no reader is the program."""
        own = self.rows.assign(reader=self.rows["reader"].replace({"": "auto"}))
        keys = own[["measure", "eye", "visit", *KEYS]].astype(str).itertuples(index=False, name=None)
        rows = own[["value", "se", "state"]].to_dict("records")
        return {tuple(key): {str(k): v for k, v in row.items()} for key, row in zip(keys, rows, strict=True)}

    def row(
        self, measure: str, eye: str, visit: str, check: str, *, reader: str = "auto", run: str = ""
    ) -> dict[str, Any] | None:
        """`value, se, state` of a measure; by default the program's, of all replicates together."""
        return self._by_key.get((measure, eye, visit, check, reader, run, "", ""))

    def value(
        self, measure: str, eye: str, visit: str, check: str, *, reader: str = "auto", run: str = ""
    ) -> tuple[float, float]:
        """A value and its standard error; NaN where there is none."""
        row = self.row(measure, eye, visit, check, reader=reader, run=run)
        return (float("nan"), float("nan")) if row is None else (float(row["value"]), float(row["se"]))

    def humps(self, eye: str, visit: str, check: str) -> list[float]:
        """Latencies of the humps of a bifid response, ms; empty for another."""
        own = self.rows[
            (self.rows["measure"] == "p100_latency_ms")
            & (self.rows["eye"] == eye)
            & (self.rows["visit"] == visit)
            & (self.rows["check"] == check)
            & (self.rows["hump"] != "")
            & (self.rows["run"] == "")
            & self.rows["reader"].isin(_same("reader", "auto"))
        ]
        return [float(value) for value in own.sort_values("hump")["value"] if np.isfinite(value)]

    def runs(self, eye: str, visit: str, check: str) -> list[str]:
        """Names of the replicates that were measured."""
        own = self.rows[
            (self.rows["eye"] == eye) & (self.rows["visit"] == visit) & (self.rows["check"] == check)
        ]
        return sorted(set(own["run"]) - {""}, key=lambda run: (_number(run), run))

    def verdict(self, eye: str, visit: str, check: str, reader: str = "auto") -> tuple[str, str, str]:
        """State, worst quality and the reasons of a pooled response."""
        own = self.pooled[
            (self.pooled["eye"] == eye)
            & (self.pooled["visit"] == visit)
            & (self.pooled["check"] == check)
            & self.pooled["reader"].isin(_same("reader", reader))
        ]
        first = own[own["measure"] == "p100_latency_ms"]
        state = str((first if len(first) else own)["state"].iloc[0]) if len(own) else "missing"
        reasons = dict.fromkeys(reason for reason in own["reason"] if reason)
        return state, worst(list(own["quality"])), "; ".join(reasons)

    @cached_property
    def shifts(self) -> tuple[EyeShift, ...]:
        """Shifts of pooled responses, largest checks first, right eye first, in order of visits."""
        found = []
        for check, eye, visit in product(self.checks, self.eyes, self.visits):
            row = self.row("vep_shift_ms", eye, visit, check)
            if row is not None:
                numbers = float(row["value"]), float(row["se"])
                found.append(EyeShift(eye, check, visit, *numbers, str(row["state"])))
        return tuple(found)

    @cached_property
    def _waves(self) -> dict[tuple[str, ...], pd.DataFrame]:
        own = self.waves[(self.waves["sector"] == "") & (self.waves["hump"] == "")]
        groups = own.sort_values("time_ms", kind="stable").groupby(["eye", "visit", "check", "run"])
        return {tuple(map(str, key)): frame for key, frame in groups}

    def wave(self, eye: str, visit: str, check: str, run: str = "") -> pd.DataFrame:
        """The waveform of a replicate, or of all together: `time_ms, average_uv, se_uv, fit_uv`."""
        return self._waves.get((eye, visit, check, run), self.waves.iloc[:0])


def _same(name: str, word: str) -> tuple[str, ...]:
    """The words of a key that mean the same: what names no reader was read by the program."""
    return ("auto", "") if (name, word) == ("reader", "auto") else (word,)


def eye_words(eye: str) -> str:
    """The eye in words.

    Examples
    --------
    >>> eye_words("OD")
    'right eye (OD)'
    """
    return EYES.get(eye, f"eye {eye}")


def check_words(check: str) -> str:
    """The check size in words; empty where it was not stated."""
    return f"{check}′ checks" if check else ""


def named(*words: str) -> str:
    """Words of a place, those that are empty left out.

    Examples
    --------
    >>> named("right eye (OD)", "", "W26")
    'right eye (OD), W26'
    """
    return ", ".join(word for word in words if word)


def split_conditions(frame: pd.DataFrame) -> pd.DataFrame:
    """With the keys of the condition and the eye as columns: `eye, check, reader, run, hump, sector`."""
    words = frame["condition"].unique()
    table = {word: dict(part.split("=", 1) for part in word.split(";") if "=" in part) for word in words}
    keys = {name: frame["condition"].map({w: table[w].get(name, "") for w in words}) for name in KEYS}
    return frame.assign(eye=frame["site"].str.removeprefix("eye:"), **keys)


def _read_waves(path: Path, root: Path) -> pd.DataFrame:
    rows = read_tsv(path, root) if path.is_file() else []
    file = path.relative_to(root).as_posix()
    if not rows:
        return pd.DataFrame({**{name: [] for name in TEXT}, **{name: [] for name in NUMBERS}}).astype(
            dict.fromkeys(TEXT, str)
        )
    for name in (*TEXT, *NUMBERS):
        if name not in rows[0]:
            raise _fault(file, "columns", f"without '{name}'", "the column")
    frame = pd.DataFrame({name: _words(row[name] for row in rows) for name in TEXT})
    for name in NUMBERS:
        cells = pd.Series([row[name] if row[name] != "n/a" else None for row in rows], dtype=object)
        values = pd.to_numeric(cells, errors="coerce").astype(float)
        wrong = (values.isna() & cells.notna()) | np.isinf(values)
        if wrong.any():
            line = int(wrong.to_numpy().argmax())
            raise _fault(file, f"line {line + 2}, column {name}", f"'{rows[line][name][:40]}'", "a number")
        frame[name] = values
    return frame


def _words(cells: Iterable[str]) -> list[str]:
    return ["" if cell == "n/a" else cell for cell in cells]


def _fault(file: str, field: str, found: str, expected: str) -> InputError:
    return InputError(file, field, found, expected, "measure this participant again")


def _number(word: str) -> float:
    return float(word) if word.replace(".", "", 1).isdigit() else float("inf") if not word else 0.0
