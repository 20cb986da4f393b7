"""How near the default answers are to those of a very short time step and of unreduced internodes.

    python benchmarks/conduction/accuracy.py

Random axons of both central models, intact and with lesions, fixed seeds: the time step of 4 us against one
of 0.25 us, reduced internodes against full ones, the correction for curvature, fewer segments. The axons on
which the correction was chosen (training) are not those on which it is judged.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from remyelin import conduction
from remyelin.conduction import Axon, Internode, group

TEST, TRAINING, LESIONS = 2026, 55, 20262  # seeds
DT_US, SHORT_US = 4.0, 0.25
DURATION_MS = 14.0
BAR_PERCENT = 0.25
STEPS_US = (0.5, 1.0, 2.0, 4.0, 8.0)
SEGMENTS = (8, 16, 66)
SPREAD = ("mean, %", "median size, %", "95th, %", "largest, %", "beyond 0.25 %")
CURVATURES = (0.0, 0.05, 0.1, 0.12, 0.14, 0.16)


@dataclass(frozen=True)
class Run:
    """How axons are simulated: time step, reduction, and the correction for curvature."""

    dt_us: float = DT_US
    reduction: str = "modes"
    curvature: float = group.CURVATURE

    def __call__(self, axons: Sequence[Axon]) -> conduction.Conduction:
        """Conduct along them."""
        standing = group.CURVATURE
        group.CURVATURE = self.curvature
        try:
            return conduction.conduct(
                axons, duration_ms=DURATION_MS, dt_us=self.dt_us, reduction=self.reduction
            )
        finally:
            group.CURVATURE = standing


Answer = Callable[[Run, Sequence[Axon]], np.ndarray]


def random_axons(seed: int, count: int) -> list[Axon]:
    """Central axons of all sizes that conduct; every second from the model of the cortex."""
    rng = np.random.default_rng(seed)
    drawn: list[Axon] = []
    while len(drawn) < count:
        model = conduction.optic_nerve if len(drawn) % 2 == 0 else conduction.cortex
        diameter = np.exp(rng.uniform(np.log(0.3), np.log(3)))
        axon = model(
            diameter,
            g_ratio=rng.uniform(0.6, 0.85),
            internode_um=diameter * rng.uniform(50, 200),
            node_length_um=rng.uniform(0.5, 2.5),
            temperature_c=rng.uniform(33, 39),
        )
        if conduction.conduct(axon, duration_ms=DURATION_MS).outcome == ("conducted",):
            drawn.append(axon)
    return drawn


def random_lesions(seed: int, count: int) -> list[Axon]:
    """Axons that conduct through a lesion: thin, bare with a few channels, or remyelinated, by turns."""
    rng = np.random.default_rng(seed)
    drawn: list[Axon] = []
    while len(drawn) < count:
        axon = random_axons(int(rng.integers(2**31)), 1)[0]
        length = int(rng.integers(1, 13))
        place = range(20, 20 + length)
        kind = len(drawn) % 3
        if kind == 0:
            lesion = axon.demyelinate(
                place, lamellae=int(rng.integers(1, min(4, axon.parts[0].myelin.lamellae)))
            )
        else:
            lesion = axon.demyelinate(place, bare=True, nav_fraction=rng.choice([0.0, 0.005, 0.01, 0.02]))
            if kind == 2:
                nodal = str(rng.choice(["density", "number"]))
                n_short = int(rng.integers(1, 4))
                turns = min(int(rng.integers(2, 5)), axon.parts[0].myelin.lamellae)
                lesion = lesion.remyelinate(place, n_short=n_short, lamellae=turns, nodal_nav=nodal)
        if conduction.conduct(lesion, duration_ms=DURATION_MS).outcome == ("conducted",):
            drawn.append(lesion)
    return drawn


def velocity(run: Run, axons: Sequence[Axon]) -> np.ndarray:
    """(axon,) over the middle fifth, m/s."""
    return run(axons).velocity_m_per_s


def transit(run: Run, axons: Sequence[Axon]) -> np.ndarray:
    """(axon,) from a tenth to nine tenths of the nodes, lesion included, ms."""
    result = run(axons)
    last = np.array([axon.n_nodes - 1 for axon in axons])
    row = np.arange(len(axons))
    ends = np.round(0.9 * last).astype(int), np.round(0.1 * last).astype(int)
    return result.arrival_ms[row, ends[0]] - result.arrival_ms[row, ends[1]]


def in_percent(found: np.ndarray, truth: np.ndarray) -> np.ndarray:
    """Difference relative to the truth."""
    return 100 * (found / truth - 1)


def spread(error: np.ndarray) -> list[str]:
    """Mean, and of the size the median, 95th percentile and largest; how many are beyond the bar."""
    size = np.abs(error)
    cells = (f"{cell:.3f}" for cell in (*np.percentile(size, [50, 95]), size.max()))
    return [f"{error.mean():+.3f}", *cells, f"{np.sum(size > BAR_PERCENT)} of {len(size)}"]


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Print as Markdown."""
    print("| " + " | ".join(head) + " |\n|" + "---|" * len(head))
    for row in rows:
        print("| " + " | ".join(row) + " |")
    print(flush=True)


