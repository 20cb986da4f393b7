"""Opening a file that somebody else made: regular, inside the dataset, whole, no larger than it should be."""

from __future__ import annotations

import hashlib
import os
import stat
import zlib
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path

from remyelin.errors import InputError

LIMIT_BYTES = 2**31
_CHUNK = 2**18
_GZIP = b"\x1f\x8b"
_COPY_AGAIN = "copy the file again from its source and compare the checksums"


def relative(path: Path, root: Path | None) -> str:
    """The name of a file in messages and tables: relative to the dataset, with "/", always printable.

    A path outside `root` (or any path if `root` is None) is given by its last part alone, so that no absolute
    path reaches an output. Names that are not UTF-8, and control characters in names, are shown escaped.

    Examples
    --------
    >>> relative(Path("ds/sub-01/scan.nii.gz"), Path("ds"))
    'sub-01/scan.nii.gz'
    >>> relative(Path("elsewhere/plan.toml"), Path("ds"))
    'plan.toml'
    """
    try:
        name = path.absolute().relative_to(root.absolute()).as_posix() if root is not None else path.name
    except ValueError:
        name = path.name
    text = os.fsencode(name).decode("utf-8", "backslashreplace")
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)


def safe_file(path: Path, root: Path | None) -> Path:
    """Check that a file may be opened, and give its path back.

    It must be a regular file (a pipe would block for ever) with content, and lead to a place inside `root`:
    a link out of the dataset would read what the user never meant to hand over. Links into the git-annex
    store of the dataset, or of the repository that the dataset is a folder of, count as inside. `root` None
    means a file that the user named himself, which may lie anywhere.

    Raises
    ------
    InputError
        Missing, unreadable, a link to nothing or to outside, not a regular file, empty, the pointer that
        git-lfs or git-annex leaves in place of the content, or an HTML page (a download that ended at a
        sign-in page).
    """
    name = relative(path, root)
    real = _resolve(path, name)
    if root is not None and not _inside(real, root):
        raise InputError(
            name,
            "file",
            "a symlink to a place outside the dataset",
            "a file inside the dataset",
            "copy the file into the dataset (git-annex links inside it are fine)",
        )
    try:
        info = real.stat()
        if not stat.S_ISREG(info.st_mode):
            raise InputError(
                name,
                "file",
                _kind(info.st_mode),
                "a regular file",
                "give the path of a file" if root is None else "remove it and put the data file in its place",
            )
        if info.st_size == 0:
            raise InputError(name, "file", "empty (0 bytes)", "a file with content", _COPY_AGAIN)
        with real.open("rb") as stream:
            head = stream.read(512)
    except OSError as error:
        raise _unreadable(name, error) from None
    _check_content(head, name)
    return path


def read_bytes(path: Path, root: Path | None, *, limit: int = LIMIT_BYTES) -> bytes:
    """The bytes of a file that passes `safe_file`; InputError if there are more than `limit`."""
    name = relative(path, root)
    safe_file(path, root)
    try:
        with path.open("rb") as stream:
            data = stream.read(limit + 1)
    except OSError as error:
        raise _unreadable(name, error) from None
    if len(data) > limit:
        raise _too_large(name, limit)
    return data


def gunzip(path: Path, root: Path | None, *, limit: int) -> bytes:
    """Decompress a gzip file whole: every member, its checksum and its length are verified.

    Parameters
    ----------
    limit
        Largest output in bytes. Give what the header of the content asks for (see `gunzip_head`): the work
        and the memory then stop there, whatever the file would inflate to.

    Raises
    ------
    InputError
        As `safe_file`; not gzip, truncated (also if only the checksum at the end is missing), corrupt,
        trailing bytes that are not gzip, or an output larger than `limit`.
    """
    name = relative(path, root)
    safe_file(path, root)
    out = BytesIO()
    for piece in _inflate(path, name, limit):
        out.write(piece)
        if out.tell() > limit:
            raise _too_large(name, limit)
    return out.getvalue()


def gunzip_head(path: Path, root: Path | None, size: int) -> bytes:
    """The first `size` bytes of the content of a gzip file, or all it has; nothing is verified yet."""
    name = relative(path, root)
    safe_file(path, root)
    out = b""
    for piece in _inflate(path, name, size):
        out += piece
        if len(out) >= size:
            break
    return out[:size]


def gzip_signature(path: Path) -> tuple[int, int] | None:
    """Size (modulo 2^32) and CRC-32 of the content, as the last 8 bytes of a gzip file state them.

    Two images with the same signature hold the same voxels; this finds them without decompression. None if
    the file is not gzip. For a file of several members it is that of the last.
    """
    with path.open("rb") as stream:
        if stream.read(2) != _GZIP or stream.seek(0, os.SEEK_END) < 18:
            return None
        stream.seek(-8, os.SEEK_END)
        trailer = stream.read(8)
    return int.from_bytes(trailer[4:], "little"), int.from_bytes(trailer[:4], "little")


