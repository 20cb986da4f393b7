"""Sixty sectors in one call: what is seen, how well, upside down or not, and by how much it shifted."""

from __future__ import annotations

import numpy as np
import pytest

from remyelin.errors import InputError
from remyelin.evidence import parameter
from remyelin.measure.vep import latency_shift, multifocal

from .waves import drawn, noise, recording, scaled, times_ms

TIMES = times_ms(end_ms=450)
SHIFT_MS = -4.0
# Lower field, upper field, lower field, blind; sizes in uV of kernels, far below those of the full field.
SIZES = (0.6, -0.5, 0.4, 0.0)


@pytest.fixture(scope="module")
def visits():
    """Two visits of four sectors, 60 segments, noise of 0.8 uV a segment."""
    response = drawn(np.random.default_rng(71), 1.0, delay_ms=15)
    found = []
    for visit, late in enumerate((0.0, SHIFT_MS)):
        sectors = []
        for k, size in enumerate(SIZES):
            rng = np.random.default_rng([72, visit, k])
            sign = -1 if size < 0 else 1
            one = scaled(response, abs(size)) if size else None
            sectors.append(sign * recording(rng, one, 60, shift_ms=late, sd_uv=0.8, times=TIMES))
        found.append(np.array(sectors))
    return found


@pytest.fixture(scope="module")
def found(visits):
    return multifocal(visits, 1000, -50)


def test_each_sector_has_its_state_polarity_and_shift(found):
    assert [sector.name for sector in found.sectors] == ["01", "02", "03", "04"]
    assert [sector.state for sector in found.sectors][:3] == ["present"] * 3
    assert found.sectors[3].state != "present"
    assert [sector.polarity for sector in found.sectors] == [1, -1, 1, 0]
    for sector in found.sectors[:3]:
        assert sector.shift.ms == pytest.approx(SHIFT_MS, abs=3.5 * sector.shift.se_ms)
    assert np.median([sector.shift.ms for sector in found.sectors[:3]]) < 0
    assert found.sectors[3].shift is None


def test_the_ratio_is_that_of_zhang_and_hood(visits, found):
    """Written once more as loops over sectors, visits and samples."""
    for number, visit in enumerate(visits):
        rms = {}
        for name, first, last in (("signal", 45, 150), ("noise", 325, 430)):
            rms[name] = []
            for sector in visit:
                inside = [
                    value for ms, value in zip(TIMES, sector.mean(axis=0), strict=True) if first <= ms <= last
                ]
                mean = sum(inside) / len(inside)
                rms[name].append((sum((value - mean) ** 2 for value in inside) / len(inside)) ** 0.5)
        mean_noise = sum(rms["noise"]) / len(rms["noise"])
        for signal, sector in zip(rms["signal"], found.sectors, strict=True):
            assert sector.snr[number] == pytest.approx(signal / mean_noise - 1)
            assert sector.reliable[number] == (sector.snr[number] > 1.359)
    assert parameter("mfvep_reliable_snr").value == found.reliable_snr == 1.359


def test_noise_alone_has_a_ratio_of_0_and_is_not_reliable():
    """40 sectors: a mean within 0.1, and at most one above the limit."""
    sweeps = noise(np.random.default_rng(73), 40 * 20, TIMES).reshape(40, 20, -1)
    found = multifocal([sweeps], 1000, -50)
    snr = [sector.snr[0] for sector in found.sectors]
    assert np.mean(snr) == pytest.approx(0, abs=0.1)
    assert sum(sector.reliable[0] for sector in found.sectors) <= 1
    assert sum(sector.state == "present" for sector in found.sectors) <= 3
    assert "median shift" not in str(found)


def test_upside_down_makes_no_difference_but_the_sign(visits, found):
    turned = multifocal([-visit for visit in visits], 1000, -50)
    for one, other in zip(found.sectors, turned.sectors, strict=True):
        assert one.polarity == -other.polarity
        assert one.state == other.state
        assert [d.p for d in one.detections] == pytest.approx([d.p for d in other.detections])
        assert one.snr == pytest.approx(other.snr)
        if one.shift:
            assert one.shift.ms == pytest.approx(other.shift.ms, abs=1e-6)


@pytest.mark.parametrize("gain", [1e-3, 1e3])
def test_the_unit_of_the_kernels_does_not_matter(visits, found, gain):
    """nV or mV: kernels have no size of their own."""
    scaled_visits = multifocal([gain * visit[:2] for visit in visits], 1000, -50)
    plain = multifocal([visit[:2] for visit in visits], 1000, -50)
    for one, other in zip(plain.sectors, scaled_visits.sectors, strict=True):
        assert (one.state, one.polarity) == (other.state, other.polarity)
        assert one.shift.ms == pytest.approx(other.shift.ms, abs=1e-6)
    assert scaled_visits.sectors[0].detections[0].amplitude_uv == pytest.approx(
        gain * plain.sectors[0].detections[0].amplitude_uv
    )


