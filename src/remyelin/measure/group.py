"""The group level: the tables of all participants joined, from the output folder alone."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from remyelin.errors import InputError
from remyelin.files import read_tsv
from remyelin.run import Outcome, output_lock, read_records

from .evoked_tables import TABLES
from .facts import FAILURES, FLAGS, write_facts
from .run import DATASET, RECORDS, Summary, failure_rows

if TYPE_CHECKING:
    from remyelin.tables import Measurements

# What `remyelin analyse` makes from the joined table.
ANALYSIS = (
    "results.parquet",
    "results.tsv",
    "results.csv",
    "multiplicity.tsv",
    "tipping_point.tsv",
    "endpoints.tsv",
    "attrition.tsv",
    "analysis_flags.tsv",
    "methods.txt",
)


def gather(out: Path | str) -> Summary:
    """Join what the participant level wrote; needs no raw data.

    Writes `measurements.parquet`, `measurements.tsv`, `failures.tsv` and `flags.tsv`, the last two also when
    all is well. An analysis of another table than this, left by `remyelin analyse`, is removed.

    Parameters
    ----------
    out
        The folder that `measure_participants` filled.

    Raises
    ------
    InputError
        Nothing was measured there, a table is not as it was written, or participants were measured with
        different settings.
    RefuseRun
        Another run holds the folder.
    """
    out = Path(out)
    if not (out / RECORDS).is_dir():
        raise _nothing()
    with output_lock(out):
        outcome = read_records(out / RECORDS)
        people = [name for name in outcome.results if name != DATASET]
        if not people and not outcome.failures:
            raise _nothing()
        _check_settings(outcome)
        flags = _flags(out, outcome)
        failures = failure_rows(outcome)
        table = _joined(out, people)
        _forget_other_analysis(out, table)
        for kind in ("parquet", "tsv"):
            table.write(out / f"measurements.{kind}")
        write_facts(out / "failures.tsv", failures, FAILURES)
        write_facts(out / "flags.tsv", flags, FLAGS)
        for kind, columns in TABLES.items():
            _join_lines(out, people, kind, columns)
    return Summary(out, (), tuple(people), tuple(failures), len(flags))


def _join_lines(out: Path, people: list[str], kind: str, columns: Sequence[str]) -> None:
    """The lines of all participants in one table; no table where there is none."""
    paths = [out / name / f"{name}_{kind}.tsv" for name in people]
    lines = [line for path in paths if path.is_file() for line in read_tsv(path, out)]
    if lines:
        write_facts(out / f"{kind}.tsv", lines, columns)
    else:
        (out / f"{kind}.tsv").unlink(missing_ok=True)


def _nothing() -> InputError:
    fix = "run `remyelin measure BIDS OUT participant` first"
    return InputError("", "output folder", "without measurements", "a folder filled by `measure`", fix)


def _joined(out: Path, people: list[str]) -> Measurements:
    from remyelin.tables import Measurements

    paths = [out / name / f"{name}_measurements.tsv" for name in people]
    return Measurements.concat([Measurements.read(path, root=out) for path in paths if path.is_file()])


def _forget_other_analysis(out: Path, table: Measurements) -> None:
    """Before the table is replaced, so that a report never shows an effect beside other measurements."""
    from remyelin.tables import Measurements

    try:
        same = Measurements.read(out / "measurements.tsv", root=out).frame.equals(table.frame)
    except InputError:  # absent, or not as it was written
        same = False
    for name in () if same else ANALYSIS:
        (out / name).unlink(missing_ok=True)


def _flags(out: Path, outcome: Outcome) -> list[dict[str, str]]:
    rows = list(outcome.results.get(DATASET, {}).get("dataset_flags", []))
    for name in outcome.results:
        path = out / name / f"{name}_flags.tsv"
        if name != DATASET and path.is_file():
            rows += read_tsv(path, out)
    return rows


def _check_settings(outcome: Outcome) -> None:
    """Values measured in two ways do not belong in one table."""
    used: dict[str, Any] = {name: r["settings"] for name, r in outcome.results.items() if name != DATASET}
    if len(set(used.values())) > 1:
        common = Counter(used.values()).most_common(1)[0][0]
        others = ", ".join(name for name, settings in used.items() if settings != common)
        raise InputError(
            "remyelin.toml",
            "settings",
            f"other for {others} than for the rest",
            "the same for all participants",
            "measure them again with the settings of the others",
        )
