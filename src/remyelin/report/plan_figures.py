"""Charts of a plan: power by participants and by effect, participants by sites and by SD."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import pandas as pd
from markupsafe import Markup

from .canvas import canvas, markup
from .colour import ARMS, CONTROL, FAINT, INK, LOSS, MUTED, RULE

if TYPE_CHECKING:
    from matplotlib.axes import Axes

POWER, OTHER = ARMS[0], ARMS[1]


def power_curve(
    curve: pd.DataFrame, here: tuple[float, float], simulated: pd.DataFrame | None, alt: str
) -> Markup:
    """Power by participants in all; the protocol's own size is a diamond, simulated ones have error bars."""
    with canvas(9.2, 3.4) as (figure, ((ax,),)):
        _levels(ax)
        ax.plot(curve["total"], curve["power"], color=POWER, lw=2.4)
        if simulated is not None:
            ax.errorbar(
                simulated["measured"], simulated["power"], yerr=1.96 * simulated["power_se"], fmt="o",
                color=OTHER, ms=5, capsize=3, label="simulated, 95 % Monte Carlo interval",
            )  # fmt: skip
        ax.plot(*here, "D", color=INK, mfc="none", mew=1.6, ms=11, label="this protocol", zorder=4)
        ax.legend(loc="lower right", fontsize=9)
        ax.set_ylim(0, 1.02)
        ax.set_xlim(0, None)
        ax.set_xlabel("participants measured, all arms")
        ax.set_ylabel("power")
        return markup(figure, "power", alt)


def effect_curve(effects: pd.DataFrame, assumed: float, sd: float | None, unit: str, alt: str) -> Markup:
    """Power of the protocol by true effect; what is believed of the effect is shaded."""
    with canvas(9.2, 3.0) as (figure, ((ax,),)):
        size = effects["effect"].abs()
        _levels(ax)
        if sd:
            density = [0.9 * math.exp(-0.5 * ((x - abs(assumed)) / sd) ** 2) for x in size]
            ax.fill_between(
                size, density, color=CONTROL, alpha=0.25, lw=0, label="what is believed of the effect"
            )
        ax.plot(size, effects["power"], color=POWER, lw=2.4)
        ax.axvline(abs(assumed), color=INK, lw=1.2, label="assumed")
        ax.legend(loc="lower right", fontsize=9)
        ax.set_ylim(0, 1.02)
        ax.set_xlim(0, size.max())
        ax.set_xlabel(f"true effect, {unit}" + (" less" if assumed < 0 else ""))
        ax.set_ylabel("power of this protocol")
        return markup(figure, "effect", alt)


def by_sites(sites: pd.DataFrame, kind: str, enough: int | None, group: str, alt: str) -> Markup:
    """Participants by sites each, with the floor that no number of sites goes below."""
    finite = sites[sites["sites"] < math.inf]
    with canvas(9.2, 3.0) as (figure, ((ax,),)):
        limit = sites[sites["sites"] == math.inf]
        if len(limit):
            ax.axhline(limit["n_first"].iloc[0], color=LOSS, lw=1.4, ls=(0, (4, 3)), label="however many")
        ax.plot(finite["sites"], finite["n_first"], "-o", color=POWER, lw=2, ms=5)
        if enough is not None and enough <= finite["sites"].max():
            ax.axvline(enough, color=INK, lw=1, label=f"more than {enough} save at most one participant")
        if len(limit):
            ax.set_xscale("log")
            ax.set_xticks(list(finite["sites"]), [f"{each:g}" for each in finite["sites"]])
            ax.minorticks_off()
            ax.legend(loc="upper right", fontsize=9)
        else:
            ax.set_xticks(list(finite["sites"]))
        ax.set_ylim(0, None)
        ax.set_xlabel(f"{kind}s a participant")
        ax.set_ylabel(f"participants {group}")
        return markup(figure, "sites", alt)


def on_record(rows: pd.DataFrame, unit: str, alt: str) -> Markup:
    """Participants in all that each SD on record needs, on a logarithmic scale."""
    rows = rows[rows["total_90"] < math.inf]
    labels = [
        f"{row['sd']:g} {unit}, {row['of']}" + (f" ({row['assumed']})" if row["assumed"] else "")
        for _, row in rows.iterrows()
    ]
    with canvas(9.2, 0.9 + 0.36 * len(rows)) as (figure, ((ax,),)):
        for y, (_, row) in enumerate(rows.iterrows()):
            doubtful = row["status"] == "unverified"
            ax.plot([row["total_80"], row["total_90"]], [y, y], color=CONTROL if doubtful else POWER, lw=2)
            face = "white" if doubtful else POWER
            ax.plot(row["total_80"], y, "o", color=CONTROL if doubtful else POWER, mfc=face, ms=7)
            ax.plot(row["total_90"], y, "|", color=CONTROL if doubtful else POWER, ms=12, mew=2)
            ax.annotate(
                f"{row['total_80']:,.0f} to {row['total_90']:,.0f}", (row["total_90"], y), xytext=(9, 0),
                textcoords="offset points", va="center", fontsize=9, color=MUTED,
            )  # fmt: skip
        ax.set_xscale("log")
        low, high = rows["total_80"].min(), rows["total_90"].max()
        ax.set_xlim(low / 1.6, high * 2.6)
        ticks = [
            tick
            for tick in (10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10000)
            if low / 1.6 < tick < high * 2.6
        ]
        ax.set_xticks(ticks, [f"{tick:,}" for tick in ticks])
        ax.minorticks_off()
        ax.grid(axis="x", color=RULE, lw=0.6)
        ax.set_axisbelow(True)
        ax.set_yticks(range(len(rows)), labels)
        ax.set_ylim(len(rows) - 0.5, -0.5)
        ax.tick_params(axis="y", length=0)
        ax.spines["left"].set_visible(False)
        ax.set_xlabel("participants in all, 80 to 90 % power")
        return markup(figure, "record", alt)


def _levels(ax: Axes) -> None:
    """The powers that trials are planned for, as lines with their names."""
    for level in (0.8, 0.9):
        ax.axhline(level, color=FAINT, lw=1, ls=(0, (4, 3)), zorder=0)
        ax.text(
            1.005,
            level,
            f"{100 * level:g} %",
            transform=ax.get_yaxis_transform(),
            va="center",
            fontsize=9,
        )
