"""Charts as inline SVG: the same numbers give the same bytes, and nothing is fetched."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from markupsafe import Markup

from .canvas import canvas, markup
from .colour import BLINDED, FAINT, GAIN, INK, LOSS, MUTED, RULE
from .words import interval, shortened, signed

if TYPE_CHECKING:
    from matplotlib.axes import Axes

MANY_POINTS = 1500
LABEL = 44  # letters in a line


def strip(
    estimate: float, low: float, high: float, unit: str, zero_words: str = "no effect", digits: int = 2
) -> Markup:
    """An estimate and its interval on a line with 0, for the dark box on top of a page."""
    reach = 1.15 * max(abs(low), abs(high), 1e-9)
    left, right = min(low, 0) - 0.12 * reach, max(high, 0) + 0.12 * reach

    def at(value: float) -> str:
        return f"{20 + 460 * (value - left) / (right - left):.1f}"

    x = float(at(estimate))
    return Markup(
        '<svg class="strip" viewBox="0 0 500 50" role="img" aria-label="{alt}">'
        '<line x1="20" y1="32" x2="480" y2="32" stroke="#4d7a80"/>'
        '<line x1="{zero}" y1="10" x2="{zero}" y2="36" stroke="#d6ebe8" stroke-dasharray="3 3"/>'
        '<line x1="{low}" y1="22" x2="{high}" y2="22" stroke="#7fd1c4" stroke-width="5" '
        'stroke-linecap="round"/>'
        '<path d="M{x0} 22L{x} 13L{x1} 22L{x} 31Z" fill="#fff"/>'
        '<text x="{zero}" y="48" text-anchor="middle">{zero_words}</text>'
        '<text x="{low}" y="9" text-anchor="middle">{low_words}</text>'
        '<text x="{high}" y="9" text-anchor="middle">{high_words}</text></svg>'
    ).format(
        alt=f"{signed(estimate, digits)} {unit}, interval {interval(low, high, digits)}; {zero_words} is 0",
        zero_words=zero_words,
        zero=at(0),
        low=at(low),
        high=at(high),
        x=f"{x:.1f}",
        x0=f"{x - 7:.1f}",
        x1=f"{x + 7:.1f}",
        low_words=signed(low, digits),
        high_words=signed(high, digits),
    )


def forest(rows: Sequence[Mapping[str, Any]], unit: str, name: str, alt: str) -> Markup:
    """Estimates with their intervals, one line each, the first set off as the main one.

    Each row has `label, estimate, ci_low, ci_high`; a long label takes several lines.
    """
    labels = ["\n".join(textwrap.wrap(row["label"], LABEL, max_lines=4, placeholder=" …")) for row in rows]
    lines = max(label.count("\n") + 1 for label in labels)
    with canvas(8.2, 0.75 + max(0.36, 0.18 * lines + 0.04) * len(rows)) as (figure, ((ax,),)):
        ax.axvline(0, color=FAINT, lw=1, zorder=0)
        for y, row in enumerate(rows):
            main = y == 0
            colour = INK if main else MUTED
            ax.plot([row["ci_low"], row["ci_high"]], [y, y], color=colour, lw=2.6 if main else 1.6)
            ax.plot(row["estimate"], y, "D" if main else "o", color=colour, ms=7 if main else 5)
            said = f"{signed(row['estimate'])}  ({interval(row['ci_low'], row['ci_high'])})"
            ax.text(1.02, y, said, transform=ax.get_yaxis_transform(), va="center", fontsize=9, color=colour)
        ax.set_yticks(range(len(rows)), labels)
        for tick, weight in zip(ax.get_yticklabels(), ["bold"] + ["normal"] * len(rows), strict=False):
            tick.set_fontweight(weight)
            tick.set_color(INK)
        ax.tick_params(axis="y", length=0)
        ax.spines["left"].set_visible(False)
        ax.set_ylim(len(rows) - 0.4, -0.6)
        ax.set_xlabel(f"difference in change, {unit}")
        return markup(figure, name, alt)


def participants(
    frame: pd.DataFrame, arms: Mapping[str, str], unit: str, visits: tuple[str, str], name: str, alt: str
) -> Markup:
    """Each participant before and after, and the change, by arm.

    `frame` has `participant_id, arm, baseline, follow_up, change`; `arms` maps an arm to its colour, in
    order. Points lead to the participant's page.
    """
    with canvas(9.2, 1.5 + 1.15 * len(arms), 1, 2, width_ratios=[1, 1.6]) as (figure, ((left, right),)):
        for k, (arm, colour) in enumerate(arms.items()):
            own = frame[frame["arm"] == arm]
            pairs = own[["baseline", "follow_up"]].to_numpy(float).T
            left.plot([k - 0.25, k + 0.25], pairs, "-o", color=colour, ms=3.5, lw=1, alpha=_thinned(own, 30))
            _rain(right, own, k, colour)
        left.set_xticks(range(len(arms)), [_arm_words(arm) for arm in arms])
        left.set_xlim(-0.6, len(arms) - 0.4)
        left.set_ylabel(unit)
        left.set_title(f"{visits[0]} to {visits[1]}")
        right.axvline(0, color=FAINT, lw=1, zorder=0)
        right.set_yticks(range(len(arms)), [_arm_words(arm) for arm in arms])
        right.set_ylim(len(arms) - 0.4, -0.7)
        right.tick_params(axis="y", length=0)
        right.spines["left"].set_visible(False)
        right.set_xlabel(f"change, {unit}")
        right.set_title("change of each participant; mean with 95 % interval")
        return markup(figure, name, alt)


def _rain(ax: Axes, own: pd.DataFrame, y: float, colour: str) -> None:
    change = own["change"].to_numpy(float)
    if len(change) >= 5 and np.ptp(change) > 0:
        _cloud(ax, change, y, colour)
    offsets = 0.18 + 0.16 * (np.arange(len(change)) % 3 - 1) / 1.5
    order = np.argsort(change, kind="stable")
    size = 34 * _thinned(own, 60)
    points = ax.scatter(change[order], y + offsets, s=size, color=colour, edgecolor="white", lw=0.6, zorder=3)
    points.set_urls([f"{p}/{p}.html" for p in own["participant_id"].to_numpy()[order]])
    if len(change) >= 2:
        from scipy.stats import t

        half = t.ppf(0.975, len(change) - 1) * change.std(ddof=1) / np.sqrt(len(change))
        ax.plot([change.mean() - half, change.mean() + half], [y - 0.12] * 2, color=INK, lw=2)
        ax.plot(change.mean(), y - 0.12, "D", color=INK, ms=6)


def _cloud(ax: Axes, change: np.ndarray[Any, Any], y: float, colour: str) -> None:
    width = 1.06 * change.std(ddof=1) * len(change) ** -0.2  # Silverman's rule
    at = np.linspace(change.min() - 2 * width, change.max() + 2 * width, 80)
    density = np.exp(-0.5 * ((at[:, None] - change) / width) ** 2).sum(1)
    ax.fill_between(at, y - 0.2, y - 0.2 - 0.34 * density / density.max(), color=colour, alpha=0.22, lw=0)


def lesions(frame: pd.DataFrame, arms: Mapping[str, str], name: str, alt: str) -> Markup:
    """Change of each lesion against its baseline, one picture an arm; lesions below the median are filled.

    `frame` has `arm, baseline, change, submedian, volume_mm3`.
    """
    with canvas(9.2, 3.5, 1, len(arms), sharex=True, sharey=True) as (figure, (axes,)):
        for ax, (arm, colour) in zip(axes, arms.items(), strict=True):
            own = frame[frame["arm"] == arm]
            size = np.clip(own["volume_mm3"].fillna(50).to_numpy(float) / 6, 8, 160) * _thinned(own, 200)
            for below in (False, True):
                part = (own["submedian"] == below).to_numpy()
                ax.scatter(
                    own["baseline"][part],
                    own["change"][part],
                    s=size[part],
                    facecolor=colour if below else "none",
                    edgecolor="white" if below else colour,
                    alpha=0.85,
                    lw=0.7 * _thinned(own, 200),
                    rasterized=len(frame) > MANY_POINTS,
                    label="below the participant's median" if below else "the others",
                )
            ax.axhline(0, color=FAINT, lw=1, zorder=0)
            low = own[own["submedian"]]
            if len(low):
                ax.plot(
                    [low["baseline"].min(), low["baseline"].max()],
                    [low["change"].mean()] * 2,
                    color=INK,
                    lw=2,
                )
            ax.set_title(_arm_words(arm))
            ax.set_xlabel("MTR of the lesion at baseline, pu")
        axes[0].set_ylabel("change, pu")
        axes[0].legend(loc="upper right", fontsize=8, handletextpad=0.2)
        return markup(figure, name, alt)


def eyes(frame: pd.DataFrame, arms: Mapping[str, str], unit: str, name: str, alt: str) -> Markup:
    """Change of each eye against its value at the first visit, one picture an arm.

    `frame` has `participant_id, arm, baseline, change, se`. Points lead to the participant's page.
    """
    frame = frame[frame["baseline"].notna()]
    with canvas(9.2, 3.5, 1, len(arms), sharex=True, sharey=True) as (figure, (axes,)):
        for ax, (arm, colour) in zip(axes, arms.items(), strict=True):
            own = frame[frame["arm"] == arm]
            ax.axhline(0, color=FAINT, lw=1, zorder=0)
            x, y, half = (own[key].to_numpy(float) for key in ("baseline", "change", "se"))
            half = 1.96 * np.nan_to_num(half)
            ax.vlines(x, y - half, y + half, color=colour, lw=1, alpha=0.45 * _thinned(own, 60))
            points = ax.scatter(
                x, y, s=36 * _thinned(own, 60), color=colour, edgecolor="white", lw=0.6, zorder=3
            )
            points.set_urls([f"{p}/{p}.html" for p in own["participant_id"]])
            if len(own):
                ax.plot([x.min(), x.max()], [y.mean()] * 2, color=INK, lw=2)
            ax.set_title(_arm_words(arm))
            ax.set_xlabel(f"at the first visit, {unit}")
        axes[0].set_ylabel(f"change, {unit}")
        return markup(figure, name, alt)


def caterpillar(frame: pd.DataFrame, name: str, alt: str) -> Markup:
    """The change of each lesion of a participant with its 95 % interval, smallest first.

    `frame` has `lesion, change, se, submedian`.
    """
    own = frame.sort_values(["change", "lesion"], kind="stable")
    with canvas(9.2, 2.9) as (figure, ((ax,),)):
        ax.axhline(0, color=FAINT, lw=1, zorder=0)
        for x, (_, row) in enumerate(own.iterrows()):
            colour = GAIN if row["change"] > 0 else LOSS
            half = 1.96 * row["se"]
            ax.plot([x, x], [row["change"] - half, row["change"] + half], color=colour, lw=1.4, alpha=0.7)
            face = colour if row["submedian"] else "white"
            ax.plot(x, row["change"], "o", color=colour, markerfacecolor=face, ms=6)
        ax.set_xticks(range(len(own)), own["lesion"], rotation=90 if len(own) > 24 else 0, fontsize=8)
        ax.set_xlim(-0.8, len(own) - 0.2)
        ax.set_ylabel("change, pu")
        ax.set_xlabel("lesion (filled: below the participant's median at baseline)")
        return markup(figure, name, alt)


def registrations(frame: pd.DataFrame, name: str, alt: str) -> Markup:
    """Registration error of every pair of images, by kind; flagged and failed ones are marked.

    `frame` has `pair, error_mm, quality`.
    """
    kinds = list(dict.fromkeys(frame["pair"]))
    marks = {"pass": ("o", BLINDED), "flag": ("^", LOSS), "fail": ("X", "#b3002d")}
    with canvas(9.2, 1.1 + 0.42 * len(kinds)) as (figure, ((ax,),)):
        for y, kind in enumerate(kinds):
            own = frame[frame["pair"] == kind].sort_values("error_mm", kind="stable")
            offset = 0.12 * (np.arange(len(own)) % 3 - 1)
            for quality, (mark, colour) in marks.items():
                part = (own["quality"] == quality).to_numpy()
                ax.scatter(
                    own["error_mm"][part],
                    y + offset[part],
                    marker=mark,
                    s=30,
                    color=colour,
                    edgecolor="white",
                    lw=0.6,
                )
        ax.set_yticks(range(len(kinds)), kinds)
        ax.set_ylim(len(kinds) - 0.5, -0.5)
        ax.set_xlim(left=0)
        ax.grid(axis="x", color=RULE, lw=0.6)
        ax.set_axisbelow(True)
        ax.set_xlabel("registration error, mm")
        return markup(figure, name, alt)


def _thinned(own: pd.DataFrame, many: int) -> float:
    """How much smaller or fainter a mark becomes when there are more than `many`, at least 0.2."""
    return float(max(0.2, min(1.0, (many / max(len(own), 1)) ** 0.5)))


def _arm_words(arm: str) -> str:
    return shortened(arm, 24) or "all participants"
