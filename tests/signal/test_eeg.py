import numpy as np
import pytest

from remyelin.errors import InputError
from remyelin.evidence import parameter
from remyelin.signal import EegNoise

SFREQ_HZ = 1000.0


def power(uv):
    segments = uv[: len(uv) // 2000 * 2000].reshape(-1, 2000) * np.hanning(2000)
    return np.fft.rfftfreq(2000, 1 / SFREQ_HZ), (np.abs(np.fft.rfft(segments, axis=1)) ** 2).mean(axis=0)


def test_the_defaults_are_those_of_the_evidence():
    noise = EegNoise()
    assert noise.sd_uv == parameter("eeg_sd").value
    assert noise.exponent == parameter("eeg_power_exponent").value
    assert noise.alpha_share == parameter("eeg_alpha_share").value


def test_size_and_slope_are_those_asked():
    uv = EegNoise(sd_uv=9, exponent=1.4, alpha_share=0).draw(600_000, SFREQ_HZ, np.random.default_rng(1))
    hz, found = power(uv)
    inside = (hz >= 3) & (hz <= 45)
    slope = np.polyfit(np.log(hz[inside]), np.log(found[inside]), 1)[0]
    assert uv.std() == pytest.approx(9, rel=0.08)
    assert abs(uv.mean()) < 0.2
    assert slope == pytest.approx(-1.4, abs=0.15)


def test_alpha_stands_out_at_its_frequency():
    rng = np.random.default_rng(1)
    hz, found = power(EegNoise(alpha_share=0.4, alpha_hz=9).draw(300_000, SFREQ_HZ, rng))
    inside = (hz > 4) & (hz < 20)
    assert hz[inside][found[inside].argmax()] == pytest.approx(9, abs=0.5)


def test_people_differ_as_measured():
    rng = np.random.default_rng(1)
    people = [EegNoise.person(rng) for _ in range(1500)]
    sizes = np.array([one.sd_uv for one in people])
    assert sizes.mean() == pytest.approx(parameter("eeg_sd").value, rel=0.03)
    assert sizes.std() == pytest.approx(parameter("eeg_sd_between_people").value, rel=0.1)
    assert all(0 <= one.alpha_share <= 0.5 for one in people)


def test_blinks_come_as_often_and_as_high_as_asked():
    blinking = EegNoise(sd_uv=0, blinks_per_min=12, blink_uv=-80)
    uv = blinking.draw(600_000, SFREQ_HZ, np.random.default_rng(1))
    assert uv.min() <= -79
    assert uv.max() <= 0
    assert 80 < ((uv[1:] < 0) & (uv[:-1] == 0)).sum() < 140


def test_no_noise_is_none_and_a_sample_is_enough():
    assert not EegNoise(sd_uv=0).draw(10, SFREQ_HZ, np.random.default_rng(1)).any()
    assert EegNoise().draw(1, SFREQ_HZ, np.random.default_rng(1)).shape == (1,)


@pytest.mark.parametrize(
    ("call", "field"),
    [
        (lambda: EegNoise(sd_uv=-1), "sd_uv"),
        (lambda: EegNoise(alpha_share=2), "alpha_share"),
        (lambda: EegNoise(exponent=float("inf")), "exponent"),
        (lambda: EegNoise().draw(0, SFREQ_HZ, np.random.default_rng(1)), "samples"),
        (lambda: EegNoise().draw(10, 100, np.random.default_rng(1)), "sfreq_hz"),
    ],
)
def test_bad_input_is_named(call, field):
    with pytest.raises(InputError) as caught:
        call()
    assert caught.value.field == field
