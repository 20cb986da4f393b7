"""Tables of AACT: text files with columns parted by "|", in a folder or as the zip in which they come."""

from __future__ import annotations

import csv
import io
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from remyelin import files
from remyelin.errors import InputError

TABLE_LIMIT_BYTES = 2**35  # the largest table of the whole registry has some GB, and is read row by row
MOST_COMPRESSED = 200  # times smaller than its content: text of a registry is some 10
_AGAIN = "download the pipe files of AACT again"
_QUOTED = 'fields parted by "|", those with line ends in double quotes'


class PipeFiles:
    """The tables of a download.

    Parameters
    ----------
    path
        The zip, or the folder into which it was unpacked.

    Raises
    ------
    InputError
        Neither, or without a file `studies.txt`.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.file = files.relative(path, None)
        self._places = self._found()
        if "studies" not in self._places:
            there = ", ".join(sorted(self._places)[:6]) or "no .txt file"
            raise InputError(self.file, "studies.txt", f"missing (there is {there})", "a table", _AGAIN)

    def has(self, table: str) -> bool:
        """Whether the download holds this table."""
        return table in self._places

    def rows(self, table: str, needed: tuple[str, ...], nct_id: str | None) -> Iterator[dict[str, str]]:
        """The rows of one study, or of all; none where the download lacks the table.

        Raises
        ------
        InputError
            Not text with these columns, a row of more or fewer fields, an impossible size.
        """
        if table not in self._places:
            return
        name = f"{table}.txt"
        with self._opened(table) as stream:
            reader = csv.reader(stream, delimiter="|", strict=True)
            header = self._header(reader, name, ("nct_id", *needed))
            place = header.index("nct_id")
            for fields in self._parsed(reader, name):
                if len(fields) != len(header):
                    found = f"of {len(fields)} fields"
                    expected = f"{len(header)}, as the header has"
                    raise InputError(name, f"line {reader.line_num}", found, expected, _AGAIN)
                if nct_id is None or fields[place] == nct_id:
                    if any("\0" in field for field in fields):
                        raise InputError(
                            name, f"line {reader.line_num}", "broken by NUL bytes", "text", _AGAIN
                        )
                    yield dict(zip(header, fields, strict=True))

    def _header(self, reader: Iterator[list[str]], name: str, needed: tuple[str, ...]) -> list[str]:
        header = next(self._parsed(reader, name), [])
        missing = [column for column in needed if column not in header]
        if len(header) < 2:
            raise InputError(name, "line 1", "not a header of columns", 'names parted by "|"', _AGAIN)
        if missing:
            found = f"without {', '.join(missing)} (it has {', '.join(header)[:120]})"
            raise InputError(name, "header", found, f"the columns {', '.join(needed)}", _AGAIN)
        if len(set(header)) < len(header):
            raise InputError(name, "header", "with a column twice", "each column once", _AGAIN)
        return header

    def _parsed(self, reader: Iterator[list[str]], name: str) -> Iterator[list[str]]:
        while True:
            try:
                fields = next(reader)
            except StopIteration:
                return
            except UnicodeDecodeError:
                raise InputError(name, "encoding", "not UTF-8 text", "UTF-8", _AGAIN) from None
            except csv.Error as error:
                where = f"line {getattr(reader, 'line_num', 1)}"
                raise InputError(name, where, f"not readable ({error})", _QUOTED, _AGAIN) from None
            except (zipfile.BadZipFile, EOFError, OSError, NotImplementedError) as error:
                found = f"damaged ({error})"
                raise InputError(name, "content", found, "the checksum it was written with", _AGAIN) from None
            if fields:
                yield fields

    @contextmanager
    def _opened(self, table: str) -> Iterator[io.TextIOWrapper]:
        """The text of a table, read as it is needed."""
        member, size = self._places[table], 0
        if isinstance(member, Path):
            size = files.safe_file(member, self.path).stat().st_size
            self._check_size(table, size)
            with member.open(encoding="utf-8-sig", newline="") as stream:
                yield stream
            return
        self._check_size(table, member.file_size)
        if member.flag_bits & 1:
            raise InputError(self.file, f"{table}.txt", "encrypted", "a file without a password", _AGAIN)
        if member.file_size > MOST_COMPRESSED * max(member.compress_size, 1024):
            found = f"{member.file_size / max(member.compress_size, 1):.0f} times larger than in the zip"
            raise InputError(self.file, f"{table}.txt", found, f"at most {MOST_COMPRESSED} times", _AGAIN)
        with zipfile.ZipFile(self.path) as archive, archive.open(member) as raw:
            yield io.TextIOWrapper(raw, "utf-8-sig", newline="")

    def _check_size(self, table: str, size: int) -> None:
        if size > TABLE_LIMIT_BYTES:
            found = f"{size / 2**30:.0f} GB large"
            raise InputError(
                self.file, f"{table}.txt", found, f"at most {TABLE_LIMIT_BYTES >> 30} GB", _AGAIN
            )

    def _found(self) -> dict[str, Path | zipfile.ZipInfo]:
        if self.path.is_dir():
            return {place.stem: place for place in sorted(self.path.glob("*.txt"))}
        files.safe_file(self.path, None)
        try:
            with zipfile.ZipFile(self.path) as archive:
                members = [info for info in archive.infolist() if info.filename.endswith(".txt")]
        except (zipfile.BadZipFile, OSError, ValueError) as error:
            found = f"not a zip that can be read ({error})"
            raise InputError(self.file, "file", found, "the zip of AACT, or its folder", _AGAIN) from None
        return {Path(info.filename).stem: info for info in members}
