"""The mixed model: random intercepts of patients, and of lesions or eyes within them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import pandas as pd

from remyelin.errors import InputError
from remyelin.trial.design import Design, build, treatment_column
from remyelin.trial.inference import table
from remyelin.trial.mixed.fit import MixedFit
from remyelin.trial.mixed.layout import FloatArray, check_groups, lay_out
from remyelin.trial.mixed.solution import solve
from remyelin.trial.mixed.spec import Df, Method, Spec, specify
from remyelin.trial.precision import known_variance


def mixed_model(
    formula: str,
    data: pd.DataFrame,
    groups: str | Sequence[str],
    *,
    df: Df = "kenward-roger",
    method: Method = "REML",
    se: str | npt.ArrayLike | None = None,
    arm: str | None = None,
    reference: str | None = None,
    alpha: float = 0.05,
) -> MixedFit:
    """Fit `response ~ terms` with a random intercept of each group.

    Parameters
    ----------
    formula
        The fixed terms, as ``"change ~ arm + baseline"``.
    data
        One row a measured value: a lesion, an eye, a visit of one.
    groups
        The column of the patient; or two, the patient and what lies within, as ``["patient", "eye"]``. The
        inner names need not differ between patients.
    df
        ``"kenward-roger"`` (standard errors and degrees of freedom of Kenward & Roger 1997,
        10.2307/2533558) or ``"satterthwaite"`` (model-based standard errors). Where a variance is estimated
        as zero, both take its uncertainty into account as they do elsewhere; R's lmerTest does not, and
        then gives the degrees of freedom of independent rows.
    method
        ``"REML"``, or ``"ML"`` (to compare fixed terms by likelihood; its tests are too liberal).
    se
        The measurement's own standard error, a column or an array (row,), in the unit of the response: its
        square is added to the variance of that row as known.
    arm, reference
        The column of the treatment (``"arm"`` where the formula has it and it holds words), and the arm that
        the others are compared with. Without a treatment the fit has no `contrasts`.
    alpha
        Intervals cover 1 - alpha.

    Returns
    -------
    MixedFit

    Raises
    ------
    InputError
        What `remyelin.trial.design.build` refuses; a single group, one row in each group, groups that the
        formula already determines; a response without residue.

    Examples
    --------
    >>> rng = np.random.default_rng(7)
    >>> patient = np.repeat(np.arange(20), 6)
    >>> table = pd.DataFrame({"patient": patient, "arm": np.where(patient % 2, "drug", "placebo")})
    >>> table["change"] = 0.8 * (patient % 2) + rng.normal(size=20)[patient] + rng.normal(size=120)
    >>> print(mixed_model("change ~ arm", table, "patient", arm="arm", reference="placebo"))
    Mixed model change ~ arm, intercepts of patient, REML, kenward-roger
    120 rows, 20 patient; variances: patient 0.6479, Residual 0.8325
      drug - placebo: +0.9676 (95 % CI +0.1343 to +1.801), df = 18.0, p = 0.0253
    """
    arm = treatment_column(formula, data, arm, reference)
    spec = specify(groups, df, method, alpha, formula=formula, se=se, arm=arm, reference=reference)
    keep = (*spec.groups, se) if isinstance(se, str) else spec.groups
    design = build(formula, data, arm, reference, keep=keep, unit="rows")
    _check_levels(design)
    codes = [pd.factorize(design.data[name])[0].astype(np.int64) for name in spec.groups]
    layout = lay_out(*codes)
    check_groups(layout, spec.groups, design.X)
    known = known_variance(se, data)
    response = formula.split("~")[0].strip()
    solution = solve(design.X, design.y, known, layout, method == "REML", response=response)
    names = pd.Index(design.names, name="term")
    coefficients = solution.coefficients(df == "kenward-roger")
    estimate, error, freedom = coefficients.single(np.eye(len(names)))
    return MixedFit(
        table=table(estimate, error, freedom, names, alpha),
        vcov=pd.DataFrame(solution.vcov, names, names),
        vcov_kr=None if solution.vcov_kr is None else pd.DataFrame(solution.vcov_kr, names, names),
        variance_components=_components(spec, solution.theta),
        loglik=-solution.deviance / 2,
        singular=solution.singular,
        spec=spec,
        design=design,
        layout=layout,
        known=known,
        solution=solution,
        coefficients=coefficients,
    )


def _components(spec: Spec, theta: FloatArray) -> pd.DataFrame:
    names = [*spec.names, "Residual"]
    variance = theta[[0, 1, 2] if len(spec.groups) == 2 else [0, 2]]
    return pd.DataFrame({"variance": variance, "sd": np.sqrt(variance)}, index=pd.Index(names, name="group"))


def _check_levels(design: Design) -> None:
    """A factor of one level has no column, and its term would vanish without a word."""
    for name in design.factors:
        levels = [str(each) for each in design.data[name].cat.categories]
        if len(levels) < 2:
            raise InputError(
                "", name, f"only {', '.join(levels)}", "at least two levels", "leave it out of the formula"
            )
