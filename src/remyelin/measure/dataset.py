"""A BIDS dataset: participants, their visits, and the file of each that is to be measured."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

from remyelin.errors import Flag, InputError, did_you_mean
from remyelin.files import relative

from . import choice
from .covariates import Covariates, read_covariates
from .findings import Failure, Finding
from .listing import Found, Listing, list_dataset, with_average
from .name import natural
from .sessions import read_days
from .uncopied import without_copies

if TYPE_CHECKING:
    import pandas as pd

# What the one visit of a dataset without sessions is called in tables.
ONLY_VISIT = "1"


@dataclass(frozen=True, slots=True)
class Visit:
    """One visit of a participant.

    Parameters
    ----------
    participant, id
        `sub-01` and `M00`; a dataset without sessions has the visit `1`.
    folder
        Its folder below the dataset, `sub-01/ses-M00`.
    day
        From `sessions.tsv`; None if it is not told.
    mt_off, mt_on
        The images of the MT pair (of MTS images where there is no MTR); both None at a visit without one.
    lesion_mask, brain_mask, tissue
        From `derivatives`, each None if there is none; `tissue` is a `dseg` image.
    mts
        Images of an MTsat protocol.
    tb1map, t1w, flair
        The image with the plainest name of each kind, or None.
    eeg
        EEG recordings.
    averages
        Averaged evoked potentials, from `derivatives`.
    """

    participant: str
    id: str
    folder: str
    day: float | None = None
    mt_off: Path | None = None
    mt_on: Path | None = None
    lesion_mask: Path | None = None
    brain_mask: Path | None = None
    tissue: Path | None = None
    mts: tuple[Path, ...] = ()
    tb1map: Path | None = None
    t1w: Path | None = None
    flair: Path | None = None
    eeg: tuple[Path, ...] = ()
    averages: tuple[Path, ...] = ()

    @property
    def stem(self) -> str:
        """How its file names begin: `sub-01_ses-M00`."""
        return self.folder.replace("/", "_")


@dataclass(frozen=True, slots=True)
class Participant:
    """A participant and the visits that can be measured, in the order of their days (or else their names)."""

    id: str
    visits: tuple[Visit, ...]


@dataclass(frozen=True, slots=True)
class Dataset:
    """What a BIDS dataset holds, and what is wrong with it; see `Dataset.index`.

    Parameters
    ----------
    root
        Its folder.
    participants
        Those with at least one visit.
    failures, flags
        What cannot be measured and what is doubtful, by participant and visit.
    tables
        Users' own measurement tables, `derivatives/**/*measurements.tsv`; see `usertables.read_tables`.
    known
        Every participant that has a folder, measurable or not.
    """

    root: Path
    participants: tuple[Participant, ...]
    failures: tuple[Failure, ...] = ()
    flags: tuple[Finding, ...] = ()
    tables: tuple[Path, ...] = ()
    known: tuple[str, ...] = ()
    _covariates: Covariates = field(default_factory=Covariates)

    @property
    def covariates(self) -> pd.DataFrame:
        """`participants.tsv` as a frame: `participant_id` and what else stands there."""
        return self._covariates.frame()

    @classmethod
    def index(cls, root: Path, participants: Collection[str] | None = None) -> Dataset:
        """Find the recordings of a BIDS dataset, each visit's own.

        Parameters
        ----------
        root
            The dataset: `sub-*/[ses-*/]anat`, `fmap`, `eeg`; masks and tables in `derivatives`.
        participants
            Labels (`01` or `sub-01`) of those wanted; all by default.

        Returns
        -------
        Dataset
            A fault costs the visit or the participant that it belongs to and stands in `failures`; visits
            need not be the same for all.

        Raises
        ------
        InputError
            If `root` is no folder or has no participants.
        RefuseRun
            If a table of the dataset tells the allocation.

        Examples
        --------
        >>> from tempfile import TemporaryDirectory
        >>> with TemporaryDirectory() as folder:
        ...     anat = Path(folder, "sub-01/ses-M00/anat")
        ...     anat.mkdir(parents=True)
        ...     for mt in ("on", "off"):
        ...         (anat / f"sub-01_ses-M00_mt-{mt}_MTR.nii.gz").touch()
        ...     dataset = Dataset.index(Path(folder))
        >>> dataset.participants[0].visits[0].mt_off.name
        'sub-01_ses-M00_mt-off_MTR.nii.gz'
        """
        root = Path(root).absolute()
        wanted = None if participants is None else {"sub-" + p.removeprefix("sub-") for p in participants}
        if not root.is_dir():
            fix = "correct its name, or the order of the arguments"
            raise InputError("", "dataset", f"{root.name}, which is not a folder", "a BIDS dataset", fix)
        listing = list_dataset(root, wanted)
        if not listing.participants:
            fix = "give the folder that holds the folders sub-*"
            raise InputError("", "dataset", f"{root.name} without participants", "folders sub-*", fix)
        failures = [*listing.failures, *_unknown(wanted, listing.participants)]
        covariates = _covariates(root, listing, wanted, failures)
        lost = {failure.participant for failure in failures if not failure.visit}
        found = tuple(
            person
            for name in listing.participants
            if name not in lost and (wanted is None or name in wanted)
            for person in _participant(name, root, listing, failures)
        )
        unique, copies = without_copies(found, root)
        return cls(
            root,
            unique,
            (*failures, *copies),
            tuple(listing.flags),
            tuple(listing.tables),
            listing.participants,
            covariates,
        )


def _unknown(wanted: Collection[str] | None, known: Collection[str]) -> list[Failure]:
    """A failure of the dataset for each participant who was asked for and has no folder."""
    expected = "a participant of the dataset"
    return [
        Failure(
            "", "", InputError("", "participant", f"unknown ({name})", expected, did_you_mean(name, known))
        )
        for name in sorted(set(wanted or ()) - set(known))
    ]


def _covariates(
    root: Path, listing: Listing, wanted: Collection[str] | None, failures: list[Failure]
) -> Covariates:
    path = root / "participants.tsv"
    try:
        covariates = read_covariates(path, root)
    except InputError as error:
        failures.append(Failure("", "", error))
        return Covariates()
    failures += [
        Failure(name, "", error)
        for name, error in covariates.refused.items()
        if wanted is None or name in wanted
    ]
    listed = {row["participant_id"] for row in covariates.rows} | set(covariates.refused)
    for name in listing.participants if listed else ():
        if name not in listed:
            near = did_you_mean(name, sorted(listed - set(listing.participants)) or ["n/a"])
            fix = near if near.startswith("did") else "add a row"
            flag = Flag(
                relative(path, root), "participant_id", f"without {name}", "a row for each folder", fix
            )
            listing.flags.append(Finding("", "", flag))
    return covariates


def _participant(name: str, root: Path, listing: Listing, failures: list[Failure]) -> Iterable[Participant]:
    """The participant, or nothing where a failure tells why."""
    averaged = {session for session, files in listing.derived[name].items() if with_average(files)}
    sessions = sorted({*listing.raw[name], *averaged}, key=natural)
    _flag_oddities(name, sessions, root, listing)
    try:
        days = read_days(root / name / f"{name}_sessions.tsv", root, sessions)
    except InputError as error:
        failures.append(Failure(name, "", error))
        return
    bad = {failure.visit for failure in failures if failure.participant == name}
    visits = []
    for session in sessions:
        visit = Visit(
            name,
            session or ONLY_VISIT,
            f"{name}/ses-{session}" if session else name,
            days[session],
        )
        if visit.id in bad:
            continue
        try:
            visits.append(_filled(visit, listing.raw[name][session], listing.derived[name][session], root))
        except InputError as error:
            failures.append(Failure(name, visit.id, error))
    if all(visit.day is not None for visit in visits):
        visits.sort(key=lambda visit: visit.day or 0.0)
    if visits:
        yield Participant(name, tuple(visits))


def _filled(visit: Visit, raw: Sequence[Found], derived: Iterable[Found], root: Path) -> Visit:
    off, on = choice.mt_pair(raw, root)
    first: Mapping[str, Path | None] = {
        suffix: next(iter(choice.of_suffix(raw, suffix)), None) for suffix in ("TB1map", "T1w", "FLAIR")
    }
    return replace(
        visit,
        mt_off=off,
        mt_on=on,
        lesion_mask=choice.mask(derived, "lesion", root),
        brain_mask=choice.mask(derived, "brain", root),
        tissue=choice.segmentation(derived, root),
        mts=choice.of_suffix(raw, "MTS"),
        tb1map=first["TB1map"],
        t1w=first["T1w"],
        flair=first["FLAIR"],
        eeg=choice.recordings(raw),
        averages=choice.averages(derived),
    )


def _flag_oddities(name: str, sessions: Collection[str], root: Path, listing: Listing) -> None:
    """A folder without recordings; a mask without images, as likely a slip in its name (M6 for M06)."""
    if not sessions:
        fix = "put the recordings into ses-*/anat, or remove the folder"
        flag = Flag(name, "folder", "without recordings", "folders ses-* with anat or eeg", fix)
        listing.flags.append(Finding(name, "", flag))
    for session, files in listing.derived[name].items():
        if session not in sessions:
            labels = [f"ses-{label}" for label in sessions if label]
            found = f"of ses-{session}, which has no recordings" if session else "without a session"
            fix = did_you_mean(f"ses-{session}", labels) if labels else "take the session out of its name"
            flag = Flag(relative(Path(files[0].path), root), "session", found, "a visit with recordings", fix)
            listing.flags.append(Finding(name, "", flag))
