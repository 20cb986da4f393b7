"""A section of tissue, cell by cell: speed beside Mesa, fronts at three ages, the section beside the lineage.

    python benchmarks/biology/section.py            # minutes; pip install "mesa>=3.3" for the peer

Mesa 3 and ours follow 10,000 walking cells by the same rules, a step an hour: hop to one of 8 neighbouring
sites unless it is taken, divide into a free neighbouring site or die by the density of the tile,
differentiate, and die then. CPU time of one thread, a day in turns; building models and compiling are counted
on neither side.
"""

from __future__ import annotations

import os

for _name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS"):
    os.environ.setdefault(_name, "1")

import time  # noqa: E402

import numpy as np  # noqa: E402

from remyelin import biology  # noqa: E402
from remyelin.biology.lattice import LIVE, TILE, VISITS, Tissue, normal_tissue  # noqa: E402
from remyelin.biology.section_kernel import run_front  # noqa: E402
from remyelin.biology.section_law import Law, law  # noqa: E402

PHAGOCYTES, DEBRIS = 1.0, 0.1
SITES, AGENTS, ROUNDS, STEPS = 550, 10_000, 9, 24
AGES = {"rat-young": (28, 60), "rat-old": (63, 120), "rat-aged": (None, 240)}


def bare_everywhere(state: np.ndarray) -> tuple[Tissue, Law]:
    """10,000 progenitors among oligodendrocytes, all axons bare and left so, the fields constant."""
    rules = law(biology.scenario("rat-young"), SITES, 1.0)
    rules = rules._replace(integration=0.0, peak=1.0, per_cell=SITES**2 / AGENTS / TILE**2)
    tissue = normal_tissue(SITES, SITES, AGENTS / SITES**2, state)
    tissue.lesion[:] = 1
    tissue.near[:] = len(tissue.reach) * tissue.owner.shape[1]
    tissue.phagocytes[:], tissue.debris[:] = PHAGOCYTES, DEBRIS
    return tissue, rules


def beside_mesa() -> None:
    state = np.array([1], np.uint64)
    tissue, rules = bare_everywhere(state)
    everywhere = np.ones(len(tissue.occupant), bool)
    peers = {}
    try:
        from mesa_section import OnGrid, OnList, Rules, mesa

        simple = Rules(rules, PHAGOCYTES, DEBRIS)
        peers = {
            f"Mesa {mesa.__version__}, its grid": OnGrid(tissue, rules, simple, SITES),
            f"Mesa {mesa.__version__}, sites in a list": OnList(tissue, rules, simple),
        }
    except ImportError:
        print("Mesa: skipped, not installed here\n")
    found: dict[str, list[float]] = {name: [] for name in (*peers, "ours")}
    run_front(tissue._replace(), rules, state, STEPS, everywhere, 9.0, np.zeros((1, 2)))
    for _ in range(ROUNDS):
        for name, model in peers.items():
            before, begun = model.visits, time.process_time()
            for _ in range(STEPS):
                model.step()
            found[name].append((model.visits - before) / (time.process_time() - begun))
        before, begun = int(tissue.tally[VISITS]), time.process_time()
        run_front(tissue, rules, state, STEPS, everywhere, 9.0, np.zeros((2, 2)))
        found["ours"].append((int(tissue.tally[VISITS]) - before) / (time.process_time() - begun))
    print("| | agents on the last day (progenitors) | agent-steps a second, median (range) | ours, times |")
    print("| --- | --- | --- | --- |")
    for name, speeds in found.items():
        each = np.array(speeds) / 1e6
        left = sum(peers[name].crowd) if name in peers else int(tissue.crowd.sum())
        agents = peers[name].walkers if name in peers else int(tissue.tally[LIVE])
        spread = f"{np.median(each):.3g} ({each.min():.3g} to {each.max():.3g}) million"
        times = np.median(found["ours"]) / np.median(speeds)
        print(f"| {name} | {agents:,} ({left:,}) | {spread} | {times:.3g} |")


def cost() -> None:
    print("\n| section | cells at the end of 60 days | visits, million | CPU s |\n| --- | --- | --- | --- |")
    for name, width in (("rat-young", 4.0), ("human", 4.0), ("rat-young", 12.0)):
        scenario = biology.scenario(name)
        biology.simulate_section(scenario, days=1, width_mm=width)
        begun = time.process_time()
        section = biology.simulate_section(scenario, days=60, width_mm=width)
        took = time.process_time() - begun
        cells = int((section.cells[-1] > 0).sum())
        print(f"| {name}, {width:g} x {width:g} mm | {cells:,} | {section.visits / 1e6:.2g} | {took:.2g} |")


def fronts() -> None:
    print("\n| front | asked, mm a week | section | other draws | CPU s |\n| --- | --- | --- | --- | --- |")
    for name, hours in ((name, hours) for name in AGES for hours in (1.0, 0.5, 3.0)):
        if hours == 1 or name == "rat-young":
            _front(name, hours)


def _front(name: str, hours: float) -> None:
    scenario = biology.scenario(name)
    begun = time.process_time()
    found = biology.section_front_mm_per_week(scenario, hours_per_step=hours)
    took = time.process_time() - begun
    others = [
        biology.section_front_mm_per_week(scenario, hours_per_step=hours, rng=np.random.default_rng(seed))
        for seed in (1, 2, 3)
    ]
    asked = f"{scenario.rates.front_mm_per_week:.3g} | {found:.3f} | {min(others):.3f} to {max(others):.3f}"
    print(f"| {name}, steps of {hours:g} h | {asked} | {took:.2g} |")


def beside_lineage() -> None:
    print("\n| covered again on day | 7 | 14 | 21 | 28 | 42 | 63 | 95 % on day |")
    print("| --- | --- | --- | --- | --- | --- | --- | --- |")
    for name, (_, days) in AGES.items():
        scenario = biology.scenario(name)
        found = [
            biology.simulate_section(scenario, days=days, width_mm=2, rng=np.random.default_rng(seed))
            for seed in range(8)
        ]
        runs = np.array([each.remyelinated for each in found])
        done = [each.completion_day() for each in found]
        lineage = biology.simulate(scenario, days=days)
        _row(f"{name}, lineage", lineage.remyelinated, f"{lineage.completion_day():.0f}")
        _row(
            f"{name}, section, mean of 8",
            runs.mean(axis=0),
            f"{np.median(done):.0f} ({min(done):.0f} to {max(done):.0f})",
        )
        _row("SD of 8", runs.std(axis=0, ddof=1), "")
    for radius in (0.5, 1.0, 1.5):
        scenario = biology.scenario("rat-young", lesion_radius_mm=radius, resident_progenitors=0.0)
        section = biology.simulate_section(scenario, days=120, width_mm=4)
        _row(
            f"rat-young, {radius:g} mm, none resident",
            section.remyelinated,
            f"{section.completion_day():.0f}",
        )


def _row(name: str, values: np.ndarray, done: str) -> None:
    cells = " | ".join(f"{values[day]:.2f}" if day < len(values) else "" for day in (7, 14, 21, 28, 42, 63))
    print(f"| {name} | {cells} | {done} |")


def main() -> None:
    print(f"load of the machine: {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores\n")
    beside_mesa()
    cost()
    fronts()
    beside_lineage()


if __name__ == "__main__":
    main()
