"""Copies: one image or recording under the names of two visits, participants, eyes or replicates."""

from __future__ import annotations

import hashlib
import os
import zlib
from collections import defaultdict
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import NamedTuple

from remyelin.errors import InputError
from remyelin.files import gunzip, gzip_signature, relative, safe_file

from .findings import Failure
from .name import parse
from .nifti import MAX_BYTES

Owner = tuple[str, str]
# Bytes: noise of a tenth of a second differs between any two recordings.
_STRETCH = 2048


def find_copies(images: Iterable[tuple[Owner, Path]], root: Path) -> list[Failure]:
    """Find images that are the same file content under different participants or visits.

    Parameters
    ----------
    images
        Owner (participant, visit) and path of each MT image.

    Returns
    -------
    A failure for each owner: nobody can tell from the files which of them is the true one.

    Notes
    -----
    The checksum and length that end a gzip file are compared first, which reads 8 bytes of each; only files
    that agree in both are decompressed and compared whole. Files that cannot be read are passed over here:
    they fail when they are measured.
    """
    alike: dict[tuple[int, int], list[tuple[Owner, Path]]] = defaultdict(list)
    for owner, path in images:
        signature = _signature(path)
        if signature is not None:
            alike[signature].append((owner, path))
    suspects = [group for group in alike.values() if len({owner for owner, _ in group}) > 1]
    return [failure for group in suspects for failure in _confirmed(group, root)]


def copied_recordings(recordings: Iterable[tuple[Owner, Path]], root: Path) -> dict[Path, Failure]:
    """Find recordings that hold the same samples as another, whatever their headers say.

    Parameters
    ----------
    recordings
        Owner (participant, visit) and path of each.

    Returns
    -------
    A failure for each copy, by its path. Of replicates of one eye that are copies the first is kept: it is
    that eye's. Of others nobody can tell whose they are, and none is kept.

    Notes
    -----
    Files of one length are compared by two short stretches first; only those that agree are read whole.
    """
    sized: dict[tuple[str, int], list[_Body]] = defaultdict(list)
    for owner, path in recordings:
        body = _body(owner, path, root)
        if body is not None:
            sized[path.suffix.casefold(), body.size].append(body)
    failures: dict[Path, Failure] = {}
    for group in sized.values():
        for few in _alike(group, _stretches) if len(group) > 1 else ():
            for same in _alike(few, _whole):
                failures |= _of_one_content(same, root)
    return failures


class _Body(NamedTuple):
    """Where the samples of a recording lie: from a byte of a file on."""

    owner: Owner
    path: Path
    data: Path
    start: int
    size: int


def _body(owner: Owner, path: Path, root: Path) -> _Body | None:
    """None if it cannot be read: it fails when it is measured."""
    data = path.with_suffix(".eeg") if path.suffix.casefold() == ".vhdr" else path
    if path.suffix.casefold() == ".set" and path.with_suffix(".fdt").exists():
        data = path.with_suffix(".fdt")
    try:
        safe_file(data, root)
        start = 0
        if path.suffix.casefold() in (".edf", ".bdf"):
            with data.open("rb") as stream:
                stated = stream.read(192)[184:].decode("latin-1").strip()
            # The header holds names and dates, which a copy may have changed.
            start = int(stated) if stated.isascii() and stated.isdigit() else 0
        size = data.stat().st_size - start
        return _Body(owner, path, data, start, size) if size > 0 else None
    except (OSError, InputError):
        return None


def _alike(bodies: Iterable[_Body], key: Callable[[_Body], bytes]) -> list[list[_Body]]:
    groups: dict[bytes, list[_Body]] = defaultdict(list)
    for body in bodies:
        try:
            groups[key(body)].append(body)
        except OSError:
            continue
    return [group for group in groups.values() if len(group) > 1]


def _stretches(body: _Body) -> bytes:
    """A little from the middle and from the end."""
    with body.data.open("rb") as stream:
        stream.seek(body.start + body.size // 2)
        middle = stream.read(_STRETCH)
        stream.seek(body.start + max(body.size - _STRETCH, 0))
        return middle + stream.read(_STRETCH)


def _whole(body: _Body) -> bytes:
    digest = hashlib.sha256()
    with body.data.open("rb") as stream:
        stream.seek(body.start)
        while chunk := stream.read(2**20):
            digest.update(chunk)
    return digest.digest()


def _of_one_content(same: list[_Body], root: Path) -> dict[Path, Failure]:
    same = sorted(same, key=lambda body: body.path)
    names = {(body.owner, _but_for_run(body.path)) for body in same}
    wrong = same[1:] if len(names) == 1 else same
    failures = {}
    for body in wrong:
        other = next(one for one in same if one.path != body.path)
        more = f" and {len(same) - 2} more" if len(same) > 2 else ""
        found = f"a duplicate of {relative(other.path, root)}{more} (the same samples)"
        fix = "find out whose eye, visit and replicate it is; put the right recording in place of the other"
        error = InputError(relative(body.path, root), "recording", found, "a recording of its own", fix)
        failures[body.path] = Failure(*body.owner, error)
    return failures


def _but_for_run(path: Path) -> object:
    name = parse(path.name)
    return path.name if name is None else (name.without("run"), name.suffix, name.extension)


def _confirmed(group: list[tuple[Owner, Path]], root: Path) -> list[Failure]:
    same: dict[bytes, list[tuple[Owner, Path]]] = defaultdict(list)
    for owner, path in group:
        try:
            same[_digest(path, root)].append((owner, path))
        except InputError:
            continue
    failures = []
    for members in same.values():
        for owner, path in members:
            others = [relative(p, root) for o, p in members if o != owner]
            if others:
                found = f"identical to {others[0]}" + (f" and {len(others) - 1} more" * (len(others) > 1))
                fix = "find out whose and which visit's it is; upload the right image for the other"
                error = InputError(relative(path, root), "image", found, "an image of its own, no copy", fix)
                failures.append(Failure(*owner, error))
    return failures


def _signature(path: Path) -> tuple[int, int] | None:
    """Size and CRC-32 of the content."""
    try:
        if path.name.endswith(".gz"):
            # A pipe would block on opening.
            return gzip_signature(path) if os.path.isfile(path) else None  # noqa: PTH113 -- 3 times faster
        size, crc = 0, 0
        with safe_file(path, None).open("rb") as stream:
            while chunk := stream.read(2**20):
                size, crc = size + len(chunk), zlib.crc32(chunk, crc)
        return size % 2**32, crc
    except (OSError, InputError):
        return None


def _digest(path: Path, root: Path) -> bytes:
    packed = path.name.endswith(".gz")
    content = gunzip(path, root, limit=MAX_BYTES) if packed else safe_file(path, root).read_bytes()
    return hashlib.sha256(content).digest()
