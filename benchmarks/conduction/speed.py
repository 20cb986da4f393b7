"""What conduction costs beside NEURON on the same axons, and what 1,000 axons cost.

    python benchmarks/conduction/speed.py            # minutes, one process at a time

Axons of the optic-nerve kind, no two alike, 10 ms each. NEURON and ours take turns in one process and thread;
CPU time, from `Axon` objects to arrival times, so that building sections and reducing internodes are counted.
Not counted on either side: importing, and compiling what is kept (nrnivmodl; numba). Errors of velocity are
against our solver without reduction at 0.25 us, with which NEURON agrees in the limit (`test_neuron.py`).
"""

from __future__ import annotations

import os

for _name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS"):
    os.environ.setdefault(_name, "1")

import argparse  # noqa: E402
import json  # noqa: E402
import resource  # noqa: E402
import subprocess  # noqa: E402
import sys  # noqa: E402
import time  # noqa: E402
from collections.abc import Callable, Sequence  # noqa: E402

import neuron_axon  # noqa: E402
import numpy as np  # noqa: E402

from remyelin import conduction  # noqa: E402
from remyelin.conduction import Axon  # noqa: E402

SEED, COUNT, ROUNDS = 2026, 1000, 8
DURATION_MS, DT_US, FINE_US = 10.0, 4.0, 0.25
# Segments of the middle of an internode in NEURON; 64 between two paranodes are the 66 of the model.
COARSE, WHOLE = 8, 64
# The dear one, of which fewer turns are taken.
FINE, FINE_TURNS = f"NEURON, {COARSE} middle segments, {FINE_US:g} us", 2
GOALS = {"8": 100.0, "66": 400.0, "stretch": 200.0, "cpu": 4.0, "wall": 2.5, "mb": 400.0}
Velocity = np.ndarray


def population(count: int) -> list[Axon]:
    """Axons of 0.5 to 1.6 um, sheaths and internodes varying about what goes with that; 66 segments each."""
    rng = np.random.default_rng(SEED)
    diameter = np.clip(rng.lognormal(np.log(0.8), 0.25, count), 0.5, 1.6)
    internode = diameter * 139.26 / 0.8201 * rng.uniform(0.8, 1.2, count)
    g_ratio = rng.uniform(0.74, 0.84, count)
    return [
        neuron_axon.with_middle(conduction.optic_nerve(d, g_ratio=g, internode_um=length), WHOLE)
        for d, g, length in zip(diameter, g_ratio, internode, strict=True)
    ]


def in_neuron(segments: int, dt_us: float, *, second_order: bool = False) -> Callable[..., Velocity]:
    def run(axons: Sequence[Axon]) -> Velocity:
        found = []
        for axon in axons:
            coarse = neuron_axon.with_middle(axon, segments)
            done = neuron_axon.simulate(
                coarse, nodes=[20, 30], duration_ms=DURATION_MS, dt_us=dt_us, second_order=second_order
            )
            found.append(np.diff(axon.position_um[[20, 30]])[0] / 1e3 / np.diff(done.arrival_ms)[0])
        return np.array(found)

    return run


def ours(axons: Sequence[Axon]) -> Velocity:
    return conduction.conduct(axons, duration_ms=DURATION_MS, dt_us=DT_US).velocity_m_per_s


def cpu_s(run: Callable[..., Velocity], axons: Sequence[Axon]) -> tuple[float, Velocity]:
    begun = time.process_time()
    found = run(axons)
    return time.process_time() - begun, found


def against_neuron(axons: list[Axon], rounds: int) -> None:
    peers = {
        f"NEURON, {COARSE} middle segments, {DT_US:g} us": in_neuron(COARSE, DT_US),
        f"NEURON, all 66 segments, {DT_US:g} us": in_neuron(WHOLE, DT_US),
        f"NEURON, {COARSE} middle segments, {DT_US:g} us, `secondorder = 2`": in_neuron(
            COARSE, DT_US, second_order=True
        ),
        FINE: in_neuron(COARSE, FINE_US),
    }
    name = f"remyelin `conduct`, all 66 segments, {DT_US:g} us"
    neuron_axon.learn([axons[0].membrane])
    share = len(axons) // rounds
    spent: dict[str, list[float]] = {key: [] for key in (name, *peers)}
    speed: dict[str, list[float]] = {key: [] for key in (name, *peers)}
    ours(axons[:8])
    in_neuron(COARSE, DT_US)(axons[:1])
    for turn in range(rounds):
        batch = axons[turn * share : (turn + 1) * share]
        seconds, found = cpu_s(ours, batch)
        spent[name].append(seconds / share)
        speed[name].append(found[0])
        for key, peer in peers.items():
            if key == FINE and turn >= FINE_TURNS:
                continue
            seconds, found = cpu_s(peer, batch[:1])
            spent[key].append(seconds)
            speed[key].append(found[0])
    compared = [axons[turn * share] for turn in range(rounds)]
    true = conduction.conduct(
        compared, duration_ms=DURATION_MS, dt_us=FINE_US, reduction="full"
    ).velocity_m_per_s
    _table(name, spent, speed, true)


