"""A forecast written into a folder: text, JSON, tables and a picture."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from remyelin.errors import RefuseRun
from remyelin.files import atomic_write
from remyelin.run import output_lock

if TYPE_CHECKING:
    from remyelin.virtual.forecast import Forecast

TABLES = ("answers", "visits", "ages", "severities", "moved")


def forecast_folder(protocol: str | Path, out: Path | None = None, **given: Any) -> Forecast:
    """Forecast a protocol and, with a folder, write the forecast there.

    Parameters
    ----------
    protocol
        A protocol file or the name of a packaged one.
    out
        The folder, or None.
    given
        As for `remyelin.forecast`.

    Raises
    ------
    InputError, RefuseRun
        A protocol or a value that cannot be forecast; a file in place of the folder, or a folder that holds
        measurements.
    """
    from remyelin.virtual.forecast import forecast

    if out is not None:
        _check_folder(out)
    found = forecast(protocol, **given)
    if out is not None:
        save_forecast(found, out)
    return found


def _check_folder(out: Path) -> None:
    """Before minutes of work: a folder, and not one of a trial's data."""
    from remyelin.virtual.place import check_folder

    check_folder(out)
    if any((out / f"measurements.{kind}").exists() for kind in ("tsv", "parquet")):
        found = "a folder that holds measurements"
        raise RefuseRun("", str(out), found, "a folder of its own for the forecast", "name another folder")


def save_forecast(forecast: Forecast, out: Path) -> tuple[Path, ...]:
    """Write `forecast.txt`, `forecast.json`, `forecast.svg` and a `forecast_NAME.tsv` for each table.

    The same forecast gives the same bytes.
    """
    from remyelin.provenance import versions

    from .forecast_plot import draw_forecast

    said = forecast.to_dict()
    content = {
        "forecast.txt": f"{forecast}\n".encode(),
        "forecast.json": (
            json.dumps({"remyelin": versions()["remyelin"], **said}, indent=1, sort_keys=True) + "\n"
        ).encode(),
    }
    for name in TABLES:
        content[f"forecast_{name}.tsv"] = _table(said[name])
    with output_lock(out):
        for name, data in content.items():
            atomic_write(out / name, data)
        draw_forecast(forecast, path=out / "forecast.svg")
    return tuple(out / name for name in (*content, "forecast.svg"))


def _table(rows: Sequence[Mapping[str, Any]]) -> bytes:
    flat = [_flat(row) for row in rows]
    columns = list(dict.fromkeys(key for row in flat for key in row))
    lines = ["\t".join(columns)] + ["\t".join(_cell(row[key]) for key in columns) for row in flat]
    return ("\n".join(lines) + "\n").encode()


def _flat(row: Mapping[str, Any]) -> dict[str, Any]:
    """One level: ``true`` and ``result`` become ``true_median`` and so on."""
    out: dict[str, Any] = {}
    for key, value in row.items():
        if isinstance(value, Mapping):
            out |= {f"{key}_{inner}": each for inner, each in value.items() if inner not in ("label", "unit")}
            out["unit"] = value["unit"]
        else:
            out[key] = value
    return out


def _cell(value: Any) -> str:
    if value in (None, ""):
        return "n/a"
    return f"{value:.6g}" if isinstance(value, float) else str(value)
