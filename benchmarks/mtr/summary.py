"""The tables of the precision benchmark, from the results of its brains.

Every brain counts as one observation of its patient's change; 95 % intervals come from drawing the brains
again with replacement (lesions of a brain stay together), the same draws for all methods, so that ratios are
paired.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

import numpy as np

from remyelin.trial.submedian import submedian_change

RESAMPLES, SEED = 2000, 2026
CHANGED_PU = 0.1  # lesions gain 0 or 0.2
SCRIPT = "twice"
NAMES = {"twice": "ordinary script", "once": "script, follow-up interpolated once"}
WAYS = {
    "none": "no image interpolated",
    "weighted": "the same, spill left in",
    "halfway": "halfway, each image once",
}
Brain = dict[str, np.ndarray]
Draw = np.ndarray  # (brains,) indices
Statistic = Callable[[Draw], float]


TITLE = """# How exact is the change of a lesion's MTR?

Made by `python benchmarks/mtr/precision.py`. Simulated 1 mm brains of known truth: MNI152 tissue, real
lesion shapes (20 people with MS, each with two seeds), true partial volume, head motion between and within
visits, a receive field of +-10 % that differs between visits, Rician noise of 2 % of white matter. Every
second lesion gains 0.2 pu; nothing else changes. What is not in it: biology, atrophy and other deformation,
B1+, the error of a reader's mask.
"""


def table(files: Iterable[Path], default: str) -> str:
    """The page, in Markdown; `default` is the variant that the package uses by itself."""
    brains = []
    for file in files:
        with np.load(file) as kept:
            brains.append({name: kept[name] for name in kept.files})
    if not brains:
        return "No brain is done."
    methods = [
        *NAMES,
        *sorted(n.removesuffix("_slope") for n in brains[0] if n.endswith("_slope") and "-" in n),
    ]
    lesions = sum(len(brain["change_pu"]) for brain in brains)
    parts = [
        TITLE,
        f"{len(brains)} brains, {lesions} lesions of at least 10 mm3. In brackets: 95 % intervals.",
        _lesion_table(brains, methods, default),
        _patient_table(brains, methods, default),
        _own_words(brains, default),
        _cost(brains, default),
    ]
    return "\n\n".join(parts) + "\n"


def _lesion_table(brains: Sequence[Brain], methods: Sequence[str], default: str) -> str:
    rows = []
    for method in methods:
        change = [_change(brain, method) for brain in brains]
        still = [c[brain["change_pu"] < CHANGED_PU] for c, brain in zip(change, brains, strict=True)]
        error = [_lesion_error(brain, method) for brain in brains]
        level = [brain[f"{method}_pu"][:, 0] - brain["level_pu"] for brain in brains]
        slope = _slope(brains, method)
        rows.append(
            [
                _name(method, default),
                _cell(lambda d, s=still: _joined(s, d).mean(), brains, "+.3f"),
                _cell(lambda d, v=level: _joined(v, d).mean(), brains, "+.2f"),
                _cell(lambda d, e=error: _joined(e, d).std(), brains),
                _cell(slope, brains),
                _cell(lambda d, s=slope, e=error: s(d) / _joined(e, d).std(), brains, ".2f"),
            ]
        )
    head = [
        "method",
        "mean change in unchanged lesions, pu",
        "baseline level less true, pu",
        "SD of a lesion's change, pu",
        "slope",
        "slope / SD",
    ]
    return "## Lesions\n\n" + _markdown(head, rows)


def _patient_table(brains: Sequence[Brain], methods: Sequence[str], default: str) -> str:
    script, script_weighted = (_patient_errors(brains, SCRIPT)[k] for k in (0, 1))
    rows = []
    for method in methods:
        plain, weighted = _patient_errors(brains, method)
        rows.append(
            [
                _name(method, default),
                _cell(lambda d, e=plain: e[d].mean(), brains, "+.3f"),
                _cell(lambda d, e=plain: _rmse(e[d]), brains),
                _cell(lambda d, e=plain: _rmse(e[d]) / _rmse(script[d]), brains, ".2f"),
                _cell(lambda d, e=weighted: e[d].std(ddof=1), brains),
                _cell(lambda d, e=weighted: e[d].std(ddof=1) / script_weighted[d].std(ddof=1), brains, ".2f"),
            ]
        )
    head = ["method", "bias, pu", "RMSE, pu", "RMSE / script's", "weighted: SD, pu", "SD / script's"]
    words = (
        "## Patients\n\nSubmedian change, reported less true change of the same lesions. "
        "Weighted: by precision (script: by voxels), another estimand."
    )
    return f"{words}\n\n" + _markdown(head, rows)


def _own_words(brains: Sequence[Brain], default: str) -> str:
    """What the package says of itself, against the truth."""
    z = [_lesion_error(brain, default) / np.hypot(*brain[f"{default}_se_pu"].T) for brain in brains]
    true = np.array([brain[f"{default}_slope"].mean() for brain in brains])
    said, low, high = np.array([brain["calibration"] for brain in brains]).T
    regression = _slope(brains, default, exact=False)
    corrected, rise = _corrected(brains, default)
    change = np.array([_true(brain, default) for brain in brains])
    calibrated = (corrected + change) / said - change
    rows = [
        ["SD of lesion error / se", _cell(lambda d: _joined(z, d).std(), brains)],
        ["slope: exact", _cell(lambda d: true[d].mean(), brains)],
        ["slope: regression of measured on true change", _cell(regression, brains)],
        ["slope: self-calibration", _cell(lambda d: said[d].mean(), brains)],
        ["self-calibration less exact, largest", f"{np.abs(said - true).max():.3f}"],
        ["its interval covers the exact slope", f"{((low <= true) & (true <= high)).mean():.0%}"],
        ["mean width of that interval", f"{(high - low).mean():.3f}"],
        ["regression to the mean, estimated, pu", _cell(lambda d: rise[d].mean(), brains, "+.3f")],
        ["submedian change, that removed: bias, pu", _cell(lambda d: corrected[d].mean(), brains, "+.3f")],
        ["submedian change, that removed: RMSE, pu", _cell(lambda d: _rmse(corrected[d]), brains)],
        [
            "and divided by the calibrated slope: bias, pu",
            _cell(lambda d: calibrated[d].mean(), brains, "+.3f"),
        ],
        ["and divided by the calibrated slope: RMSE, pu", _cell(lambda d: _rmse(calibrated[d]), brains)],
    ]
    return "## What the package says of itself\n\n" + _markdown(["", _name(default, default)], rows)


def _cost(brains: Sequence[Brain], default: str) -> str:
    rows = []
    for who, error in (("remyelin", "error_mm"), ("ordinary script", "peer_error_mm")):
        mm = np.array([brain[error] for brain in brains])
        within, between = mm[:, :2].reshape(-1, 2), mm[:, 2]
        rows.append(
            [who, *(f"{part[:, 0].mean():.3f}, {part[:, 1].max():.3f}" for part in (within, between))]
        )
    seconds = {
        "registration": "cpu_registration", "lesions": f"cpu_{default}", "calibration": "cpu_calibration",
        "ordinary script": "cpu_ordinary",
    }  # fmt: skip
    spent = [f"{what} {np.median([b[key] for b in brains]):.1f}" for what, key in seconds.items()]
    return (
        "## Registration error over the brain, mm: mean, largest\n\n"
        + _markdown(["", "MT-on to MT-off", "between visits"], rows)
        + f"\n\nCPU seconds, median: {'; '.join(spent)}."
    )


def _change(brain: Brain, method: str) -> np.ndarray:
    return brain[f"{method}_pu"][:, 1] - brain[f"{method}_pu"][:, 0]


def _lesion_error(brain: Brain, method: str) -> np.ndarray:
    """Change less what the method should see of the true one (the script's slope is not known: all of it)."""
    return _change(brain, method) - brain.get(f"{method}_slope", 1.0) * brain["change_pu"]


def _slope(brains: Sequence[Brain], method: str, *, exact: bool = True) -> Statistic:
    """Measured per true change: exact where the weights are known, else by regression within brains."""
    if exact and f"{method}_slope" in brains[0]:
        mean = np.array([brain[f"{method}_slope"].mean() for brain in brains])
        return lambda draw: mean[draw].mean()
    true = [brain["change_pu"] - brain["change_pu"].mean() for brain in brains]
    product = np.array([(t * _change(brain, method)).sum() for t, brain in zip(true, brains, strict=True)])
    square = np.array([(t**2).sum() for t in true])
    return lambda draw: product[draw].sum() / square[draw].sum()


def _patient_errors(brains: Sequence[Brain], method: str) -> tuple[np.ndarray, np.ndarray]:
    """(brain,) plain and weighted submedian change, less the true one of the same lesions and weights."""
    plain, weighted = [], []
    for brain in brains:
        before = brain[f"{method}_pu"][:, 0]
        low = before < np.median(before)
        error = (_change(brain, method) - brain["change_pu"])[low]
        se = brain.get(f"{method}_se_pu")
        weight = brain["voxels"][low] if se is None else 1 / (se[low] ** 2).sum(1)
        plain.append(error.mean())
        weighted.append(np.average(error, weights=weight))
    return np.array(plain), np.array(weighted)


def _corrected(brains: Sequence[Brain], method: str) -> tuple[np.ndarray, np.ndarray]:
    """(brain,) error of the submedian change without regression to the mean, and that regression."""
    widest = max(len(brain["change_pu"]) for brain in brains)
    before, after, se_before, se_after = (
        np.array([_padded(brain[f"{method}{kind}_pu"][:, visit], widest) for brain in brains])
        for kind in ("", "_se")
        for visit in (0, 1)
    )
    found = submedian_change(before, after, se_baseline=se_before, se_follow_up=se_after).frame
    true = [_true(brain, method) for brain in brains]
    return found["corrected_pu"].to_numpy() - true, found["rtm_pu"].to_numpy()


def _true(brain: Brain, method: str) -> float:
    before = brain[f"{method}_pu"][:, 0]
    return float(brain["change_pu"][before < np.median(before)].mean())


def _padded(values: np.ndarray, n: int) -> np.ndarray:
    return np.pad(values, (0, n - len(values)), constant_values=np.nan)


def _joined(parts: Sequence[np.ndarray], draw: Draw) -> np.ndarray:
    return np.concatenate([parts[i] for i in draw])


def _rmse(error: np.ndarray) -> float:
    return float(np.sqrt((error**2).mean()))


def _cell(statistic: Statistic, brains: Sequence[Brain], form: str = ".3f") -> str:
    """The statistic and its 95 % interval over brains."""
    rng = np.random.default_rng(SEED)
    everyone = np.arange(len(brains))
    with np.errstate(invalid="ignore", divide="ignore"):  # the same brain drawn throughout has no SD
        again = [statistic(rng.integers(0, len(brains), len(brains))) for _ in range(RESAMPLES)]
    low, high = np.nanquantile(again, (0.025, 0.975))
    return f"{statistic(everyone):{form}} ({low:{form}} to {high:{form}})"


def _name(method: str, default: str) -> str:
    if method in NAMES:
        return NAMES[method]
    interpolation, degree = method.split("-")
    words = WAYS[interpolation] + (", plain mask" if degree == "0" else f", spline {degree}")
    return f"**{words}**" if method == default else words


def _markdown(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)
