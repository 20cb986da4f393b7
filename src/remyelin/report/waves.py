"""Charts of visual evoked potentials: every visit and eye, visits laid over each other, shifts, sectors."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from markupsafe import Markup

from .canvas import canvas, markup
from .colour import FAINT, INK, MUTED, RULE, diverging
from .evoked import STATE_WORDS, Z95, Evoked, EyeShift, check_words, eye_words, named
from .words import interval, number, sentence, signed

if TYPE_CHECKING:
    from matplotlib.axes import Axes

FIT, BEFORE, BAND, REPLICATE = "#00796b", "#a3adb9", "#dfe5ec", "#77828f"
SHOWN_VISITS = 4
WINDOW_MS = (0.0, 300.0)
AROUND_MS = (55.0, 65.0)  # shown before and after the P100 where visits are laid over each other
NAME_MS = 8.0
TROUGHS = (("n75_latency_ms", "N75", "right"), ("n135_latency_ms", "N135", "left"))


def shown_visits(evoked: Evoked) -> list[str]:
    """The first visit and the last ones, as many as a row has room for."""
    visits = evoked.visits
    return visits if len(visits) <= SHOWN_VISITS else [visits[0], *visits[1 - SHOWN_VISITS :]]


def recordings(evoked: Evoked, check: str, name: str, alt: str) -> Markup:
    """One picture an eye (rows, right eye on top) and visit (columns), all on the same axes."""
    visits, eyes = shown_visits(evoked), evoked.eyes
    size = {"sharex": True, "sharey": True}
    with canvas(9.6, 0.8 + 2.55 * len(eyes), len(eyes), len(visits), **size) as (figure, axes):
        for row, eye in zip(axes, eyes, strict=True):
            for ax, visit in zip(row, visits, strict=True):
                _recording(ax, evoked, (eye, visit, check), visits[0])
        low, high = axes[0, 0].get_ylim()
        axes[0, 0].set_ylim(low - 0.1 * (high - low), high + 0.16 * (high - low))  # for the peaks' names
        figure.get_layout_engine().set(wspace=0.05)
        axes[0, 0].set_xlim(*WINDOW_MS)
        for ax in axes[-1]:
            ax.set_xlabel("time after the pattern reversal, ms")
        for ax in axes[:, 0]:
            ax.set_ylabel("µV, positive up")
        _legend(figure, axes, 5)
        return markup(figure, name, alt)


def _recording(ax: Axes, evoked: Evoked, place: tuple[str, str, str], first: str) -> None:
    eye, visit, check = place
    ax.axhline(0, color=FAINT, lw=0.8, zorder=0)
    narrow = len(evoked.visits) > 2
    ax.set_title(f"{eye} · {visit}" if narrow else sentence(f"{eye_words(eye)} · {visit}"))
    own = evoked.wave(*place)
    if visit != first:
        _said_at_right(ax, _since(evoked, place, first, short=narrow))
        _average(ax, evoked.wave(eye, first, check), BEFORE, 2.2, f"average at {first}", zorder=1.5)
    if not len(own):
        ax.text(0.5, 0.5, "no waveform", transform=ax.transAxes, ha="center", color=MUTED)
        return
    _band(ax, own, BAND, "average ± 1.96 standard errors")
    for run in evoked.runs(*place):
        _average(ax, evoked.wave(*place, run), REPLICATE, 0.8, "replicates", zorder=2)
    _average(ax, own, INK, 1.9, "average", zorder=3)
    if own["fit_uv"].notna().any():
        ax.plot(own["time_ms"], own["fit_uv"], "--", color=FIT, lw=1.5, label="fit", zorder=4)
    _peaks(ax, evoked, place, own)


def _peaks(ax: Axes, evoked: Evoked, place: tuple[str, str, str], own: pd.DataFrame) -> None:
    """N75, P100 and N135 with their latencies; both humps of a bifid response; or that there is none."""
    latency, se = evoked.value("p100_latency_ms", *place)
    if not np.isfinite(latency):
        state = evoked.verdict(*place)[0]
        said = STATE_WORDS.get(state, "not measured")
        ax.text(0.98, 0.93, said, transform=ax.transAxes, ha="right", va="top", fontweight="bold", color=INK)
        return
    if np.isfinite(se):
        ax.axvspan(latency - Z95 * se, latency + Z95 * se, color=FIT, alpha=0.16, lw=0, zorder=1)
    humps = evoked.humps(*place)
    chosen = min(humps, key=lambda at: abs(at - latency), default=latency)
    others = [at for at in humps if at != chosen]
    side = "right" if others and min(others) > latency else "left" if others else "center"
    _mark(ax, own, latency, f"P100 {number(latency, 1)}", _gid(place, "P100"), above=True, side=side)
    for at in others:
        words, other = f"2nd hump {number(at, 1)}", "left" if at > latency else "right"
        _mark(ax, own, at, words, _gid(place, "hump"), above=True, side=other, filled=False)
    for measure, said, side in TROUGHS:
        at, _ = evoked.value(measure, *place)
        if np.isfinite(at):
            _mark(ax, own, at, f"{said} {number(at, 1)}", _gid(place, said), above=False, side=side)


def _mark(
    ax: Axes,
    own: pd.DataFrame,
    at_ms: float,
    words: str,
    gid: str,
    *,
    above: bool,
    side: str = "center",
    filled: bool = True,
) -> None:
    """A point of the average and its name; it stands on the fit where there is one."""
    curve = own["fit_uv"] if own["fit_uv"].notna().all() else own["average_uv"]
    y = float(np.interp(at_ms, own["time_ms"], curve))
    near = own.loc[(own["time_ms"] - at_ms).abs() <= NAME_MS, ["average_uv", "fit_uv"]].to_numpy()
    clear = np.nanmax(near) if above else np.nanmin(near)  # the name stands clear of both curves
    main = above and filled
    face = FIT if filled else "white"
    marker = "o" if above else "v"
    point = ax.plot(at_ms, y, marker, ms=6 if main else 5, color=FIT, markerfacecolor=face, zorder=6)
    point[0].set_gid(gid)
    ax.annotate(
        words,
        (at_ms, clear),
        xytext=({"right": -3, "left": 3}.get(side, 0) * (1 if above else -4), 7 if above else -7),
        textcoords="offset points",
        ha=side,
        va="bottom" if above else "top",
        fontsize=9 if main else 8,
        fontweight="bold" if main else "normal",
        color=FIT if main else MUTED,
        zorder=7,
        bbox={"facecolor": "white", "alpha": 0.75, "lw": 0, "pad": 0.6},
    )


def overlay(evoked: Evoked, first: str, last: str, name: str, alt: str) -> Markup:
    """The averages of two visits over each other around the P100: one picture an eye and check size."""
    eyes, checks = evoked.eyes, evoked.checks
    with canvas(9.6, 0.7 + 2.7 * len(checks), len(checks), len(eyes), sharey="row") as (
        figure,
        axes,
    ):
        for row, check in zip(axes, checks, strict=True):
            for ax, eye in zip(row, eyes, strict=True):
                _overlaid(ax, evoked, (eye, check), (first, last))
            low, high = row[0].get_ylim()
            row[0].set_ylim(low, high + 0.14 * (high - low))  # for the latencies
        for ax in axes[-1]:
            ax.set_xlabel("time after the pattern reversal, ms")
        for ax in axes[:, 0]:
            ax.set_ylabel("µV, positive up")
        _legend(figure, axes, 4)
        return markup(figure, name, alt)


def _overlaid(ax: Axes, evoked: Evoked, place: tuple[str, str], visits: tuple[str, str]) -> None:
    eye, check = place
    ax.axhline(0, color=FAINT, lw=0.8, zorder=0)
    ax.set_title(sentence(named(eye_words(eye), check_words(check) if len(evoked.checks) > 1 else "")))
    _said_at_right(ax, _since(evoked, (eye, visits[1], check), visits[0]))
    known = []
    for visit, colour, width, band in ((visits[0], BEFORE, 2.4, "#eceff3"), (visits[1], INK, 2.0, BAND)):
        own = evoked.wave(eye, visit, check)
        if not len(own):
            continue
        _band(ax, own, band, f"{visit} ± 1.96 standard errors")
        _average(ax, own, colour, width, f"average at {visit}", zorder=3)
        latency, _ = evoked.value("p100_latency_ms", eye, visit, check)
        if np.isfinite(latency):
            known.append((latency, visit, MUTED if visit == visits[0] else FIT))
    low, high = (min(known)[0], max(known)[0]) if known else (100.0, 100.0)
    ax.set_xlim(max(WINDOW_MS[0], low - AROUND_MS[0]), high + AROUND_MS[1])
    for latency, visit, colour in known:
        line = ax.axvline(latency, color=colour, lw=1.2, ls="--" if colour == MUTED else "-", zorder=2)
        line.set_gid(_gid((eye, visit, check), "line"))
        later = latency == high and latency != low
        words = f" {visit} {number(latency, 1)} "
        ax.text(latency, 0.985, words, transform=ax.get_xaxis_transform(), va="top", fontsize=9,
                ha="left" if later else "right", color=colour, fontweight="bold")  # fmt: skip


def shift_forest(shifts: Sequence[EyeShift], name: str, alt: str) -> Markup:
    """The shift of each eye with its 95 % interval on one line; an eye without a response says so."""
    many = len({shift.check for shift in shifts}) > 1
    with canvas(8.6, 0.8 + 0.4 * len(shifts)) as (figure, ((ax,),)):
        ax.axvline(0, color=FAINT, lw=1, zorder=0)
        for y, shift in enumerate(shifts):
            said = STATE_WORDS.get(shift.state, "not measured")
            if shift.known:
                half = shift.half_ms if np.isfinite(shift.half_ms) else 0.0
                ends = (shift.value_ms - half, shift.value_ms + half)
                ax.plot(ends, [y, y], color=INK, lw=2)
                ax.plot(shift.value_ms, y, "D", color=INK, ms=6)
                said = f"{signed(shift.value_ms, 1)} ms" + (f"  ({interval(*ends, 1)})" if half else "")
            ax.text(1.02, y, said, transform=ax.get_yaxis_transform(), va="center", fontsize=9)
        reach = 1.1 * max([1.0, *(abs(v) for v in ax.get_xlim())])
        ax.set_xlim(-reach, reach)
        ax.set_ylim(len(shifts) - 0.4, -0.6)
        ax.set_yticks(range(len(shifts)), [each.words(many) for each in shifts])
        ax.tick_params(axis="y", length=0, labelcolor=INK)
        ax.spines["left"].set_visible(False)
        ax.set_xlabel("← earlier · shift, ms · later →")
        return markup(figure, name, alt)


def sector_strip(table: pd.DataFrame, eyes: Sequence[str], words: str, name: str, alt: str) -> Markup:
    """A line of sectors an eye, in the colour of a change in ms; crosses where there is no response.

    `table` has `eye, sector, value`, of which a missing value is one without a response.
    """
    sectors = sorted(table["sector"].unique(), key=lambda word: (len(word), word))
    finite = table["value"].abs().dropna()
    limit = float(finite.quantile(0.98)) if len(finite) else 1.0
    with canvas(9.6, 1.25 + 0.42 * len(eyes)) as (figure, ((ax,),)):
        for y, eye in enumerate(eyes):
            own = table[table["eye"] == eye].set_index("sector")["value"].reindex(sectors).to_numpy(float)
            colours = diverging(-own, limit or 1.0) / 255  # blue is earlier: what a treatment hopes for
            for x, value in enumerate(own):
                ax.add_patch(_cell(x, y, tuple(colours[x]) if np.isfinite(value) else "#f0f2f5"))
            gone = np.flatnonzero(~np.isfinite(own))
            ax.plot(gone, np.full(len(gone), y), "x", color=MUTED, ms=4, mew=0.9)
        ax.set_xlim(-0.6, len(sectors) - 0.4)
        ax.set_ylim(len(eyes) - 0.4, -0.6)
        ax.set_yticks(range(len(eyes)), [eye_words(eye) for eye in eyes])
        step = max(1, len(sectors) // 12)
        ax.set_xticks(range(0, len(sectors), step), sectors[::step])
        ax.tick_params(length=0, labelcolor=INK)
        for spine in ax.spines.values():
            spine.set_visible(False)
        ax.set_xlabel(f"sector · blue: earlier, brown: later, full colour at {number(limit, 1)} ms{words}")
        return markup(figure, name, alt)


def _cell(x: float, y: float, colour: Any) -> Any:
    from matplotlib.patches import Rectangle

    return Rectangle((x - 0.46, y - 0.42), 0.92, 0.84, facecolor=colour, edgecolor=RULE, lw=0.5)


def _average(ax: Axes, own: pd.DataFrame, colour: str, width: float, label: str, zorder: float) -> None:
    if len(own):
        ax.plot(own["time_ms"], own["average_uv"], color=colour, lw=width, label=label, zorder=zorder)


def _band(ax: Axes, own: pd.DataFrame, colour: str, label: str) -> None:
    half = Z95 * own["se_uv"]
    low, high = own["average_uv"] - half, own["average_uv"] + half
    ax.fill_between(own["time_ms"], low, high, color=colour, lw=0, label=label, zorder=1)


def _since(evoked: Evoked, place: tuple[str, str, str], first: str, *, short: bool = False) -> str:
    value, se = evoked.value("vep_shift_ms", *place)
    if not np.isfinite(value):
        return ""
    known = np.isfinite(se) and not short
    said = f" ({interval(value - Z95 * se, value + Z95 * se, 1)})" if known else ""
    return f"{signed(value, 1)} ms{said} since {first}"


def _said_at_right(ax: Axes, words: str) -> None:
    ax.set_title(words, loc="right", fontsize=9, fontweight="normal", color=FIT)


def _legend(figure: Any, axes: Any, columns: int) -> None:
    """What the lines are, each once, under the pictures."""
    known: dict[str, Any] = {}
    for ax in np.ravel(axes):
        for handle, label in zip(*ax.get_legend_handles_labels(), strict=True):
            known.setdefault(label, handle)
    figure.legend(known.values(), known.keys(), loc="outside lower center", ncol=columns, fontsize=9)


def _gid(place: tuple[str, str, str], what: str) -> str:
    eye, visit, check = place
    return "-".join([eye, visit, check or "any", what])
