"""Details of a participant's visual evoked potentials: the replicates, and the sectors of the field."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import pandas as pd

from . import waves
from .evoked import Evoked, check_words, eye_words
from .panels import Cell, Panel, Table, quality_chip
from .words import count, number, sentence, signed


def replicates_panel(evoked: Evoked, settings: Mapping[str, Any]) -> Panel:
    """Do the replicates agree?"""
    question = "Do the replicates agree?"
    limit = settings.get("vep_replicate_ms")
    places = [
        (eye, visit, check) for check in evoked.checks for eye in evoked.eyes for visit in evoked.visits
    ]
    known = {place: runs for place in places if (runs := evoked.runs(*place))}
    if not known:
        return Panel("replicates", question, "Unknown: no replicate was measured by itself.")
    many = len(evoked.checks) > 1
    most = max(len(runs) for runs in known.values())
    rows: list[tuple[Cell, ...]] = []
    apart: dict[tuple[str, str, str], float] = {}
    for place, runs in known.items():
        values = [evoked.value("p100_latency_ms", *place, run=run)[0] for run in runs]
        finite = [value for value in values if math.isfinite(value)]
        gap = max(finite) - min(finite) if len(finite) > 1 else math.nan
        apart[place] = gap
        cells: list[Cell] = [number(value, 1) for value in values] + ["n/a"] * (most - len(values))
        checks = [check_words(place[2]) or "not stated"] if many else []
        rows.append((*place[:2], *checks, *cells, number(gap, 1), _agreement(gap, runs, limit)))
    heads = [f"#replicate {k + 1}, ms" for k in range(most)]
    columns = ("eye", "visit", *(["checks"] if many else []), *heads, "#apart, ms", "agreement")
    table = Table("P100 latency of each replicate, one row an eye and visit", columns, tuple(rows))
    return Panel("replicates", question, _agreed(apart, limit), (), table, unfolded=True)


def _agreement(gap: float, runs: list[str], limit: float | None) -> Cell:
    if len(runs) < 2:
        return "one replicate only"
    if not math.isfinite(gap):
        return "not in both"
    if limit is None:
        return ""
    return quality_chip("flag" if gap > limit else "pass")


def _agreed(apart: Mapping[tuple[str, str, str], float], limit: float | None) -> str:
    finite = {place: gap for place, gap in apart.items() if math.isfinite(gap)}
    if not finite:
        return "No response was measured in two replicates, so nothing can be compared."
    place, worst = max(finite.items(), key=lambda item: item[1])
    said = f"The largest difference is {number(worst, 1)} ms ({eye_words(place[0])} at {place[1]})."
    if limit is not None:
        within = sum(gap <= limit for gap in finite.values())
        said = (
            f"In {within} of {count(len(finite), 'response')} they differ by no more than {number(limit, 1)} "
            f"ms, the limit of this measurement. {said}"
        )
    lacking = len(apart) - len(finite)
    return f"{said} {sentence(count(lacking, 'response'))} could not be compared." if lacking else said


def sectors_panel(evoked: Evoked) -> Panel:
    """How did the sectors of the multifocal response change?"""
    question = "Which sectors of the field changed?"
    own = evoked.rows[(evoked.rows["sector"] != "") & (evoked.rows["run"] == "")]
    first, last = evoked.visits[0], evoked.visits[-1]
    wide = own.pivot_table(
        index=["eye", "sector"], columns=["measure", "visit"], values="value", aggfunc="first", dropna=False
    )
    keys = own[["eye", "sector"]].drop_duplicates().sort_values(["eye", "sector"])
    pairs = [(str(eye), str(sector)) for eye, sector in keys.to_numpy()]

    def column(measure: str, visit: str) -> list[float]:
        values = wide[(measure, visit)] if (measure, visit) in wide else pd.Series(dtype=float)
        return [float(values.get(pair, math.nan)) for pair in pairs]

    start, end = column("p100_latency_ms", first), column("p100_latency_ms", last)
    shift = column("vep_shift_ms", last)
    table = keys.assign(value=shift)
    known = table["value"].dropna()
    rows = tuple(
        (*pair, number(a, 1), number(b, 1), signed(c, 1))
        for pair, a, b, c in zip(pairs, start, end, shift, strict=True)
    )
    columns = ("eye", "sector", f"#{first}, ms", f"#{last}, ms", "#shift, ms")
    numbers = Table("one row a sector of an eye", columns, rows)
    answer = f"{sentence(count(len(keys), 'sector'))} of {count(keys['eye'].nunique(), 'eye')}. "
    if not len(known):
        return Panel("sectors", question, f"{answer}No shift of a sector was measured.", (), numbers)
    without = count(int(table["value"].isna().sum()), "sector")
    answer += (
        f"{(known < 0).sum():,} came earlier and {(known > 0).sum():,} later, median "
        f"{signed(known.median(), 1)} ms; {without} without a shift."
    )
    eyes = sorted(keys["eye"].unique())
    drawn = waves.sector_strip(table, eyes, "", "sectors", f"Shift of each sector. {answer}")
    caption = "Each square is a sector, in the order of its number; a cross has no response at one visit."
    return Panel("sectors", question, answer, ((drawn, caption),), numbers)
