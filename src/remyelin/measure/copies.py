"""Copies: one recording under the names of two visits or two participants."""

from __future__ import annotations

import hashlib
import os
import zlib
from collections import defaultdict
from collections.abc import Iterable
from pathlib import Path

from remyelin.errors import InputError
from remyelin.files import gunzip, gzip_signature, relative, safe_file

from .findings import Failure
from .nifti import MAX_BYTES

Owner = tuple[str, str]


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
