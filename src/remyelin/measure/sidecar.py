"""The sidecar of an image: its metadata, with what stands higher in the dataset inherited."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from remyelin.errors import InputError
from remyelin.files import read_json, relative

from .name import Name, parse


@dataclass(frozen=True, slots=True)
class Sidecar:
    """Metadata of one image.

    Parameters
    ----------
    values
        Keys and values, the nearest file's where several state one key.
    sources
        For each key, the file that states it.
    file
        The image's own sidecar (also where there is none), for messages.
    """

    values: Mapping[str, object]
    sources: Mapping[str, str]
    file: str

    def source(self, key: str) -> str:
        """The file that states a key, or else the image's own sidecar."""
        return self.sources.get(key, self.file)

    def number(self, *keys: str) -> float | None:
        """The first of these keys that holds a number; None if none does."""
        for key in keys:
            value = self.values.get(key)
            if isinstance(value, int | float) and not isinstance(value, bool):
                return float(value)
        return None


def read_sidecar(image: Path, root: Path) -> Sidecar:
    """Read the metadata of an image by the inheritance principle of BIDS.

    A JSON file applies if it lies in the image's folder or above it, has the same suffix, and has no entity
    that the image has not. A nearer file overrides a farther one; in one folder, the file with more entities
    overrides the one with fewer.

    Raises
    ------
    InputError
        If a sidecar cannot be read (`remyelin.files.read_json`).
    """
    values: dict[str, object] = {}
    sources: dict[str, str] = {}
    for path in inherited(image, root, ".json"):
        content = read_json(path, root)
        values |= content
        sources |= dict.fromkeys(content, relative(path, root))
    own = relative(image.with_name(image.name.split(".", 1)[0] + ".json"), root)
    return Sidecar(values, sources, own)


def check_mt_state(sidecar: Sidecar, name: Name) -> None:
    """The file name and `MTState` must tell the same of the MT pulse; without `MTState` the name decides.

    Raises
    ------
    InputError
        If they disagree, or `MTState` is not true or false.
    """
    if "MTState" not in sidecar.values:
        return
    state, mt = sidecar.values["MTState"], name.entities["mt"]
    if state is not (mt == "on"):
        expected = f"{str(mt == 'on').lower()} in an mt-{mt} file"
        fix = "correct MTState, or exchange the names of the mt-on and mt-off files"
        found = str(state).lower() if isinstance(state, bool) else "not true or false"
        raise InputError(sidecar.source("MTState"), "MTState", found, expected, fix)


def inherited(image: Path, root: Path, extension: str) -> list[Path]:
    """The files with an extension that apply to an image by inheritance, the one that counts most last."""
    name = parse(image.name)
    if name is None:
        return []
    below = image.parent.relative_to(root).parts
    folders = [root.joinpath(*below[:depth]) for depth in range(len(below) + 1)]
    return [path for folder in folders for path in _applicable(folder, name, extension)]


def _applicable(folder: Path, image: Name, extension: str) -> list[Path]:
    """The files of a folder that apply to an image, fewest entities first."""
    found = []
    for file in os.listdir(folder):  # noqa: PTH208 -- names only; a Path for each of 500 folders is slow
        name = parse(file) if file.endswith(extension) else None
        if name and name.suffix == image.suffix and name.entities.items() <= image.entities.items():
            found.append((len(name.entities), file))
    return [folder / file for _, file in sorted(found)]
