"""What a trial is likely to show."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

from cyclopts import Parameter

from .application import Json, app, say


@app.command
def forecast(
    protocol: str,
    *,
    draws: int = 2048,
    seed: int = 2026,
    calibrate: Annotated[list[str] | None, Parameter(consume_multiple=True, negative=())] = None,
    lesions: Literal["chronic", "acute"] | None = None,
    sobol: int = 128,
    out: Path | None = None,
    json: Json = False,
) -> int:
    """Forecast a trial from the target of its treatment: a distribution, and the assumptions that decide it.

    Example: `remyelin forecast ccmr-two --out OUT`

    Parameters
    ----------
    protocol
        A protocol file (TOML), or the name of a packaged one.
    draws
        Worlds, in each of which every assumption has another value.
    seed
        The same seed gives the same forecast.
    calibrate
        Trials on whose published results the worlds are calibrated, or `none`; by default all but the trial
        that is forecast, which is refused here.
    lesions
        By default those of a packaged trial, else `chronic`.
    sobol
        Points of the sensitivity analysis, a power of 2; 0 leaves it out.
    out
        Write `forecast.txt`, `.json`, `.svg` and tables into this folder.
    json
        Print the forecast as JSON.
    """
    from remyelin.report import forecast_folder

    trials = () if calibrate == ["none"] else calibrate
    found = forecast_folder(
        protocol, out, draws=draws, seed=seed, calibrate=trials, lesions=lesions, base=sobol
    )
    return say(found, json)
