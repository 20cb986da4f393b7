"""Which of the files of a visit are the ones to measure; a choice that would be a guess is refused."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

from remyelin.errors import InputError
from remyelin.files import relative

from .listing import IMAGES, RECORDINGS, Found, is_average

Pair = tuple[Path | None, Path | None]


def mt_pair(found: Sequence[Found], root: Path) -> Pair:
    """The MT-off and MT-on image of a visit: two MTR files whose names differ only in `mt`.

    A visit without MTR images has such a pair among its MTS images: PD-weighted and MT-weighted.

    Returns
    -------
    MT-off, MT-on; both None if the visit has neither.

    Raises
    ------
    InputError
        If one of the two is missing, a name lacks `mt-on` or `mt-off`, or there are several pairs.
    """
    files = _images(found, "MTR") or _images(found, "MTS")
    groups: dict[frozenset[tuple[str, str]], dict[str, list[Found]]] = {}
    for file in files:
        state = file.name.entities.get("mt", "")
        if state not in ("on", "off"):
            raise InputError(
                _relative(file, root), "file name", "without mt-on or mt-off", "either", "add it to the name"
            )
        groups.setdefault(file.name.without("mt"), {}).setdefault(state, []).append(file)
    complete = [states for states in groups.values() if len(states) == 2]
    if not files:
        return None, None
    if not complete:
        # Of MTS images, those that never had an mt-on twin (T1-weighted) are not to blame.
        raise _unpaired(min(files, key=lambda file: file.name.entities["mt"] != "on"), root)
    if len(complete) > 1 or any(len(group) > 1 for group in complete[0].values()):
        raise _several([file for states in complete for group in states.values() for file in group], root)
    return Path(complete[0]["off"][0].path), Path(complete[0]["on"][0].path)


def mask(found: Iterable[Found], label: str, root: Path) -> Path | None:
    """The mask of a visit with a label (`label-lesion_mask`, `desc-brain_mask`); None if there is none.

    Raises
    ------
    InputError
        If several have equally plain names.
    """
    return _plainest(
        [
            file
            for file in _images(found, "mask")
            if label in (file.name.entities.get("label"), file.name.entities.get("desc"))
        ],
        root,
    )


def segmentation(found: Iterable[Found], root: Path) -> Path | None:
    """The tissue segmentation of a visit: a `dseg` file that is not of lesions."""
    return _plainest(
        [file for file in _images(found, "dseg") if file.name.entities.get("label", "") != "lesion"], root
    )


def of_suffix(found: Iterable[Found], suffix: str) -> tuple[Path, ...]:
    """All images of a visit with a suffix, plainest name first."""
    files = sorted(_images(found, suffix), key=_plainness)
    return tuple(Path(file.path) for file in files)


def recordings(found: Iterable[Found]) -> tuple[Path, ...]:
    """The EEG recordings of a visit, by name."""
    return tuple(
        Path(file.path)
        for file in sorted(found, key=lambda file: file.path)
        if file.name.suffix == "eeg" and file.name.extension.casefold() in RECORDINGS
    )


def averages(found: Iterable[Found]) -> tuple[Path, ...]:
    """The averaged evoked potentials of a visit, by name."""
    return tuple(Path(file.path) for file in sorted(found, key=lambda file: file.path) if is_average(file))


def _images(found: Iterable[Found], suffix: str) -> list[Found]:
    """Magnitude images: a phase image beside them is no candidate."""
    return [
        file
        for file in found
        if file.name.suffix == suffix
        and file.name.extension in IMAGES
        and file.name.entities.get("part", "mag") == "mag"
    ]


def _plainness(file: Found) -> tuple[int, str]:
    return len(file.name.entities), file.path


def _plainest(candidates: list[Found], root: Path) -> Path | None:
    """The file with the fewest entities: `label-lesion_mask` before `space-T1w_label-lesion_mask`."""
    if not candidates:
        return None
    ordered = sorted(candidates, key=_plainness)
    if len(ordered) > 1 and len(ordered[0].name.entities) == len(ordered[1].name.entities):
        raise _several(ordered[:2], root)
    return Path(ordered[0].path)


def _unpaired(file: Found, root: Path) -> InputError:
    state = file.name.entities["mt"]
    other = "off" if state == "on" else "on"
    path = Path(file.path)
    twin = path.with_name(path.name.replace(f"_mt-{state}_", f"_mt-{other}_"))
    found = f"missing: {relative(twin, root)} not found"
    fix = f"add the mt-{other} image, or remove this one if the visit has no MT pair"
    return InputError(_relative(file, root), f"mt-{other} image", found, "an mt-on and mt-off pair", fix)


def _several(files: Sequence[Found], root: Path) -> InputError:
    others = ", ".join(_relative(file, root) for file in files[1:])
    fix = "keep one; give a repeated scan a session of its own"
    return InputError(
        _relative(files[0], root), "choice", f"one of several with {others}", "one candidate", fix
    )


def _relative(file: Found, root: Path) -> str:
    return relative(Path(file.path), root)
