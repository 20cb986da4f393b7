"""The tables that a trial report has, written beside the results."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from remyelin.errors import Flag, InputError
from remyelin.files import atomic_write
from remyelin.trial.adam import adeff, adsl
from remyelin.trial.baseline import at_entry, baseline_table
from remyelin.trial.flow import consort
from remyelin.trial.reported import results_table

from .adam import write_xpt
from .flow import flow_diagram

if TYPE_CHECKING:
    import pandas as pd

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
        Why a transport file was not written; the CSV is there in any case.
    """
    arms = [arm.id for arm in protocol.arm]
    primary = protocol.primary
    entry = baseline_table(at_entry(analysis.participants, protocol, covariates), arms=arms)
    own = analysis.participants[analysis.participants["endpoint"] == primary.id]
    flow = consort(own, arms=arms, last=primary.visits[-1], records=covariates)
    reported = results_table(analysis.results, analysis.participants, protocol, analysis.multiplicity)
    for name, frame in (("baseline", entry.to_frame()), ("consort", flow.table), ("reported", reported)):
        atomic_write(out / f"{name}.tsv", _text(frame, "\t", "n/a"))
        atomic_write(out / f"{name}.csv", _text(frame, ",", ""))
    flow_diagram(flow, path=out / "consort.svg")
    flags = []
    folder = out / "adam"
    folder.mkdir(exist_ok=True)
    for dataset in (adsl(analysis, protocol, covariates), adeff(analysis, protocol, measurements)):
        atomic_write(folder / f"{dataset.name}.csv", _text(dataset.frame, ",", ""))
        path = folder / f"{dataset.name}.xpt"
        try:
            write_xpt(dataset, path)
        except InputError as error:
            path.unlink(missing_ok=True)  # one of an earlier run would not be of these results
            flags.append(Flag(error.file, error.field, error.found, error.expected, error.fix))
    return tuple(dict.fromkeys(flags))


def _text(frame: pd.DataFrame, separator: str, absent: str) -> bytes:
    text = frame.to_csv(sep=separator, index=False, na_rep=absent, lineterminator="\n")
    return str(text).encode()
