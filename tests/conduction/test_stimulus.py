"""The stimulus: strong enough by default, and refused by name."""

from __future__ import annotations

import numpy as np
import pytest

from remyelin import conduction
from remyelin.conduction import Stimulus, conduct
from remyelin.errors import InputError

OPTIC = conduction.optic_nerve()


def test_the_default_is_the_published_current():
    assert Stimulus().current_for(OPTIC) == pytest.approx(3, rel=0.03)


def test_the_default_starts_axons_of_every_size():
    axons = [
        model(d, g_ratio=g, n_nodes=21)
        for model in (conduction.optic_nerve, conduction.cortex)
        for d in (0.3, 1.0, 4.0)
        for g in (0.6, 0.8)
    ]
    axons += [
        OPTIC.demyelinate(0, lamellae=1),
        OPTIC.demyelinate(range(51 - 1), bare=True, nav_fraction=0.05),
    ]
    assert "not started" not in conduct(axons, duration_ms=8).outcome


def test_pulse_length_and_height_trade():
    # A pulse of a fixed charge: whether 5 or 20 us hardly matters far away.
    stimuli = [Stimulus(current_na=30 / d, duration_us=d) for d in (5.0, 10.0, 20.0)]
    result = conduct([OPTIC] * 3, duration_ms=4, stimulus=stimuli)
    assert np.ptp(result.velocity_m_per_s) < 1e-3 * result.velocity_m_per_s[0]


def test_a_pulse_may_end_between_two_steps():
    arrival = conduct(
        [OPTIC] * 3,
        duration_ms=2,
        dt_us=1,
        stimulus=[Stimulus((t,), duration_us=10.5) for t in (0.1, 0.1015, 0.103)],
    ).arrival_ms[:, 30]
    assert np.diff(arrival) == pytest.approx([0.0015, 0.0015], abs=2e-4)


@pytest.mark.parametrize(
    ("how", "named"),
    [
        ({"times_ms": ()}, "stimulus times_ms is none"),
        ({"times_ms": (-1.0,)}, "stimulus times_ms is -1"),
        ({"times_ms": (0.0, float("nan"))}, "stimulus times_ms is nan"),
        ({"times_ms": ("0",)}, "stimulus times_ms is '0'"),
        ({"times_ms": "0"}, "stimulus times_ms is '0'"),
        ({"times_ms": None}, "stimulus times_ms is not given"),
        ({"current_na": 0}, "stimulus current_na is 0, expected a finite number above 0"),
        ({"current_na": -3}, "stimulus current_na is -3"),
        ({"current_na": "3"}, "stimulus current_na is '3'"),
        ({"current_na": float("inf")}, "stimulus current_na is inf"),
        ({"duration_us": 0}, "stimulus duration_us is 0"),
        ({"duration_us": None}, "stimulus duration_us is not given"),
        ({"duration_us": True}, "stimulus duration_us is True"),
    ],
)
def test_bad_input_is_named(how, named):
    with pytest.raises(InputError) as caught:
        Stimulus(**how)
    assert named in str(caught.value)


def test_one_time_need_not_be_a_list():
    assert Stimulus(times_ms=2).times_ms == (2.0,)
