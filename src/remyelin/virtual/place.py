"""The folder that a simulation is written into: whose it is, and what of an earlier one is in it."""

from __future__ import annotations

import shutil
from pathlib import Path

from remyelin.errors import RefuseRun

NOTE, PARTS, KINDS = "simulation.json", "parts", ("parquet", "tsv")
ANALYSES = ("results.tsv", "endpoints.tsv", "report.html", "adam")
_OURS = "an empty folder, or one of an earlier simulation"


def check_place(out: Path, *, recordings: bool = False) -> None:
    """Refuse a folder that holds something which a simulation must not mix with; change nothing.

    Parameters
    ----------
    out
        The folder, there or not.
    recordings
        Whether recordings are to be written, which go on where they were stopped: `write_trial` knows which.

    Raises
    ------
    RefuseRun
        A file; measurements that were not simulated; recordings or a key of another trial; an analysis.
    """
    check_folder(out)
    found = _measured(out) or ("" if recordings else _recorded(out))
    if found:
        raise RefuseRun("", str(out), f"a folder that holds {found}", _OURS, "name another folder")
    analysed = [name for name in ANALYSES if (out / name).exists()]
    if analysed:
        found = f"a folder that holds an analysis ({', '.join(analysed)}), which would be of other data"
        raise RefuseRun("", str(out), found, _OURS, "name another folder, or delete this one")


def check_folder(out: Path) -> None:
    """Refuse what is a file, or lies in one."""
    if (out.exists() and not out.is_dir()) or any(folder.is_file() for folder in out.parents):
        raise RefuseRun("", str(out), "a file, or in one", "a folder", "name another folder")


def _measured(out: Path) -> str:
    there = any((out / f"measurements.{kind}").exists() for kind in KINDS)
    return "measurements which were not simulated" if there and not (out / NOTE).exists() else ""


def _recorded(out: Path) -> str:
    if (out / NOTE).exists():
        return ""
    there = [f"{name}/" for name in ("bids", "sealed", "truth") if (out / name).exists()]
    return f"{', '.join(there)} of another trial" if there else ""


def clear_place(out: Path) -> None:
    """Take away the tables of an earlier simulation."""
    for folder in ("sealed", "truth"):
        shutil.rmtree(out / folder, ignore_errors=True)
    for name in ("measurements", "participants", "trials"):
        for kind in KINDS:
            (out / f"{name}.{kind}").unlink(missing_ok=True)
