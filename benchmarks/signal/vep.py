"""What arrivals become at the scalp: tables and picture for docs/theory/vep-waveform.md.

    python benchmarks/signal/vep.py

Nothing but diameters, cortices and noise is drawn by lot; seeds are fixed.
"""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import eeg
import generators
import numpy as np

from remyelin.conduction import Arrivals, NerveBundle
from remyelin.evidence import parameter
from remyelin.files.atomic import atomic_write
from remyelin.report.canvas import canvas, markup
from remyelin.report.colour import ARMS, INK, LOSS, MUTED
from remyelin.signal import Cortex, Delays, VepResponse, vep_response

STATIC = Path(__file__).parents[2] / "docs/_static"
AXONS, SEED, LENGTH_MM = 20_000, 20261128, 45.0
CHANNELS = (0.05, 0.02, 0.01, 0.005)
LESIONS_MM = (5.0, 10.0, 20.0)


def nerve(n_axons: int = AXONS, **lesion: Any) -> Arrivals:
    rng = np.random.default_rng(SEED)
    return NerveBundle.optic_nerve(n_axons, rng=rng, length_mm=LENGTH_MM, **lesion).arrive()


def table(head: tuple[str, ...], rows: list[list[str]]) -> str:
    lines = ["| " + " | ".join(cells) + " |" for cells in (head, ("---",) * len(head), *rows)]
    return "\n".join(lines)


def norms() -> str:
    rows = []
    for sex in ("female", "male"):
        for arcmin in (60, 15):
            eye = vep_response(Delays(), cortex=Cortex.norm(sex=sex, check_arcmin=arcmin))
            want = parameter("p100_latency", sex=sex, check_arcmin=arcmin).value
            tall = parameter("p100_amplitude", sex=sex, check_arcmin=15).value
            cells = [f"{want:.1f}", f"{eye.latency_ms:.1f}", f"{tall:.1f}", f"{eye.amplitude_uv:.1f}"]
            rows.append([sex, str(arcmin), *cells, f"{eye.n75_ms:.1f}", f"{eye.n135_ms:.1f}"])
    head = ("people", "checks, arcmin", "P100, published", "here", "uV, published", "here", "N75", "N135")
    return table(head, rows)


def lesions() -> str:
    healthy = {drive: _seen(nerve(), drive) for drive in ("area", "equal")}
    rows = []
    for nav in CHANNELS:
        for length in LESIONS_MM:
            arrivals = nerve(lesion_mm=length, nav_fraction=nav)
            cells = [f"bare, {100 * nav:g} % channels", f"{length:g}", f"{_velocity(arrivals, length):.0f} %"]
            rows.append([*cells, *_against(arrivals, length, healthy)])
    half = {"lesion_mm": 10.0, "repaired": 0.5, "g_ratio": 0.88}
    for nav in (0.02, 0.01):
        arrivals = nerve(**half, nav_fraction=nav)
        cells = [f"the same, {100 * nav:g} %, half repaired", "10", f"{_velocity(arrivals, 10.0):.0f} %"]
        rows.append([*cells, *_against(arrivals, 10.0, healthy)])
    head = (
        "lesion", "mm", "velocity in it", "blocked", "P100 later, ms", "ms a mm", "amplitude",
        "later if all axons weigh the same, ms", "amplitude",
    )  # fmt: skip
    return table(head, rows)


def _against(arrivals: Arrivals, length_mm: float, healthy: dict[str, VepResponse]) -> list[str]:
    cells = [f"{100 * arrivals.fraction_blocked:.1f} %"]
    for drive, before in healthy.items():
        eye = _seen(arrivals, drive)
        later = eye.latency_ms - before.latency_ms
        cells.append(f"{later:.1f}")
        cells += [f"{later / length_mm:.2f}"] if drive == "area" else []
        cells.append(f"{eye.amplitude_uv / before.amplitude_uv:.2f}")
    return cells


def _seen(arrivals: Arrivals, drive: str) -> VepResponse:
    norm = Cortex.norm()
    return vep_response(arrivals, cortex=Cortex(norm.p100_ms, norm.amplitude_uv, drive=drive))


