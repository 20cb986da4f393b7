"""What the evidence base knows of an endpoint: SD, effects, and trials that were sized for it."""

from __future__ import annotations

import math

import pandas as pd

from remyelin.errors import InputError
from remyelin.evidence import Parameter, find, records
from remyelin.evidence.load import parameter_rows
from remyelin.protocol import Endpoint
from remyelin.tables import MEASURES
from remyelin.trial.power.layout import Layout
from remyelin.trial.power.noncentral import root, t_power
from remyelin.trial.power.spread import Spread, row_words

POWERS = (0.8, 0.9)
# Rows of the evidence base by measure. A difference between two periods is one between two visits, as a
# change.
_SD = {
    "mtr_pu": ("submedian_mtr_change_sd",),
    "p100_latency_ms": ("p100_change_sd", "p100_treatment_contrast_sd"),
    "vep_shift_ms": ("p100_change_sd", "p100_treatment_contrast_sd"),
}


def sd_rows(endpoint: Endpoint) -> list[Parameter]:
    """Rows that give an SD for the endpoint, the smallest first; those that were not read in a source too."""
    if _other_than_lesions(endpoint):
        return []
    names = _SD.get(endpoint.measure, ())
    return sorted((row for row in parameter_rows() if row.name in names), key=lambda row: row.value)


def published_effects(endpoint: Endpoint) -> dict[str, float]:
    """By source, the differences that trials found in their primary endpoint where it is this measure."""
    if _other_than_lesions(endpoint):
        return {}
    measure = MEASURES[endpoint.measure].change_of or endpoint.measure
    same = {row.id for row in records("endpoints") if row.measure == measure}
    rows = [row for row in records("results") if row.endpoint in same and row.primary]
    return {
        row.read_in: row.estimate
        for row in rows
        if row.scale == "difference" and row.estimate is not None and row.status != "unverified"
    }


def _other_than_lesions(endpoint: Endpoint) -> bool:
    """What is known of the MTR is known of that of lesions."""
    return endpoint.measure == "mtr_pu" and endpoint.site != "lesion"


def chosen_row(endpoint: Endpoint, source: str) -> Parameter:
    """The SD of the endpoint that was read in this source.

    Raises
    ------
    InputError
        None, one that was recalled and not read, or several; those that could be meant are listed.
    """
    rows = [row for row in sd_rows(endpoint) if source in row.source]
    if len(rows) == 1 and rows[0].status != "unverified":
        return rows[0]
    usable = [row for row in sd_rows(endpoint) if row.status != "unverified"]
    listed = ", ".join(f"{row.read_in} ({row.value:g} {row.unit})" for row in usable)
    why = "whose SD was recalled and not read" if rows else "no source of an SD for this endpoint"
    raise InputError(
        "", "sd", f"'{source}', {why}", "a number, or the source of an SD in the evidence base",
        f"use one of {listed}, or give the number and its unit" if listed else "give the number and its unit",
    )  # fmt: skip


def implied(endpoint: Endpoint, layout: Layout, effects: dict[str, float]) -> pd.DataFrame:
    """What each SD on record would need: a row for each of them and each effect.

    Parameters
    ----------
    endpoint
        Its rows are taken.
    layout
        Design, alpha and allocation; its spread is replaced.
    effects
        By source, in the unit of the measure.

    Returns
    -------
    pandas.DataFrame
        ``sd, unit, of, row, source, status, assumed, effect, effect_source, n_80, n_90, total_80, total_90``;
        a number is infinite where it is over a million.
    """
    rows = []
    for row in sd_rows(endpoint):
        for assumed, spread in _readings(row):
            for effect_source, effect in effects.items():
                own = Layout(spread, layout.design, layout.alpha, layout.sided, layout.allocation)
                sizes = [_size(own, effect, power) for power in POWERS]
                rows.append(
                    {
                        "sd": row.value,
                        "unit": row.unit,
                        "of": str(row.qualifiers.get("of", "participant")),
                        "row": row_words(row).rsplit(",", 2)[0],
                        "source": row.read_in,
                        "status": row.status,
                        "assumed": assumed,
                        "effect": effect,
                        "effect_source": effect_source,
                        "n_80": sizes[0][0],
                        "n_90": sizes[1][0],
                        "total_80": sum(sizes[0]),
                        "total_90": sum(sizes[1]),
                    }
                )
    return pd.DataFrame(rows)


def _size(layout: Layout, effect: float, power: float) -> tuple[float, ...]:
    """Infinite where a million participants are not enough: one row must not stop the others."""
    try:
        return layout.rounded(layout.needed(effect, power))
    except InputError:
        return (math.inf, math.inf)


def _readings(row: Parameter) -> list[tuple[str, Spread]]:
    """An SD of one eye bounds that of a participant: two eyes that change alike, and two that do not."""
    if row.qualifiers.get("of", "participant") == "participant":
        return [("", Spread.of_row(row))]
    return [
        ("one eye each, or two that change alike", Spread.of_row(row, sites=1)),
        ("two eyes that change independently", Spread.of_row(row, sites=2, icc=0.0)),
    ]


def published_sizes(endpoint: Endpoint, power: float = 0.8, alpha: float = 0.05) -> pd.DataFrame:
    """Trials of lesional MTR that van den Elskamp 2010 sized, beside what a noncentral t makes of them.

    The SD behind them was not seen. What can be computed is the standardised effect that each size implies,
    and from it the size for the other recovery: the effect is proportional to the recovery.

    Returns
    -------
    pandas.DataFrame
        ``recovery_percent, published_total, implied_d, from_the_other, our_total``; empty for other
        endpoints.
    """
    if endpoint.site != "lesion" or not endpoint.measure.startswith(("mtr", "mtsat")):
        return pd.DataFrame()
    statements = find("sample_sizes/van-den-elskamp-2010").statements
    implied_d = {row.effect_percent: _implied_d(row.n_total, power, alpha) for row in statements}
    table = []
    for row in statements:
        own = row.effect_percent
        other = next(percent for percent in implied_d if percent != own)
        d = implied_d[other] * own / other
        layout = Layout(Spread.of_participant(1.0), alpha=alpha)
        table.append(
            {
                "recovery_percent": own,
                "published_total": row.n_total,
                "implied_d": implied_d[own],
                "from_the_other": d,
                "our_total": sum(layout.rounded(layout.needed(d, power))),
            }
        )
    return pd.DataFrame(table)


def _implied_d(total: float, power: float, alpha: float) -> float:
    n = total / 2
    return root(lambda d: float(t_power(d * (n / 2) ** 0.5, total - 2, alpha)) - power, 0.0, 5.0)
