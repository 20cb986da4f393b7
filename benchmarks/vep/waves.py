"""Pattern-reversal responses of known latency, drawn so that no estimator's own family contains them.

    python benchmarks/vep/waves.py      # draws many and checks that they are what they should be

A wave is a sum of pulses (N75, P100, N135, a late wave, a slow one), or a curve through random knots. The
pulses of one wave are of one kind: gamma-shaped, raised cosine, hyperbolic secant, or the impulse response
of a causal filter with its after-swing; widths, depths, relative times and asymmetry are drawn anew for
each.

The truth is the time of the highest point of the MEAN response between 60 and 220 ms, sweep jitter included
(jitter convolves the wave, which moves the top of an asymmetric one by up to 0.3 ms), on a grid of 0.01 ms.
The amplitude is that point above the baseline of 0, before the noise; from N75 to P100 is `n75_p100_uv`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from noise import TIMES_MS
from scipy import interpolate, ndimage, signal

FORMS = ("normal", "delayed", "bifid")
KINDS = ("gamma", "cosine", "sech", "filter", "knots")
JITTER_MS = 2.0
GRID_MS = np.arange(-150.0, 600.0, 0.25)
TRUTH_MS = np.arange(60.0, 220.0, 0.01)
Pulse = Callable[[np.ndarray, float, float], np.ndarray]


@dataclass(frozen=True)
class Wave:
    """One eye's response.

    `once_uv` is the response to one reversal and `mean_uv` the mean over jittered ones, both on `GRID_MS`;
    `humps_ms` are the two tops of a bifid wave.
    """

    form: str
    kind: str
    once_uv: np.ndarray
    mean_uv: np.ndarray
    latency_ms: float
    n75_p100_uv: float
    humps_ms: tuple[float, ...]

    def at(self, times_ms: np.ndarray) -> np.ndarray:
        """The response to one reversal at these times, uV."""
        return interpolate.CubicSpline(GRID_MS, self.once_uv)(np.clip(times_ms, GRID_MS[0], GRID_MS[-1]))


def draw_wave(rng: np.random.Generator, form: str, amplitude_uv: float) -> Wave:
    """A wave of a form: P100 at about 103 ms, or 10 to 45 ms later and 1 to 1.5 times wider, or two humps.

    The second hump lies 22 to 32 ms after the first at 0.55 to 0.85 of its height. What turns out to be
    something else (no second top, or the highest point is not P100) is drawn again.
    """
    while True:
        wave = _attempt(rng, form, amplitude_uv)
        if wave is not None:
            return wave


def sweeps(
    rng: np.random.Generator,
    wave: Wave | None,
    noise_uv: np.ndarray,
    *,
    shift_ms: float = 0.0,
    gain: float = 1.0,
) -> np.ndarray:
    """Add the jittered, shifted response to sweeps of noise and take the mean before the reversal off."""
    recorded = noise_uv.copy()
    if wave is not None:
        late = shift_ms + rng.normal(0, JITTER_MS, len(noise_uv))
        recorded += gain * wave.at(TIMES_MS - late[:, None])
    return recorded - recorded[:, TIMES_MS < 0].mean(axis=1, keepdims=True)


def _attempt(rng: np.random.Generator, form: str, amplitude_uv: float) -> Wave | None:
    late, wide = (0.0, 1.0) if form == "normal" else (rng.uniform(10, 45), rng.uniform(1.0, 1.5))
    top = rng.normal(103, 5) + late
    wide *= rng.lognormal(0, 0.12)
    kind = str(rng.choice(KINDS))
    build = _knots if kind == "knots" else _pulses
    once = build(rng, kind, form, top, wide)
    once *= _ramp(GRID_MS, 22.0, 45.0)
    once += rng.uniform(-0.1, 0.1) * np.sin(np.pi * np.clip((GRID_MS - 50) / rng.uniform(250, 400), 0, 1))
    once = ndimage.gaussian_filter1d(
        once, 2.0 / 0.25
    )  # no corner that a head or an amplifier would not round
    mean = ndimage.gaussian_filter1d(once, JITTER_MS / 0.25)
    fine = interpolate.CubicSpline(GRID_MS, mean)(TRUTH_MS)
    found, high = float(TRUTH_MS[fine.argmax()]), float(fine.max())
    if high <= 0 or abs(found - top) > 8:
        return None
    tops = TRUTH_MS[signal.argrelmax(fine)[0]]
    humps = tuple(float(t) for t in tops if found - 2 < t < found + 45)
    trough = fine[(found - 60 < TRUTH_MS) & (found > TRUTH_MS)].min()
    if not _fits(form, humps, fine, found):
        return None
    scale = amplitude_uv / high
    return Wave(form, kind, scale * once, scale * mean, found, float(scale * (high - trough)), humps)


def _fits(form: str, humps: tuple[float, ...], fine: np.ndarray, found: float) -> bool:
    """Two humps with a dip between them of 3 % or more where the form is bifid, else one."""
    if form != "bifid":
        return len(humps) == 1
    if len(humps) != 2:
        return False
    between = fine[(found < TRUTH_MS) & (humps[1] > TRUTH_MS)].min()
    return float(np.interp(humps[1], TRUTH_MS, fine) - between) > 0.03 * float(fine.max())


def _pulses(rng: np.random.Generator, kind: str, form: str, top: float, wide: float) -> np.ndarray:
    before, after = rng.normal(29, 3) * wide, rng.normal(40, 5) * wide + (25 if form == "bifid" else 0)
    parts = [  # height, time, full width at half the height
        (1.0, top, rng.normal(31, 3.5) * wide),
        (-rng.uniform(0.15, 0.6), top - before, rng.normal(21, 2.5) * wide),
        (-rng.uniform(0.4, 0.9), top + after, rng.normal(38, 5) * wide),
        (rng.uniform(0, 0.35), top + after + rng.uniform(40, 75), rng.uniform(50, 80)),
        (rng.uniform(-0.05, 0.12), top - before - rng.uniform(18, 28), rng.uniform(12, 20)),
    ]
    if form == "bifid":
        parts[0] = (1.0, top, rng.normal(24, 2.5))
        parts.append((rng.uniform(0.55, 0.85), top + rng.uniform(22, 32), rng.normal(22, 2.5)))
    pulse = _pulse(rng, kind)
    return np.sum([height * pulse(GRID_MS, time, width) for height, time, width in parts], axis=0)


def _pulse(rng: np.random.Generator, kind: str) -> Pulse:
    """A pulse of height 1, as a function of times, the time of its top, and its width at half its height."""
    if kind == "gamma":
        k, mirrored = rng.uniform(4, 20), rng.random() < 0.3
        x = np.linspace(0, 60, 6001)
        y = (x / k) ** k * np.exp(k - x)
        return _scaled(x, y, mirrored=bool(mirrored))
    if kind == "filter":
        x = np.linspace(0, 8, 4001)
        order, cut = int(rng.integers(3, 6)), 0.5
        _, y = signal.impulse(signal.butter(order, 2 * np.pi * cut, analog=True), T=x)
        return _scaled(x, y)
    rise, power = rng.uniform(0.38, 0.58), rng.uniform(1.0, 1.8)
    x = np.linspace(-8, 8, 8001)
    u = np.where(x < 0, x / rise, x / (1 - rise))
    y = np.cos(np.clip(u, -1, 1) * np.pi / 2) ** (2 * power) if kind == "cosine" else 1 / np.cosh(3 * u)
    return _scaled(x, y)


def _scaled(x: np.ndarray, y: np.ndarray, *, mirrored: bool = False) -> Pulse:
    if mirrored:
        x, y = -x[::-1], y[::-1]
    y = y / y.max()
    half = x[y > 0.5]
    width, top = half[-1] - half[0], x[y.argmax()]

    def pulse(times: np.ndarray, time: float, full_width: float) -> np.ndarray:
        return np.interp((times - time) * width / full_width + top, x, y, left=0.0, right=0.0)

    return pulse


def _knots(rng: np.random.Generator, kind: str, form: str, top: float, wide: float) -> np.ndarray:
    """A monotone curve from knot to knot, with one more knot somewhere on each slope."""
    del kind
    times = [25.0, top - rng.normal(29, 3) * wide, top]
    heights = [0.0, -rng.uniform(0.15, 0.6), 1.0]
    if form == "bifid":
        times += [top + rng.uniform(11, 15), top + rng.uniform(22, 32)]
        second = rng.uniform(0.55, 0.85)
        heights += [second - rng.uniform(0.1, 0.35), second]
    times += [times[-1] + rng.normal(40, 5) * wide]
    heights += [-rng.uniform(0.4, 0.9)]
    times += [times[-1] + rng.uniform(40, 75), times[-1] + rng.uniform(150, 220)]
    heights += [rng.uniform(0, 0.35), 0.0]
    t, y = _with_slopes(rng, np.array(times), np.array(heights))
    keep = np.r_[True, np.diff(t) > 3]
    curve = interpolate.PchipInterpolator(t[keep], y[keep])(np.clip(GRID_MS, t[0], t[-1]))
    return ndimage.gaussian_filter1d(curve, rng.uniform(2.5, 5) / 0.25)


def _with_slopes(rng: np.random.Generator, t: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    between_t = t[:-1] + rng.uniform(0.4, 0.6, len(t) - 1) * np.diff(t)
    between_y = y[:-1] + rng.uniform(0.35, 0.65, len(t) - 1) * np.diff(y)
    order = np.argsort(np.r_[t, between_t])
    return np.r_[t, between_t][order], np.r_[y, between_y][order]


def _ramp(times: np.ndarray, start: float, end: float) -> np.ndarray:
    u = np.clip((times - start) / (end - start), 0, 1)
    return 0.5 - 0.5 * np.cos(np.pi * u)


def check(n: int = 300) -> None:
    """What was drawn has the latency, the amplitude and the humps that its form promises."""
    rng = np.random.default_rng(1)
    for form in FORMS:
        drawn = [draw_wave(rng, form, 6.0) for _ in range(n)]
        latency = np.array([wave.latency_ms for wave in drawn])
        trough = np.array([wave.n75_p100_uv for wave in drawn])
        kinds = {kind: sum(wave.kind == kind for wave in drawn) for kind in KINDS}
        assert all(abs(wave.mean_uv.max() - 6) < 0.01 for wave in drawn if wave.latency_ms < 219)
        assert all(len(wave.humps_ms) == (2 if form == "bifid" else 1) for wave in drawn)
        assert min(kinds.values()) > 0
        print(
            f"{form}: latency {latency.mean():.1f} +- {latency.std():.1f} ms ({latency.min():.0f} to "
            f"{latency.max():.0f}), N75-P100 {trough.mean():.1f} uV at a P100 of 6, {kinds}"
        )


if __name__ == "__main__":
    check()
