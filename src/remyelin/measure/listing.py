"""The files of a BIDS dataset, found by their names alone: nothing is opened here."""

from __future__ import annotations

import os
import re
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from remyelin.errors import Flag, InputError
from remyelin.files import relative

from .findings import Failure, Finding
from .name import Name, parse

RAW_SUFFIXES = {"MTR", "MTS", "T1w", "FLAIR", "TB1map", "eeg"}
IMAGES = (".nii", ".nii.gz")
RECORDINGS = (".edf", ".bdf", ".vhdr", ".set", ".fif")
# Files that belong to a recording without being one.
_COMPANIONS = (".eeg", ".vmrk", ".fdt", ".json")
_DERIVED = ("mask", "dseg", "ave")
_AVERAGES = ("_ave.tsv", "_ave.fif", "_ave.fif.gz")
_DATATYPES = ("anat", "eeg", "fmap")
_PARTICIPANT = re.compile(r"sub-[A-Za-z0-9]+")
_SESSION = re.compile(r"ses-[A-Za-z0-9]+")
_UNDECODABLE = re.compile("[\udc80-\udcff]")
# The settings that `remyelin measure` leaves in its results: it must not measure its own output.
_OWN_RESULTS = "remyelin.toml"
_DEPTH = 6


class Found(NamedTuple):
    """A file by its place and its parsed name."""

    path: str
    name: Name


def _by_session() -> dict[str, dict[str, list[Found]]]:
    return defaultdict(lambda: defaultdict(list))


@dataclass(slots=True)
class Listing:
    """What lies in a dataset; files by participant (`sub-01`) and session label (`M00`, or empty)."""

    participants: tuple[str, ...] = ()
    raw: dict[str, dict[str, list[Found]]] = field(default_factory=_by_session)
    derived: dict[str, dict[str, list[Found]]] = field(default_factory=_by_session)
    tables: list[Path] = field(default_factory=list)
    failures: list[Failure] = field(default_factory=list)
    flags: list[Finding] = field(default_factory=list)


def list_dataset(root: Path, wanted: Collection[str] | None = None) -> Listing:
    """List the recordings, the derived masks and the users' tables of a dataset.

    Parameters
    ----------
    root
        The dataset.
    wanted
        Participants (`sub-01`) whose folders are read; all by default. `Listing.participants` names all.

    Notes
    -----
    Folders are entered only where BIDS has recordings, and links to folders never below `derivatives`, so
    that a loop of links ends. Results of `remyelin measure` in `derivatives` are passed over.
    """
    listing = Listing()
    listing.participants = tuple(_participants(root, listing))
    for participant in listing.participants:
        if wanted is None or participant in wanted:
            try:
                _list_participant(root, participant, listing)
            except InputError as error:
                listing.failures.append(Failure(participant, "", error))
    for pipeline in _entries(root / "derivatives", root, missing_ok=True):
        if pipeline.is_dir(follow_symlinks=False) and not pipeline.name.startswith("."):
            _list_derived(pipeline.path, root, _DEPTH, listing)
    listing.tables.sort()
    # Exports of averages have no raw form in BIDS: their participants may have no folder of raw data.
    averaged = (name for name, visits in listing.derived.items() if any(map(with_average, visits.values())))
    listing.participants = tuple(sorted({*listing.participants, *averaged}))
    return listing


def with_average(files: Iterable[Found]) -> bool:
    """Whether there is an averaged evoked potential among the files of a visit."""
    return any(is_average(file) for file in files)


def _participants(root: Path, listing: Listing) -> Iterator[str]:
    names = [entry.name for entry in _entries(root, root) if entry.name[:4].casefold() == "sub-"]
    names = [name for name in names if (root / name).is_dir()]
    right = [name for name in names if _PARTICIPANT.fullmatch(name)]
    for name in sorted(set(names) - set(right)):
        twin = next((other for other in right if other.casefold() == name.casefold()), None)
        found = (
            f"the same but for upper and lower case as {twin}" if twin else "not sub- with letters and digits"
        )
        fix = f"merge the folder into {twin}" if twin else "rename the folder; it was ignored"
        listing.flags.append(
            Finding(
                "", "", Flag(relative(root / name, root), "folder name", found, "a folder like sub-01", fix)
            )
        )
    yield from sorted(right)


