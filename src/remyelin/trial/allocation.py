"""Who received what: the table that stays outside the dataset until the analysis."""

from __future__ import annotations

import re
from pathlib import Path

import pandas as pd

from remyelin import files
from remyelin.errors import InputError, RefuseRun, did_you_mean
from remyelin.protocol import Protocol

COLUMNS = ("participant_id", "arm")
_PARTICIPANT = re.compile(r"sub-[0-9A-Za-z]+")


def read_allocation(path: Path | str, protocol: Protocol) -> pd.DataFrame:
    """Read a TSV with the columns `participant_id` and `arm`, or `sequence` in a crossover.

    Parameters
    ----------
    path
        The file.
    protocol
        Its arms are the only ones allowed.

    Returns
    -------
    pandas.DataFrame
        `participant_id, arm`, sorted by participant.

    Raises
    ------
    RefuseRun
        For a file that cannot be read, other columns, an unknown arm, an id that is none, or a participant
        twice; the line is named.
    """
    path = Path(path)
    try:
        rows = files.read_tsv(path, None)
    except InputError as error:
        raise RefuseRun(*error.args) from None
    return check_allocation(pd.DataFrame(rows, columns=None if rows else COLUMNS), protocol, file=path.name)


def need_allocation(path: Path | None) -> Path:
    """The path; RefuseRun where no allocation was given, because there is then nothing to compare."""
    if path is None:
        fix = "give --allocation FILE (participant_id, arm) when the database is locked"
        raise RefuseRun("", "allocation", "not given", "a table of who received what", fix)
    return path


def check_allocation(allocation: pd.DataFrame, protocol: Protocol, *, file: str = "") -> pd.DataFrame:
    """Check an allocation that is already a table; RefuseRun names `file`.

    Examples
    --------
    >>> table = pd.DataFrame({"participant_id": ["sub-02", "sub-01"], "arm": ["placebo", "bexarotene"]})
    >>> check_allocation(table, Protocol.read("ccmr-one"))["arm"].tolist()
    ['bexarotene', 'placebo']
    """
    names = [str(name) for name in allocation.columns]
    of_sequences = protocol.trial.design != "parallel"
    said = "sequence" if of_sequences and "arm" not in names else "arm"
    if sorted(names) != sorted(("participant_id", said)):
        wanted = "participant_id and arm" + (" (or sequence)" if of_sequences else "")
        raise RefuseRun(
            file, "columns", ", ".join(names) or "none", wanted,
            "write a table of these two columns, separated by a tab",
        )  # fmt: skip
    allocation = allocation.rename(columns={said: "arm"})
    arms = [arm.id for arm in protocol.arm]
    lines: dict[str, int] = {}
    for line, (person, arm) in enumerate(
        zip(allocation["participant_id"], allocation["arm"], strict=True), start=2
    ):
        where = f"line {line}"
        if not _PARTICIPANT.fullmatch(str(person)):
            fix = f"write sub-{person}" if str(person).isalnum() else "write like sub-01"
            raise RefuseRun(
                file, f"{where}, participant_id", repr(person), "'sub-' with letters and digits", fix
            )
        if arm not in arms:
            raise RefuseRun(
                file, f"{where}, {said}", repr(arm), "an arm of the protocol", did_you_mean(str(arm), arms)
            )
        if person in lines:
            raise RefuseRun(
                file, f"{where}, participant_id", f"duplicate {person}, also in line {lines[person]}",
                "each participant once", "keep one row",
            )  # fmt: skip
        lines[person] = line
    if not lines:
        raise RefuseRun(file, "rows", "none", "one row a participant", "fill in the allocation")
    return allocation[list(COLUMNS)].astype(str).sort_values("participant_id", ignore_index=True)


def match(
    allocation: pd.DataFrame, measured: list[str], file: str = "allocation"
) -> tuple[list[str], list[str], str]:
    """Participants measured but not allocated, allocated but not measured, and a hint for misspelt ones.

    Examples
    --------
    >>> table = pd.DataFrame({"participant_id": ["sub-01", "sub-02"], "arm": ["a", "b"]})
    >>> match(table, ["sub-01", "sub-2"])
    (['sub-2'], ['sub-02'], "sub-2: did you mean 'sub-02'?")
    """
    known = set(allocation["participant_id"])
    unallocated = sorted(set(measured) - known)
    unmeasured = sorted(known - set(measured))
    padded = {_unpadded(person): person for person in unmeasured}
    hints = [f"{p}: did you mean '{padded[_unpadded(p)]}'?" for p in unallocated if _unpadded(p) in padded]
    return unallocated, unmeasured, "; ".join(hints)


def _unpadded(person: str) -> str:
    return person.casefold().removeprefix("sub-").lstrip("0")
