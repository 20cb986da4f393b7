"""The panels of a participant's visual evoked potentials (VEP)."""

from __future__ import annotations

import math
from collections.abc import Mapping
from itertools import product
from typing import Any

import pandas as pd
from markupsafe import Markup

from . import figures, waves
from .evoked import STATE_WORDS, Z95, Evoked, EyeShift, check_words, eye_words, named
from .evoked_details import replicates_panel, sectors_panel
from .panels import Cell, Headline, Panel, Table, quality_chip
from .words import NOT_AVAILABLE, count, interval, listing, number, sentence, signed

READING = "Positive is up. An earlier response is a faster one: a negative shift."
EYE_ORDER = "The right eye (OD) stands first."


def panels(evoked: Evoked, settings: Mapping[str, Any]) -> list[Panel]:
    """The panels, in the order of a reader's questions; none without a VEP.

    `settings` are those of the measurement (`[measure]`), whose limits the answers name.
    """
    if not evoked.present:
        return []
    found = [shift_panel(evoked), waves_panel(evoked), replicates_panel(evoked, settings)]
    return [*found, *([sectors_panel(evoked)] if (evoked.rows["sector"] != "").any() else [])]


def headline(evoked: Evoked) -> Headline:
    """The shift over the eyes with a response, at the last visit and the largest check size."""
    kicker = "Shift of the VEP"
    first, last = evoked.visits[0], evoked.visits[-1]
    eyes = count(len(evoked.eyes), "eye")
    if len(evoked.visits) < 2:
        return Headline(kicker, "one visit", eyes, "There is no second visit yet, so no shift to show.")
    own = _last_shifts(evoked)
    known = [shift for shift in own if shift.known]
    said = _each_eye(own, first, last)
    if not known:
        return Headline(kicker, "none", f"in {eyes}", said)
    value = sum(shift.value_ms for shift in known) / len(known)
    half = math.sqrt(sum(shift.half_ms**2 for shift in known)) / len(known)
    aside = f"mean of {count(len(known), 'eye')} at {named(last, check_words(known[0].check))}"
    if not math.isfinite(half):
        return Headline(kicker, f"{signed(value, 1)} ms", aside, said)
    low, high = value - half, value + half
    drawn = figures.strip(value, low, high, "ms", "no change", 1)
    aside = f"95 % interval {interval(low, high, 1)} · {aside}"
    return Headline(kicker, f"{signed(value, 1)} ms", aside, said, drawn)


def in_a_sentence(evoked: Evoked) -> str:
    """The shift in words, for a page whose headline is another; empty without two visits."""
    if not evoked.present or len(evoked.visits) < 2:
        return ""
    return _each_eye(_last_shifts(evoked), evoked.visits[0], evoked.visits[-1])


def _last_shifts(evoked: Evoked) -> list[EyeShift]:
    """One shift an eye at the last visit, of the largest check size that has any."""
    own = [shift for shift in evoked.shifts if shift.visit == evoked.visits[-1]]
    return [shift for shift in own if shift.check == own[0].check]


def _each_eye(own: list[EyeShift], first: str, last: str) -> str:
    if not own:
        return f"No shift from {first} to {last} stands in the measurements."
    words = listing(f"{eye_words(shift.eye)} {_shift_words(shift)}" for shift in own)
    return f"From {first} to {last}: {words}."


def _shift_words(shift: EyeShift) -> str:
    if not shift.known:
        known = {"absent": "without a response", "indeterminate": "with an uncertain response"}
        return known.get(shift.state, "not measured")
    size = f"{number(abs(shift.value_ms), 1)} ms {'earlier' if shift.value_ms < 0 else 'later'}"
    half = shift.half_ms
    if not math.isfinite(half):
        return size
    ends = interval(shift.value_ms - half, shift.value_ms + half, 1)
    return f"{size} (95 % {ends}{'' if abs(shift.value_ms) > half else ', which includes 0'})"


def shift_panel(evoked: Evoked) -> Panel:
    """Did the P100 come earlier?"""
    question = "Did the P100 come earlier?"
    table, shifts = _response_table(evoked), evoked.shifts
    if len(evoked.visits) < 2:
        answer = f"There is one visit, {evoked.visits[0]}, and so no change to show. {_absent(evoked)}"
        return Panel("shift", question, answer.strip(), (), table, unfolded=True)
    first, last = evoked.visits[0], evoked.visits[-1]
    answer = f"{sentence(_each_eye(_last_shifts(evoked), first, last))} {_absent(evoked)}".strip()
    shown: list[tuple[Markup, str]] = []
    if shifts:
        drawn = waves.shift_forest(shifts, "shifts", f"Shift of each eye. {answer}")
        words = (
            f"Shift of the whole response since {first}, measured from both visits together, with its 95 % "
            f"interval. {EYE_ORDER}"
        )
        shown.append((drawn, words))
    if len(evoked.waves):
        alt = f"Averages of {first} and {last} over each other around the P100, one picture an eye. {answer}"
        words = (
            f"The averages of {first} (grey) and {last} (black) over each other around the P100; the lines "
            f"stand at the two P100 latencies in ms. {READING}"
        )
        shown.append((waves.overlay(evoked, first, last, "overlay", alt), words))
    return Panel("shift", question, answer, tuple(shown), table, unfolded=True)


