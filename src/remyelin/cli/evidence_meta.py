"""`remyelin evidence meta`: the evidence base, the statistics and the forest plot, joined."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from remyelin.errors import InputError
from remyelin.evidence.comparison import published_p
from remyelin.evidence.selection import Selection, listed, select
from remyelin.evidence.study import Study
from remyelin.evidence.wording import effect

from .page import Page, table, words

if TYPE_CHECKING:
    from rich.console import RenderableType

    from remyelin.trial.meta import MetaAnalysis

_TOWARDS = {
    "lower": ("favours treatment", "favours control"),
    "higher": ("favours control", "favours treatment"),
}
_RECOMPUTED = "Intervals of rows in the picture are effect +- 1.96 standard errors, not those published."
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
        found = f"one, {chosen.studies[0].result.id}"
        found += f" (left out: {listed(chosen.left_out)})" if chosen.left_out else ""
        fix = "loosen the filters: " if results or trials or only else ""
        fix += f"one trial is its own result, `remyelin evidence show {chosen.studies[0].result.id}`"
        raise InputError("", "results", found, "two trials or more", fix)
    fit = meta_analysis(
        [study.effect for study in chosen.studies],
        [study.se**2 for study in chosen.studies],
        labels=[study.label for study in chosen.studies],
        units=chosen.unit or None,
        estimands=chosen.endpoint.name,
        method=method,
        test=test,
    )
    warnings = [f"Pooled anyway, {each}" for each in chosen.warnings]
    warnings += [f"Pooled as they stand, {each}" for each in chosen.notes]
    warnings += _too_narrow(fit, chosen)
    if out is not None:
        _draw(fit, chosen, warnings, out)
    return Page(_data(fit, chosen, warnings, out), lambda: _parts(fit, chosen, warnings, out))


def _by_errors(fit: MetaAnalysis) -> tuple[float, float] | None:
    """The interval by the trials' own errors, where Knapp and Hartung's is narrower; None where it is not.

    Theirs is that of the scatter seen, which may be too little by chance: Roever, Knapp, Friede 2015,
    10.1186/s12874-015-0091-1.
    """
    half = 1.96 * float(np.sum(1 / (fit.studies.variances + fit.tau2)) ** -0.5)
    if fit.test != "knapp-hartung" or fit.ci[1] - fit.estimate >= half:
        return None
    return fit.estimate - half, fit.estimate + half


def _too_narrow(fit: MetaAnalysis, chosen: Selection) -> Iterator[str]:
    if ends := _by_errors(fit):
        yield (
            "The trials scatter less than their own errors let them, so that the Knapp-Hartung interval is "
            f"too narrow, and its p too small: by their errors it is {_said(chosen, *ends)} (--test z)"
        )


def _draw(fit: MetaAnalysis, chosen: Selection, warnings: list[str], out: Path) -> None:
    from remyelin.report import forest

    directions = _TOWARDS.get(chosen.endpoint.better, ("lower with treatment", "higher with treatment"))
    mixed = ", ".join(each.partition(" mixed")[0] for each in chosen.warnings)
    title = chosen.endpoint.name + (f"; mixed {mixed}" if mixed else "")
    rows = [
        f"{study.label}: {study.result.id}, {_published(study)}, read in {study.result.read_in or 'nothing'}"
        for study in chosen.studies
    ]
    notes = [*warnings, *rows, _RECOMPUTED, _CAUTION]
    forest(fit, ratio=chosen.ratio, directions=directions, title=title, notes=notes, path=out)


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
        "ci_by_errors": list(ends) if (ends := _by_errors(fit)) else None,
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
                "published": _published(study),
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
            _published(study),
            _said(chosen, study.effect, study.effect - 1.96 * study.se, study.effect + 1.96 * study.se),
            f"{weight:.1f} %",
            study.se_from,
            ", ".join(study.result.source),
        )
        for study, weight in zip(chosen.studies, fit.weights, strict=True)
    ]
    unit = f", {chosen.unit}" if chosen.unit and chosen.unit != "1" else ""
    head = ("trial", "result", "published", f"pooled as{unit}", "weight", "error from", "source")
    yield table(head, rows, title=chosen.endpoint.name)
    pooled = _said(chosen, fit.estimate, *fit.ci)
    wider = _by_errors(fit)
    beside = f"; by the trials' own errors {_said(chosen, *wider)}" if wider else ""
    line = f"Pooled ({fit.method}, {fit.test}): {pooled}{unit.lstrip(',')}, p = {fit.p:.3g}{beside}"
    yield words(line, "bold")
    if fit.method != "FE":
        yield words(f"A further such trial (95 %): {_said(chosen, *fit.prediction_interval)}")
    yield words(f"tau2 = {fit.tau2:.4g}, I2 = {fit.i2:.1f} %, Q({fit.q_df}) = {fit.q:.2f}, p = {fit.q_p:.3g}")
    if chosen.left_out:
        yield table(("left out", "why"), chosen.left_out)
    if out is not None:
        yield words(f"Forest plot: {out}")
    yield words(_CAUTION)


def _published(study: Study) -> str:
    """What the report says of a row, with the p that its error was made of."""
    result = study.result
    level = f", {100 * result.level:g} % interval" if result.level and result.level != 0.95 else ""
    p = published_p(result) if study.se_from == "p" else None
    return effect(result) + level + (f", p {p[0]}" if p else "")


def _said(chosen: Selection, *numbers: float) -> str:
    """An effect and its interval, or an interval; ratios as ratios."""
    shown = [f"{np.exp(each) if chosen.ratio else each:.3g}" for each in numbers]
    interval = f"{shown[-2]} to {shown[-1]}"
    return f"{shown[0]} ({interval})" if len(shown) == 3 else interval