def with_segments(axon: Axon, middle: int) -> Axon:
    """The same axon with another number of segments between its paranodes."""

    def part(internode: Internode) -> Internode:
        return replace(
            internode,
            stretches=tuple(s if s.paranode else replace(s, segments=middle) for s in internode.stretches),
        )

    changed = {id(p): part(p) for p in axon.parts}
    return replace(axon, parts=tuple(changed[id(p)] for p in axon.parts))


def described(axon: Axon) -> str:
    """Its numbers in a line."""
    return (
        f"{axon.name} {axon.diameter_um:.2f} um, g {axon.g_ratio[0]:.2f}, internode {axon.part_um[0]:.0f} um,"
        f" node {axon.nodes[0].length_um:.2f} um, {axon.temperature_c:.1f} degC"
    )


def named_axons() -> dict[str, Axon]:
    """Those whose order is printed one by one."""
    optic = conduction.optic_nerve()
    return {
        "optic nerve": optic,
        "cortex": conduction.cortex(),
        "2.0 um, g 0.70": conduction.optic_nerve(2.0, g_ratio=0.7),
        "0.5 um, g 0.85": conduction.optic_nerve(0.5, g_ratio=0.85),
        "optic nerve, 30 degC": optic.at(30),
        "12 internodes bare, 1 % channels": optic.demyelinate(range(20, 32), bare=True, nav_fraction=0.01),
    }


def time_steps(sets: dict[str, tuple[Answer, list[Axon]]], truth: dict[str, np.ndarray]) -> None:
    """Errors of 4 us, in per cent and in microseconds of the way, and the worst axons."""
    rows = []
    for name, (answer, axons) in sets.items():
        rows.append([name, *spread(in_percent(answer(Run(), axons), truth[name]))])
    table(["4 us against 0.25 us", *SPREAD], rows)
    rows = []
    for name, (_, axons) in sets.items():
        error = 1e3 * np.abs(transit(Run(), axons) - transit(Run(SHORT_US), axons))
        middle, high = np.percentile(error, [50, 95])
        rows.append([name, f"{middle:.2f}", f"{high:.2f}", f"{error.max():.2f}"])
    table(["time from a tenth to nine tenths of the nodes", "median, us", "95th, us", "largest, us"], rows)
    answer, axons = sets["test, intact"]
    error = in_percent(answer(Run(), axons), truth["test, intact"])
    worst = np.argsort(-np.abs(error))[:5]
    table(
        ["the five worst of the test axons", "error, %"],
        [[described(axons[k]), f"{error[k]:+.3f}"] for k in worst],
    )


def convergence(axons: list[Axon], truth: np.ndarray) -> None:
    """Errors at several time steps, and the observed order."""
    found = {dt: velocity(Run(dt), axons) for dt in STEPS_US}
    table(
        ["time step against 0.25 us, test, intact", *SPREAD],
        [[f"{dt:g} us", *spread(in_percent(found[dt], truth))] for dt in STEPS_US],
    )
    named = named_axons()
    ways = [transit(Run(dt), list(named.values())) for dt in (4.0, 2.0, 1.0)]
    bare = [transit(Run(dt, curvature=0.0), list(named.values())) for dt in (4.0, 2.0, 1.0)]
    rows = [
        [name, *(f"{np.log2((w[0][k] - w[1][k]) / (w[1][k] - w[2][k])):.2f}" for w in (ways, bare))]
        for k, name in enumerate(named)
    ]
    table(["observed order from 1, 2 and 4 us", "default", "without the correction"], rows)