def sha256(path: Path) -> str:
    """SHA-256 of a file in hexadecimal, read in pieces."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def _resolve(path: Path, name: str) -> Path:
    try:
        return path.resolve(strict=True)
    except FileNotFoundError:
        if not path.is_symlink():
            raise InputError(
                name, "file", "missing", "a file", "put it in place or correct its name"
            ) from None
        if "/annex/objects/" in path.readlink().as_posix():
            raise _pointer(name, "git-annex", "datalad get") from None
        found, fix = "a symlink to a file that does not exist", "copy the file itself into the dataset"
        raise InputError(name, "file", found, "a file", fix) from None
    except RuntimeError:  # how pathlib before 3.13 reports a loop
        raise InputError(
            name, "file", "a symlink that leads to itself", "a file", "remove the link"
        ) from None
    except OSError as error:
        raise _unreadable(name, error) from None


def _inside(real: Path, root: Path) -> bool:
    home = root.resolve()
    if real.is_relative_to(home):
        return True
    return any(real.is_relative_to(folder / ".git" / "annex" / "objects") for folder in home.parents)


def _kind(mode: int) -> str:
    kinds = {
        stat.S_IFDIR: "a folder",
        stat.S_IFIFO: "a pipe (fifo)",
        stat.S_IFSOCK: "a socket",
        stat.S_IFCHR: "a device",
        stat.S_IFBLK: "a device",
    }
    return kinds.get(stat.S_IFMT(mode), "not a file")


def _check_content(head: bytes, name: str) -> None:
    if head.startswith(b"version https://git-lfs"):
        raise _pointer(name, "git-lfs", "git lfs pull")
    if head.startswith(b"/annex/objects/"):
        raise _pointer(name, "git-annex", "datalad get")
    if head.lstrip(b"\xef\xbb\xbf \t\r\n").lower().startswith((b"<!doctype html", b"<html")):
        fix = "download the file again after signing in"
        raise InputError(name, "file", "an HTML page", "the data file itself", fix)


def _inflate(path: Path, name: str, limit: int) -> Iterator[bytes]:
    """Pieces of the content, none longer than a chunk; a little more than `limit` is yielded at most."""
    try:
        with path.open("rb") as stream:
            head = stream.read(2)
            if head != _GZIP:
                fix = "compress the file with gzip, or name it without .gz"
                raise InputError(name, "file", "not a gzip file", "gzip data, as its name says", fix)
            yield from _members(_chunks(head, stream), limit)
    except EOFError:
        raise InputError(
            name, "file", "truncated (incomplete gzip data)", "a whole file", _COPY_AGAIN
        ) from None
    except zlib.error as error:
        reason = str(error).rpartition(": ")[2]
        raise InputError(
            name, "file", f"corrupt ({reason})", "the checksum it was written with", _COPY_AGAIN
        ) from None
    except OSError as error:
        raise _unreadable(name, error) from None


def _chunks(head: bytes, stream: object) -> Iterator[bytes]:
    yield head
    while chunk := stream.read(_CHUNK):  # type: ignore[attr-defined]
        yield chunk


def _members(chunks: Iterator[bytes], limit: int) -> Iterator[bytes]:
    member, data, total = zlib.decompressobj(31), next(chunks), 0
    while True:
        piece = member.decompress(data, _CHUNK)
        total += len(piece)
        yield piece
        if total > limit:
            return
        data = member.unconsumed_tail
        if member.eof:
            # The format allows zeros after a member, as tapes leave them.
            data = member.unused_data.lstrip(b"\0")
            while not data:
                if not (chunk := next(chunks, b"")):
                    return
                data = chunk.lstrip(b"\0")
            member = zlib.decompressobj(31)
        elif not data and not (data := next(chunks, b"")) and not piece:
            raise EOFError


def _pointer(name: str, tool: str, command: str) -> InputError:
    found = f"a {tool} pointer without the content"
    return InputError(name, "file", found, "the content", f"run `{command}` in the dataset")


def _too_large(name: str, limit: int) -> InputError:
    expected = f"at most the {limit} bytes that its header or kind allows"
    return InputError(
        name, "size", f"larger than {limit} bytes", expected, "convert the file again from its source"
    )


def _unreadable(name: str, error: OSError) -> InputError:
    reason = os.strerror(error.errno) if error.errno else str(error)
    fix = "check the permissions of the file and the disk, then copy it again"
    return InputError(name, "file", f"unreadable ({reason})", "a readable file", fix)
