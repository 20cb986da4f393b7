"""Real evoked responses: the checkerboard averages of MNE's own test data."""

from __future__ import annotations

import shutil

import numpy as np
import pytest

from remyelin.errors import InputError
from remyelin.measure.recording.averages import read_average
from remyelin.protocol import Measuring

mne = pytest.importorskip("mne", reason="MNE is not installed: pip install 'remyelin[vep]'")
NAME = "sub-01_task-prvep_acq-od_desc-average_ave.fif.gz"


@pytest.fixture
def checkerboard(shared):
    file = shared / "data" / "vep" / "mne_checkerboard" / "test-ave.fif.gz"
    if not file.is_file():
        pytest.skip("the checkerboard responses are not in the folder of real data")
    return file


@pytest.mark.parametrize(
    ("channel", "comment", "latency_ms"),
    [("EEG055", "Left visual", 83.2), ("EEG054", "Right visual", 89.9)],
)
def test_the_first_positive_peak_is_that_published(checkerboard, tmp_path, channel, comment, latency_ms):
    """P1 of the hemifield responses, to a sample (1.7 ms), filtered as they are."""
    folder = tmp_path / "derivatives" / "mne" / "sub-01" / "eeg"
    folder.mkdir(parents=True)
    evoked = mne.read_evokeds(checkerboard, condition=comment, verbose="ERROR")
    mne.write_evokeds(folder / NAME, [evoked], verbose="ERROR")
    [one] = read_average(folder / NAME, tmp_path, Measuring(vep_channel=channel))
    assert (one.eye, one.averaged, one.setup.montage) == ("OD", 6, channel)
    times = one.start_ms + np.arange(one.sweeps_uv.shape[1]) * 1000 / one.sfreq_hz
    near = (times > 60) & (times < 120)
    wave = np.where(near, one.sweeps_uv[0], -np.inf)
    assert times[wave.argmax()] == pytest.approx(latency_ms, abs=2.0)


def test_averages_that_name_no_eye_are_not_guessed_at(checkerboard, tmp_path):
    """Left and right visual field are no eyes."""
    for name in (NAME, NAME.replace("_acq-od", "")):
        shutil.copy(checkerboard, tmp_path / name)
        with pytest.raises(InputError, match="eye"):
            read_average(tmp_path / name, tmp_path, Measuring(vep_channel="EEG055"))