def _list_participant(root: Path, participant: str, listing: Listing) -> None:
    for entry in _entries(root / participant, root):
        if _UNDECODABLE.search(entry.name):
            listing.flags.append(Finding(participant, "", _unreadable_name(entry.path, root)))
        elif _SESSION.fullmatch(entry.name) and _is_folder(entry):
            for datatype in _entries(Path(entry.path), root):
                if datatype.name in _DATATYPES:
                    _list_folder(datatype.path, root, (participant, entry.name[4:]), listing)
        elif entry.name in _DATATYPES:
            _list_folder(entry.path, root, (participant, ""), listing)


def _list_folder(folder: str, root: Path, key: tuple[str, str], listing: Listing) -> None:
    found = listing.raw[key[0]][key[1]]
    for entry in _entries(Path(folder), root):
        name = parse(entry.name)
        if name is None:
            _flag_ignored(entry, root, key, listing)
        elif name.suffix in RAW_SUFFIXES and name.extension != ".json":
            if (name.entities.get("sub", ""), name.entities.get("ses", "")) != (key[0][4:], key[1]):
                expected = "_".join([key[0], *([f"ses-{key[1]}"] if key[1] else [])])
                file = relative(Path(entry.path), root)
                fix = "move the file to its participant and visit, or correct its name"
                error = InputError(
                    file, "file name", "not of this folder", f"a name that begins {expected}", fix
                )
                listing.failures.append(Failure(*key, error))
            found.append(Found(entry.path, name))
            if name.suffix == "eeg" and name.extension.casefold() not in (*RECORDINGS, *_COMPANIONS):
                listing.flags.append(Finding(*key, _unknown_format(entry.path, root)))


def is_average(file: Found) -> bool:
    """Whether a file of `derivatives` is an averaged evoked potential."""
    return file.name.suffix == "ave"


def _unknown_format(path: str, root: Path) -> Flag:
    expected, fix = f"one of {', '.join(RECORDINGS)}", "export the recording as EDF; the file was ignored"
    return Flag(relative(Path(path), root), "format of the recording", "unknown", expected, fix)


def _flag_ignored(entry: os.DirEntry[str], root: Path, key: tuple[str, str], listing: Listing) -> None:
    if _UNDECODABLE.search(entry.name):
        listing.flags.append(Finding(*key, _unreadable_name(entry.path, root)))
    elif entry.name.endswith(IMAGES) and not entry.name.startswith("."):
        file, fix = relative(Path(entry.path), root), "rename the file; it was ignored"
        flag = Flag(file, "file name", "unexpected", "a BIDS name like sub-01_ses-M00_mt-on_MTR.nii.gz", fix)
        listing.flags.append(Finding(*key, flag))


def _list_derived(folder: str, root: Path, depth: int, listing: Listing) -> None:
    entries = _entries(Path(folder), root)
    if depth == _DEPTH and any(entry.name == _OWN_RESULTS for entry in entries):
        return
    for entry in entries:
        name = entry.name
        if name.startswith("."):
            continue
        if name.endswith("measurements.tsv"):
            listing.tables.append(Path(entry.path))
        elif name.endswith(IMAGES) or name.endswith(_AVERAGES):
            parsed = parse(name)
            if parsed is not None and parsed.suffix in _DERIVED and "sub" in parsed.entities:
                own = listing.derived["sub-" + parsed.entities["sub"]]
                own[parsed.entities.get("ses", "")].append(Found(entry.path, parsed))
        elif depth and entry.is_dir(follow_symlinks=False):
            _list_derived(entry.path, root, depth - 1, listing)


def _entries(folder: Path, root: Path, *, missing_ok: bool = False) -> list[os.DirEntry[str]]:
    """The entries of a folder by name, so that nothing depends on the order of the disk."""
    try:
        with os.scandir(folder) as entries:
            return sorted(entries, key=lambda entry: entry.name)
    except (FileNotFoundError, NotADirectoryError):
        if missing_ok:
            return []
        found = "not a folder"
    except OSError as error:
        found = f"unreadable ({os.strerror(error.errno or 0)})"
    file = relative(folder, root)
    raise InputError(file, "folder", found, "a readable folder", "check its name and its permissions")


def _is_folder(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_dir()
    except OSError:  # a link that leads to itself
        return False


def _unreadable_name(path: str, root: Path) -> Flag:
    file, fix = relative(Path(path), root), "rename the file; it was ignored"
    return Flag(file, "file name", "not UTF-8 (unknown encoding)", "a name in UTF-8", fix)
