"""Reading text that somebody else wrote: plain, TSV, JSON and TOML, with the line of what is wrong."""

from __future__ import annotations

import json
import re
import tomllib
from pathlib import Path
from typing import Any

from remyelin.errors import InputError

from .opening import read_bytes, relative

TEXT_LIMIT_BYTES = 2**28
SETTINGS_LIMIT_BYTES = 2**20
DEPTH_LIMIT = 64
_LONG_KEY = re.compile(rf"(?:[A-Za-z0-9_-]{{1,99}}[ \t]*\.[ \t]*){{{DEPTH_LIMIT + 1}}}")
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")


def read_text(path: Path, root: Path | None, *, limit: int = TEXT_LIMIT_BYTES) -> str:
    """Read UTF-8 text, with or without a byte order mark; every line ending becomes a newline.

    Raises
    ------
    InputError
        As `read_bytes`; another encoding (with the byte and its line) or control characters, which in text
        mean a damaged or a binary file (with the line).
    """
    name = relative(path, root)
    data = read_bytes(path, root, limit=limit)
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise InputError(name, "encoding", "UTF-16", "UTF-8", "save the file as UTF-8")
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        found = f"not UTF-8 (byte 0x{data[error.start]:02X} in line {line})"
        raise InputError(name, "encoding", found, "UTF-8", "save the file as UTF-8") from None
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    if bad := _CONTROL.search(text):
        line = text.count("\n", 0, bad.start()) + 1
        kind = "NUL bytes" if bad.group() == "\0" else f"a control character (U+{ord(bad.group()):04X})"
        fix = "restore the file from its source; it is damaged or binary"
        raise InputError(name, f"line {line}", f"broken by {kind}", "text", fix)
    return text


def read_tsv(path: Path, root: Path | None, *, limit: int = TEXT_LIMIT_BYTES) -> list[dict[str, str]]:
    """Read a table whose columns are separated by tabs: one dict a row, values as they stand.

    Row ``i`` of the list stands on line ``i + 2`` of the file.

    Raises
    ------
    InputError
        As `read_text`; no header, a column without a name or named twice, commas or semicolons instead of
        tabs, a row with more or fewer fields than the header (an empty line too, except at the end).

    Examples
    --------
    >>> from tempfile import TemporaryDirectory
    >>> with TemporaryDirectory() as folder:
    ...     path = Path(folder) / "participants.tsv"
    ...     _ = path.write_text("participant_id\\tage\\nsub-01\\t31\\n")
    ...     read_tsv(path, path.parent)
    [{'participant_id': 'sub-01', 'age': '31'}]
    """
    name = relative(path, root)
    lines = read_text(path, root, limit=limit).rstrip("\n").split("\n")
    header = lines[0].split("\t")
    _check_header(header, name)
    rows = []
    for number, line in enumerate(lines[1:], start=2):
        fields = line.split("\t")
        if len(fields) != len(header):
            found = f"of {len(fields)} field{'s' * (len(fields) != 1)}" if line else "empty"
            expected = f"{len(header)} fields, one for each column of the header"
            raise InputError(
                name, f"line {number}", found, expected, "add or remove the tabs that shift its columns"
            )
        rows.append(dict(zip(header, fields, strict=True)))
    return rows


def read_json(path: Path, root: Path | None, *, limit: int = SETTINGS_LIMIT_BYTES) -> dict[str, Any]:
    """Read a JSON object; NaN and Infinity are taken as numbers, and whoever uses a number checks it.

    Raises
    ------
    InputError
        As `read_json_value`; not an object.
    """
    content = read_json_value(path, root, limit=limit)
    if not isinstance(content, dict):
        found = f"a JSON {'list' if isinstance(content, list) else 'value'}"
        fix = "put the keys and values in braces"
        raise InputError(relative(path, root), "content", found, "a JSON object: {...}", fix)
    return content


