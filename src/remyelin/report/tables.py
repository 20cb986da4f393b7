"""The tables that a trial report has, written beside the results."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd

from remyelin.errors import Flag, InputError
from remyelin.files import atomic_write
from remyelin.run import output_lock
from remyelin.trial.adam import Dataset, adeff, adsl
from remyelin.trial.baseline import at_entry, baseline_table
from remyelin.trial.flow import consort
from remyelin.trial.reported import results_table

from .adam import write_xpt
from .flow import flow_diagram

if TYPE_CHECKING:
    from remyelin.protocol import Protocol
    from remyelin.tables import Measurements
    from remyelin.trial.analyse import Analysis


def save_tables(
    analysis: Analysis, protocol: Protocol, measurements: Measurements, covariates: pd.DataFrame, out: Path
) -> tuple[Flag, ...]:
    """Write what a trial report has.

    Parameters
    ----------
    analysis, protocol
        What was analysed, and how.
    measurements, covariates
        The values and participants.tsv that it was made from.
    out
        The folder: `baseline`, `consort` and `reported`, each as `.tsv` and `.csv`; `consort.svg`; and in
        `adam` the datasets ADSL and ADEFF as `.csv` and, where it can be done, as SAS transport files `.xpt`.

    Returns
    -------
    flags
        Why a table or a transport file was not written; the CSV of a dataset is there in any case.
    """
    with output_lock(out):
        flags = _save_reported(analysis, protocol, covariates, out)
        datasets = adsl(analysis, protocol, covariates), adeff(analysis, protocol, measurements)
        return tuple(dict.fromkeys([*flags, *_save_adam(datasets, out)]))


def _save_reported(
    analysis: Analysis, protocol: Protocol, covariates: pd.DataFrame, out: Path
) -> tuple[Flag, ...]:
    """Three tables and the diagram; one that cannot be made does not keep the others back."""
    arms, primary = [arm.id for arm in protocol.arm], protocol.primary

    def baseline() -> None:
        table = baseline_table(at_entry(analysis.participants, protocol, covariates), arms=arms)
        _save(table.to_frame(), out / "baseline")

    def flow() -> None:
        own = analysis.participants[analysis.participants["endpoint"] == primary.id]
        found = consort(own, arms=arms, last=primary.visits[-1], records=covariates)
        _save(found.table, out / "consort")
        flow_diagram(found, path=out / "consort.svg")

    def reported() -> None:
        table = results_table(analysis.results, analysis.participants, protocol, analysis.multiplicity)
        _save(table, out / "reported")

    flags = []
    for name, make in (("baseline", baseline), ("consort", flow), ("reported", reported)):
        for kind in ("tsv", "csv", "svg"):
            (out / f"{name}.{kind}").unlink(missing_ok=True)  # of an earlier analysis
        try:
            make()
        except InputError as error:
            flags.append(_flag(error))
    return tuple(flags)


def _save_adam(datasets: tuple[Dataset, ...], out: Path) -> tuple[Flag, ...]:
    flags = []
    folder = out / "adam"
    folder.mkdir(exist_ok=True)
    for dataset in datasets:
        atomic_write(folder / f"{dataset.name}.csv", _csv(dataset.frame))
        path = folder / f"{dataset.name}.xpt"
        path.unlink(missing_ok=True)
        try:
            write_xpt(dataset, path)
        except InputError as error:
            flags.append(_flag(error))
    return tuple(flags)


def _flag(error: InputError) -> Flag:
    return Flag(error.file, error.field, error.found, error.expected, error.fix)


def _save(frame: pd.DataFrame, path: Path) -> None:
    atomic_write(path.with_suffix(".tsv"), _tsv(frame))
    atomic_write(path.with_suffix(".csv"), _csv(frame))


def _csv(frame: pd.DataFrame) -> bytes:
    return str(frame.to_csv(index=False, na_rep="", lineterminator="\n")).encode()


def _tsv(frame: pd.DataFrame) -> bytes:
    """Cells as they stand, without quotes: BIDS knows none."""
    cells = [[str(name) for name in frame.columns]]
    cells += [
        ["n/a" if pd.isna(cell) else str(cell) for cell in row] for row in frame.itertuples(index=False)
    ]
    lines = ["\t".join(" ".join(cell.split()) for cell in row) for row in cells]
    return ("\n".join(lines) + "\n").encode()
