"""An analysis written into the output folder, where the pages and other programs read it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from remyelin.errors import FIELDS, Flag
from remyelin.files import atomic_write
from remyelin.run import output_lock

if TYPE_CHECKING:
    import pandas as pd

    from remyelin.protocol import Protocol
    from remyelin.trial.analyse import Analysis


@dataclass(frozen=True, slots=True)
class Saved:
    """An analysis that was written; prints its results, and what could not be written."""

    analysis: Analysis
    missed: tuple[Flag, ...] = ()
    exit_code: int = 0

    def __str__(self) -> str:
        doubts = [f"Doubtful: {flag}" for flag in self.analysis.flags]
        missed = [f"Not written: {flag}" for flag in self.missed]
        return "\n".join([str(self.analysis), *doubts, *missed])

    def to_dict(self) -> dict[str, Any]:
        """For `--json`; a missing number is null."""
        frame = self.analysis.results.frame
        rows = frame.astype(object).where(frame.notna(), None).to_dict("records")
        flags = [flag.facts() for flag in self.analysis.flags]
        return {"results": rows, "flags": flags, "missed": [flag.facts() for flag in self.missed]}


def analyse_folder(protocol: str | Path, out: Path, allocation: Path | None) -> Saved:
    """Analyse what the group level of `remyelin measure` left in a folder, and write the answer beside it.

    Parameters
    ----------
    protocol
        A protocol file or the name of a packaged one.
    out
        The folder.
    allocation
        TSV `participant_id, arm`, or `sequence` for arm in a trial of sequences.

    Raises
    ------
    RefuseRun
        The allocation or the protocol cannot be right, or the allocation was not given.
    InputError
        The folder holds no measurements.
    """
    from remyelin.protocol import Protocol
    from remyelin.trial.allocation import need_allocation, read_allocation
    from remyelin.trial.analyse import analyse

    from .outputs import Outputs
    from .tables import save_tables

    plan = Protocol.read(protocol)
    arms = read_allocation(need_allocation(allocation), plan)
    outputs = Outputs(out)
    analysis = analyse(outputs.table, plan, arms, outputs.covariates)
    save_analysis(analysis, plan, out)
    return Saved(analysis, save_tables(analysis, plan, outputs.table, outputs.covariates, out))


def save_analysis(analysis: Analysis, protocol: Protocol, out: Path) -> None:
    """Write `results.parquet`, `.tsv` and `.csv`, `endpoints.tsv`, `attrition.tsv`, `analysis_flags.tsv`,
    `methods.txt`, `protocol.toml` and, where the protocol asks for them, `multiplicity.tsv` and
    `tipping_point.tsv`.
    """
    with output_lock(out):
        for kind in ("parquet", "tsv"):
            analysis.results.write(out / f"results.{kind}")
        _write_csv(analysis.results.frame, out / "results.csv")
        _write_frame(analysis.participants, out / "endpoints.tsv")
        _write_frame(analysis.attrition, out / "attrition.tsv")
        for name, table in (("multiplicity", analysis.multiplicity), ("tipping_point", analysis.tipping)):
            if len(table):
                _write_frame(table, out / f"{name}.tsv")
            else:  # that of another analysis
                (out / f"{name}.tsv").unlink(missing_ok=True)
        lines = ["\t".join((*FIELDS, "quality"))]
        lines += [
            "\t".join(" ".join(cell.split()) for cell in flag.facts().values()) for flag in analysis.flags
        ]
        atomic_write(out / "analysis_flags.tsv", ("\n".join(lines) + "\n").encode())
        atomic_write(out / "methods.txt", (analysis.methods.strip() + "\n").encode())
        protocol.write(out / "protocol.toml")


def _write_csv(results: pd.DataFrame, path: Path) -> None:
    """For programs that read nothing else; a number that is not there is an empty cell."""
    words = results.assign(prespecified=results["prespecified"].map({True: "true", False: "false"}))
    atomic_write(path, words.to_csv(index=False, lineterminator="\n").encode())


def _write_frame(frame: pd.DataFrame, path: Path) -> None:
    text = frame.to_csv(sep="\t", index=False, na_rep="n/a", lineterminator="\n")
    atomic_write(path, text.encode())
