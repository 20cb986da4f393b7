"""The mixed model against a dense twin, its symmetries, its borders, and what it refuses."""

from __future__ import annotations

from dataclasses import asdict

import numpy as np
import pandas as pd
import pytest
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st
from scipy.optimize import minimize

from remyelin.errors import InputError
from remyelin.trial.linear import ancova
from remyelin.trial.mixed import mixed_model
from remyelin.trial.mixed.layout import check_groups, lay_out
from remyelin.trial.mixed.solution import solve

QUICK = settings(max_examples=15, deadline=None)


class Dense:
    """The same model with every matrix written out: slow, and plain to see."""

    def __init__(self, X, y, outer, inner, known, reml):
        same = outer[:, None] == outer
        parts = [same, None if inner is None else same & (inner[:, None] == inner), np.eye(len(y))]
        self.V = [np.zeros((len(y), len(y))) if part is None else part.astype(float) for part in parts]
        self.X, self.y, self.known, self.reml = X, y, known, reml

    def at(self, theta):
        """Deviance, its gradient, expected and observed Hessian; Phi, beta and the KR covariance."""
        X, y = self.X, self.y
        V = sum(t * part for t, part in zip(theta, self.V, strict=True)) + np.diag(self.known)
        W = np.linalg.inv(V)
        phi = np.linalg.inv(X.T @ W @ X)
        P = W - W @ X @ phi @ X.T @ W
        T = P if self.reml else W
        constant = (len(y) - (X.shape[1] if self.reml else 0)) * np.log(2 * np.pi)
        deviance = np.linalg.slogdet(V)[1] + y @ P @ y + constant
        if self.reml:
            deviance += np.linalg.slogdet(X.T @ W @ X)[1]
        gradient = np.array([np.trace(T @ part) - y @ P @ part @ P @ y for part in self.V])
        expected = np.array([[np.trace(T @ a @ T @ b) for a in self.V] for b in self.V])
        observed = np.array([[2 * y @ P @ a @ P @ b @ P @ y for a in self.V] for b in self.V]) - expected
        return deviance, gradient, expected, observed, phi, phi @ X.T @ W @ y

    def lowest(self, free):
        """The lowest deviance from many starts."""
        X, y = self.X, self.y

        def deviance(logs):
            theta = np.zeros(3)
            theta[free] = np.exp(logs)
            V = sum(t * part for t, part in zip(theta, self.V, strict=True)) + np.diag(self.known)
            W = np.linalg.inv(V)
            XWX = X.T @ W @ X
            P = W - W @ X @ np.linalg.solve(XWX, X.T @ W)
            value = np.linalg.slogdet(V)[1] + y @ P @ y + (np.linalg.slogdet(XWX)[1] if self.reml else 0)
            T = P if self.reml else W
            slope = np.array([np.sum(T * part) - (P @ y) @ part @ (P @ y) for part in self.V])
            return value, (slope * theta)[free]

        size, which = np.log(np.var(self.y)), np.arange(free.sum())
        starts = [np.full(free.sum(), size - 1)] + [np.where(which == k, size - 8, size - 1) for k in which]
        bounds = [(size - 25, size + 5)] * free.sum()
        constant = (len(y) - (X.shape[1] if self.reml else 0)) * np.log(2 * np.pi)
        return constant + min(minimize(deviance, each, jac=True, bounds=bounds).fun for each in starts)


