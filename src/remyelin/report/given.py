"""What a user gave to a picture: things of the right kind, labels for them, a file of the right kind."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TypeVar

from remyelin.errors import InputError
from remyelin.number import several, shown

MOST = 8  # of what one picture holds

Kind = TypeVar("Kind")


def need(kind: type[Kind], field: str, given: object, expected: str, fix: str) -> Kind:
    """What was given, if it is of that kind.

    Raises
    ------
    InputError
        For anything else.
    """
    if not isinstance(given, kind):
        raise InputError("", field, shown(given), expected, fix)
    return given


def need_each(kind: type[Kind], field: str, given: object, expected: str, fix: str) -> tuple[Kind, ...]:
    """One thing or several, each of that kind; see `need`."""
    rows = (given,) if isinstance(given, kind) else several(given)
    return tuple(need(kind, field, row, expected, fix) for row in rows)


def labels_for(what: str, names: Sequence[str], labels: object) -> list[str]:
    """The labels, or the names where there are none, of as many things as one picture holds.

    Raises
    ------
    InputError
        For more than 8 things, or labels that are not one text for each.

    Examples
    --------
    >>> labels_for("axons", ["cortex"], "intact")
    ['intact']
    """
    if not 1 <= len(names) <= MOST:
        raise InputError(
            "", f"{what} to draw", f"{len(names)}", f"1 to {MOST}", "choose those that tell most"
        )
    expected = f"none, or one for each of {len(names)} {what}"
    if isinstance(labels, str) and labels and len(names) > 1:
        raise InputError(
            "", "labels", f"one text, {labels!r}", f"a list of {len(names)}", "write labels=[...]"
        )
    if isinstance(labels, str) or labels is None:
        return [labels] if labels else list(names)
    if not isinstance(labels, Iterable):
        raise InputError("", "labels", shown(labels), expected, "write labels=[...]")
    listed = list(labels)
    if len(listed) not in (0, len(names)):
        raise InputError("", "labels", f"{len(listed)} of them", expected, "correct it")
    return [need(str, "each of labels", label, "text", "put it in quotes") for label in listed] or list(names)


def numbered(names: Sequence[str]) -> list[str]:
    """The names; those that several things share get a number.

    Examples
    --------
    >>> numbered(["cortex", "optic-nerve", "cortex"])
    ['cortex 1', 'optic-nerve', 'cortex 2']
    """
    return [
        f"{name} {names[: k + 1].count(name)}" if names.count(name) > 1 else name
        for k, name in enumerate(names)
    ]


def target(path: object, suffix: str) -> Path:
    """Where a picture is to be written.

    Raises
    ------
    InputError
        For what is no name of a file, another ending than the picture's kind, a folder that is not there.

    Examples
    --------
    >>> target("axons.png", ".svg")
    Traceback (most recent call last):
    remyelin.errors.InputError: axons.png: path is .png, expected .svg. Fix: name it so.
    """
    if not isinstance(path, str | os.PathLike) or not os.fspath(path):
        expected = f"the name of a file that ends in {suffix}"
        raise InputError("", "path", shown(path), expected, f"give one, such as 'picture{suffix}'")
    file = Path(os.fsdecode(path))
    if file.suffix.lower() != suffix:
        raise InputError(str(file), "path", file.suffix or "without ending", suffix, "name it so")
    if not file.parent.is_dir():
        raise InputError(str(file), "its folder", "not there", "a folder", "make it first, or correct path")
    if file.is_dir():
        raise InputError(str(file), "path", "a folder", "a file", "choose another name")
    return file
