"""One run at a time in an output folder."""

from __future__ import annotations

import errno
import fcntl
import os
import platform
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from remyelin import files
from remyelin.errors import RefuseRun

LOCK_NAME = ".remyelin.lock"
_NO_LOCKS = (errno.ENOLCK, errno.ENOTSUP, errno.ENOSYS)
_held: set[Path] = set()


@contextmanager
def output_lock(folder: Path) -> Iterator[None]:
    """Hold an output folder, which is made if need be, for this process; entering it again inside is allowed.

    The lock is the kernel's (flock), so it ends with the process, however that ends; the file only tells
    others whose it is. The lock of a process that was killed is therefore taken over, even if its number
    lives on as that of another process, as it does in containers. What temporary files it left are removed.

    Raises
    ------
    RefuseRun
        Another process holds the folder (its number is named), or the folder cannot be written to.
    """
    real = _make(folder)
    if real in _held:
        yield
        return
    path = real / LOCK_NAME
    descriptor = _acquire(path)
    _held.add(real)
    try:
        _sweep(real)
        yield
    finally:
        _held.discard(real)
        path.unlink(missing_ok=True)
        os.close(descriptor)


def _sweep(folder: Path) -> None:
    """Remove the temporary files of killed runs; nobody else writes here while we hold the lock."""
    for inner, _, names in os.walk(folder):
        for name in names:
            if files.is_leftover(name):
                (Path(inner) / name).unlink(missing_ok=True)


def _make(folder: Path) -> Path:
    try:
        folder.mkdir(parents=True, exist_ok=True)
        return folder.resolve()
    except OSError as error:
        raise _not_writable(error) from None


def _acquire(path: Path) -> int:
    while True:
        try:
            descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o666)
        except OSError as error:
            raise _not_writable(error) from None
        try:
            _take(descriptor)
            # The former holder may have removed the file between our opening and our locking it.
            if path.exists() and os.path.samestat(os.fstat(descriptor), path.stat()):
                os.ftruncate(descriptor, 0)
                os.write(descriptor, f"{os.getpid()} {platform.node()}\n".encode())
                return descriptor
        except OSError as error:
            os.close(descriptor)
            raise _not_writable(error) from None
        except BaseException:
            os.close(descriptor)
            raise
        os.close(descriptor)


def _take(descriptor: int) -> None:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise _in_use(_holder(descriptor)) from None
    except OSError as error:
        if error.errno not in _NO_LOCKS:
            raise
        # A file system without locks: all that is left is to ask whether the writer of the file lives.
        holder = _holder(descriptor)
        if holder and holder[1] == platform.node() and _alive(int(holder[0])):
            raise _in_use(holder) from None


def _holder(descriptor: int) -> tuple[str, str] | None:
    words = os.pread(descriptor, 300, 0).decode("utf-8", "replace").split()
    return (words[0], words[-1]) if words and words[0].isdigit() else None


def _alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def _in_use(holder: tuple[str, str] | None) -> RefuseRun:
    who = f"process {holder[0]} on {holder[1]}" if holder else "another process"
    fix = "wait until that run ends, or stop it; what it has finished is kept"
    return RefuseRun("", "output folder", f"in use by {who}", "one run at a time", fix)


def _not_writable(error: OSError) -> RefuseRun:
    reason = os.strerror(error.errno) if error.errno else str(error)
    fix = "free space, correct the permissions or choose another folder"
    return RefuseRun("", "output folder", f"not writable ({reason})", "a folder to write results to", fix)
