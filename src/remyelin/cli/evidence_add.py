"""`remyelin evidence add` and `graph`: a new trial as a draft; who treats which step."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

from cyclopts import Parameter

from .application import Json, say
from .evidence import Unverified, evidence


@dataclass(frozen=True, slots=True)
class Written:
    """What was made, and the file it was written to."""

    made: Any
    path: Path | None
    exit_code: int = 0

    def __str__(self) -> str:
        return f"{self.made}\n\nWritten: {self.path}" if self.path else str(self.made)

    def to_dict(self) -> dict[str, Any]:
        """For `--json`."""
        return {**self.made.to_dict(), "written": self.path and str(self.path)}


@evidence.command
def add(
    download: Path,
    *,
    study: str | None = None,
    out: Path = Path("draft.toml"),
    only_primary: Annotated[bool, Parameter(negative=())] = False,
    json: Json = False,
) -> int:
    """Draft the records of a trial from what you downloaded, for a person to review.

    The draft fills what the registry says, names what it does not, and asks what a reviewer must decide.
    A registry does not say which arm was taken from which: the sign of an effect is asked, never guessed.
    Contacts and investigators are not read.

    Examples: `remyelin evidence add NCT02040298.json`,
    `remyelin evidence add aact.zip --study NCT02040298`. Then `remyelin evidence check draft.toml`.

    Parameters
    ----------
    download
        A record of ClinicalTrials.gov as JSON (API version 2), or the pipe files of AACT: zip or folder.
    study
        Which study, where the download holds several: its NCT number.
    out
        The draft. It is not written over.
    only_primary
        Draft the results of primary outcomes alone.
    json
        Print the draft as JSON.
    """
    from remyelin.evidence.draft import draft_study

    made = draft_study(download, study, only_primary=only_primary)
    made.write(out)
    return say(Written(made, out), json)


@evidence.command
def graph(out: Path | None = None, *, unverified: Unverified = False, json: Json = False) -> int:
    """Which treatment acts on which target, step of remyelination and barrier; what is crowded, what is not.

    Example: `remyelin evidence graph evidence.svg`

    Parameters
    ----------
    out
        Draw it into this file (SVG).
    unverified
        Also what was recalled and not read.
    json
        Print the links and the numbers of each step as JSON.
    """
    from remyelin.evidence.graph import graph as made

    if out is not None:
        from remyelin.report import draw_evidence

        draw_evidence(unverified=unverified, path=out)
    return say(Written(made(unverified=unverified), out), json)