def read_json_value(path: Path, root: Path | None, *, limit: int = SETTINGS_LIMIT_BYTES) -> Any:
    """Read any JSON value, a list say; see `read_json`.

    Raises
    ------
    InputError
        As `read_text`; not JSON (with the line), a key that stands twice, nested deeper than 64.
    """
    name = relative(path, root)
    text = read_text(path, root, limit=limit)
    try:
        content = json.loads(text, object_pairs_hook=lambda pairs: _unique(pairs, name))
    except json.JSONDecodeError as error:
        where = f"line {error.lineno}"
        found = f"not JSON ({error.msg} at column {error.colno})"
        raise InputError(name, where, found, "valid JSON", "correct the file at that place") from None
    except RecursionError:
        raise _too_deep(name) from None
    except InputError:
        raise
    except ValueError as error:  # an integer of thousands of digits
        raise InputError(
            name, "content", f"not readable ({error})", "numbers of a usual size", "correct it"
        ) from None
    _check_depth(content, name)
    return content


def read_toml(path: Path, *, limit: int = SETTINGS_LIMIT_BYTES) -> dict[str, Any]:
    """Read a TOML file that the user named: a protocol or settings.

    Raises
    ------
    InputError
        As `read_text`; not TOML (with the line), nested deeper than 64.
    """
    name = relative(path, None)
    text = read_text(path, None, limit=limit)
    if _LONG_KEY.search(text):  # the parser needs time that grows with the square of the length
        raise _too_deep(name)
    try:
        content = tomllib.loads(text)
    except RecursionError:
        raise _too_deep(name) from None
    except ValueError as error:
        place = re.search(r" \(at line (\d+), column (\d+)\)$", str(error))
        where = f"line {place.group(1)}" if place else "content"
        reason = str(error)[: place.start()] if place else str(error)
        raise _no_toml(name, where, reason) from None
    _check_depth(content, name)
    return content


def _no_toml(name: str, where: str, reason: str) -> InputError:
    """What the parser says of names that stand twice, in words."""
    if declared := re.fullmatch(r"Cannot declare (\(.*\)) twice", reason):
        keys = ".".join(re.findall(r"['\"]([^'\"]*)['\"]", declared.group(1)))
        found = f"not TOML (a second table [{keys}])"
        return InputError(name, where, found, "each table once", "rename one of the two, or make them one")
    if reason == "Cannot overwrite a value":
        found = "not TOML (a key that its table has already)"
        return InputError(name, where, found, "each key once", "remove one of the two lines")
    return InputError(name, where, f"not TOML ({reason})", "valid TOML", "correct the file at that place")


def _check_header(header: list[str], name: str) -> None:
    if header == [""]:
        raise InputError(
            name, "line 1", "empty", "the names of the columns", "put a header into the first line"
        )
    for mark, words in ((",", "commas"), (";", "semicolons")):
        if len(header) == 1 and mark in header[0]:
            fix = "save the table as text with tabs between the columns"
            raise InputError(name, "line 1", f"separated by {words}", "columns separated by tabs", fix)
    for number, column in enumerate(header, start=1):
        if not column.strip():
            fix = "name the column or remove it"
            raise InputError(
                name, "line 1", f"without a name in column {number}", "a name for every column", fix
            )
        if column in header[: number - 1]:
            fix = "keep one of the two columns, or rename one"
            raise InputError(
                name, "line 1", f"a header with duplicate column {column!r}", "names that differ", fix
            )


def _unique(pairs: list[tuple[str, Any]], name: str) -> dict[str, Any]:
    content = dict(pairs)
    if len(content) < len(pairs):
        keys = [key for key, _ in pairs]
        twice = next(key for key in keys if keys.count(key) > 1)
        raise InputError(
            name, twice, "given twice (duplicate key)", "one value for each key", "remove one of the two"
        )
    return content


def _check_depth(content: object, name: str) -> None:
    layer, depth = [content], 0
    while layer:
        depth += 1
        if depth > DEPTH_LIMIT:
            raise _too_deep(name)
        layer = [
            child
            for item in layer
            for child in (item.values() if isinstance(item, dict) else item if isinstance(item, list) else ())
        ]


def _too_deep(name: str) -> InputError:
    found = f"nested more than {DEPTH_LIMIT} levels deep"
    return InputError(
        name, "content", found, f"at most {DEPTH_LIMIT} levels of nesting", "write the file again"
    )
