"""A table on disk: TSV for people, Parquet for machines; the same table gives the same bytes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from remyelin import files
from remyelin.errors import InputError
from remyelin.tables.columns import MISSING, Place

_SQL = {"str": "VARCHAR", "float64": "DOUBLE", "int64": "BIGINT", "bool": "BOOLEAN"}


def read_table(path: Path | str, root: Path | None = None) -> tuple[pd.DataFrame, Place]:
    """The cells of a `.parquet` or `.tsv` file, unchecked, with the place that messages name."""
    path = Path(path)
    root = root or path.parent
    name = files.relative(path, root)
    if path.suffix == ".parquet":
        return _read_parquet(path, root, name), Place(name)
    if path.suffix == ".tsv":
        return pd.DataFrame(files.read_tsv(path, root), dtype=object), Place(name, is_text=True)
    raise InputError(
        name, "file name", f"'{path.suffix}'", "a table in .parquet or .tsv", "save the table as one of these"
    )


def write_table(frame: pd.DataFrame, path: Path | str) -> None:
    """Write `frame` as its suffix says, whole or not at all."""
    path = Path(path)
    if path.suffix == ".parquet":
        _write_parquet(frame, path)
    elif path.suffix == ".tsv":
        files.atomic_write(path, _tsv(frame).encode())
    else:
        raise InputError(
            path.name, "file name", f"'{path.suffix}'", "a table in .parquet or .tsv", "change the suffix"
        )


def join_tables(parts: Sequence[Path], path: Path) -> None:
    """Write the rows of several Parquet files into one, in their order; they are never all in memory."""
    names = ", ".join("'" + str(part).replace("'", "''") + "'" for part in parts)
    with files.atomic_path(path) as temporary, _database() as database:
        target = str(temporary).replace("'", "''")
        database.execute(
            f"COPY (SELECT * FROM read_parquet([{names}])) TO '{target}' (FORMAT parquet, COMPRESSION zstd)"
        )


def _tsv(frame: pd.DataFrame) -> str:
    cells = [_cells(frame[name]) for name in frame.columns]
    return "".join("\t".join(row) + "\n" for row in [tuple(frame.columns), *zip(*cells, strict=True)])


def _cells(column: pd.Series[Any]) -> list[str]:
    if column.dtype == "str":
        return [cell or MISSING for cell in column]
    if column.dtype.kind == "f":
        return [MISSING if cell != cell else repr(cell) for cell in column.tolist()]
    return [str(cell).lower() for cell in column.tolist()]


def _read_parquet(path: Path, root: Path, name: str) -> pd.DataFrame:
    import duckdb

    safe = files.safe_file(path, root)
    with _database() as database:
        try:
            frame: pd.DataFrame = database.execute("SELECT * FROM read_parquet(?)", [str(safe or path)]).df()
            return frame
        except duckdb.Error as problem:
            found = f"not readable ({str(problem).splitlines()[0][:120]})"
            raise InputError(
                name, "file", found, "a whole Parquet file", "write it again or restore it"
            ) from None


def _write_parquet(frame: pd.DataFrame, path: Path) -> None:
    columns = ", ".join(f'"{name}"::{_SQL[str(dtype)]} AS "{name}"' for name, dtype in _types(frame).items())
    with files.atomic_path(path) as temporary, _database() as database:
        database.register("cells", frame)
        target = str(temporary).replace("'", "''")
        database.execute(
            f"COPY (SELECT {columns} FROM cells) TO '{target}' (FORMAT parquet, COMPRESSION zstd)"
        )


def _types(frame: pd.DataFrame) -> Mapping[str, Any]:
    return {str(name): dtype for name, dtype in frame.dtypes.items()}


def _database() -> Any:
    import duckdb

    # One thread: the order of the rows, and so the bytes, must not depend on the machine.
    return duckdb.connect(":memory:", config={"threads": 1})
