"""Pictures of forecasts: what is expected, what decides it, and how published trials were predicted."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .canvas import Picture, canvas, markup, saved
from .colour import ARMS, INK, LOSS, MUTED, RULE
from .words import shortened

if TYPE_CHECKING:
    from remyelin.virtual.expected import Expected
    from remyelin.virtual.forecast import Forecast

MOST_BARS = 10


@dataclass(frozen=True, slots=True)
class Prediction:
    """A published result and what was predicted of it.

    Attributes
    ----------
    label, unit
        Of the result.
    levels
        5, 25, 50, 75 and 95 % of the predicted result of a trial of that size.
    estimate, low, high
        What was published.
    predicted
        False where the result served to calibrate.
    """

    label: str
    unit: str
    levels: tuple[float, float, float, float, float]
    estimate: float
    low: float
    high: float
    predicted: bool = True


def draw_published(
    rows: Sequence[Prediction], *, name: str = "published", path: Path | str | None = None
) -> Picture:
    """Draw predicted distributions beside published intervals, one panel for each unit, as SVG.

    Examples
    --------
    >>> row = Prediction("trial, P100", "ms", (-3, -2, -1, 0, 1), -1.2, -2.4, -0.1)
    >>> draw_published([row]).startswith('<svg class="chart"')
    True
    """
    units = list(dict.fromkeys(row.unit for row in rows))
    groups = [[row for row in rows if row.unit == unit] for unit in units]
    heights = [len(group) + 0.8 for group in groups]
    said = [f"{row.label}: predicted {row.levels[2]:.2f}, published {row.estimate:g}" for row in rows]
    with canvas(7.6, 0.62 * sum(heights) + 0.5, len(groups), 1, gridspec_kw={"height_ratios": heights}) as (
        figure,
        axes,
    ):
        for (ax,), unit, group in zip(axes, units, groups, strict=True):
            ax.axvline(0, color=RULE, lw=1)
            for k, row in enumerate(group):
                _predicted(ax, -k, row)
            ax.set_yticks([-k for k in range(len(group))], [shortened(row.label, 34) for row in group])
            ax.set_ylim(-len(group) + 0.4, 0.6)
            ax.set_xlabel(f"treatment less placebo, {unit}")
        first = axes[0, 0]
        for words, x, colour in (("predicted", 0.0, ARMS[0]), ("published", 0.16, INK)):
            first.text(x, 1.02, words, transform=first.transAxes, color=colour, fontsize=9, fontweight="bold")
        picture = markup(figure, name, "; ".join(said))
    return saved(picture, path)


def _predicted(ax: Any, y: float, row: Prediction) -> None:
    colour = ARMS[0] if row.predicted else MUTED
    low, inner, middle, outer, high = row.levels
    ax.plot([low, high], [y + 0.14] * 2, color=colour, lw=2, alpha=0.5, solid_capstyle="butt")
    ax.plot([inner, outer], [y + 0.14] * 2, color=colour, lw=6, alpha=0.7, solid_capstyle="butt")
    ax.plot([middle], [y + 0.14], "|", color="white", ms=8, mew=2)
    ax.plot([row.low, row.high], [y - 0.16] * 2, color=INK, lw=1.4)
    ax.plot([row.estimate], [y - 0.16], "D", color=INK, ms=5)
    if not row.predicted:
        ax.text(
            1.0, y, "calibrated on", transform=ax.get_yaxis_transform(), ha="right", fontsize=8, color=MUTED
        )


def draw_forecast(forecast: Forecast, *, name: str = "forecast", path: Path | str | None = None) -> Picture:
    """Draw the effect by day and age, and what decides it, as SVG.

    Parameters
    ----------
    forecast
        From `remyelin.forecast`.
    name
        Prefix of the ids, so that several figures can stand on one page.
    path
        Also write the figure to this file.
    """
    first = forecast.answers[0]
    panels = [
        ("by day", "days from baseline", forecast.visits),
        ("by age", "age at baseline, years", forecast.ages),
        ("by severity", "severity, 0 none to 1 full", forecast.severities),
    ]
    panels = [panel for panel in panels if panel[-1]]
    rows = 2 if forecast.moved else 1
    with canvas(9.0, 3.4 * rows, rows, max(len(panels), 1)) as (figure, axes):
        for ax, (title, below, found) in zip(axes[0], panels, strict=False):
            if ax is not axes[0, 0]:
                ax.sharey(axes[0, 0])
            _effects(ax, found)
            ax.set_title(title)
            ax.set_xlabel(below)
        axes[0, 0].set_ylabel(f"true effect, {first.true.unit}")
        if forecast.moved:
            for ax in axes[1, 1:]:
                ax.remove()
            _decides(figure, axes[1, 0], forecast)
        figure.suptitle(_title(forecast), x=0.01, ha="left", fontsize=10)
        alt = (
            f"{forecast.protocol.trial.id}, {first.endpoint}: true effect {first.true.median:.2f} "
            f"{first.true.unit} ({first.true.low:.2f} to {first.true.high:.2f})"
        )
        picture = markup(figure, name, alt)
    return saved(picture, path)


def _title(forecast: Forecast) -> str:
    first = forecast.answers[0]
    warning = "" if forecast.enough else ": TOO FEW"
    return (
        f"Forecast of {forecast.protocol.trial.id}: {first.endpoint}, {first.arm} less placebo\n"
        f"median and 90 % of {forecast.draws} worlds, calibrated on "
        f"{', '.join(('animals', *forecast.calibrated_on))}; as sharp as {forecast.worlds_left:.0f}{warning}"
    )


def _effects(ax: Any, rows: Sequence[Expected]) -> None:
    """Median and interval of each row, of too few worlds neither."""
    ax.axhline(0, color=RULE, lw=1)
    for k, row in enumerate(rows):
        if row.few:
            ax.text(
                k, 0.5, f"{int(row.worlds)} worlds, too few to say", transform=ax.get_xaxis_transform(),
                color=MUTED, fontsize=8, rotation=90, ha="center", va="center",
            )  # fmt: skip
        else:
            ax.plot([k, k], [row.low, row.high], color=ARMS[0], lw=2, alpha=0.5)
            ax.plot([k], [row.median], "o", color=ARMS[0], ms=6)
    labels = [row.label.removeprefix("day ").removeprefix("severity ").removesuffix(" years") for row in rows]
    ax.set_xticks(range(len(rows)), labels, fontsize=8)
    ax.set_xlim(-0.5, len(rows) - 0.5)


def _decides(figure: Any, ax: Any, forecast: Forecast) -> None:
    moved = forecast.moved[:MOST_BARS][::-1]
    ax.set_subplotspec(figure.axes[0].get_subplotspec().get_gridspec()[1, :])
    ax.barh(
        [row.name for row in moved], [max(0.0, row.total) for row in moved],
        xerr=[row.total_half_width for row in moved], ecolor=INK, color=LOSS, alpha=0.8,
    )  # fmt: skip
    ax.set_xlim(left=0)
    ax.set_title("what decides effect / SE before calibration (lines: 95 %)")
    ax.set_xlabel("part of its variance that is left if all others are known (Sobol, total)")
