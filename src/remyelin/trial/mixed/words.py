"""A fitted mixed model in a few lines."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from remyelin.trial.mixed.fit import MixedFit


def summary(fit: MixedFit) -> str:
    """What was fitted, the variances, and the contrasts, or the coefficients where there is no arm."""
    spec, parts = fit.spec, fit.variance_components["variance"]
    groups = ", ".join(f"{count} {name}" for name, count in fit.n_groups.items())
    lines = [
        f"Mixed model {spec.formula}, intercepts of {', '.join(spec.names)}, {spec.method}, {spec.df}",
        f"{fit.n} rows, {groups}; variances: "
        + ", ".join(f"{name} {value:.4g}" for name, value in parts.items()),
    ]
    if spec.arm is None:
        return "\n".join([*lines, fit.table.to_string(float_format="{:.4g}".format)])
    for name, row in fit.contrasts().iterrows():
        lines.append(
            f"  {name}: {row['estimate']:+.4g} ({100 * (1 - spec.alpha):g} % CI {row['ci_low']:+.4g} to "
            f"{row['ci_high']:+.4g}), df = {row['df']:.1f}, p = {row['p']:.3g}"
        )
    return "\n".join(lines)