@st.composite
def problems(draw):
    """Rows in up to six groups of any size, perhaps nested, perhaps with known variances."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    groups, rows = draw(st.integers(3, 6)), draw(st.integers(10, 24))
    outer = np.concatenate([np.arange(groups), rng.integers(0, groups, rows - groups)])
    inner = rng.integers(0, 3, rows) if draw(st.booleans()) else None
    arm = (outer % 2).astype(float)
    X = np.column_stack([np.ones(rows), arm if draw(st.booleans()) else rng.normal(30, 3, rows)])
    known = (
        rng.exponential(draw(st.sampled_from([0.05, 1.0])), rows) if draw(st.booleans()) else np.zeros(rows)
    )
    sds = [draw(st.sampled_from([0.0, 0.3, 2.0])) for _ in range(2)]
    y = 5 + 0.3 * X[:, 1] + sds[0] * rng.normal(size=groups)[outer] + rng.normal(size=rows)
    if inner is not None:
        y += sds[1] * rng.normal(size=3 * groups)[3 * outer + inner]
    layout = lay_out(outer, inner)
    try:
        check_groups(layout, ("outer", "inner") if inner is not None else ("outer",), X)
        reml = draw(st.booleans())
        return X, y, outer, inner, known, layout, reml, solve(X, y, known, layout, reml)
    except InputError:
        assume(False)


@given(problems())
@QUICK
def test_the_maximum_is_the_dense_twins(problem):
    """Never a worse optimum, flat where a variance is positive, rising where it is zero."""
    X, y, outer, inner, known, layout, reml, found = problem
    dense = Dense(X, y, outer, inner, known, reml)
    deviance, gradient, *_, phi, beta = dense.at(found.theta)
    assert found.deviance == pytest.approx(deviance, rel=1e-9, abs=1e-7)
    assert found.deviance <= dense.lowest(layout.free) + 1e-6
    for value, slope, free in zip(found.theta, gradient, layout.free, strict=True):
        if free and value > 0:
            assert abs(slope) * value < 1e-5
        elif free:
            assert slope > -1e-6
    assert found.beta == pytest.approx(beta, rel=1e-7, abs=1e-9)
    assert found.vcov == pytest.approx(phi, rel=1e-7, abs=1e-10 * phi.max())


@given(problems())
@QUICK
def test_degrees_of_freedom_are_the_dense_twins(problem):
    X, y, outer, inner, known, layout, reml, found = problem
    assume(reml)
    dense = Dense(X, y, outer, inner, known, reml)
    _, _, expected, observed, phi, _ = dense.at(found.theta)
    free, c = np.ix_(layout.free, layout.free), np.array([0.0, 1.0])
    V = sum(t * part for t, part in zip(found.theta, dense.V, strict=True)) + np.diag(known)
    W, parts = np.linalg.inv(V), [part for part, on in zip(dense.V, layout.free, strict=True) if on]
    P = [-X.T @ W @ part @ W @ X for part in parts]
    Q = [[X.T @ W @ a @ W @ b @ W @ X for b in parts] for a in parts]
    spread = 2 * np.linalg.inv(expected[free])
    slopes = np.array([-c @ phi @ each @ phi @ c for each in P])
    v = c @ phi @ c
    assert found.coefficients(True).single(c[None])[2] == pytest.approx(2 * v**2 / (slopes @ spread @ slopes))
    index = range(len(parts))
    middle = sum(spread[a, b] * (Q[a][b] - P[a] @ phi @ P[b]) for a in index for b in index)
    adjusted = phi + 2 * phi @ middle @ phi
    assert found.vcov_kr == pytest.approx(adjusted, rel=1e-6, abs=1e-9 * phi.max())
    if not found.singular:
        spread = 2 * np.linalg.inv(observed[free])
    df = found.coefficients(False).single(c[None])[2]
    assert df == pytest.approx(2 * v**2 / (slopes @ spread @ slopes), rel=1e-5)


def lesions(patients=14, lesions=5, between=0.7, seed=3) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    patient = np.repeat(np.arange(patients), lesions)
    table = pd.DataFrame(
        {
            "patient": [f"P{each:02d}" for each in patient],
            "lesion": np.tile(np.arange(lesions), patients),
            "arm": np.where(patient % 2, "drug", "placebo"),
            "baseline": rng.normal(30, 3, patients * lesions),
            "se": rng.uniform(0.2, 1.5, patients * lesions),
        }
    )
    noise = rng.normal(size=len(table)) + table["se"] * rng.normal(size=len(table))
    table["change"] = 0.5 * (patient % 2) + between * rng.normal(size=patients)[patient] + noise
    return table


def fit(table, formula="change ~ arm + baseline", groups="patient", **options):
    return mixed_model(formula, table, groups, arm="arm", reference="placebo", **options)


@given(seed=st.integers(0, 1000), gain=st.floats(0.001, 1000), shift=st.floats(-1e3, 1e3))
@settings(max_examples=15, deadline=None)
@example(seed=1, gain=1000.0, shift=-1000.0)
def test_units_rows_and_names_do_not_matter(seed, gain, shift):
    table = lesions(seed=seed)
    one = fit(table, se="se")
    other = table.sample(frac=1, random_state=seed)
    other = other.assign(
        change=gain * other["change"] + shift, se=gain * other["se"], patient="x" + other["patient"],
        baseline=other["baseline"] - 500,
    )  # fmt: skip
    two = fit(other, se="se")
    assert two.table.loc["arm[T.drug]", "estimate"] == pytest.approx(
        gain * one.table.loc["arm[T.drug]", "estimate"]
    )
    for column in ("df", "p"):
        assert two.table.loc["arm[T.drug]", column] == pytest.approx(
            one.table.loc["arm[T.drug]", column], rel=1e-5
        )
    sizes = one.variance_components["variance"]
    assert two.variance_components["variance"].to_numpy() == pytest.approx(
        gain**2 * sizes.to_numpy(), rel=1e-5, abs=1e-9 * gain**2
    )


def test_inner_names_may_repeat_between_patients():
    table = lesions()
    table = pd.concat([table, table.assign(change=table["change"] + np.sin(np.arange(len(table))))])
    plain = fit(table, groups=["patient", "lesion"])
    unique = fit(
        table.assign(lesion=table["patient"] + table["lesion"].astype(str)), groups=["patient", "lesion"]
    )
    assert plain.n_groups == {"patient": 14, "patient:lesion": 70}
    pd.testing.assert_frame_equal(plain.table, unique.table)


@pytest.mark.parametrize("options", [{}, {"df": "satterthwaite", "method": "ML", "se": "se"}])
def test_the_spec_gives_the_fit_again(options):
    table = lesions()
    first = fit(table, **options)
    pd.testing.assert_frame_equal(mixed_model(data=table, **asdict(first.spec)).table, first.table)


def test_balanced_arms_have_the_exact_degrees_of_freedom():
    """Equal groups: the mixed model is the t test of the patients' means, whatever the variances."""
    table = lesions()
    found = fit(table, "change ~ arm")
    means = table.groupby(["patient", "arm"])["change"].mean().reset_index()
    exact = ancova("change ~ arm", means, reference="placebo")
    assert found.table.loc["arm[T.drug]"].to_numpy() == pytest.approx(
        exact.table.loc["arm[T.drug]"].to_numpy()
    )
    assert found.table.loc["arm[T.drug]", "df"] == pytest.approx(12, rel=1e-9)


