"""What every row of a measurement table must obey, each rule looked at for all rows at once."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from remyelin.errors import InputError, did_you_mean
from remyelin.tables.columns import Fault, Place, Text, check_columns, read_counts, read_numbers, read_text
from remyelin.tables.measures import MEASURES, SITES, Measure

KEY = ("participant_id", "visit", "site", "measure", "condition")
COLUMNS = (*KEY[:2], "day", *KEY[2:], "value", "se", "unit", "state", "quality", "reason", "source")
REQUIRED = ("participant_id", "visit", "site", "measure", "value", "unit")
STATES = ("present", "absent", "indeterminate", "missing")
QUALITIES = ("pass", "flag", "fail")

_SAME_UNIT = {
    "pu": ("%",),
    "uV": ("µV", "μV"),
    "um": ("µm", "μm"),
    "mm3": ("mm^3", "mm³", "uL", "ul"),
    "1/s": ("s-1", "Hz"),
}
_FACTORS = {
    ("s", "ms"): "multiply by 1000",
    ("us", "ms"): "divide by 1000",
    ("1", "pu"): "multiply by 100",
    ("%", "1"): "divide by 100",
    ("mV", "uV"): "multiply by 1000",
    ("mm", "um"): "multiply by 1000",
    ("cm", "mm"): "multiply by 10",
    ("ml", "mm3"): "multiply by 1000",
    ("mL", "mm3"): "multiply by 1000",
    ("1/ms", "1/s"): "multiply by 1000",
}
# Slips of unit that a value outside its range may show.
_SLIPS = (
    (1000, "multiply by 1000", "in a unit 1000 times too large"),
    (0.01, "divide by 100", "in per cent"),
    (0.001, "divide by 1000", "in a unit 1000 times too small"),
)

_PARTICIPANT = re.compile(r"sub-[0-9A-Za-z]+")
_VISIT = re.compile(r"(?!ses-)[0-9A-Za-z]+")
_SITE = re.compile(r"participant|lesion:[0-9A-Za-z]+|eye:(OD|OS)|tissue:[0-9A-Za-z]+")
_CONDITION = re.compile(r"([a-z_]+=[^=;\s]+(;[a-z_]+=[^=;\s]+)*)?")


def checked(frame: pd.DataFrame, place: Place, known: Collection[str] | None) -> pd.DataFrame:
    """The table with every column, sorted by its key; InputError at the first cell that breaks a rule."""
    check_columns(frame, REQUIRED, (*COLUMNS, "trial"), place)
    value = read_numbers(frame, "value", place)
    text = _read_words(frame, place, value)
    numbers = {name: read_numbers(frame, name, place) for name in ("day", "se")} | {"value": value}
    _check_words(text, known)
    _check_sites(text, place)
    _check_units(text, place)
    _check_range(value, text, place)
    _check_fractions(value, text, place)
    _check_states(numbers, text, place)
    trial = read_counts(frame, "trial", place) if "trial" in frame else None
    _check_key(text, numbers, trial, place)
    columns: dict[str, Any] = {"trial": trial} if trial is not None else {}
    columns |= {name: text[name].series() if name in text else numbers[name] for name in COLUMNS}
    ranks = [text[name].rank() for name in reversed(KEY)]
    order = np.lexsort([*ranks, trial] if trial is not None else ranks)
    return pd.DataFrame(columns).iloc[order].reset_index(drop=True)


def _read_words(frame: pd.DataFrame, place: Place, value: NDArray[np.float64]) -> dict[str, Text]:
    names = [name for name in COLUMNS if name not in ("day", "value", "se")]
    text = {name: read_text(frame, name, place, "pass" if name == "quality" else "") for name in names}
    if "state" not in frame:
        text["state"] = Text("state", place, np.isnan(value).astype(np.int64) * 3, STATES)
    return text


def _check_words(text: Mapping[str, Text], known: Collection[str] | None) -> None:
    person = text["participant_id"]
    if known is not None:
        person.check(lambda word: None if word in known else _unknown(word, known))
    person.matching(_PARTICIPANT, "'sub-' with letters and digits", _as_participant)
    text["visit"].matching(_VISIT, "letters and digits, without 'ses-'", _as_visit)
    text["measure"].among(MEASURES)
    text["site"].matching(
        _SITE, "participant, lesion:007, eye:OD, eye:OS or tissue:nawm", lambda _: "write it so"
    )
    text["condition"].matching(_CONDITION, "empty or like check=60;run=1", lambda _: "write it so")
    text["state"].among(STATES)
    text["quality"].among(QUALITIES)


def _unknown(word: str, known: Collection[str]) -> Fault:
    return f"unknown participant '{word}'", "a participant of the dataset", did_you_mean(word, sorted(known))


def _as_participant(word: str) -> str:
    return f"write sub-{word}" if word.isalnum() else "write like sub-01"


def _as_visit(word: str) -> str:
    return f"write {word.removeprefix('ses-')}" if word.removeprefix("ses-") else "name the visit, as M00"


def _measures(text: Mapping[str, Text]) -> list[Measure]:
    return [MEASURES[word] for word in text["measure"].words]


def _check_sites(text: Mapping[str, Text], place: Place) -> None:
    kind = text["site"].map(lambda word: SITES.index(word.partition(":")[0]))
    for code, measure in enumerate(_measures(text)):
        allowed = [SITES.index(site) for site in measure.sites]
        wrong = (text["measure"].codes == code) & ~np.isin(kind, allowed)
        if wrong.any():
            index = int(wrong.argmax())
            site = text["site"].words[text["site"].codes[index]]
            expected = f"a site at which {measure.name} is measured ({', '.join(measure.sites)})"
            place.fail(index, "site", (f"'{site}'", expected, "correct the site or the measure"))


def _check_units(text: Mapping[str, Text], place: Place) -> None:
    for code, measure in enumerate(_measures(text)):
        rows = text["measure"].codes == code
        right = np.array([word == measure.unit for word in text["unit"].words])
        wrong = rows & ~right[text["unit"].codes]
        if wrong.any():
            index = int(wrong.argmax())
            unit = text["unit"].words[text["unit"].codes[index]]
            found = f"'{unit}'" if unit else "empty"
            place.fail(
                index, "unit", (found, f"'{measure.unit}' for {measure.name}", _unit_fix(unit, measure.unit))
            )


def _unit_fix(unit: str, right: str) -> str:
    if not unit or unit in _SAME_UNIT.get(right, ()):
        return f"write {right}"
    if (unit, right) in _FACTORS:
        return f"{_FACTORS[unit, right]} and write {right}"
    return f"give the values in {right}, and write that unit"


def _check_range(value: NDArray[np.float64], text: Mapping[str, Text], place: Place) -> None:
    low = text["measure"].map(lambda word: MEASURES[word].low)
    high = text["measure"].map(lambda word: MEASURES[word].high)
    wrong = (value < low) | (value > high)
    if wrong.any():
        index = int(wrong.argmax())
        measure = MEASURES[text["measure"].words[text["measure"].codes[index]]]
        place.fail(index, "value", _implausible(float(value[index]), measure))


def _implausible(value: float, measure: Measure) -> Fault:
    expected = f"{measure.name} in its plausible range, {measure.low:g} to {measure.high:g} {measure.unit}"
    if value in (-1, -9, -99, -999, -9999, 999, 9999):
        return f"{value:g}, a code for a missing value", expected, "write n/a for a missing value"
    for factor, act, other in _SLIPS:
        if (
            value
            and measure.low <= value * factor <= measure.high
            and abs(value * factor) >= abs(measure.low)
        ):
            word = "seconds" if (measure.unit, factor) == ("ms", 1000) else other
            return f"{value:g}, as if {word}", expected, f"{act} if the unit is wrong, or write n/a"
    return f"{value:g}", expected, "check it against its source, or write n/a"


def _check_fractions(value: NDArray[np.float64], text: Mapping[str, Text], place: Place) -> None:
    """MTR as a fraction lies inside the plausible range, so the whole of a participant is looked at."""
    rows = np.flatnonzero((text["measure"].map(lambda word: word == "mtr_pu") == 1) & np.isfinite(value))
    if not len(rows):
        return
    largest = (
        pd.Series(np.abs(value[rows])).groupby(text["participant_id"].codes[rows]).transform("max").to_numpy()
    )
    wrong = (largest > 0) & (largest <= 1)
    if wrong.any():
        index = int(rows[wrong.argmax()])
        found = f"{value[index]:g}, and no mtr_pu of this participant is above 1"
        place.fail(index, "value", (found, "percent units, 0 to 100, not a fraction", "multiply by 100"))


def _check_states(numbers: Mapping[str, NDArray[np.float64]], text: Mapping[str, Text], place: Place) -> None:
    value, se, day = numbers["value"], numbers["se"], numbers["day"]
    state = text["state"].map(STATES.index)
    needs = text["quality"].map(lambda word: word != "pass") == 1
    empty = text["reason"].map(lambda word: word == "") == 1
    rules: list[tuple[NDArray[Any], str, Fault]] = [
        (
            np.isnan(value) & (state == 0),
            "value",
            ("missing", "a number where state is present", "write the number, or state missing"),
        ),
        (
            ~np.isnan(value) & (state == 3),
            "value",
            ("a number", "n/a where state is missing", "write n/a, or state present"),
        ),
        (np.isinf(value), "value", ("infinite", "a finite number", "write n/a and state missing")),
        (
            np.isinf(se) | (se < 0),
            "se",
            ("negative or infinite", "a standard error of 0 or more", "write n/a where it is not known"),
        ),
        (np.isinf(day), "day", ("infinite", "days since baseline", "write n/a where it is not known")),
        (needs & empty, "reason", ("empty", "words where quality is flag or fail", "say what is doubtful")),
    ]
    for wrong, column, fault in rules:
        if wrong.any():
            place.fail(int(wrong.argmax()), column, fault)


def _check_key(
    text: Mapping[str, Text],
    numbers: Mapping[str, NDArray[np.float64]],
    trial: NDArray[Any] | None,
    place: Place,
) -> None:
    codes = pd.DataFrame({name: text[name].codes for name in KEY[:4]})
    # run=1;check=60 is the same condition as check=60;run=1.
    codes["condition"] = pd.factorize(text["condition"].map(lambda word: ";".join(sorted(word.split(";")))))[
        0
    ]
    if trial is not None:
        codes["trial"] = trial
    repeated = codes.duplicated().to_numpy()
    if not repeated.any():
        return
    second = int(repeated.argmax())
    first = int((codes == codes.iloc[second]).all(axis=1).to_numpy().argmax())
    words = {name: text[name].words[text[name].codes[second]] for name in KEY}
    old, new = numbers["value"][first], numbers["value"][second]
    where = f"{words['measure']} of {words['participant_id']}, {words['visit']}, {words['site']}"
    if old == new or (np.isnan(old) and np.isnan(new)):
        fault = (
            f"a duplicate of {place.row(first)} ({where})",
            "one row for each key",
            "keep one of the two rows",
        )
    else:
        fault = (
            f"a duplicate in conflict with {place.row(first)} ({where}: {new:g} there, {old:g} here)",
            "one row for each key",
            "decide by the source document, keep one row, and give the reason",
        )
    raise InputError(place.file, place.row(second), *fault)
