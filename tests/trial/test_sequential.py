"""Group-sequential designs: integration, properties, monitoring, bad input."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from remyelin.errors import InputError
from remyelin.trial.sequential import (
    group_sequential,
    monitor,
    power_means,
    sample_size_means,
    sample_size_rates,
)
from remyelin.trial.sequential.walk import exits

KINDS = [
    {"kind": "of"}, {"kind": "pocock"}, {"kind": "wang-tsiatis", "delta": 0.2}, {"kind": "asOF"},
    {"kind": "asP"}, {"kind": "asKD", "gamma": 1.0}, {"kind": "asHSD", "gamma": 0.0},
]  # fmt: skip


def naive(lower, upper, times, drift, points=1201):
    """Armitage, McPherson & Rowe on a plain Simpson grid of z, slow and obvious."""
    up, down, grid, density = [], [], None, None
    simpson = np.where(np.arange(points) % 2, 4.0, 2.0)
    simpson[[0, -1]] = 1.0
    for look, time in enumerate(times):
        before = times[look - 1] if look else 0.0
        ends = []
        for low, high in ((lower[look], upper[look]), (upper[look], np.inf), (-np.inf, lower[look])):
            mean = drift * np.sqrt(time)
            x = np.linspace(max(low, mean - 9), min(high, mean + 9), points)
            w = simpson * (x[1] - x[0]) / 3
            if look == 0:
                f = np.exp(-0.5 * (x - mean) ** 2) / np.sqrt(2 * np.pi)
            else:
                step = np.sqrt(time - before)
                gap = (x[:, None] * np.sqrt(time) - grid * np.sqrt(before) - drift * (time - before)) / step
                f = np.exp(-0.5 * gap**2) @ density * np.sqrt(time / (time - before) / (2 * np.pi))
            ends.append((x, w * f if x[-1] > x[0] else np.zeros(points)))
        up.append(ends[1][1].sum())
        down.append(ends[2][1].sum())
        grid, density = ends[0]
    return np.array(up), np.array(down)


@pytest.mark.parametrize("drift", [0.0, 2.8, -1.0])
@pytest.mark.parametrize("times", [[0.5, 1.0], [0.2, 0.55, 1.0], [0.3, 0.35, 1.0]])
def test_integral_agrees_with_a_plain_one(times, drift):
    lower, upper = [-0.5] * (len(times) - 1) + [2.0], [2.6] * (len(times) - 1) + [2.0]
    for ours, theirs in zip(
        exits(lower, upper, times, drift), naive(lower, upper, times, drift), strict=True
    ):
        np.testing.assert_allclose(ours, theirs, rtol=0, atol=1e-9)


def test_printed_constants():
    """Jennison & Turnbull (2000), tables 2.1 and 2.3: five looks, alpha 0.05, two-sided."""
    assert group_sequential(5, kind="pocock", alpha=0.05, sided=2).critical_z[0] == pytest.approx(
        2.413, abs=5e-4
    )
    assert group_sequential(5, kind="of", alpha=0.05, sided=2).critical_z[-1] == pytest.approx(
        2.040, abs=5e-4
    )


@pytest.mark.parametrize("options", KINDS, ids=lambda each: each["kind"])
@pytest.mark.parametrize("sided", [1, 2])
def test_spends_all_of_alpha_and_reaches_its_power(options, sided):
    design = group_sequential(information_rates=[0.3, 0.7, 1.0], sided=sided, **options)
    assert design.table["alpha_spent"].iloc[-1] == pytest.approx(0.025, abs=1e-10)
    assert design.power(design.drift) == pytest.approx(0.8, abs=1e-10)
    assert design.stopping(0.0).sum(axis=1).iloc[-1] == pytest.approx(1.0, abs=1e-12)
    assert design.inflation > 1
    assert group_sequential(**design.spec) == design


@pytest.mark.parametrize("options", KINDS, ids=lambda each: each["kind"])
def test_one_look_is_a_fixed_trial(options):
    design = group_sequential(1, **options)
    assert design.critical_z[0] == pytest.approx(1.959963984540054, abs=1e-10)
    assert design.inflation == pytest.approx(1.0, abs=1e-10)


@given(
    rates=st.lists(st.floats(0.05, 0.95), min_size=1, max_size=4, unique=True).map(sorted),
    alpha=st.floats(0.005, 0.1),
    late=st.floats(-8, 2),
)
@settings(max_examples=25, deadline=None)
def test_any_information_rates(rates, alpha, late):
    times = [*rates, 1.0]
    if min(np.diff([0, *times])) < 0.01:
        return
    design = group_sequential(information_rates=times, kind="asHSD", gamma=late, alpha=alpha)
    table = design.table
    assert (np.diff(table["alpha_spent"]) > 0).all()
    assert table["alpha_spent"].iloc[-1] == pytest.approx(alpha, rel=1e-8)
    assert (np.diff(table["power"]) > 0).all()
    assert 0 < design.expected_information(design.drift) <= design.expected_information(0) <= 1


def test_alpha_holds_without_futility_bounds_that_do_not_bind():
    loose = group_sequential(3, futility="bsOF")
    assert loose.table["alpha_spent"].iloc[-1] == pytest.approx(0.025, abs=1e-10)
    assert loose.power(0.0) < 0.025  # followed, they only lower it
    binding = group_sequential(3, futility="bsOF", binding=True)
    assert binding.power(0.0) == pytest.approx(0.025, abs=1e-10)
    assert binding.critical_z[-1] < loose.critical_z[-1]
    assert group_sequential(**loose.spec) == loose


@pytest.mark.slow
@pytest.mark.parametrize("drift", [0.0, 2.5])
def test_simulated_trials_agree(drift):
    """A million trials; the Monte Carlo error of each probability is below 5e-4."""
    design = group_sequential(3, futility=[0.0, 0.5])
    rng, n = np.random.default_rng(5), 1_000_000
    steps = np.diff(design.information_rates, prepend=0.0)
    score = np.cumsum(rng.normal(drift * steps, np.sqrt(steps), (n, 3)), axis=1)
    z = score / np.sqrt(design.information_rates)
    running, table = np.ones(n, bool), design.stopping(drift)
    efficacy = futility = 0.0
    for look, row in enumerate(table.itertuples()):
        low = design.futility_z[look] if look < 2 else np.inf
        up = running & (z[:, look] >= design.critical_z[look])
        down = running & ~up & (z[:, look] <= low)
        running &= ~up & ~down
        efficacy, futility = efficacy + up.mean(), futility + down.mean()
        assert efficacy == pytest.approx(row.efficacy, abs=2e-3)
        assert futility == pytest.approx(row.futility, abs=2e-3)


@pytest.mark.slow
def test_interval_covers_and_estimate_is_median_unbiased():
    """2,000 trials with one look at 0.5; p is uniform without effect (Monte Carlo SE 0.011)."""
    design, rng, drift = group_sequential(2, kind="asP"), np.random.default_rng(6), 2.0
    covered, above = [], []
    for _ in range(2000):
        s1 = rng.normal(drift * 0.5, np.sqrt(0.5))
        s2 = s1 + rng.normal(drift * 0.5, np.sqrt(0.5))
        found = monitor(design, [s1 / np.sqrt(0.5)], [0.5])
        if found.decision == "go on":
            found = monitor(design, [s1 / np.sqrt(0.5), s2], [0.5, 1.0])
        covered.append(found.ci_low <= drift <= found.ci_high)
        above.append(found.estimate > drift)
    assert np.mean(covered) == pytest.approx(0.95, abs=0.015)
    assert np.mean(above) == pytest.approx(0.5, abs=0.034)


class TestMonitor:
    def test_as_planned_gives_the_plan(self):
        design = group_sequential(3)
        table = monitor(design, [1, 1, 1], [1 / 3, 2 / 3, 1]).table
        np.testing.assert_allclose(table["critical_z"], design.critical_z, rtol=1e-9)
        assert list(table["decision"]) == ["go on", "go on", "end: not rejected"]

    def test_beta_spending_as_planned_gives_the_plan(self):
        design = group_sequential(3, futility="bsOF", binding=True)
        table = monitor(design, [1, 1.2, 1], [1 / 3, 2 / 3, 1]).table
        np.testing.assert_allclose(table["critical_z"], design.critical_z, rtol=1e-9)
        np.testing.assert_allclose(table["futility_z"].dropna(), design.futility_z, rtol=1e-8)

    def test_other_looks_than_planned(self):
        design = group_sequential(2)
        found = monitor(design, [0.3, 0.9, 2.1], [20, 55, 104], maximum=100)
        spent = group_sequential(information_rates=[20 / 104, 55 / 104, 1]).critical_z
        assert found.table["critical_z"].iloc[0] < spent[0]  # 0.2 of the plan, not 0.19 of what came
        assert found.decision == "stop: reject"
        assert found.table["information_rate"].iloc[-1] == pytest.approx(1.04)

    def test_an_early_end_spends_what_is_left(self):
        found = monitor(group_sequential(2), [0.3, 1.97], [50, 90], maximum=100, final=True)
        assert found.decision == "stop: reject"
        assert found.table["critical_z"].iloc[-1] < 1.97

    def test_without_looks_the_usual_test(self):
        found = monitor(group_sequential(1), [2.0], [25.0], maximum=25.0)
        assert found.p == pytest.approx(0.02275013, abs=1e-8)
        assert found.estimate == pytest.approx(2.0 / 5, abs=1e-8)
        assert found.ci_low == pytest.approx((2 - 1.959963985) / 5, abs=1e-8)

    @pytest.mark.parametrize("design", [
        group_sequential(3, kind="of"), group_sequential(3, sided=2, alpha=0.05),
        group_sequential(3, futility=[-0.5, 0.5], binding=True),
    ])  # fmt: skip
    @pytest.mark.parametrize("z", [[3.8], [0.6, 3.0], [0.6, 1.0, 1.1], [0.6, 1.0, 2.5]])
    def test_p_below_alpha_is_rejection(self, design, z):
        found = monitor(design, z, [k / 3 for k in range(1, len(z) + 1)])
        assert (found.p < design.alpha) == (found.decision == "stop: reject")
        assert found.ci_low < found.estimate < found.ci_high
        assert (found.ci_low > 0) == (found.decision == "stop: reject")

    def test_the_other_direction_mirrors(self):
        design = group_sequential(2, sided=2, alpha=0.05)
        up, down = monitor(design, [3.1], [0.5]), monitor(design, [-3.1], [0.5])
        assert up.p == pytest.approx(down.p, rel=1e-9)
        assert up.estimate == pytest.approx(-down.estimate, rel=1e-9)
        assert up.ci_low == pytest.approx(-down.ci_high, rel=1e-9)

    def test_binding_futility_orders_below(self):
        design = group_sequential(3, futility=[0.0, 0.5], binding=True)
        found = monitor(design, [-0.4], [1 / 3])
        assert found.decision == "stop: futility"
        assert found.p > 0.6
        assert found.ci_low < found.estimate < 0

    def test_says_nothing_while_going_on(self):
        found = monitor(group_sequential(2), [1.0], [0.5])
        assert (found.decision, found.p, found.estimate) == ("go on", None, None)
        assert "go on" in str(found)
        assert "go on" in found._repr_html_()
        assert found.to_frame().columns[0] == "stage"


def test_sizes_follow_the_design():
    size = sample_size_means(group_sequential(3, kind="pocock"), 0.3, 0.42, ratio=2.0, test="normal")
    assert size.n_stages[0] == pytest.approx(size.n_max / 3)
    found = power_means(size.design, [0.3], 0.42, size.n_max, ratio=2.0, test="normal")
    assert found["power"].iloc[0] == pytest.approx(0.8, abs=1e-9)
    assert found["expected_n"].iloc[0] == pytest.approx(size.expected_h1, rel=1e-9)
    assert found.filter(like="stop").sum(axis=1).iloc[0] == pytest.approx(1.0)
    assert size.expected_h0 > size.expected_h01 > size.expected_h1
    assert "without looks" in str(size)
    assert "critical_effect" in size._repr_html_()


def test_a_significant_difference_of_rates_may_not_exist():
    size = sample_size_rates(group_sequential(information_rates=[0.05, 1]), 0.99, 0.6)
    assert np.isnan(size.critical_effects[0])


def test_prints_itself():
    design = group_sequential(2, futility=[0.0])
    assert "not binding" in str(design)
    assert "<table" in design._repr_html_()
    assert list(design.to_frame().columns)[:2] == ["stage", "information_rate"]


BAD_DESIGNS = [
    ({}, "stages"),
    ({"stages": 2, "information_rates": [0.5, 1]}, "stages"),
    ({"stages": 0}, "stages"),
    ({"information_rates": [0.5, 0.4, 1]}, "information_rates"),
    ({"information_rates": [0.5, 0.9]}, "information_rates"),
    ({"information_rates": [float("nan"), 1]}, "information_rates"),
    ({"stages": 2, "kind": "OBF"}, "kind"),
    ({"stages": 2, "kind": "asKD"}, "gamma"),
    ({"stages": 2, "kind": "asKD", "gamma": -1}, "gamma"),
    ({"stages": 2, "kind": "asHSD", "gamma": float("inf")}, "gamma"),
    ({"stages": 2, "kind": "asOF", "gamma": 1}, "gamma"),
    ({"stages": 2, "kind": "of", "gamma": 1}, "gamma"),
    ({"stages": 2, "kind": "of", "delta": 0.1}, "delta"),
    ({"stages": 2, "kind": "wang-tsiatis"}, "delta"),
    ({"stages": 2, "alpha": 0.6}, "alpha"),
    ({"stages": 2, "beta": 1.0}, "beta"),
    ({"stages": 2, "sided": 3}, "sided"),
    ({"stages": 2, "sided": 2, "futility": [0]}, "futility"),
    ({"stages": 2, "futility": [0, 0]}, "futility"),
    ({"stages": 2, "futility": [3.5]}, "futility"),
    ({"stages": 2, "futility": "bsXX"}, "futility"),
    ({"stages": 2, "kind": "of", "futility": "bsOF"}, "futility"),
    ({"stages": 2, "futility": "bsKD"}, "gamma"),
    ({"stages": 2, "binding": True}, "binding"),
    ({"stages": 2, "gamma_futility": 1}, "gamma_futility"),
]


@pytest.mark.parametrize(("options", "field"), BAD_DESIGNS)
def test_refuses_a_design(options, field):
    with pytest.raises(InputError) as caught:
        group_sequential(**options)
    assert field in caught.value.field


BAD_LOOKS = [
    (([1.0], [0.5, 1.0], {}), "z, information"),
    (([], [], {}), "z, information"),
    (([float("nan")], [0.5], {}), "z"),
    (([1.0, 1.0], [0.5, 0.4], {}), "information"),
    (([3.5, 1.0], [0.5, 1.0], {}), "z"),
    (([1.0], [0.5], {"maximum": 0.0}), "maximum"),
]


@pytest.mark.parametrize(("look", "field"), BAD_LOOKS)
def test_refuses_a_look(look, field):
    z, information, options = look
    with pytest.raises(InputError) as caught:
        monitor(group_sequential(2), z, information, **options)
    assert caught.value.field == field


def test_boundaries_without_spending_hold_only_as_planned():
    with pytest.raises(InputError, match="asOF"):
        monitor(group_sequential(2, kind="of"), [1.0], [0.6])
    with pytest.raises(InputError, match="futility"):
        monitor(group_sequential(2, futility=[0.0]), [1.0, 1.0], [0.3, 0.6])


@pytest.mark.parametrize("options", [
    {"effect": 0.0, "sd": 1.0}, {"effect": 1.0, "sd": -1.0}, {"effect": 1.0, "sd": 1.0, "ratio": 0.0},
    {"effect": 1.0, "sd": 1.0, "test": "z"}, {"effect": float("nan"), "sd": 1.0},
])  # fmt: skip
def test_refuses_a_size(options):
    with pytest.raises(InputError):
        sample_size_means(group_sequential(2), **options)


def test_refuses_a_power():
    with pytest.raises(InputError, match="effects"):
        power_means(group_sequential(2), [float("nan")], 1.0, 100)
    with pytest.raises(InputError, match="n_max"):
        power_means(group_sequential(2), [1.0], 1.0, 2)