def test_a_variance_of_zero_is_zero_and_costs_degrees_of_freedom():
    rng = np.random.default_rng(5)
    table = lesions(between=0)
    # Within-patient contrasts only: the patients' means are all but equal.
    table["change"] = table.groupby("patient")["change"].transform(
        lambda x: x - x.mean()
    ) + 1e-3 * rng.normal(size=70)
    for df in ("kenward-roger", "satterthwaite"):
        found = fit(table, "change ~ arm", df=df)
        assert found.singular
        assert found.variance_components.loc["patient", "variance"] == 0.0
        assert 5 < found.table.loc["arm[T.drug]", "df"] < 20  # rows as independent would say 68
    assert (found.blups()["blup"] == 0).all()
    assert found.ranova().loc["(1 | patient)", ["lrt", "p_boundary"]].tolist() == [0, 1]


def test_a_residual_of_zero_is_reached_where_the_errors_are_known():
    """Twice the scatter is measurement error: none is left for the residual, and the fit says zero."""
    table = lesions()
    found = fit(table, se=np.full(len(table), 3.0))
    assert found.variance_components.loc["Residual", "variance"] == 0.0
    assert found.singular
    assert np.isfinite(found.table.to_numpy()).all()


def test_a_common_known_variance_only_moves_the_residual():
    table = lesions()
    plain, known = fit(table), fit(table, se=np.full(len(table), 0.5))
    moved = plain.variance_components["variance"] - [0, 0.25]
    assert known.variance_components["variance"].to_numpy() == pytest.approx(moved.to_numpy())
    np.testing.assert_allclose(known.table, plain.table, rtol=1e-6)


