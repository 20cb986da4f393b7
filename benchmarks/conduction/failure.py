"""Where conduction fails: safety, refractory period, heat and rate of healthy, bare and repaired axons.

    python benchmarks/conduction/failure.py            # a few minutes
    python benchmarks/conduction/failure.py heat scan  # some tables

Prints the tables of docs/theory/conduction-failure.md. The peer of the searches is the plain scan: every
candidate simulated over the whole range. Nothing is drawn by lot. Axons are of `conduction.optic_nerve`,
at 37 degrees Celsius unless said otherwise; internodes are 139 um long.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Iterator

import numpy as np

from remyelin import conduction
from remyelin.conduction import Axon, Stimulus

FIRST = 16  # where lesions begin: an internode of 50
PULSES = 10
AXON = conduction.optic_nerve()


def bare(count: int, nav: float = 0.0) -> Axon:
    return AXON.demyelinate(range(FIRST, FIRST + count), bare=True, nav_fraction=nav)


def cases() -> Iterator[tuple[str, Axon]]:
    ten, twelve = range(FIRST, FIRST + 10), range(FIRST, FIRST + 12)
    yield "healthy", AXON
    yield "healthy, 30 degC", AXON.at(30)
    yield "healthy, 42 degC", AXON.at(42)
    yield "10 internodes, 1 lamella of 7", AXON.demyelinate(ten, lamellae=1)
    yield "10 internodes, seals at 10 %", AXON.demyelinate(ten, seal=0.1)
    for count in (1, 2, 3, 4):
        yield f"{count} bare", bare(count)
    yield "2 bare, 36 degC", bare(2).at(36)
    yield "2 bare, 37.5 degC", bare(2).at(37.5)
    for nav in (0.005, 0.01, 0.02):
        yield f"12 bare, sodium {nav:.1%}", bare(12, nav)
    yield "18 bare (2.5 mm), sodium 0.5 %", bare(18, 0.005)
    for lamellae, nav in ((3, "density"), (3, "number"), (2, "density")):
        again = bare(12, 0.01).remyelinate(twelve, n_short=3, lamellae=lamellae, nodal_nav=nav)
        share = "" if nav == "density" else ", a third of the nodal channels"
        yield f"12 repaired: 36 short, {lamellae} lamellae{share}", again


def table() -> None:
    """All functions on all cases."""
    names, axons = zip(*cases(), strict=True)
    safety = conduction.safety_factor(axons)
    reserve = conduction.sodium_reserve(axons)
    period = conduction.refractory_period_ms(axons)
    healthy = conduction.refractory_period_ms([AXON.at(axon.temperature_c) for axon in axons]).period_ms
    heat = conduction.block_temperature_c(axons)
    rate = conduction.max_following_rate_hz(axons, n_pulses=PULSES)
    print(
        "| axon | safety factor | at node | sodium reserve | refractory period, ms | x healthy axon | "
        "blocked above, degC | follows, Hz |"
    )
    print("| --- | --- | --- | --- | --- | --- | --- | --- |")
    for k, name in enumerate(names):
        where = str(safety.node[k]) if safety.node[k] >= 0 else "-"
        cells = (
            f"{safety.factor[k]:.2f}",
            where,
            f"{reserve[k]:.2f}",
            _or(period.outcome[k], period.period_ms[k], 2),
            _or("", period.period_ms[k] / healthy[k], 1),
            _heat(heat, k),
            _or(rate.outcome[k], rate.rate_hz[k], 0),
        )
        print(f"| {name} | {' | '.join(cells)} |")
    broken = [
        f"{name} ({what})"
        for what, found in (("interval", period), ("temperature", heat), ("rate", rate))
        for name, is_broken in zip(names, found.broken, strict=True)
        if is_broken
    ]
    print(f"\nBeyond the boundary some succeeded again: {'; '.join(broken) or 'none'}.")


def _or(word: str, value: float, digits: int) -> str:
    return (word or "-") if np.isnan(value) else f"{value:.{digits}f}"


def _heat(found: conduction.BlockTemperature, k: int) -> str:
    words = {"never": f"never to {found.highest_c:g}", "always": f"always from {found.lowest_c:g}"}
    return words.get(found.outcome[k], f"{found.temperature_c[k]:.1f}")


def heat() -> None:
    """Block temperature against length and sodium of the bare axon."""
    levels = (0.0, 0.002, 0.004, 0.006, 0.01)
    lengths = (1, 2, 3, 4, 6, 9, 12, 18)
    found = conduction.block_temperature_c([bare(count, nav) for count in lengths for nav in levels])
    print(f"| bare internodes | {' | '.join(f'sodium {nav:.1%}' for nav in levels)} |")
    print(f"| --- {'| --- ' * len(levels)}|")
    for row, count in enumerate(lengths):
        cells = [_heat(found, row * len(levels) + column) for column in range(len(levels))]
        print(f"| {count} ({count * AXON.parts[0].length_um / 1e3:.2f} mm) | {' | '.join(cells)} |")


def trains() -> None:
    """What arrives of trains that are too fast."""
    named = {
        "healthy": AXON,
        "1 bare": bare(1),
        "2 bare": bare(2),
        "12 bare, sodium 1.0%": bare(12, 0.01),
    }
    rates = (20, 40, 60, 100, 200, 300, 400, 600, 800, 1000)
    times = [tuple(np.arange(PULSES) * 1e3 / rate) for rate in rates]
    print(f"| arrived of {PULSES} at Hz | {' | '.join(str(rate) for rate in rates)} |")
    print(f"| --- {'| --- ' * len(rates)}|")
    for name, axon in named.items():
        counts = [
            conduction.conduct(
                axon, duration_ms=train[-1] + 20, stimulus=Stimulus(times_ms=train), spikes=PULSES
            )
            for train in times
        ]
        assert all(count.settled[0] for count in counts)
        print(f"| {name} | {' | '.join(str(count.n_spikes[0]) for count in counts)} |")


def scan() -> None:
    """The searches against a scan of every candidate, and against a quarter of the time step."""
    print("| what | axon | search | CPU s | scan | CPU s | candidates | search at 1 us |")
    print("| --- | --- | --- | --- | --- | --- | --- | --- |")
    for name, axon in (("healthy", AXON), ("1 bare", bare(1)), ("6 bare, sodium 1 %", bare(6, 0.01))):
        found, spent = _timed(lambda axon=axon: conduction.refractory_period_ms(axon).period_ms[0])
        intervals = np.arange(1, 501) * 0.02
        stimuli = [Stimulus(times_ms=(0.0, interval)) for interval in intervals]
        plain, long = _timed(lambda axon=axon, stimuli=stimuli: _scanned(axon, stimuli))
        failed = np.flatnonzero(plain < 2)
        fine = conduction.refractory_period_ms(axon, dt_us=1).period_ms[0]
        last = f"{intervals[failed[-1] + 1]:.2f} ms"
        _compared("refractory period", name, f"{found:.2f} ms", spent, last, long, 500, f"{fine:.2f} ms")
    warm = np.round(30 + 0.1 * np.arange(151), 1)
    for name, axon in (("1 bare", bare(1)), ("2 bare", bare(2)), ("12 bare, sodium 0.4 %", bare(12, 0.004))):
        found, spent = _timed(lambda axon=axon: conduction.block_temperature_c(axon).temperature_c[0])
        blocked, long = _timed(
            lambda axon=axon: conduction.conduct([axon.at(c) for c in warm], duration_ms=25).blocked
        )
        fine = conduction.block_temperature_c(axon, dt_us=1).temperature_c[0]
        last = f"{warm[~blocked][-1]:.1f} degC"
        _compared("block temperature", name, f"{found:.1f} degC", spent, last, long, 151, f"{fine:.1f} degC")


def _compared(
    what: str, name: str, found: str, spent: float, last: str, long: float, count: int, fine: str
) -> None:
    print(f"| {what} | {name} | {found} | {spent:.1f} | {last} | {long:.1f} | {count} | {fine} |")


def literature() -> None:
    """What is published, and the same question asked of the model."""
    navs = (0.005, 0.01, 0.02)
    without, within = [bare(n) for n in range(1, 7)], [bare(n, nav) for n in (6, 12, 18) for nav in navs]
    thin = AXON.demyelinate(range(FIRST, FIRST + 10), lamellae=1)
    again = bare(12, 0.01).remyelinate(range(FIRST, FIRST + 12), n_short=3, lamellae=3)
    period = conduction.refractory_period_ms([AXON, again, bare(1), bare(2), thin, *within]).period_ms
    rate = conduction.max_following_rate_hz([AXON, bare(1), bare(2)], n_pulses=PULSES).rate_hz
    celsius = conduction.block_temperature_c(without).temperature_c
    passed = ~conduction.conduct(without, duration_ms=25).blocked
    folds = period[[2, *range(4, len(period))]] / period[0]
    internode_um = AXON.parts[0].length_um
    through = max(axon.bare_um for axon in within)
    rows = (
        (
            "safety factor of a myelinated fibre: about 5 to 7",
            "Tasaki 1953, frog (recalled, not read)",
            f"{conduction.safety_factor(AXON, nodes=[25]).factor[0]:.1f}",
        ),
        (
            "refractory period of demyelinated central axons: typically 2 to 5 times, up to 34",
            "Felts 1997, rat (abstract)",
            f"{folds.min():.1f} to {folds.max():.1f} times; {period[3] / period[0]:.0f} at the brink",
        ),
        (
            "conduct across more than 2.5 mm of demyelination",
            "Felts 1997",
            f"{internode_um * passed.sum() / 1e3:.2f} mm without sodium channels on the bare axon; "
            f"{through / 1e3:.1f} mm with 0.5 % of a node's density",
        ),
        (
            "refractory period normal again after repair, by thin and short internodes",
            "Smith 1981, cat (abstract)",
            f"{period[1] / period[0]:.2f} times",
        ),
        (
            "block temperature a steep function of the extent of demyelination",
            "Schauf & Davis 1974, model (abstract)",
            " / ".join(f"{c:.1f}" for c in celsius) + " degC for 1 to 6 bare internodes",
        ),
        (
            "0.5 degC more blocks at the worst internodes, speeds up the others",
            "Rasminsky 1973, rat root (abstract)",
            f"two bare internodes: conduct at {celsius[1]:.1f}, blocked from {celsius[1] + 0.1:.1f} degC",
        ),
        (
            "fails at much lower frequencies than a normal fibre",
            "Schauf & Davis 1974",
            f"{rate[0]:.0f} Hz healthy, {rate[1]:.0f} with one bare internode, {rate[2]:.0f} with two",
        ),
    )
    print("| published | by | here |")
    print("| --- | --- | --- |")
    for row in rows:
        print(f"| {' | '.join(row)} |")


def _scanned(axon: Axon, stimuli: list[Stimulus]) -> np.ndarray:
    run = conduction.conduct([axon] * len(stimuli), duration_ms=25, stimulus=stimuli, spikes=2)
    assert run.settled.all()
    return run.n_spikes


def _timed(work: Callable[[], object]) -> tuple[object, float]:
    begun = time.process_time()
    return work(), time.process_time() - begun


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    tables = {each.__name__: each for each in (table, heat, trains, literature, scan)}
    parser.add_argument("tables", nargs="*", default=list(tables), metavar=" | ".join(tables))
    conduction.conduct(AXON, duration_ms=1)  # compiled before a clock starts
    for name in parser.parse_args().tables:
        print(f"\n### {tables[name].__doc__}\n", flush=True)
        tables[name]()


if __name__ == "__main__":
    main()
