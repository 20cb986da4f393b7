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


def key(name: str) -> str:
    """A key as TOML writes it: bare where it may be.

    Examples
    --------
    >>> key("renew-p100"), key("P100, ms")
    ('renew-p100', '"P100, ms"')
    """
    return (
        name if name and name.isascii() and name.replace("_", "").replace("-", "").isalnum() else _text(name)
    )


def inline(value: object) -> str:
    """A value on one line, tables too.

    Examples
    --------
    >>> inline(({"arm": "placebo", "n": 29}, True))
    '[{ arm = "placebo", n = 29 }, true]'
    """
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, str):
        return _text(value)
    if isinstance(value, tuple):
        return f"[{', '.join(inline(item) for item in value)}]"
    if isinstance(value, Mapping):
        return f"{{ {', '.join(f'{key(name)} = {inline(item)}' for name, item in value.items())} }}"
    return repr(value)


def _lines(table: Mapping[str, Any], path: tuple[str, ...]) -> Iterator[str]:
    for name, value in table.items():
        if not isinstance(value, Mapping) and not _is_tables(value):
            yield f"{key(name)} = {inline(value)}"
    for name, value in table.items():
        header = ".".join(key(part) for part in (*path, name))
        for row in [value] if isinstance(value, Mapping) else value if _is_tables(value) else []:
            yield f"\n[{header}]" if isinstance(value, Mapping) else f"\n[[{header}]]"
            yield from _lines(row, (*path, name))


def _is_tables(value: object) -> bool:
    return isinstance(value, tuple) and bool(value) and all(isinstance(item, Mapping) for item in value)


def _text(text: str) -> str:
    # A JSON string is a TOML basic string, except that TOML does not let DEL stand as it is.
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")