def test_a_noisy_row_counts_for_less():
    table = lesions().assign(se=0.1)
    table.loc[0, ["se", "change"]] = [100.0, 50.0]
    spoilt, without = fit(table, se="se"), fit(table.drop(index=0), se="se")
    np.testing.assert_allclose(spoilt.table["estimate"], without.table["estimate"], atol=0.01)
    assert abs(fit(table).table["estimate"] - without.table["estimate"]).max() > 0.5


def test_contrasts_means_and_joint_tests_agree():
    table = lesions().assign(month=lambda t: np.where(t["lesion"] % 2, "M03", "M06"))
    found = fit(table, "change ~ arm * month + baseline")
    names = list(found.table.index)
    by_arm = found.lsmeans()
    difference = by_arm.loc["drug", "estimate"] - by_arm.loc["placebo", "estimate"]
    assert found.contrasts().loc["drug - placebo", "estimate"] == pytest.approx(difference)
    assert len(found.contrasts(within=["month"])) == 2
    assert found.lsmeans(["arm", "month"]).shape == (4, 7)
    row = np.eye(len(names))[names.index("baseline")]
    np.testing.assert_allclose(found.contrast(row, ["b"]).loc["b"], found.table.loc["baseline"])
    joint = found.joint(row).iloc[0]
    assert joint["f"] == pytest.approx(found.table.loc["baseline", "t"] ** 2)
    assert found.anova().loc["arm", "f"] == pytest.approx(found.contrasts().loc["drug - placebo", "t"] ** 2)
    assert found.anova().loc["baseline"].tolist() == pytest.approx(joint.tolist())


def test_type_three_does_not_depend_on_the_coding():
    table = lesions().assign(month=lambda t: t["lesion"] % 3)
    one = fit(table, "change ~ arm * C(month)").anova()
    relabelled = table.assign(month=2 - table["month"])
    two = mixed_model("change ~ arm * C(month)", relabelled, "patient", arm="arm", reference="drug").anova()
    np.testing.assert_allclose(one, two, rtol=1e-6)


def test_an_intercept_alone():
    found = mixed_model("change ~ 1", lesions(), "patient")
    assert found.anova().empty
    low, high = found.profile_interval("Intercept")
    assert low < found.table.loc["Intercept", "estimate"] < high


def test_predictions():
    table = lesions()
    found = fit(table)
    same = found.predict()
    again = found.predict(table)
    pd.testing.assert_frame_equal(same, again)
    blups = found.blups()["blup"]
    first = same["predicted"] - same["estimate"]
    assert first.iloc[0] == pytest.approx(blups["patient", "P00"])
    new = found.predict(pd.DataFrame({"arm": ["drug"], "baseline": [30.0], "patient": ["new"]}))
    assert new.loc[0, "predicted"] == new.loc[0, "estimate"]
    assert "predicted" not in found.predict(pd.DataFrame({"arm": ["drug"], "baseline": [30.0]}))


def test_intercepts_shrink_the_patients_means():
    """Equal groups, no covariate: the intercept is the share of u in a mean's variance times its residual."""
    table = lesions()
    found = fit(table, "change ~ arm")
    u, s = found.variance_components["variance"]
    residual = (table["change"] - found.predict()["estimate"]).groupby(table["patient"]).mean()
    np.testing.assert_allclose(found.blups().loc["patient", "blup"], residual * u / (u + s / 5), rtol=1e-9)