def _table(name: str, spent: dict[str, list[float]], speed: dict[str, list[float]], true: Velocity) -> None:
    print(
        "| one axon, 10 ms, one thread | CPU ms | against ours | goal | the first's velocity, m/s | error |"
    )
    print("| --- | --- | --- | --- | --- | --- |")
    goals = dict.fromkeys(spent, "")
    first, second, *_ = (key for key in spent if key != name)
    ratio = {key: min(seconds) / min(spent[name]) for key, seconds in spent.items()}
    goals[first] = (
        f">= 100 {_met(ratio[first] >= GOALS['8'])}; stretch 200 {_met(ratio[first] >= GOALS['stretch'])}"
    )
    goals[second] = f">= 400 {_met(ratio[second] >= GOALS['66'])}"
    for key, seconds in spent.items():
        error = np.array(speed[key]) / true[: len(seconds)] - 1
        worst = error[np.argmax(np.abs(error))]
        print(
            f"| {key} | {1e3 * min(seconds):.2f} | {'1' if key == name else f'{ratio[key]:.0f}'}"
            f" | {goals[key]} | {speed[key][0]:.4f} | {worst:+.2%} at worst |"
        )
    turns = np.array([np.divide(spent[key], spent[name]) for key in (first, second)])
    low, high = turns.min(axis=1), turns.max(axis=1)
    print(
        f"\nThe least of {turns.shape[1]} turns, {FINE_TURNS} of the last row; errors of as many axons."
        " Turn by turn the first two ratios ran from"
        f" {low[0]:.0f} to {high[0]:.0f} and from {low[1]:.0f} to {high[1]:.0f}."
        f" Load of the machine: {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores."
    )


def alone(count: int, threads: int) -> dict[str, float]:
    """In this fresh process: seconds to make axons, of the first call and of the whole; peak MB."""
    begun = time.process_time()
    axons = population(count)
    made = time.process_time() - begun
    begun = time.process_time()
    conduction.conduct(axons[:8], duration_ms=0.1)
    first = time.process_time() - begun
    wall, cpu = time.perf_counter(), time.process_time()
    result = conduction.conduct(axons, duration_ms=DURATION_MS, dt_us=DT_US, threads=threads)
    wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    assert set(result.outcome) == {"conducted"}, result
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return {"made": made, "first": first, "wall": wall, "cpu": cpu, "mb": peak}


def thousand(count: int, repeats: int) -> None:
    print(f"\n| {count:,} axons, no two alike, 10 ms | 1 thread | 2 threads | goal |")
    print("| --- | --- | --- | --- |")
    done: dict[int, list[dict[str, float]]] = {1: [], 2: []}
    for _ in range(repeats):
        for threads, runs in done.items():
            call = [sys.executable, __file__, "--alone", str(threads), "--axons", str(count)]
            child = subprocess.run(call, capture_output=True, text=True, check=True)
            runs.append(json.loads(child.stdout))
    best = {t: {key: min(run[key] for run in runs) for key in runs[0]} for t, runs in done.items()}
    one, two = best[1], best[2]
    most = max(run["mb"] for runs in done.values() for run in runs)
    goals = _met(one["cpu"] <= GOALS["cpu"]), _met(two["wall"] <= GOALS["wall"]), _met(most < GOALS["mb"])
    print(f"| CPU s | {one['cpu']:.2f} | {two['cpu']:.2f} | <= 4 on 1 thread {goals[0]} |")
    print(f"| s by the clock | {one['wall']:.2f} | {two['wall']:.2f} | <= 2.5 on 2 threads {goals[1]} |")
    print(f"| peak memory of the process, MB | {one['mb']:.0f} | {two['mb']:.0f} | < 400 {goals[2]} |")
    print(f"| beside it: making the `Axon` objects, CPU s | {one['made']:.2f} | | |")
    print(f"| beside it: first call of a process, CPU s | {one['first']:.2f} | | |")
    print(f"\nThe best of {repeats} processes each. Load of the machine: {os.getloadavg()[0]:.1f}.")


def _met(yes: bool) -> str:
    return "met" if yes else "**NOT MET**"


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--axons", type=int, default=COUNT)
    parser.add_argument(
        "--rounds", type=int, default=ROUNDS, help="turns, one axon of NEURON in each; 0 for none"
    )
    parser.add_argument("--repeats", type=int, default=8, help="fresh processes for 1,000 axons")
    parser.add_argument("--alone", type=int, help=argparse.SUPPRESS)
    chosen = parser.parse_args()
    if chosen.alone:
        print(json.dumps(alone(chosen.axons, chosen.alone)))
        return
    if why := neuron_axon.missing():
        print(f"NEURON is skipped: {why}\n")
    elif chosen.rounds:
        against_neuron(population(chosen.axons), chosen.rounds)
    thousand(chosen.axons, chosen.repeats)


if __name__ == "__main__":
    main()
