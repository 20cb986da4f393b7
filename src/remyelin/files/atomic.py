"""Writing so that a reader, a crash or a full disk never meets half a file."""

from __future__ import annotations

import errno
import os
import re
import secrets
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from pathlib import Path

_LEFTOVER = re.compile(r"\.(.+)\.tmp-\d+-[0-9a-f]{8}")
_observer: ContextVar[Callable[[Path], None] | None] = ContextVar("observer", default=None)


@contextmanager
def atomic_path(path: Path) -> Iterator[Path]:
    """A temporary path beside `path`, for a library that writes by name; renamed if the block succeeds.

    The temporary name keeps the suffixes, by which libraries choose a format. The content is on the disk
    before the name is: temporary file, fsync, rename, fsync of the folder. If the block raises, nothing is
    left.

    Examples
    --------
    >>> from tempfile import TemporaryDirectory
    >>> with TemporaryDirectory() as folder:
    ...     with atomic_path(Path(folder) / "map.nii.gz") as temporary:
    ...         _ = temporary.write_bytes(b"voxels")
    ...     sorted(p.name for p in Path(folder).iterdir())
    ['map.nii.gz']
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    if observer := _observer.get():
        observer(path)
    mark = f"tmp-{os.getpid()}-{secrets.token_hex(4)}"
    temporary = path.with_name(f".{path.name}.{mark}{''.join(path.suffixes)}")
    try:
        yield temporary
        _sync(temporary)
        temporary.replace(path)
    except BaseException as error:
        with suppress(OSError):
            temporary.unlink(missing_ok=True)
        if isinstance(error, OSError) and error.filename == str(temporary):
            error.filename = str(path)  # of the temporary name nobody knows
        raise
    _sync(path.parent)


def atomic_write(path: Path, data: bytes) -> None:
    """Write `data` to `path` whole or not at all; see `atomic_path`."""
    with atomic_path(path) as temporary:
        temporary.write_bytes(data)


def is_leftover(name: str) -> bool:
    """Whether a file name is that of a temporary file which a killed run left behind.

    Examples
    --------
    >>> is_leftover(".map.nii.gz.tmp-3141-0a1b2c3d.nii.gz"), is_leftover("map.nii.gz")
    (True, False)
    """
    return _LEFTOVER.match(name) is not None


def named(path: Path | str) -> str:
    """The file that a path is for: of a temporary file, the one that it was to become.

    Examples
    --------
    >>> named("out/.map.nii.gz.tmp-3141-0a1b2c3d.nii.gz"), named("out/map.nii.gz")
    ('out/map.nii.gz', 'out/map.nii.gz')
    """
    path = Path(path)
    found = _LEFTOVER.match(path.name)
    return str(path.with_name(found.group(1)) if found else path)


@contextmanager
def on_write(observer: Callable[[Path], None]) -> Iterator[None]:
    """Call `observer` with the final path of every atomic write in the block, before anything is written."""
    token = _observer.set(observer)
    try:
        yield
    finally:
        _observer.reset(token)


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    except OSError as error:
        # Some network file systems cannot sync a folder; they can rename, which is all that is asked of them.
        if not (path.is_dir() and error.errno in (errno.EINVAL, errno.ENOTSUP)):
            raise
    finally:
        os.close(descriptor)