def test_what_it_prints():
    found = fit(lesions())
    assert str(found).splitlines()[0] == (
        "Mixed model change ~ arm + baseline, intercepts of patient, REML, kenward-roger"
    )
    assert "drug - placebo" in str(found)
    assert found._repr_html_().count("<table") == 3
    assert "baseline" in str(mixed_model("change ~ baseline", lesions(), "patient"))
    assert "term" in found.to_frame()


REFUSED = {
    "one arm": (lambda t: fit(t[t["arm"] == "drug"]), "arm"),
    "one arm, not named": (lambda t: mixed_model("change ~ arm", t[t["arm"] == "drug"], "patient"), "arm"),
    "one patient": (
        lambda t: mixed_model("change ~ baseline", t[t["patient"] == "P01"], "patient"),
        "patient",
    ),
    "a patient an arm": (lambda t: fit(t[t["patient"].isin(["P00", "P01"])], "change ~ arm"), "groups"),
    "one row each": (lambda t: fit(t[t["lesion"] == 0]), "patient"),
    "one row each, nested": (lambda t: fit(t, groups=["patient", "lesion"]), "lesion"),
    "one eye each": (lambda t: fit(t.assign(eye="OD"), groups=["patient", "eye"]), "eye"),
    "patients as fixed terms": (lambda t: mixed_model("change ~ patient", t, "patient"), "groups"),
    "terms for every row": (lambda t: fit(t, "change ~ arm + C(lesion):patient"), "rows"),
    "constant": (lambda t: fit(t.assign(change=1.0)), "change"),
    "no residue": (lambda t: fit(t.assign(change=t["baseline"] * 2)), "change"),
    "no residue within": (
        lambda t: fit(t.assign(change=t["patient"].str[1:].astype(float) ** 2)),
        "change",
    ),
    "missing response": (lambda t: fit(t.assign(change=t["change"].where(t.index > 3))), "change"),
    "missing patient": (lambda t: fit(t.assign(patient=t["patient"].where(t.index > 3))), "patient"),
    "infinite baseline": (lambda t: fit(t.assign(baseline=np.inf)), "baseline"),
    "singular": (lambda t: fit(t.assign(b2=2 * t["baseline"]), "change ~ arm + baseline + b2"), "b2"),
    "no such group": (lambda t: fit(t, groups="participant"), "participant"),
    "three groups": (lambda t: fit(t, groups=["patient", "lesion", "arm"]), "groups"),
    "the same twice": (lambda t: fit(t, groups=["patient", "patient"]), "groups"),
    "df": (lambda t: fit(t, df="z"), "df"),
    "method": (lambda t: fit(t, method="MLE"), "method"),
    "kr by ml": (lambda t: fit(t, method="ML"), "df"),
    "alpha": (lambda t: fit(t, alpha=5), "alpha"),
    "negative se": (lambda t: fit(t, se=-t["se"]), "se"),
    "reference": (
        lambda t: mixed_model("change ~ arm", t, "patient", arm="arm", reference="none"),
        "reference",
    ),
    "contrasts without arm": (lambda t: mixed_model("change ~ baseline", t, "patient").contrasts(), "arm"),
    "L": (lambda t: fit(t).contrast([1, 2]), "L"),
    "L twice": (lambda t: fit(t).joint([[0, 1, 0], [0, 2, 0]]), "L"),
    "no groups": (lambda t: fit(t, groups=None), "groups"),
    "profile": (lambda t: fit(t).profile_interval("arm"), "term"),
    "new level": (lambda t: fit(t).predict(t.assign(arm="third")), "arm"),
    "new column": (lambda t: fit(t).predict(t.drop(columns="baseline")), "baseline"),
    "new gap": (lambda t: fit(t).predict(t.assign(baseline=np.nan)), "baseline"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_is_refused(case):
    call, field = REFUSED[case]
    with pytest.raises(InputError) as refused:
        call(lesions())
    assert refused.value.args[1] == field
    assert len(str(refused.value).splitlines()) == 1
