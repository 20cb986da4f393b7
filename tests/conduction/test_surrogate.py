"""The table in place of the solver: near it, in order, and silent about nothing it does not hold."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from remyelin.conduction.patch import Patch, intact_geometry
from remyelin.conduction.patches import Patches, intact_arrays, lamellae_for_each
from remyelin.conduction.presets import optic_nerve
from remyelin.conduction.surrogate import read_surrogate
from remyelin.conduction.transit import Transit, solve_patches
from remyelin.errors import InputError

diameters = st.floats(0.25, 3.5)


def told(*patches: Patch) -> Transit:
    return read_surrogate().read(Patches.of(patches))


def short(diameter: float, count: int, shortening: float, lamellae: int, **bare: float) -> Patch:
    geometry = intact_geometry(diameter)
    length = shortening * geometry.pitch_um - geometry.node_um
    return Patch(diameter, (length,) * count, lamellae, **bare)


def test_near_the_solver_off_its_own_rows() -> None:
    patches = [
        Patch(0.55, bare_um=700.0, nav_fraction=0.007),
        Patch(0.93, bare_um=1000.0, nav_fraction=0.012),
        Patch(1.7, bare_um=450.0, nav_fraction=0.024),
        short(0.66, 7, 0.37, 3),
        short(1.35, 11, 0.55, 5),
        short(0.9, 6, 0.45, 4, bare_um=400.0, nav_fraction=0.01),
    ]
    solved, read = solve_patches(patches), told(*patches)
    assert not solved.blocked.any()
    assert not read.blocked.any()
    assert np.abs(read.patch_ms / solved.patch_ms - 1).max() < 0.02
    assert np.abs(read.velocity_m_per_s / solved.velocity_m_per_s - 1).max() < 0.01


def test_blocks_where_the_solver_does() -> None:
    patches = [
        Patch(diameter, bare_um=pitches * intact_geometry(diameter).pitch_um, nav_fraction=nav)
        for diameter in (0.4, 0.85, 1.8)
        for pitches in (1, 2, 6)
        for nav in (0.0, 0.0015, 0.007, 0.02)
    ]
    solved, read = solve_patches(patches), told(*patches)
    assert solved.blocked.any()
    assert not solved.blocked.all()
    assert (solved.blocked == read.blocked).all()
    assert np.isnan(read.patch_ms[read.blocked]).all()
    assert np.isfinite(read.patch_ms[~read.blocked]).all()


def test_intact_axons_are_counted_as_the_preset_makes_them() -> None:
    sizes = np.linspace(0.2, 4.0, 60)
    pitch, lamellae = intact_arrays(sizes)
    geometry = [intact_geometry(float(size)) for size in sizes]
    assert np.allclose(pitch, [each.pitch_um for each in geometry], rtol=1e-12)
    assert np.ceil(lamellae - 1e-9).tolist() == [each.lamellae for each in geometry]
    thin = [optic_nerve(float(size), g_ratio=0.86, n_nodes=3).parts[0] for size in sizes]
    asked = lamellae_for_each(np.full(60, 0.86), sizes)
    assert np.ceil(asked - 1e-9).tolist() == [each.myelin.lamellae for each in thin]  # type: ignore[union-attr]


def test_an_axon_too_thin_for_its_sheath_has_one_lamella() -> None:
    assert lamellae_for_each(np.array([0.99, 1.0]), np.array([0.3, 0.3])).tolist() == [1, 1]


@settings(max_examples=60, deadline=None)
@given(diameters, st.floats(0.05, 40), st.floats(0.001, 10), st.floats(0, 0.1))
def test_a_longer_bare_stretch_is_never_earlier_and_never_freed(
    diameter: float, pitches: float, more: float, nav: float
) -> None:
    pitch = intact_geometry(diameter).pitch_um
    less, long = (Patch(diameter, bare_um=n * pitch, nav_fraction=nav) for n in (pitches, pitches + more))
    read = told(less, long)
    assert read.blocked[1] or (not read.blocked[0] and read.patch_ms[1] >= read.patch_ms[0] - 1e-9)


@settings(max_examples=60, deadline=None)
@given(diameters, st.floats(0.05, 40), st.floats(0, 0.09), st.floats(0, 0.01))
def test_more_channels_are_never_later_and_never_block(
    diameter: float, pitches: float, nav: float, more: float
) -> None:
    length = pitches * intact_geometry(diameter).pitch_um
    few, many = (Patch(diameter, bare_um=length, nav_fraction=f) for f in (nav, nav + more))
    read = told(few, many)
    assert read.blocked[0] or (not read.blocked[1] and read.patch_ms[1] <= read.patch_ms[0] + 1e-9)


@settings(max_examples=60, deadline=None)
@given(diameters, st.integers(1, 60), st.floats(0.21, 1.4), st.integers(1, 3))
def test_more_new_internodes_are_never_earlier(
    diameter: float, count: int, shortening: float, lamellae: int
) -> None:
    lamellae = min(lamellae, intact_geometry(diameter).lamellae)
    read = told(
        short(diameter, count, shortening, lamellae), short(diameter, count + 1, shortening, lamellae)
    )
    assert read.blocked[1] or read.patch_ms[1] >= read.patch_ms[0]


def test_unequal_internodes_take_longer_than_equal_ones() -> None:
    equal, unequal = Patch(0.8, (80.0,) * 6, 3), Patch(0.8, (40.0, 120.0) * 3, 3)
    read, solved = told(equal, unequal), solve_patches([equal, unequal])
    assert read.patch_ms[1] > read.patch_ms[0]
    assert read.patch_ms == pytest.approx(solved.patch_ms, rel=0.04)


def test_rows_do_not_depend_on_each_other() -> None:
    patches = [short(0.7, 4, 0.4, 2), Patch(1.1, bare_um=300.0, nav_fraction=0.02), Patch(0.5)]
    together, apart = told(*patches), [told(each) for each in patches]
    assert together.patch_ms.tolist() == [each.patch_ms[0] for each in apart]
    assert together.patch_ms[2] == 0


@pytest.mark.parametrize(
    ("patch", "field", "found", "allowed"),
    [
        (Patch(0.15), "diameter_um", "0.15", "0.2 to 4"),
        (Patch(4.5), "diameter_um", "4.5", "0.2 to 4"),
        (Patch(0.8, bare_um=300.0, nav_fraction=0.5), "nav_fraction", "0.5", "0 to 0.1"),
        (Patch(0.8, (100.0, 300.0), 4), "longest new internode", "2.199", "0.2 to 1.5"),
        (Patch(0.8, (10.0, 100.0), 4), "shortest new internode", "0.08", "0.2 to 1.5"),
        (Patch(0.8, (100.0,), 40), "lamellae", "40", "1 to 35"),
        (Patch(0.8, (100.0,), 30), "lamellae", "30 for an axon of 0.80 um", "twice"),
    ],
)
def test_what_the_table_does_not_hold_is_refused(patch: Patch, field: str, found: str, allowed: str) -> None:
    with pytest.raises(InputError) as error:
        told(patch)
    for word in (field, found, allowed, "solver"):
        assert word in str(error.value)


def test_nan_is_refused() -> None:
    with pytest.raises(InputError):
        told(Patch(float("nan")))


def test_the_table_is_small_and_whole() -> None:
    table = read_surrogate()
    assert (np.diff(table.least_nav, axis=1) >= -1e-3).all()
    assert np.isfinite(table.bare_ms_per_mm).all()
    assert np.isfinite(table.bare_steady_ms_per_mm).all()


def test_the_table_is_what_the_solver_says_now() -> None:
    table = read_surrogate()
    bare, new = [], []
    for i, j, k in ((3, 8, 9), (14, 13, 12), (21, 3, 14)):
        diameter, pitches = float(table.diameter_um[i]), float(table.bare_pitches[j])
        length = pitches * intact_geometry(diameter).pitch_um
        bare.append((Patch(diameter, bare_um=length, nav_fraction=float(table.nav_fraction[k])), (i, j, k)))
    for i, j, k, n in ((5, 1, 4, 2), (16, 3, 2, 4), (23, 7, 6, 1)):
        diameter, lamellae = float(table.diameter_um[i]), int(table.lamellae[j])
        patch = short(diameter, int(table.count[n]), float(table.shortening[k]), lamellae)
        new.append((patch, (i, j, k, n)))
    patches = [patch for patch, _ in bare + new]
    each_mm = solve_patches(patches).patch_ms / [patch.length_um / 1e3 for patch in patches]
    held = [table.bare_ms_per_mm[at] for _, at in bare] + [table.myelinated_ms_per_mm[at] for _, at in new]
    # A change of the solver beyond this: make the table anew, benchmarks/conduction/make_surrogate.py.
    assert each_mm == pytest.approx(np.exp(held), rel=1e-3)


def test_the_solver_gives_the_same_on_any_number_of_threads() -> None:
    patches = [
        short(d, 3, 0.4, 2, bare_um=200.0, nav_fraction=0.02) for d in np.linspace(0.4, 1.2, 10).tolist()
    ]
    one, two = solve_patches(patches), solve_patches(patches, threads=2)
    assert one.patch_ms.tobytes() == two.patch_ms.tobytes()


def test_intact_internodes_take_what_constant_velocity_says() -> None:
    geometry = intact_geometry(0.8)
    patch = Patch(0.8, (geometry.internode_um,) * 12, geometry.lamellae)
    found = solve_patches([patch])
    assert found.patch_ms[0] == pytest.approx(patch.length_um / 1e3 / found.velocity_m_per_s[0], rel=1e-4)


def test_longer_flanks_change_nothing() -> None:
    from remyelin.conduction import conduct

    patch = Patch(0.82, bare_um=420.0, nav_fraction=0.005)
    axon = patch.axon()
    longer = replace(axon, nodes=axon.nodes[:1] * 12 + axon.nodes, parts=axon.parts[:1] * 12 + axon.parts)
    bridge = optic_nerve(0.82, n_nodes=33)
    found = conduct([longer, bridge], duration_ms=8).arrival_ms
    passed = (found[0, longer.n_nodes - 6] - found[0, 17]) - (found[1, 27] - found[1, 17])
    assert solve_patches([patch]).patch_ms[0] == pytest.approx(passed, abs=1e-4)
