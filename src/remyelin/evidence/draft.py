"""A draft of the evidence base from what a user downloaded: reviewed by a person before it is evidence."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from remyelin import files
from remyelin.errors import InputError
from remyelin.protocol import toml

from .aact import read_tables
from .draft_row import Decision, DraftRow
from .load import LIMIT_BYTES, records
from .outcome import Trial
from .posted import Outcome, Study
from .posted_result import results_of, unit_of
from .posted_trial import slug, trial_rows
from .registry import NCT, read_record
from .wording import counted

_HEAD = """\
# A draft from {file}, {nct_id} in its version of {version}. Nothing here is evidence yet.
# A line that begins with "# DECIDE" asks a reviewer: decide, and remove the line.
# Numbers whose sign is open stand as comments below their record.
# When all is decided, copy each table into the data file of its kind, without the first word of its name.
"""
_DECIDE = "# DECIDE "
_MOST = 40  # lines for one heading
_SHOWN = 5  # of questions for one field, and of the records that one is asked of


@dataclass(frozen=True, slots=True)
class Draft:
    """A draft: prints what it holds, what the registry did not give, and what a reviewer must decide."""

    study: Study
    rows: tuple[DraftRow, ...]
    missing: tuple[str, ...]
    left_out: tuple[str, ...]
    exit_code: int = 0

    @property
    def decisions(self) -> tuple[Decision, ...]:
        """Every question, in the order of the records."""
        return tuple(decision for row in self.rows for decision in row.decisions)

    def text(self) -> str:
        """The draft as TOML: one table for each record, named ``[kind.id]``."""
        study = self.study
        head = _HEAD.format(file=study.file, nct_id=study.nct_id, version=study.version or "unknown date")
        about = {
            "study": study.nct_id,
            "missing": self.missing,
            "left_out": self.left_out,
        }
        return "\n".join(
            [head, "[draft]", *_lines(about), *(line for row in self.rows for line in _table(row)), ""]
        )

    def write(self, path: Path) -> None:
        """Write `text` to a file, which must not be there yet: a reviewed draft is not written over.

        Raises
        ------
        InputError
            The file is there, or its folder is not.
        """
        if not path.parent.is_dir():
            fix = "make it first, or correct --out"
            raise InputError(str(path), "its folder", "not there", "a folder", fix)
        if path.exists():
            fix = "choose another name with --out, or remove the file"
            raise InputError(files.relative(path, None), "draft", "there already", "a new file", fix)
        files.atomic_write(path, self.text().encode())

    def __str__(self) -> str:
        counts = Counter(row.kind for row in self.rows)
        study = self.study
        lines = [
            f"Draft of {study.nct_id}"
            + (f" ({study.acronym})" if study.acronym else "")
            + f" from {study.file}",
            "  " + ", ".join(counted(n, kind[:-1].replace("_", " ")) for kind, n in counts.items()),
        ]
        for words, items in (
            ("The registry does not give:", self.missing),
            ("Left out:", self.left_out),
            ("For a reviewer to decide:", tuple(_summed(self.decisions))),
        ):
            lines += ["", words, *(f"  {item}" for item in items[:_MOST])] if items else []
            lines += [f"  and {len(items) - _MOST} more"] if len(items) > _MOST else []
        return "\n".join(lines)

    def to_dict(self) -> dict[str, Any]:
        """For `--json`."""
        tables: dict[str, dict[str, Any]] = {}
        for row in self.rows:
            tables.setdefault(row.kind, {})[row.id] = row.values
        decide = [decision._asdict() for decision in self.decisions]
        return {
            "study": self.study.nct_id,
            "records": tables,
            "missing": list(self.missing),
            "left_out": list(self.left_out),
            "decide": decide,
        }


def draft_study(path: Path | str, nct_id: str | None = None, *, only_primary: bool = False) -> Draft:
    """Draft records of one study from a ClinicalTrials.gov record (JSON) or the pipe files of AACT.

    Parameters
    ----------
    path
        A JSON file of API version 2; or the zip of AACT, or the folder into which it was unpacked.
    nct_id
        Which study, where the download holds several.
    only_primary
        Leave out the results of outcomes that are not primary.

    Raises
    ------
    InputError
        As `registry.read_record` and `aact.read_tables`.
    """
    path = Path(path)
    if nct_id is not None and not NCT.fullmatch(nct_id):
        raise InputError("", "study", f"'{nct_id[:40]}'", "NCT and eight digits", "write it as NCT02040298")
    if path.suffix.lower() == ".txt":
        name = files.relative(path, None)
        raise InputError(name, "file", "one table of AACT", "their folder or zip", "give the folder")
    from_tables = path.is_dir() or path.suffix.lower() == ".zip"
    study = read_tables(path, nct_id) if from_tables else read_record(path, nct_id)
    return draft(study, only_primary=only_primary)


def draft(study: Study, *, only_primary: bool = False) -> Draft:
    """Draft records of a study that was read; see `draft_study`."""
    known = next((trial for trial in records("trials") if study.nct_id in trial.registry), None)
    source = f"ctgov-{study.nct_id.lower()}"
    rows = list(trial_rows(study, known, source))
    trial = known.id if known else next(row.id for row in rows if row.kind == "trials")
    left_out = [
        f"table {name}: not in the download"
        + (", so groups have no names" if name.startswith("result_groups") else "")
        for name in study.absent
    ]
    results: list[DraftRow] = []
    primary = [outcome for outcome in study.outcomes if outcome.kind.upper() == "PRIMARY"]
    others = [outcome for outcome in study.outcomes if outcome not in primary]
    if only_primary and others:
        left_out.append(f"{counted(len(others), 'outcome')} not primary, as was asked")
    for outcome in primary if only_primary else (*primary, *others):
        unit = unit_of(outcome.unit)
        if unit is None:
            shown = outcome.unit or "none"
            left_out.append(f"outcome '{outcome.title}': unit '{shown}' is not one of the evidence base")
            continue
        endpoint = _endpoint(outcome, trial, unit, rows)
        for made in results_of(outcome, trial, endpoint, unit, source):
            made.id = f"{trial}-ctgov-{len(results) + 1}"
            made.decisions = [each._replace(record=f"results/{made.id}") for each in made.decisions]
            results.append(made)
    if not study.outcomes:
        left_out.append("results: none are posted")
    rows = [*rows, *results]
    return Draft(study, tuple(rows), tuple(_missing(rows)), tuple(left_out))


def undecided(path: Path | str) -> tuple[Decision, ...]:
    """What the comments of a draft still ask; none for a file that is no draft."""
    return tuple(_asked(files.read_text(Path(path), None, limit=LIMIT_BYTES)))


def _asked(text: str) -> Iterator[Decision]:
    """The questions that stand above the tables of a draft."""
    waiting: list[tuple[str, str, str]] = []
    for line in text.splitlines():
        if line.startswith(_DECIDE):
            field, _, words = line.removeprefix(_DECIDE).partition(": ")
            name, _, of = field.partition(" of ")
            waiting.append((of, name, words))
        elif line.startswith("["):
            kind, _, name = line.strip("[]").partition(".")
            record = f"{kind}/{name.strip(chr(34))}"
            yield from (Decision(of or record, *asked) for of, *asked in waiting)
            waiting = []


def _endpoint(outcome: Outcome, trial: str, unit: str, rows: list[DraftRow]) -> str:
    """The endpoint of an outcome: one of the draft, until a reviewer names the one of the package."""
    name = f"{trial}-{slug(outcome.title)[:60].strip('-') or 'outcome'}"
    if not any(row.kind == "endpoints" and row.id == name for row in rows):
        made = DraftRow("endpoints", name, {"name": outcome.title, "unit": unit, "better": "not said"})
        alike = [each.id for each in records("endpoints") if each.unit == unit]
        words = f"is '{outcome.title}' one of the package in {unit}: {', '.join(alike) or 'there is none'}?"
        made.ask("id", f"{words} Then name that in the results, and drop this")
        made.ask("better", "lower or higher?")
        rows.append(made)
    return name


def _missing(rows: list[DraftRow]) -> Iterator[str]:
    """The fields of the trial that nothing filled; those of results are too many, and asked one by one."""
    for row in rows:
        if row.kind == "trials":
            other = {"id", "note", "published", "unverified", "protocol", *row.values}
            empty = [name for name in Trial.model_fields if name not in other]
            yield f"{row.kind}/{row.id}: {', '.join(empty)}"


def _summed(decisions: tuple[Decision, ...]) -> Iterator[str]:
    """Questions of many records together, and the first of many that ask for the same field."""
    asked: dict[tuple[str, str], list[str]] = {}
    for each in decisions:
        asked.setdefault((each.field, each.words), []).append(each.record)
    shown: Counter[str] = Counter()
    for (field, words), of in asked.items():
        shown[field] += 1
        if shown[field] <= _SHOWN:
            more = f" and {len(of) - _SHOWN} more" if len(of) > _SHOWN else ""
            yield f"{field} of {', '.join(of[:_SHOWN])}{more}: {words}"
    for field, n in shown.items():
        if n > _SHOWN:
            yield f"{field}: {n - _SHOWN} more questions, which stand in the draft"


def _table(row: DraftRow) -> Iterator[str]:
    yield ""
    for each in row.decisions:
        of = "" if each.record == f"{row.kind}/{row.id}" else f" of {each.record}"
        yield f"{_DECIDE}{each.field}{of}: {re.sub(r'[^ -~]', _escaped, each.words)}"
    yield f"[{row.kind}.{toml.key(row.id)}]"
    yield from _lines(row.values)
    yield from (f"# {line}" for line in row.options)


def _escaped(sign: re.Match[str]) -> str:
    """A letter of a comment; what is not printable must not end the line."""
    return sign.group() if sign.group().isprintable() else " "


def _lines(values: Mapping[str, Any]) -> Iterator[str]:
    for name, value in values.items():
        if isinstance(value, tuple) and len(value) > 1:
            yield f"{toml.key(name)} = ["
            yield from (f"    {toml.inline(item)}," for item in value)
            yield "]"
        else:
            yield f"{toml.key(name)} = {toml.inline(value)}"
