"""Retinal companions of the VEP: layer thicknesses and low-contrast letters, from tables that users bring."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from remyelin.errors import Flag, InputError
from remyelin.evidence import parameter
from remyelin.tables import MEASURES

from .cells import Row, by_participant, read_rows
from .condition import as_condition
from .findings import Failure, Finding
from .rows import RANK

PATTERN = "*_retina.tsv"
VALUES = ("rnfl_um", "gcipl_um", "lcla_letters")
REQUIRED = ("participant_id", "visit", "eye")
OPTIONAL = (*VALUES, "contrast_percent", "quality", "reason", "device")
ASYMMETRIES = {"rnfl_um": "rnfl_asymmetry_um", "gcipl_um": "gcipl_asymmetry_um"}
# The RNFL is the thicker layer in health and in MS; in fewer eyes than this chance could turn them all round.
_ENOUGH_EYES = 4


@dataclass(frozen=True, slots=True)
class _Eye:
    """One line: an eye at a visit."""

    visit: str
    eye: str
    values: Mapping[str, float]
    contrast: str
    quality: str
    reason: str
    file: str
    line: int


@dataclass(frozen=True, slots=True)
class Retina:
    """What `read_retina` found: rows of each participant, failures, and what is doubtful."""

    rows: dict[str, list[dict[str, Any]]]
    failures: list[Failure]
    findings: list[Finding]


def read_retina(
    paths: Iterable[Path],
    root: Path,
    known: Collection[str],
    days: Mapping[str, Mapping[str, float | None]] | None = None,
) -> Retina:
    """Read the wide tables of a dataset: `participant_id, visit, eye` and at least one of the values.

    Values are `rnfl_um`, `gcipl_um`, `lcla_letters`; beside them `contrast_percent` (of the letters),
    `quality`, `reason` and `device` may stand.

    Parameters
    ----------
    paths
        The files, `derivatives/**/*_retina.tsv` or `phenotype/*_retina.tsv`.
    root, known
        The dataset and its participants.
    days
        For each participant the day of each visit.

    Returns
    -------
    Retina
        Rows for `Measurements` at `eye:OD` and `eye:OS`, and the differences of the eyes at `participant`.
        A fault costs the participant in whose rows it stands its rows of that table. Columns that look
        exchanged are a finding of the dataset and flag every value of the two.

    Examples
    --------
    >>> from tempfile import TemporaryDirectory
    >>> with TemporaryDirectory() as folder:
    ...     path = Path(folder) / "centre_retina.tsv"
    ...     head = "participant_id\\tvisit\\teye\\trnfl_um"
    ...     _ = path.write_text(f"{head}\\nsub-01\\tM00\\tOD\\t78\\nsub-01\\tM00\\tOS\\t91\\n")
    ...     found = read_retina([path], path.parent, ["sub-01"])
    >>> [(row["site"], row["measure"], row["value"]) for row in found.rows["sub-01"]]
    [('eye:OD', 'rnfl_um', 78.0), ('eye:OS', 'rnfl_um', 91.0), ('participant', 'rnfl_asymmetry_um', -13.0)]
    >>> found.rows["sub-01"][2]["reason"]
    'eyes differ by 5 um or more, as after optic neuritis of one (nolan2019)'
    """
    eyes: dict[str, list[_Eye]] = {}
    failures: list[Failure] = []
    findings: list[Finding] = []
    for path in sorted(paths):
        try:
            lines = _lines(path, root)
        except InputError as error:
            failures.append(Failure("", "", error))
            continue
        people, lost = by_participant(lines, known, _eye)
        failures += lost
        flag = _exchanged(people)
        findings += [Finding("", "", flag)] if flag else []
        for person, new in people.items():
            try:
                _check_once([*eyes.get(person, ()), *new])
            except InputError as error:
                failures.append(Failure(person, "", error))
            else:
                eyes.setdefault(person, []).extend(_doubted(new, flag))
    rows = {person: _rows(person, lines, (days or {}).get(person, {})) for person, lines in eyes.items()}
    return Retina(rows, failures, findings)


def _lines(path: Path, root: Path) -> list[Row]:
    lines = read_rows(path, root, REQUIRED, OPTIONAL)
    if not any(name in lines[0].cells for name in VALUES):
        expected = f"at least one of {', '.join(VALUES)}"
        raise InputError(lines[0].file, "columns", "without a value", expected, "add the column")
    return lines


def _eye(row: Row) -> _Eye:
    found = {name: row.measure(name) for name in VALUES}
    values = {name: value for name, value in found.items() if value is not None}
    contrast = row.number("contrast_percent", 0.1, 100.0)
    quality, reason = row.among("quality", tuple(RANK), "pass"), row.text("reason")
    if quality != "pass" and not reason:
        row.fail("reason", "missing", f"words, for quality is {quality}", "say what is doubtful")
    told = "" if contrast is None else f"{contrast:g}"
    return _Eye(row.visit(), row.eye(), values, told, quality, reason, row.file, row.line)


def _check_once(eyes: Sequence[_Eye]) -> None:
    seen: dict[tuple[str, ...], _Eye] = {}
    for one in eyes:
        for name, value in one.values.items():
            key = (one.visit, one.eye, name, one.contrast if name == "lcla_letters" else "")
            first = seen.setdefault(key, one)
            if first is not one and first.values[name] != value:
                found = f"{value:g} for {name} of {one.visit}, {one.eye}, but {first.values[name]:g} before"
            elif first is not one:
                found = f"a duplicate: {name} of {one.visit}, {one.eye}"
            else:
                continue
            fix = f"keep it or that of {first.file}, line {first.line}"
            raise InputError(one.file, f"line {one.line}", found, "one value for each eye and visit", fix)


def _exchanged(people: Mapping[str, Sequence[_Eye]]) -> Flag | None:
    """A flag if the GCIPL is thicker than the RNFL in nearly all eyes of a table, which no retina is."""
    eyes = [one for lines in people.values() for one in lines]
    both = [one for one in eyes if {"rnfl_um", "gcipl_um"} <= one.values.keys()]
    turned = sum(one.values["gcipl_um"] > one.values["rnfl_um"] for one in both)
    if len(both) < _ENOUGH_EYES or turned < 0.9 * len(both):
        return None
    found = f"a GCIPL thicker than the RNFL in {turned} of {len(both)} eyes: the columns look swapped"
    fix = "exchange the names of the two columns, or confirm with the device"
    return Flag(both[0].file, "rnfl_um, gcipl_um", found, "the RNFL thicker in most eyes", fix)


def _doubted(eyes: Sequence[_Eye], flag: Flag | None) -> list[_Eye]:
    if flag is None:
        return list(eyes)
    doubted = []
    for one in eyes:
        quality = max(one.quality, flag.quality, key=RANK.__getitem__)
        reason = "; ".join(part for part in (one.reason, f"{flag.field}: {flag.found}") if part)
        values, where = dict(one.values), (one.contrast, quality, reason, one.file, one.line)
        doubted.append(_Eye(one.visit, one.eye, values, *where))
    return doubted


def _rows(person: str, eyes: Sequence[_Eye], days: Mapping[str, float | None]) -> list[dict[str, Any]]:
    rows = []
    pairs: dict[tuple[str, str], dict[str, _Eye]] = defaultdict(dict)
    for one in eyes:
        for name, value in one.values.items():
            condition = as_condition({"contrast": one.contrast}) if name == "lcla_letters" else ""
            shared = {
                "condition": condition,
                "quality": one.quality,
                "reason": one.reason,
                "source": one.file,
            }
            rows.append(_row(person, one.visit, f"eye:{one.eye}", name, value, days) | shared)
            if name in ASYMMETRIES:
                pairs[one.visit, name][one.eye] = one
    for (visit, name), pair in pairs.items():
        if len(pair) == 2:
            right, left = pair["OD"], pair["OS"]
            value = right.values[name] - left.values[name]
            doubts = [f"{one.eye}: {one.reason}" for one in (right, left) if one.quality != "pass"]
            shared = {
                "quality": max(right.quality, left.quality, key=RANK.__getitem__),
                "reason": "; ".join([*_unequal(name, value), *doubts]),
                "source": right.file,
            }
            rows.append(_row(person, visit, "participant", ASYMMETRIES[name], value, days) | shared)
    return rows


def _unequal(name: str, difference_um: float) -> list[str]:
    """Words where the eyes differ by the published threshold; it is a finding, no doubt about the value."""
    limit = parameter("intereye_threshold", layer=name.removesuffix("_um"))
    if abs(difference_um) < limit.value:
        return []
    told = f"eyes differ by {limit.value:g} {limit.unit} or more, as after optic neuritis of one"
    return [f"{told} ({limit.read_in})"]


def _row(
    person: str, visit: str, site: str, measure: str, value: float, days: Mapping[str, float | None]
) -> dict[str, Any]:
    day = days.get(visit)
    return {
        "participant_id": person,
        "visit": visit,
        "day": np.nan if day is None else day,
        "site": site,
        "measure": measure,
        "condition": "",
        "value": value,
        "unit": MEASURES[measure].unit,
        "state": "present",
    }
