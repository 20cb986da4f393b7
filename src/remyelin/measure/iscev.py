"""Whether recordings are made as the ISCEV standard for clinical visual evoked potentials asks."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from remyelin.errors import InputError
from remyelin.evidence import Requirement, requirements

from .recording.sweeps import Sweeps

if TYPE_CHECKING:
    import pandas as pd

MET, NOT_MET, NOT_STATED = "met", "not met", "not stated"
COLUMNS = (
    "participant_id",
    "visit",
    "site",
    "condition",
    "requirement",
    "area",
    "verdict",
    "found",
    "expected",
    "file",
    "remark",
    "status",
    "source",
)
# A quantity of the recordings together, not of each.
_TOGETHER = "replicates"


@dataclass(frozen=True, slots=True)
class Line:
    """One requirement and what the recordings show of it.

    `found` is the value, `file` the recording that decided, `remark` what else must be said.
    """

    requirement: Requirement
    verdict: str
    found: str
    file: str
    remark: str = ""

    def __str__(self) -> str:
        told = f"{self.requirement.id}: {self.verdict}"
        told += f" (found {self.found}, expected {self.requirement.expected})"
        return told + (f"; {self.remark}" if self.remark else "")


@dataclass(frozen=True, slots=True)
class Conformance:
    """The lines of one eye and one stimulus; it is a sequence of them and prints itself."""

    site: str
    condition: str
    lines: tuple[Line, ...]

    def __iter__(self) -> Iterator[Line]:
        return iter(self.lines)

    def __len__(self) -> int:
        return len(self.lines)

    def __getitem__(self, name: str) -> Line:
        return next(line for line in self.lines if line.requirement.id == name)

    def __str__(self) -> str:
        verdicts = [line.verdict for line in self.lines]
        counts = ", ".join(f"{verdicts.count(word)} {word}" for word in (MET, NOT_MET, NOT_STATED))
        head = " ".join(part for part in (self.site, self.condition) if part)
        return "\n".join([f"{head}: {counts}", *(f"  {line}" for line in self.lines)])

    def rows(self, participant: str, visit: str) -> list[dict[str, str]]:
        """The lines as they stand in `iscev.tsv`, by `COLUMNS`."""
        return [
            {
                "participant_id": participant,
                "visit": visit,
                "site": self.site,
                "condition": self.condition,
                "requirement": line.requirement.id,
                "area": line.requirement.area,
                "verdict": line.verdict,
                "found": line.found,
                "expected": line.requirement.expected,
                "file": line.file,
                "remark": line.remark,
                "status": line.requirement.status,
                "source": line.requirement.source,
            }
            for line in self.lines
        ]

    def to_frame(self) -> pd.DataFrame:
        """One row a requirement."""
        import pandas as pd

        names = [name for name in COLUMNS if name not in ("participant_id", "visit")]
        return pd.DataFrame(self.rows("", ""), columns=names)


def check_iscev(
    replicates: Sequence[Sweeps], *, standard: Sequence[Requirement] | None = None
) -> Conformance:
    """Hold the recordings of one eye and one check size against the ISCEV standard of 2016.

    Parameters
    ----------
    replicates
        Every replicate of the full field; of multifocal recordings nothing is asked.
    standard
        The requirements; by default those of `evidence.requirements`.

    Returns
    -------
    Conformance
        Each line is ``"met"``, ``"not met"`` or ``"not stated"``. `met` needs the value of every replicate;
        one that breaks the requirement makes it `not met`. A requirement that was recalled and not read in
        the standard is never `not met`: the line is `not stated` and its remark says what was found.

    Raises
    ------
    InputError
        No recording, or recordings of several eyes or stimuli.

    References
    ----------
    Odom JV et al. Doc Ophthalmol 2016;133:1-9. 10.1007/s10633-016-9553-y

    Examples
    --------
    >>> import numpy as np
    >>> from remyelin.measure.recording.sweeps import Setup
    >>> one = Sweeps("a.edf", "OD", 30.0, "1", np.zeros((64, 3)), 1000.0, 0.0, setup=Setup(montage="Oz-Fz"))
    >>> found = check_iscev([one])
    >>> print(found["check-size"])
    check-size: not met (found 30 arcmin, expected 60 or 15 arcmin); the tolerance of 20 % is recalled, ...
    >>> print(found["replicates"])
    replicates: not stated (found 1, expected 2 or more); 1 is outside what we recall, not read: compare ...
    """
    if not replicates:
        raise InputError("", "recordings", "none", "at least one recording", "give the sweeps of an eye")
    keys = {(one.eye, one.condition) for one in replicates}
    if len(keys) > 1:
        told = " and ".join(sorted(f"{eye} {condition}".strip() for eye, condition in keys))
        raise InputError(
            replicates[0].file, "recordings", f"of {told}", "of one eye and check size", "group them first"
        )
    site = f"eye:{replicates[0].eye}"
    asked = () if replicates[0].sector else (requirements() if standard is None else standard)
    return Conformance(site, replicates[0].condition, tuple(_line(row, replicates) for row in asked))


def _line(row: Requirement, replicates: Sequence[Sweeps]) -> Line:
    if row.looks_at == _TOGETHER:
        values: list[str | float | None] = [float(len(replicates))]
    else:
        values = [quantity(one, row.looks_at) for one in replicates]
    pairs = list(zip(values, (one.file for one in replicates), strict=False))
    broken = [(value, file) for value, file in pairs if value is not None and not row.allows(value)]
    silent = [file for value, file in pairs if value is None]
    if broken:
        return _broken(row, *broken[0])
    if silent:
        part = (
            f"stated in {len(pairs) - len(silent)} of {len(pairs)}" if len(silent) < len(pairs) else "nothing"
        )
        return Line(row, NOT_STATED, part, silent[0], row.note)
    shown = list(dict.fromkeys(_shown(value, row.unit) for value, _ in pairs))
    remark = "recalled, not read in the standard" if row.status == "unverified" else ""
    return Line(row, MET, ", ".join(shown), pairs[0][1], remark)


def _broken(row: Requirement, value: str | float | None, file: str) -> Line:
    found = _shown(value, row.unit)
    if row.status != "unverified":
        return Line(row, NOT_MET, found, file, row.note)
    remark = f"{found} is outside what we recall, not read: compare with your copy of the standard"
    return Line(row, NOT_STATED, found, file, remark)


def quantity(one: Sweeps, name: str) -> str | float | None:
    """What a requirement looks at, in one recording; None where nobody stated it."""
    setup = one.setup
    active, _, reference = setup.montage.partition("-")
    counted = one.averaged if one.averaged is not None else len(one.sweeps_uv)
    made: dict[str, str | float | None] = {
        "check_arcmin": one.check_arcmin,
        "sfreq_hz": one.sfreq_hz,
        "montage_active": active or None,
        "montage_reference": reference or None,
        # An export that names no count of its sweeps says 0.
        "sweeps": float(counted) if counted else None,
        "rejection": "yes" if one.averaged is None or one.rejected else None,
        "": None,
    }
    if name in made:
        return made[name]
    if not hasattr(setup, name):
        raise InputError("", "looks_at", f"'{name}'", "a quantity of a recording", "correct the requirement")
    stated: float | None = getattr(setup, name)
    return stated


def _shown(value: str | float | None, unit: str) -> str:
    words = value if isinstance(value, str) else f"{value:g}"
    return words if unit in ("", "1") else f"{words} {unit}"
