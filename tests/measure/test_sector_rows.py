"""Sectors of several runs and visits: what is put together, what is compared, and what is told of it."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from remyelin.errors import Flag
from remyelin.measure.recording import Setup, Sweeps
from remyelin.measure.sector_rows import sector_rows

DAYS = {"M00": 0.0, "M06": 182.0}
SILENT_DELAY = Flag("a.edf", "DisplayDelay", "not stated", "ms", "measure it")


def sectors(
    visit: str,
    run: str = "1",
    late_ms: float = 0.0,
    sfreq_hz: float = 500.0,
    names: str = "12",
    **given: object,
) -> list[Sweeps]:
    """Two sectors of the right eye; the second is inverted."""
    rng = np.random.default_rng([int(visit[1:]), int(run)])
    times = np.arange(0, 500, 1000 / sfreq_hz)
    wave = 8 * np.exp(-0.5 * ((times - 110 - late_ms) / 12) ** 2)
    return [
        Sweeps(
            f"{visit}_run-{run}.edf",
            "OD",
            None,
            run,
            (-1) ** int(name) * wave + rng.normal(0, 3, (20, len(times))),
            sfreq_hz,
            0.0,
            setup=Setup(montage=f"S0{name}", display="CRT", **given),
            sector=f"0{name}",
        )
        for name in names
    ]


def values(found, visit: str, measure: str) -> dict[str, dict]:
    chosen = [row for row in found.rows if (row["visit"], row["measure"]) == (visit, measure)]
    return {row["condition"][-2:]: row for row in chosen}


def test_all_runs_count():
    one = sector_rows("sub-01", DAYS, {"M00": sectors("M00")})
    both = sector_rows("sub-01", DAYS, {"M00": [*sectors("M00"), *sectors("M00", "2")]})
    assert (both.failures, both.flags["M00"]) == ([], [])
    for name in ("01", "02"):
        ratio = values(both, "M00", "vep_snr")[name]["value"] / values(one, "M00", "vep_snr")[name]["value"]
        assert ratio == pytest.approx(np.sqrt(2), rel=0.35)


def test_a_run_that_is_sampled_otherwise_is_left_out_with_a_flag():
    found = sector_rows("sub-01", DAYS, {"M00": [*sectors("M00"), *sectors("M00", "2", sfreq_hz=1000.0)]})
    alone = sector_rows("sub-01", DAYS, {"M00": sectors("M00")})
    assert found.rows == alone.rows
    (flag,) = found.flags["M00"]
    assert (flag.file, flag.field) == ("M00_run-2.edf", "replicate")


def test_visits_that_are_sampled_unlike_are_measured_and_not_compared():
    found = sector_rows("sub-01", DAYS, {"M00": sectors("M00"), "M06": sectors("M06", sfreq_hz=1000.0)})
    (failure,) = found.failures
    assert (failure.visit, failure.error.file) == ("M06", "M06_run-1.edf")
    assert "1000 Hz, and was 500 Hz at M00" in str(failure.error)
    for visit in DAYS:
        assert list(values(found, visit, "vep_snr")) == ["01", "02"]
        assert values(found, visit, "vep_shift_ms") == {}


def test_another_display_is_flagged_and_the_sectors_names_are_no_montage():
    later = [replace(one, setup=replace(one.setup, display="LCD")) for one in sectors("M06", late_ms=-6)]
    visits = {"M00": sectors("M00"), "M06": later}
    found = sector_rows("sub-01", DAYS, visits)
    assert [flag.field for flag in found.flags["M06"]] == ["display"]
    for row in values(found, "M06", "vep_shift_ms").values():
        assert (row["quality"], row["reason"]) == ("flag", "display: LCD, and was CRT at M00")
        assert row["value"] == pytest.approx(-6, abs=3 * row["se"])
    assert {row["quality"] for row in values(found, "M00", "vep_snr").values()} == {"pass"}


def test_a_delay_that_nobody_stated_is_no_doubt_about_a_shift():
    visits = {
        visit: [replace(one, flags=(SILENT_DELAY,)) for one in sectors(visit, late_ms=late)]
        for visit, late in (("M00", 0.0), ("M06", -6.0))
    }
    found = sector_rows("sub-01", DAYS, visits)
    assert {row["quality"] for row in values(found, "M06", "vep_snr").values()} == {"flag"}
    assert {row["quality"] for row in values(found, "M06", "vep_shift_ms").values()} == {"pass"}


def test_visits_without_a_sector_in_common_are_measured_and_not_compared():
    found = sector_rows("sub-01", DAYS, {"M00": sectors("M00", names="1"), "M06": sectors("M06", names="2")})
    assert [failure.error.field for failure in found.failures] == ["sectors"]
    assert list(values(found, "M00", "vep_snr")) == ["01"]
    assert list(values(found, "M06", "vep_snr")) == ["02"]
