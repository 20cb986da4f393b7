"""A protocol as TOML text; the standard library reads TOML but does not write it."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any


def dump(tables: Mapping[str, Any]) -> str:
    """The TOML text of `tables`: values first, then tables, in the order of their keys as given.

    Examples
    --------
    >>> print(dump({"trial": {"id": "a"}, "visit": ({"id": "M00", "day": 0.0},)}))
    [trial]
    id = "a"
    <BLANKLINE>
    [[visit]]
    id = "M00"
    day = 0.0
    """
    return "\n".join(_lines(tables, ())).strip("\n") + "\n"


def _lines(table: Mapping[str, Any], path: tuple[str, ...]) -> Iterator[str]:
    for key, value in table.items():
        if not isinstance(value, Mapping) and not _is_tables(value):
            yield f"{_key(key)} = {_value(value)}"
    for key, value in table.items():
        name = ".".join(_key(part) for part in (*path, key))
        for row in [value] if isinstance(value, Mapping) else value if _is_tables(value) else []:
            yield f"\n[{name}]" if isinstance(value, Mapping) else f"\n[[{name}]]"
            yield from _lines(row, (*path, key))


def _is_tables(value: object) -> bool:
    return isinstance(value, tuple) and bool(value) and all(isinstance(item, Mapping) for item in value)


def _key(key: str) -> str:
    return key if key.replace("_", "").isalnum() and key.isascii() else _text(key)


def _value(value: object) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, str):
        return _text(value)
    if isinstance(value, tuple):
        return f"[{', '.join(_value(item) for item in value)}]"
    return repr(value)


def _text(text: str) -> str:
    # A JSON string is a TOML basic string, except that TOML does not let DEL stand as it is.
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")
