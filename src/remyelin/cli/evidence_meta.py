"""`remyelin evidence meta`: the evidence base, the statistics and the forest plot, joined."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from remyelin.errors import InputError
from remyelin.evidence.selection import Selection, select

from .page import Page, table, words

if TYPE_CHECKING:
    from rich.console import RenderableType

    from remyelin.trial.meta import MetaAnalysis

_TOWARDS = {
    "lower": ("favours treatment", "favours control"),
    "higher": ("favours control", "favours treatment"),
}
_CAUTION = (
    "Rows that differ in treatment, people and design are pooled as they stand; look at the rows before the "
    "mean. A research tool: no advice on treatment."
)


def meta_page(
    endpoint: str,
    *,
    results: Sequence[str],
    trials: Sequence[str],
    only: Mapping[str, str],
    anyway: bool,
    unverified: bool,
    path: Path | None,
    method: Any,
    test: Any,
    out: Path | None,
) -> Page:
    """Choose the rows of an endpoint, pool them, and draw them.

    Raises
    ------
    InputError
        As `evidence.selection.select` and `trial.meta_analysis`; fewer than two trials.
    """
    from remyelin.trial.meta import meta_analysis

    chosen = select(
        endpoint, results=results, trials=trials, only=only, unverified=unverified, anyway=anyway, path=path
    )
    if len(chosen.studies) < 2:
        only_one = chosen.studies[0]
        raise InputError(
            "", "results", f"one, {only_one.result.id}", "two trials or more",
            "loosen the filters: one trial is its own result",
        )  # fmt: skip
    fit = meta_analysis(
        [study.effect for study in chosen.studies],
        [study.se**2 for study in chosen.studies],
        labels=[study.label for study in chosen.studies],
        units=chosen.unit or None,
        estimands=chosen.endpoint.name,
        method=method,
        test=test,
    )
    if out is not None:
        _draw(fit, chosen, out)
    warnings = [f"Pooled anyway, {each}" for each in chosen.warnings] + list(_too_narrow(fit, chosen))
    return Page(_data(fit, chosen, warnings, out), lambda: _parts(fit, chosen, warnings, out))


def _too_narrow(fit: MetaAnalysis, chosen: Selection) -> Iterator[str]:
    """Knapp and Hartung's interval is that of the scatter seen, which may be too little by chance.

    Roever, Knapp, Friede 2015, 10.1186/s12874-015-0091-1.
    """
    if fit.test != "knapp-hartung":
        return
    half = 1.96 * float(np.sum(1 / (fit.studies.variances + fit.tau2)) ** -0.5)
    if fit.ci[1] - fit.estimate < half:
        ends = fit.estimate - half, fit.estimate + half
        yield (
            "The trials scatter less than their own errors let them, so that the Knapp-Hartung interval is "
            f"too narrow: by their errors it is {_said(chosen, *ends)} (--test z)"
        )


def _draw(fit: MetaAnalysis, chosen: Selection, out: Path) -> None:
    from remyelin.report import forest

    directions = _TOWARDS.get(chosen.endpoint.better, ("lower with treatment", "higher with treatment"))
    mixed = ", ".join(each.partition(" mixed")[0] for each in chosen.warnings)
    title = chosen.endpoint.name + (f"; mixed {mixed}" if mixed else "")
    forest(fit, ratio=chosen.ratio, directions=directions, title=title, path=out)


def _data(fit: MetaAnalysis, chosen: Selection, warnings: list[str], out: Path | None) -> dict[str, Any]:
    return {
        "endpoint": chosen.endpoint.id,
        "unit": chosen.unit,
        "scale": chosen.studies[0].result.scale,
        "logarithm": chosen.ratio,
        "method": fit.method,
        "test": fit.test,
        "estimate": fit.estimate,
        "se": fit.se,
        "ci": list(fit.ci),
        "p": fit.p,
        "prediction_interval": list(fit.prediction_interval) if fit.method != "FE" else None,
        "tau2": fit.tau2,
        "i2": fit.i2,
        "q": fit.q,
        "q_df": fit.q_df,
        "q_p": fit.q_p,
        "studies": [
            {
                "result": study.result.id,
                "trial": study.result.trial,
                "effect": study.effect,
                "se": study.se,
                "se_from": study.se_from,
                "weight": float(weight),
                "source": list(study.result.source),
            }
            for study, weight in zip(chosen.studies, fit.weights, strict=True)
        ],
        "warnings": warnings,
        "left_out": [{"result": name, "why": why} for name, why in chosen.left_out],
        "figure": None if out is None else str(out),
    }


def _parts(
    fit: MetaAnalysis, chosen: Selection, warnings: list[str], out: Path | None
) -> Iterator[RenderableType]:
    yield from (words(f"{warning}.", "bold") for warning in warnings)
    rows = [
        (
            study.label,
            study.result.id,
            _said(chosen, study.effect, study.effect - 1.96 * study.se, study.effect + 1.96 * study.se),
            f"{weight:.1f} %",
            study.se_from,
            ", ".join(study.result.source),
        )
        for study, weight in zip(chosen.studies, fit.weights, strict=True)
    ]
    unit = f", {chosen.unit}" if chosen.unit and chosen.unit != "1" else ""
    head = ("trial", "result", f"effect (95 % CI){unit}", "weight", "error from", "source")
    yield table(head, rows, title=chosen.endpoint.name)
    pooled = _said(chosen, fit.estimate, *fit.ci)
    yield words(f"Pooled ({fit.method}, {fit.test}): {pooled}{unit.lstrip(',')}, p = {fit.p:.3g}", "bold")
    if fit.method != "FE":
        yield words(f"A further such trial (95 %): {_said(chosen, *fit.prediction_interval)}")
    yield words(f"tau2 = {fit.tau2:.4g}, I2 = {fit.i2:.1f} %, Q({fit.q_df}) = {fit.q:.2f}, p = {fit.q_p:.3g}")
    if chosen.left_out:
        yield table(("left out", "why"), chosen.left_out)
    if out is not None:
        yield words(f"Forest plot: {out}")
    yield words(_CAUTION)


def _said(chosen: Selection, *numbers: float) -> str:
    """An effect and its interval, or an interval; ratios as ratios."""
    shown = [f"{np.exp(each) if chosen.ratio else each:.3g}" for each in numbers]
    interval = f"{shown[-2]} to {shown[-1]}"
    return f"{shown[0]} ({interval})" if len(shown) == 3 else interval
