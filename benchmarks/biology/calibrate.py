"""The posterior of the lineage: makes it, judges it, and holds it to what it was calibrated on.

    python benchmarks/biology/calibrate.py                 # minutes; prints, writes nothing
    python benchmarks/biology/calibrate.py --write         # and writes evidence/biology_posterior.toml
    python benchmarks/biology/calibrate.py --steps 400     # a quick look

Fixed seed. The same file comes out byte for byte with the same versions of numpy and numba on the same
machine; elsewhere a last digit may differ. Prints the tables of docs/theory/lineage.md.
"""

from __future__ import annotations

import argparse
import time
from importlib import resources
from pathlib import Path

import numpy as np

from remyelin.biology.calibrate import Fit, calibration, fit
from remyelin.biology.experiments import control_days, controls, experiments, log_ratios
from remyelin.evidence.load import read_data

ENSEMBLES, WALKERS, STEPS, DRAWS, SEED = 4, 40, 4000, 200, 6
DIGITS = 5


def text(found: Fit) -> str:
    """The file of the evidence base."""
    prior = found.calibration.prior
    lines = [
        "# Draws of the posterior, the first the most probable of those that cover the controls on their very"
    ]
    lines += ["# days. Made by benchmarks/biology/calibrate.py.", "names = ["]
    lines += [f'    "{name}",' for name in prior.names]
    lines += ["]", "draws = ["]
    lines += [f"    [{', '.join(f'{value:.{DIGITS}g}' for value in row)}]," for row in found.posterior.draws]
    lines += ["]", "", "[fixed]"]
    quoted = {name: f'"{name}"' if "." in name else name for name in prior.fixed}
    lines += [f"{quoted[name]} = {value!r}" for name, value in prior.fixed.items()]
    return "\n".join(lines) + "\n"


def convergence(found: Fit, seconds: float) -> None:
    """Whether the samples can be trusted."""
    chain = found.chain
    ensembles, steps, walkers = chain.log_density.shape
    times, r_hat, worth = (
        chain.autocorrelation_steps(),
        chain.split_r_hat(),
        chain.effective_samples(),
    )
    print("| sampler | |\n|---|---|")
    print(f"| ensembles x walkers x steps kept | {ensembles} x {walkers} x {steps} |")
    print(f"| moves accepted | {chain.accepted:.0%} |")
    print(f"| autocorrelation time, steps: median, longest | {np.median(times):.0f}, {times.max():.0f} |")
    print(f"| steps kept over the longest | {steps / times.max():.0f} |")
    print(f"| split R-hat over ensembles, largest | {r_hat.max():.3f} |")
    print(f"| effective samples, fewest | {worth.min():.0f} |")
    print(f"| CPU seconds | {seconds:.0f} |")


def targets(found: Fit) -> None:
    """What the calibration was made to meet, and does."""
    known = found.posterior.known()
    days = control_days(known)
    print("\n| calibrated on | seen | first draw | posterior median (90 %) | draws that agree | source |")
    print("|---|---|---|---|---|---|")
    for name, row in controls().items():
        low, median, high = np.quantile(days[name], [0.05, 0.5, 0.95])
        inside = np.abs(days[name] - row.completion_day) <= 2 * row.sd
        print(
            f"| {row.words}, days to 95 % | {row.completion_day:g} +- {2 * row.sd:g} | {days[name][0]:.2f} "
            f"| {median:.1f} ({low:.1f} to {high:.1f}) | {inside.mean():.0%} | {row.source} |"
        )
    chosen = [each for each in experiments().values() if each.used_for == "calibration"]
    for each, column in zip(chosen, log_ratios(known, days, chosen).T, strict=True):
        low, median, high = 100 * np.expm1(np.quantile(column, [0.05, 0.5, 0.95]))
        agree = f"{each.agrees(column).mean():.0%} | {each.source} |"
        print(
            f"| {each.words} | {each.expected} | {100 * np.expm1(column[0]):+.0f} % "
            f"| {median:+.0f} % ({low:+.0f} to {high:+.0f}) | {agree}"
        )


def parameters(found: Fit) -> None:
    """Every rate with its prior and what the calibration left of it."""
    data = read_data("biology.toml")
    rows = data["rate"] | {f"ageing.{key}": row for key, row in data["ageing"].items()}
    prior = found.calibration.prior
    print("\n| rate | unit | prior median (95 %) | first draw | posterior median (90 %) | status | source |")
    print("|---|---|---|---|---|---|---|")
    for name, row in rows.items():
        head = f"| `{name}` | {row['unit']} |"
        tail = f"| {row['status']} | {row.get('source', '')} |"
        if name in prior.fixed:
            print(f"{head} {row['value']:g}, fixed | | {tail}")
            continue
        column = found.posterior.draws[:, prior.names.index(name)]
        low, median, high = np.quantile(column, [0.05, 0.5, 0.95])
        free = "" if name in found.calibration.names else ", the prior: no target reads it"
        print(
            f"{head} {row['value']:g} ({row['low']:g} to {row['high']:g}) | {column[0]:.3g} "
            f"| {median:.3g} ({low:.3g} to {high:.3g}){free} {tail}"
        )


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--steps", type=int, default=STEPS)
    parser.add_argument("--write", action="store_true")
    options = parser.parse_args()
    started = time.process_time()
    found = fit(
        calibration(),
        ensembles=ENSEMBLES,
        walkers=WALKERS,
        steps=options.steps,
        forget=options.steps // 4,
        draws=DRAWS,
        seed=SEED,
    )
    convergence(found, time.process_time() - started)
    targets(found)
    parameters(found)
    if options.write:
        path = Path(str(resources.files("remyelin") / "evidence" / "biology_posterior.toml"))
        path.write_text(text(found))


if __name__ == "__main__":
    main()
