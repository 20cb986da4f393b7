"""Virtual patients beside what was published of real ones: levels, SDs, and SDs of change.

    python benchmarks/virtual/components.py           # a minute
    python benchmarks/virtual/components.py --fit     # how the delays were fitted; some minutes

A row is one published number: what the same measurement gives in virtual patients, and by how many standard
errors of the published number it differs. Rows of which virtual patients were made (`made of`) must agree;
the others are predictions.
"""

from __future__ import annotations

import argparse
import os
from collections.abc import Iterator

for _name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(_name, "1")

import numpy as np  # noqa: E402

from remyelin.protocol import Protocol  # noqa: E402
from remyelin.trial.regression import average, below_median  # noqa: E402
from remyelin.virtual.cohort import Cohort, draw_cohort  # noqa: E402
from remyelin.virtual.premises import Premises  # noqa: E402
from remyelin.virtual.repeated import run_trials  # noqa: E402
from remyelin.virtual.response import Response  # noqa: E402

SEED = 2026
Row = tuple[str, str, float, float, float, bool]
CUT, STABLE = 116.0, 5.0
NEVER = 0.33  # eyes with a lesion of the optic nerve among those that never had optic neuritis, fitted
VISITS = """
[trial]
id = "three-visits"
title = "Three recordings four months apart, nobody treated"
design = "parallel"
reference = "first"
[[arm]]
id = "first"
n = 500
[[arm]]
id = "second"
n = 500
[[visit]]
id = "M00"
day = 0
[[visit]]
id = "M04"
day = 122
[[visit]]
id = "M08"
day = 244
[[endpoint]]
id = "p100"
role = "primary"
measure = "p100_latency_ms"
site = "eye"
visits = ["M00", "M08"]
estimator = "ancova"
formula = "change ~ arm + baseline"
"""


def routine(**given: float) -> Cohort:
    """Eyes that never had optic neuritis, three times in a routine laboratory."""
    import tomllib

    premises = Premises.read(
        "routine", **{"optic_nerve_part": NEVER, "dropout": 0.0, "unusable_part": 0.0, **given}
    )
    return draw_cohort(
        Protocol.from_tables(tomllib.loads(VISITS)), 100, rng=np.random.default_rng(SEED), premises=premises,
        response=Response.constant(),
    )  # fmt: skip


def niklas(cohort: Cohort) -> Iterator[Row]:
    """Niklas 2009 (10.1177/1352458508095731), abstract."""
    value = cohort.readings[0].usable.reshape(-1, 3)
    value = value[np.isfinite(value).all(axis=1)]
    late = value[value[:, 0] > CUT]
    stable = late[np.abs(late[:, 1] - late[:, 0]) < STABLE]
    yield (
        "P100 of eyes never with optic neuritis, ms",
        "mean of 104 eyes",
        110.2,
        1.4,
        value[:, 0].mean(),
        True,
    )
    yield "the same above 116 ms", "part, 24 of 104", 24 / 104, 0.041, (value[:, 0] > CUT).mean(), True
    n = 32
    for k, (mean, sd) in enumerate(((124.8, 10.7), (123.5, 13.6), (122.8, 13.1))):
        words = f"eyes above 116 ms at the first, recording {k + 1}"
        yield f"{words}, ms", "mean of 32 eyes", mean, sd / n**0.5, late[:, k].mean(), True
        yield f"{words}, ms", "SD", sd, sd / (2 * (n - 1)) ** 0.5, late[:, k].std(), True
    change = (stable[:, 2] - stable[:, 1]).std()
    yield (
        "change of those that had changed by less than 5 ms, ms",
        "SD of 18 eyes",
        12.4,
        12.4 / 34**0.5,
        change,
        True,
    )


def trials() -> Iterator[Row]:
    """Standard errors of published trials."""
    null = Response.constant()
    for name, laboratory, n, words, endpoint, published, df, made in (
        ("ccmr-two", "trial", 400, "CCMR Two: SE of the effect on P100, ms", "p100-latency", 0.587, 64, True),
        ("rebuild", "rebuild", 60, "ReBUILD: SE of the effect, ms", "p100-latency", 0.612, 48, True),
        ("renew", "routine", 400, "RENEW, week 24: SE, ms", "p100-fellow-difference", 3.65, 80, True),
        ("ccmr-one", "trial", 100, "CCMR One: SE of the effect on submedian MTR, pu (unverified)",
         "submedian-lesion-mtr", 0.27, 47, True),
    ):  # fmt: skip
        found = run_trials(
            Protocol.read(name), n, rng=np.random.default_rng(SEED), response=null,
            premises=Premises.read(laboratory), endpoints=[endpoint],
        ).significant()  # fmt: skip
        yield (
            words,
            "from its interval",
            published,
            published / (2 * df) ** 0.5,
            float(found["mean_se"][0]),
            made,
        )


def lesions() -> Iterator[Row]:
    """CCMR One: lesions, and what they did on placebo."""
    cohort = draw_cohort(
        Protocol.read("ccmr-one"), 100, rng=np.random.default_rng(SEED), premises=Premises.read("trial"),
        response=Response.constant(),
    )  # fmt: skip
    mtr = cohort.readings[0]
    count = mtr.listed[..., 0].sum(axis=2).mean()
    yield "CCMR One: lesions a person", "mean, 1613 in 49", 32.9, 3.0, count, True
    usable = mtr.usable.reshape(-1, *mtr.usable.shape[2:])
    picked = below_median(usable[..., 0])[0] & np.isfinite(usable[..., 1])
    gain = float(np.nanmean(average(usable[..., 1] - usable[..., 0], picked)))
    words = "CCMR One: submedian change of MTR on placebo, pu"
    yield words, "mean of 24", 0.09, 0.84 / 24**0.5, gain, False


def fit() -> None:
    """The delays of old lesions: least squares on the nine numbers of Niklas 2009, each over its error."""
    from scipy.optimize import minimize

    def loss(x: np.ndarray) -> float:
        part, mean, sd = x
        if not (0 < part < 1 and mean > 1 and sd > 1):
            return 1e6
        rows = niklas(routine(optic_nerve_part=part, optic_nerve_delay_ms=mean, optic_nerve_delay_sd_ms=sd))
        return float(sum(((ours - value) / se) ** 2 for _, _, value, se, ours, _ in rows))

    found = minimize(loss, (NEVER, 18.5, 8.5), method="Nelder-Mead", options={"maxiter": 80})
    print(
        f"part {found.x[0]:.2f}, delay {found.x[1]:.1f} (SD {found.x[2]:.1f}) ms, chi-squared {found.fun:.1f}"
    )


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--fit", action="store_true")
    if parser.parse_args().fit:
        fit()
        return
    print("| what | of | published | virtual | difference, SE of the published | made of it |")
    print("| --- | --- | --- | --- | --- | --- |")
    for what, of, value, se, ours, made in (*niklas(routine()), *trials(), *lesions()):
        cells = (
            what,
            of,
            f"{value:.4g}",
            f"{ours:.4g}",
            f"{(ours - value) / se:+.1f}",
            "yes" if made else "no",
        )
        print(f"| {' | '.join(cells)} |")


if __name__ == "__main__":
    main()