def _velocity(arrivals: Arrivals, length_mm: float) -> float:
    """Median over axons of the velocity in the lesion, percent of the axon's own outside."""
    healthy_ms = arrivals.intact_ms * length_mm / LENGTH_MM
    return float(100 * np.nanmedian(healthy_ms / (healthy_ms + arrivals.delay_ms)))


def forms() -> str:
    healthy = vep_response(Delays())
    cases = (
        *(Delays(mean_ms=25, sd_ms=sd) for sd in (0, 5, 10, 15)),
        *(Delays(mean_ms=25, sd_ms=5, conducting=part) for part in (0.5, 0.1)),
        *(Delays(late_share=share, late_ms=35) for share in (0.2, 0.35, 0.5, 0.65, 0.8)),
        *(Delays(late_share=0.5, late_ms=late) for late in (15, 25, 30, 45)),
        Delays(conducting=0),
    )
    rows = []
    for case in cases:
        eye = vep_response(case)
        words = f"mean {case.mean_ms:g}, SD {case.sd_ms:g}; {100 * case.conducting:g} % conduct"
        if case.late_share:
            words += f"; {100 * case.late_share:g} % later by {case.late_ms:g}"
        humps = (
            " and ".join(f"{hump:.0f}" for hump in eye.humps_ms) or "one" if eye.state == "present" else ""
        )
        cells = [f"{case.total_mean_ms:.1f}", f"{eye.latency_ms - healthy.latency_ms:.1f}"]
        cells = cells if eye.state == "present" else ["", ""]
        rows.append([words, *cells, f"{eye.amplitude_uv / healthy.amplitude_uv:.2f}", humps, eye.state])
    return table(("delays, ms", "mean delay", "P100 later", "amplitude", "humps at, ms", "state"), rows)


def speed() -> str:
    rng = np.random.default_rng(SEED)
    arrivals = [nerve(1000, lesion_mm=length, nav_fraction=0.02) for length in (5.0, 10.0, 20.0)]
    eye = vep_response(arrivals[0])
    begin = time.process_time()
    for k in range(1000):
        vep_response(arrivals[k % 3], cortex=Cortex.draw(rng, shape_cv=0.15), jitter_ms=2)
    middle = time.process_time()
    for _ in range(50):
        eye.sweeps(100, rng)
    end = time.process_time()
    return (
        f"1000 eyes of 1000 axons, each with a cortex of its own: {middle - begin:.2f} CPU s (aim: 1)."
        f" 100 sweeps of one eye: {1000 * (end - middle) / 50:.0f} CPU ms."
    )


def draw() -> None:
    cases = (
        ("healthy nerve", INK, vep_response(nerve())),
        ("10 mm bare, 2 % channels", ARMS[1], vep_response(nerve(lesion_mm=10, nav_fraction=0.02))),
        ("20 mm bare, 1 % channels", ARMS[2], vep_response(nerve(lesion_mm=20, nav_fraction=0.01))),
        ("delays with an SD of 12 ms about 25", MUTED, vep_response(Delays(mean_ms=25, sd_ms=12))),
        ("half of the drive 35 ms later", LOSS, vep_response(Delays(late_share=0.5, late_ms=35))),
    )
    with canvas(6.8, 3.4) as (figure, ((axes,),)):
        for name, colour, eye in cases:
            axes.plot(eye.time_ms, eye.uv, color=colour, lw=1.6, label=name)
            top = np.interp(eye.latency_ms, eye.time_ms, eye.uv)
            axes.plot(eye.latency_ms, top, "o", color=colour, ms=4)
        axes.axhline(0, color=MUTED, lw=0.6)
        axes.set_xlim(40, 300)
        axes.set_title("What the same cortex makes of five nerves; dots: P100")
        axes.set_xlabel("ms after the reversal")
        axes.set_ylabel("uV, positive up")
        axes.legend(fontsize=8)
        picture = str(
            markup(figure, "vep-waveform", "Visual evoked potentials of a healthy and four lesioned nerves")
        )
        picture = picture.replace("<svg ", '<svg xmlns="http://www.w3.org/2000/svg" ', 1)
        atomic_write(STATIC / "vep-waveform.svg", picture.encode())


def main() -> None:
    parts = (generators.report(), norms(), lesions(), forms(), eeg.report(), speed())
    print("\n\n".join(parts))
    draw()


if __name__ == "__main__":
    main()
