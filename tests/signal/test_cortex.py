import numpy as np
import pytest

from remyelin.errors import InputError
from remyelin.signal import Cortex, Delays, vep_response


@pytest.mark.parametrize(
    ("sex", "arcmin", "latency", "amplitude"), [("female", 60, 96.1, 12.8), ("male", 15, 97.4, 8.6)]
)
def test_the_norms_are_the_published_ones(sex, arcmin, latency, amplitude):
    cortex = Cortex.norm(sex=sex, check_arcmin=arcmin)
    assert (cortex.p100_ms, cortex.amplitude_uv) == (latency, amplitude)


def test_drawn_people_scatter_as_published():
    rng = np.random.default_rng(1)
    people = [Cortex.draw(rng, shape_cv=0.15, sex="female") for _ in range(2000)]
    latency = np.array([one.p100_ms for one in people])
    amplitude = np.array([one.amplitude_uv for one in people])
    assert latency.mean() == pytest.approx(96.1, abs=0.3)
    assert latency.std() == pytest.approx(4.2, rel=0.06)
    assert amplitude.mean() == pytest.approx(12.8, rel=0.04)
    assert amplitude.std() == pytest.approx(5.7, rel=0.12)


def test_a_drawn_person_has_the_peak_and_the_amplitude_drawn():
    rng = np.random.default_rng(2)
    for _ in range(50):
        person = Cortex.draw(rng, shape_cv=0.2)
        found = vep_response(Delays(), cortex=person)
        assert found.latency_ms == pytest.approx(person.p100_ms, abs=0.02)
        assert found.amplitude_uv == pytest.approx(person.amplitude_uv, rel=2e-3)
        assert found.n75_ms < found.latency_ms < found.n135_ms


def test_the_drive_may_be_equal_for_all_axons():
    found = vep_response(Delays(), cortex=Cortex(100.0, 10.0, drive="equal"))
    assert found.latency_ms == pytest.approx(100, abs=0.02)
    area = vep_response(Delays(), cortex=Cortex(100.0, 10.0))
    assert found.n135_ms - found.n75_ms > area.n135_ms - area.n75_ms  # arrivals scatter more


@pytest.mark.parametrize(
    ("call", "field"),
    [
        (lambda: Cortex(20.0, 10.0), "p100_ms"),
        (lambda: Cortex(100.0, 0.0), "amplitude_uv"),
        (lambda: Cortex(100.0, 10.0, top_ms=(20.0, 40.0)), "top_ms"),
        (lambda: Cortex(100.0, 10.0, drive="volume"), "drive"),
        (
            lambda: vep_response(Delays(), cortex=Cortex(100.0, 10.0, size=(-1.0, -1.0, -1.0, -1.0))),
            "top_ms and size",
        ),
        (lambda: Cortex.norm(sex="f"), "sex"),
        (lambda: Cortex.norm(check_arcmin=30), "p100_latency"),
        (lambda: Cortex.draw(np.random.default_rng(1), shape_cv=2), "shape_cv"),
    ],
)
def test_bad_input_is_named(call, field):
    with pytest.raises(InputError) as caught:
        call()
    assert caught.value.field == field