def test_a_sector_is_measured_like_a_full_field_of_that_size(visits, found):
    whole = latency_shift([8 * visit[0] for visit in visits], 1000, -50)
    assert found.sectors[0].shift.ms == pytest.approx(whole.ms, abs=0.5 * whole.se_ms)


def test_one_visit_has_no_shift(visits):
    found = multifocal(visits[:1], 1000, -50, names=["a", "b", "c", "d"])
    assert [sector.name for sector in found.sectors] == ["a", "b", "c", "d"]
    assert all(sector.shift is None and len(sector.snr) == 1 for sector in found.sectors)
    assert found.to_frame()["shift_ms"].isna().all()


def test_absent_is_of_the_size_asked_for(visits):
    large, small = (multifocal(visits[:1], 1000, -50, absent_uv=size).sectors[3] for size in (1.0, 0.02))
    assert (large.state, small.state) == ("absent", "indeterminate")
    assert large.detections[0].amplitude_uv == pytest.approx(1.0)


def test_two_runs_are_enough_for_a_clear_response(visits):
    """As recorded in practice: two runs, so that no sweeps can be tested and the evidence decides."""
    runs = [visit.reshape(4, 2, 30, -1).mean(axis=2) for visit in visits]
    found = multifocal(runs, 1000, -50)
    assert found.sectors[0].state == "present"
    assert found.sectors[1].polarity == -1
    assert found.sectors[3].state != "present"


def test_a_flat_sector_costs_that_sector_only(visits):
    broken = [visit[:3].copy() for visit in visits]
    broken[1][1] = 0.0
    found = multifocal(broken, 1000, -50)
    assert found.sectors[1].state == "indeterminate"
    assert found.sectors[1].shift is None
    assert "without scatter" in found.sectors[1].reason
    assert found.sectors[0].state == found.sectors[2].state == "present"


def test_the_table_has_a_row_for_each_sector_and_visit(found):
    frame = found.to_frame()
    assert len(frame) == 8
    assert list(frame["visit"]) == [1, 2] * 4
    last = frame[frame["visit"] == 2].set_index("sector")
    assert last.loc["01", "shift_ms"] == found.sectors[0].shift.ms
    assert frame[frame["visit"] == 1]["shift_ms"].isna().all()
    assert np.isnan(last.loc["04", "shift_ms"])
    assert last.loc["04", "state"] == found.sectors[3].detections[1].state


def test_it_says_itself(found):
    assert str(found).startswith("4 sectors: 3 with a response at every visit, ")
    assert "; median shift -" in str(found)
    page = found._repr_html_()
    assert page.count("<tr") == 9
    assert str(found) in page


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"visits": []}, "visits is an empty list"),
        ({"visits": [np.zeros((4, 450))]}, r"of shape \(4, 450\)"),
        ({"visits": [np.full((4, 9, 500), np.nan)]}, "not finite"),
        (
            {"visits": [np.ones((4, 9, 500)), np.ones((5, 9, 500))]},
            "4 sectors of 500 samples, then 5 sectors",
        ),
        ({"visits": [np.ones((4, 9, 450))]}, "-50 to 400 ms.*expected 45 to 430 ms"),
        ({"visits": [np.ones((4, 9, 500))], "start_ms": 60}, "60 to 560 ms"),
        ({"visits": [np.ones((4, 9, 500))]}, "flat from 325 to 430 ms in all sectors"),
        ({"sfreq_hz": 1}, "sfreq_hz is 1"),
        ({"names": ["a", "b"]}, "names is 2, 2 of them different, expected 4 different names"),
        ({"names": ["a", "b", "c", "a"]}, "names is 4, 3 of them different"),
    ],
)
def test_bad_input_is_refused(visits, change, words):
    good = {"visits": visits, "sfreq_hz": 1000, "start_ms": -50}
    with pytest.raises(InputError, match=words):
        multifocal(**good | change)


@pytest.mark.slow
def test_sixty_sectors_take_less_than_20_cpu_seconds():
    import time

    rng = np.random.default_rng(74)
    visits = []
    for late in (0.0, -4.0):
        sectors = [recording(rng, drawn(rng, 6.0), shift_ms=late, times=TIMES) for _ in range(60)]
        visits.append(np.array(sectors))
    begun = time.process_time()
    found = multifocal(visits, 1000, -50)
    assert time.process_time() - begun < 20
    assert len(found.sectors) == 60
