"""P1 of the checkerboard averages of MNE's own test data, by the estimator."""

from __future__ import annotations

import pytest

from remyelin.measure.vep import p100

mne = pytest.importorskip("mne", reason="MNE is not installed: pip install 'remyelin[vep]'")


@pytest.mark.parametrize(
    ("channel", "comment", "published_ms"),
    [("EEG 055", "Left visual", 83.2), ("EEG 054", "Right visual", 89.9)],
)
def test_the_peak_is_that_published(shared, channel, comment, published_ms):
    """The published times are those of the highest samples of averages of 6 sweeps.

    Their noise, told from before 30 ms and after 330 ms, is 2 to 3 uV, and the left peak rises by no more
    than 3 uV from a shoulder of 20 ms. So two standard errors are asked for, and that they are
    small enough to say something.
    """
    file = shared / "data" / "vep" / "mne_checkerboard" / "test-ave.fif.gz"
    if not file.is_file():
        pytest.skip("the checkerboard responses are not in the folder of real data")
    evoked = mne.read_evokeds(file, condition=comment, verbose="ERROR")
    wave_uv = evoked.get_data(picks=[channel]) * 1e6
    found = p100(wave_uv, evoked.info["sfreq"], 1000 * evoked.times[0])
    assert found.state == "present"
    assert found.se_ms < 6
    assert found.latency_ms == pytest.approx(published_ms, abs=2 * found.se_ms)
    assert found.latency_ms == pytest.approx(published_ms, abs=10)
    assert found.amplitude_uv > 4