def corrections(sets: dict[str, tuple[Answer, list[Axon]]], truth: dict[str, np.ndarray]) -> None:
    """What the correction for curvature does, where it was chosen and where not."""
    rows = []
    for curvature in CURVATURES:
        for name, (answer, axons) in sets.items():
            error = in_percent(answer(Run(curvature=curvature), axons), truth[name])
            rows.append([f"{curvature:g}", name, *spread(error)])
    table(["correction", "axons", *SPREAD], rows)


def reductions(sets: dict[str, tuple[Answer, list[Axon]]]) -> None:
    """Modes against all segments, and fewer segments against the published number."""
    rows = []
    for name, (answer, axons) in sets.items():
        error = in_percent(answer(Run(), axons), answer(Run(reduction="full"), axons))
        size = np.abs(error)
        cells = [f"{1e3 * cell:.2f}" for cell in (*np.percentile(size, [50, 95]), size.max())]
        rows.append([name, *cells])
    table(["modes against all segments", "median, 0.001 %", "95th, 0.001 %", "largest, 0.001 %"], rows)
    answer, axons = sets["test, intact"]
    found = [answer(Run(), [with_segments(axon, n) for axon in axons]) for n in SEGMENTS]
    rows = [[f"{n}", *spread(in_percent(v, found[-1]))] for n, v in zip(SEGMENTS, found, strict=True)]
    table([f"segments between the paranodes against {SEGMENTS[-1]}", *SPREAD], rows)


def near_a_block() -> None:
    """Where a small error would show: delay next to a block, where it begins, the sodium that entered."""
    optic = conduction.optic_nerve()
    hesitant = optic.demyelinate(range(25, 27), bare=True)
    heated = np.arange(37, 38, 0.02)
    parts = np.arange(0.05, 0.5, 0.005)
    sparse = [optic.demyelinate(range(20, 32), bare=True, nav_fraction=part / 100) for part in parts]
    rows = []
    for run in (Run(), Run(2.0), Run(1.0), Run(SHORT_US), Run(1.0, "full")):
        way = transit(run, [optic, hesitant])
        failed = heated[run([hesitant.at(t) for t in heated]).blocked].min()
        fewest = parts[~run(sparse).blocked].min()
        charge = run([optic, hesitant]).sodium_pc
        rows.append(
            [
                f"{run.dt_us:g} us, {run.reduction}",
                f"{way[1] - way[0]:.4f}",
                f"{failed:.2f}",
                f"{fewest:.3f}",
                f"{charge[0]:.4f}, {charge[1]:.4f}",
            ]
        )
    head = [
        "",
        "2 bare internodes: extra delay, ms",
        "they block from, degC",
        "12 bare internodes conduct from, % of a node's channels",
        "sodium, pC, without and with the 2",
    ]
    table(head, rows)


def main() -> None:
    """Print every table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--axons", type=int, default=100, help="how many in each set")
    parser.add_argument("--lesions", type=int, default=30, help="how many with lesions")
    chosen = parser.parse_args()
    begun = time.process_time()
    sets: dict[str, tuple[Answer, list[Axon]]] = {
        "training, intact": (velocity, random_axons(TRAINING, chosen.axons)),
        "test, intact": (velocity, random_axons(TEST, chosen.axons)),
        "test, lesions": (transit, random_lesions(LESIONS, chosen.lesions)),
    }
    truth = {name: answer(Run(SHORT_US), axons) for name, (answer, axons) in sets.items()}
    time_steps(sets, truth)
    convergence(sets["test, intact"][1], truth["test, intact"])
    corrections(sets, truth)
    reductions(sets)
    near_a_block()
    print(f"{time.process_time() - begun:.0f} CPU s")


if __name__ == "__main__":
    main()