def _absent(evoked: Evoked) -> str:
    """Responses that were looked for and not found: a finding, so it is said."""
    own = evoked.pooled[
        (evoked.pooled["measure"] == "p100_latency_ms") & evoked.pooled["reader"].isin(["auto", ""])
    ]
    gone, unsure = (own[own["state"] == state] for state in ("absent", "indeterminate"))
    said = []
    if len(gone):
        places = listing(_places(evoked, gone))
        said.append(f"No P100 could be found in {places}, where one would have been seen: that is a finding.")
    if len(unsure):
        places = listing(_places(evoked, unsure))
        said.append(f"Whether there is a P100 is uncertain in {places}: the recording is too noisy to tell.")
    return " ".join(said)


def _places(evoked: Evoked, rows: pd.DataFrame) -> list[str]:
    many = len(evoked.checks) > 1
    keys = rows[["eye", "visit", "check"]].astype(str).to_numpy()
    return [
        f"the {eye_words(eye)} at {named(visit, check_words(check) if many else '')}"
        for eye, visit, check in keys
    ]


def _response_table(evoked: Evoked) -> Table:
    people = [reader for reader in evoked.readers if reader not in ("auto", "")]
    columns = (
        "eye", "visit", *(["checks"] if len(evoked.checks) > 1 else []), "#P100, ms",
        *(f"#{reader}, ms" for reader in people), "#shift, ms", "#N75, N135", "#µV", "#SNR", "response",
        "quality", "reason",
    )  # fmt: skip
    rows = []
    for check, eye, visit in product(evoked.checks, evoked.eyes, evoked.visits):
        place = (eye, visit, check)
        if evoked.row("p100_latency_ms", *place) is not None:
            read = [number(evoked.value("p100_latency_ms", *place, reader=reader)[0], 1) for reader in people]
            rows.append(_response_cells(evoked, place, read))
    caption = "one row an eye and visit; ± is half the 95 % interval; µV is the amplitude from N75 to P100"
    if people:
        caption += f"; {listing(people)} read the peaks"
    return Table(caption, columns, tuple(rows), "No response was measured.")


def _response_cells(evoked: Evoked, place: tuple[str, str, str], read: list[str]) -> tuple[Cell, ...]:
    eye, visit, check = place
    latency = evoked.value("p100_latency_ms", *place)
    state, quality, reason = evoked.verdict(*place)
    humps = evoked.humps(*place)
    response = "present" if math.isfinite(latency[0]) else STATE_WORDS.get(state, "not measured")
    if len(humps) > 1:
        response = f"two humps: {', '.join(number(at, 1) for at in humps)}"
    shift = evoked.value("vep_shift_ms", *place)
    n75, n135, amplitude, snr = (
        number(evoked.value(measure, *place)[0], digits)
        for measure, digits in (
            ("n75_latency_ms", 0), ("n135_latency_ms", 0), ("p100_amplitude_uv", 1), ("vep_snr", 1)
        )
    )  # fmt: skip
    return (
        eye,
        visit,
        *([check_words(check) or "not stated"] if len(evoked.checks) > 1 else []),
        number(latency[0], 1) + _give_or_take(latency[1]),
        *read,
        signed(shift[0], 1) + _give_or_take(shift[1]),
        f"{n75}, {n135}" if math.isfinite(latency[0]) else NOT_AVAILABLE,
        amplitude,
        snr,
        response,
        quality_chip(quality),
        reason,
    )


def _give_or_take(se: float) -> str:
    return f" ± {number(Z95 * se, 1)}" if math.isfinite(se) else ""


def waves_panel(evoked: Evoked) -> Panel:
    """What do the recordings look like?"""
    question = "What do the recordings look like?"
    if not len(evoked.waves):
        return Panel("waves", question, "No waveform stands in the output folder, so none can be shown.")
    visits, every = waves.shown_visits(evoked), evoked.visits
    answer = (
        f"{sentence(count(len(evoked.eyes), 'eye'))} at {listing(visits)}"
        f"{f' of {len(every)} visits' if len(visits) < len(every) else ''}"
    )
    several = len(evoked.eyes) * len(visits) > 1
    answer += ", all on the same axes." if several else "."
    answer += f" {EYE_ORDER}" if len(evoked.eyes) > 1 else ""
    caption = (
        "Thin: the replicates. Bold: their average, in its noise band. Dashed: what was fitted. The stripe "
        "is the 95 % interval of the P100 latency; points mark the peaks, in ms. Open point: a second hump. "
        "Positive is up."
    )
    if len(visits) > 1:
        caption += f" Light grey behind the later ones: the average of {visits[0]}."
    shown = []
    for k, check in enumerate(evoked.checks):
        words = check_words(check) if len(evoked.checks) > 1 else ""
        alt = f"Averaged visual evoked potentials, {named('one picture an eye and visit', words)}. {answer}"
        said = f"{words}. {caption}" if words else caption
        shown.append((waves.recordings(evoked, check, f"waves{k}", alt), said if k == 0 else f"{words}."))
    return Panel("waves", question, answer, tuple(shown))
