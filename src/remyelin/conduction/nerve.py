"""A nerve: axons of many diameters, a lesion that all pass through, and when the message of each arrives."""

from __future__ import annotations

import itertools
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from remyelin.biology.diameters import draw_diameters, wrong
from remyelin.biology.sheaths import node_um
from remyelin.biology.state import MyelinState
from remyelin.conduction.arrivals import Arrivals, gone
from remyelin.conduction.membrane import FloatArray
from remyelin.conduction.nerve_checks import as_biology_checks, check_drawn, check_nerve, check_state
from remyelin.conduction.patch import Patch
from remyelin.conduction.patches import Patches, intact_arrays, lamellae_for_each, same_lesion
from remyelin.conduction.surrogate import TEMPERATURE_C, read_surrogate
from remyelin.conduction.transit import solve_patches
from remyelin.errors import InputError, did_you_mean

IntArray = npt.NDArray[np.int64]
WAYS = ("surrogate", "solver")
ARRAYS = ("diameter_um", "g_ratio", "bare_um", "internode_um", "internode_offset")


@dataclass(frozen=True, slots=True, eq=False)
class NerveBundle:
    """Axons of an optic nerve, side by side, with one lesion.

    Outside the lesion each axon is as `optic_nerve` of its diameter, and its action potential runs at
    constant velocity. Inside, from the side of the eye, come the internodes that differ from intact ones in
    the order given, and then what is bare, in one piece; `Patch` says the rest. How a lesion is laid out is
    an assumption.

    Lamellae are whole in the solver, and all axons with six of them would arrive at nearly the same time.
    The surrogate reads between whole lamellae instead; the solver takes the nearest.

    Parameters
    ----------
    diameter_um
        (axon,) without myelin.
    g_ratio
        (axon,) of the sheaths inside the lesion; at least 1 lamella.
    bare_um
        (axon,) length without myelin.
    internode_um, internode_offset
        (internode,) lengths of the internodes in the lesion, those of axon 0 first, and (axon + 1,) where
        each axon's begin. One as long and with as many lamellae as an intact one is intact.
    nav_fraction
        Channel densities of bare axon relative to a node's.
    length_mm
        Of the nerve.
    at_mm
        Where the lesion begins, from the eye.
    temperature_c
        5 to 50; the surrogate knows 37 only.
    axon_survival
        Part of the nerve's axons that is left; those here are survivors.

    Raises
    ------
    InputError
        If shapes disagree, a value cannot be, or the lesion does not fit into the nerve.

    Examples
    --------
    >>> import numpy as np
    >>> nerve = NerveBundle.optic_nerve(
    ...     2000, rng=np.random.default_rng(1), length_mm=45, lesion_mm=10, nav_fraction=0.02)
    >>> nerve
    NerveBundle(2000 axons of 0.74 um, 45 mm at 37 degC, lesion of 10.0 mm, 100 % bare)
    """

    diameter_um: FloatArray
    g_ratio: FloatArray
    bare_um: FloatArray
    internode_um: FloatArray
    internode_offset: IntArray
    nav_fraction: float
    length_mm: float
    at_mm: float
    temperature_c: float = TEMPERATURE_C
    axon_survival: float = 1.0

    def __post_init__(self) -> None:
        state = as_biology_checks(*(getattr(self, name) for name in ARRAYS))
        for name in ARRAYS:
            object.__setattr__(self, name, getattr(state, name))
        if not state.n_axons:
            raise wrong("diameter_um", "empty", "one axon or more")
        check_nerve(
            lesion_mm=float(self.lesion_mm.max()),
            at_mm=self.at_mm,
            length_mm=self.length_mm,
            nav_fraction=self.nav_fraction,
            temperature_c=self.temperature_c,
            axon_survival=self.axon_survival,
        )

    @classmethod
    def optic_nerve(
        cls,
        n_axons: int = 1000,
        *,
        rng: np.random.Generator,
        length_mm: float,
        lesion_mm: float = 0.0,
        nav_fraction: float | None = None,
        repaired: float = 0.0,
        n_short: int = 3,
        g_ratio: float | None = None,
        at_mm: float | None = None,
        diameter_mean_um: float | None = None,
        diameter_sd_um: float | None = None,
        temperature_c: float = TEMPERATURE_C,
    ) -> NerveBundle:
        """Axons drawn from a log-normal distribution, all with the same lesion.

        Parameters
        ----------
        n_axons
            A sample; a human optic nerve has 0.97 to 1.24 million.
        rng
            Draws the diameters.
        length_mm
            Of the nerve. No primary source was seen, so there is no default; teaching pages say 35 to 55.
        lesion_mm
            Its length.
        nav_fraction
            Channel densities of the bare axon relative to a node's; asked for wherever axon is bare.
        repaired
            Part of the lesion, from the eye, that has new myelin; the rest is bare.
        n_short
            New internodes in the place of one.
        g_ratio
            Of the new sheaths; asked for wherever there are some.
        at_mm
            Where the lesion begins; by default it lies in the middle.
        diameter_mean_um, diameter_sd_um
            Before axons below 0.2 and above 4 um are left out. By default 0.72 (Mikelberg 1989) and a
            coefficient of variation of 0.65, from the mode and the 90 % point of three nerves (Pan 2012).
        temperature_c
            The surrogate knows 37 only.

        Raises
        ------
        InputError
            If a number cannot be, or one that the lesion needs is not given.
        """
        check_drawn(
            n_axons,
            rng,
            length_mm=length_mm,
            lesion_mm=lesion_mm,
            nav_fraction=nav_fraction,
            g_ratio=g_ratio,
            at_mm=at_mm,
            diameter_mean_um=diameter_mean_um,
            diameter_sd_um=diameter_sd_um,
        )
        n_axons = int(n_axons)
        diameter = draw_diameters(n_axons, rng=rng, mean_um=diameter_mean_um, sd_um=diameter_sd_um)
        lengths, count, bare = same_lesion(diameter, lesion_mm, repaired, n_short)
        if bare.any() and nav_fraction is None:
            raise wrong("nav_fraction", "not given", "0 to 1, the channels of what is bare")
        if count.any() and g_ratio is None:
            raise wrong("g_ratio", "not given", "above 0 and below 1, that of the new sheaths")
        return cls(
            diameter_um=diameter,
            g_ratio=np.full(n_axons, 1.0 if g_ratio is None else g_ratio),
            bare_um=bare,
            internode_um=np.repeat(lengths, count),
            internode_offset=np.concatenate([[0], np.cumsum(count)]),
            nav_fraction=nav_fraction or 0.0,
            length_mm=length_mm,
            at_mm=max(0.0, length_mm - lesion_mm) / 2 if at_mm is None else at_mm,
            temperature_c=temperature_c,
        )

    @classmethod
    def from_state(
        cls,
        state: MyelinState,
        *,
        nav_fraction: float,
        length_mm: float,
        at_mm: float = 0.0,
        temperature_c: float = TEMPERATURE_C,
    ) -> NerveBundle:
        """The surviving axons of a lesion as biology has it on one day.

        Axons that are gone are not among them: `axon_survival` says how many are left. Each axon's lesion is
        as long as its internodes, a node for each, and its bare length together.

        Raises
        ------
        InputError
            If `state` is not one day's, or the lesion does not fit into the nerve.

        Examples
        --------
        >>> state = MyelinState(
        ...     day=0, diameter_um=[0.8, 1.2], g_ratio=[0.88, 1.0], bare_um=[100, 300],
        ...     internode_um=[90, 110], internode_offset=[0, 2, 2], myelin_fraction=0.4,
        ...     axon_survival=0.9, new_oligodendrocytes=12, surviving_oligodendrocytes=5, progenitors=40)
        >>> nerve = NerveBundle.from_state(state, nav_fraction=0.02, length_mm=45)
        >>> nerve.lesion_mm.round(3), nerve.arrive().delay_ms.round(2)
        (array([0.302, 0.3  ]), array([0.17, 0.35]))
        """
        check_state(state)
        arrays = (state.diameter_um, state.g_ratio, state.bare_um, state.internode_um, state.internode_offset)
        return cls(*arrays, nav_fraction, length_mm, at_mm, temperature_c, state.axon_survival)

    @property
    def n_axons(self) -> int:
        """How many axons there are."""
        return len(self.diameter_um)

    @property
    def lesion_mm(self) -> FloatArray:
        """(axon,) length of the lesion."""
        count = np.diff(self.internode_offset)
        return (self._sums(self.internode_um) + count * node_um() + self.bare_um) / 1e3

    def intact(self) -> NerveBundle:
        """The same axons without the lesion."""
        return replace(
            self,
            bare_um=np.zeros(self.n_axons),
            internode_um=np.zeros(0),
            internode_offset=np.zeros(self.n_axons + 1, dtype=np.int64),
        )

    def arrive(self, *, by: str = "surrogate", threads: int = 1, dt_us: float = 4.0) -> Arrivals:
        """When the action potential of each axon arrives at the end of the nerve.

        Parameters
        ----------
        by
            ``"surrogate"``: a table, in milliseconds; ``"solver"``: every axon through its lesion, a second
            for some hundreds.
        threads, dt_us
            Of the solver.

        Raises
        ------
        InputError
            For a lesion or temperature that the surrogate does not hold, or an axon that does not conduct
            even where it is intact.
        """
        if by not in WAYS:
            raise InputError("", "by", repr(by), " or ".join(WAYS), did_you_mean(by, WAYS))
        arrays = self._arrays()
        if by == "solver":
            found = solve_patches(
                self.patches(), temperature_c=self.temperature_c, dt_us=dt_us, threads=threads
            )
        elif self.temperature_c == TEMPERATURE_C:
            found = read_surrogate().read(arrays)
        else:
            expected = f"{TEMPERATURE_C:g}, what the table holds"
            raise InputError("", "temperature_c", f"{self.temperature_c:g}", expected, "take by='solver'")
        altered = arrays.length_um / 1e3
        delay = np.where(altered > 0, found.patch_ms - altered / found.velocity_m_per_s, 0.0)
        intact = self.length_mm / found.velocity_m_per_s
        survival = self.axon_survival
        return Arrivals(self.diameter_um, intact, delay, found.blocked, self.temperature_c, survival)

    def patches(self) -> list[Patch]:
        """(axon) what the solver is given."""
        altered, intact, lamellae = self._altered()
        offset = self.internode_offset
        return [
            Patch(
                float(self.diameter_um[k]),
                tuple(self.internode_um[a:b][altered[a:b]].tolist()),
                round(lamellae[k]),
                float(self.bare_um[k]),
                self.nav_fraction,
                round(intact[k]),
            )
            for k, (a, b) in enumerate(itertools.pairwise(offset))
        ]

    def _arrays(self) -> Patches:
        altered, intact, lamellae = self._altered()
        count = self._sums(altered.astype(float)).astype(np.int64)
        nav = np.full(self.n_axons, self.nav_fraction)
        return Patches.ragged(
            self.diameter_um, intact, lamellae, self.bare_um, nav, self.internode_um[altered], count
        )

    def _altered(self) -> tuple[npt.NDArray[np.bool_], FloatArray, FloatArray]:
        """(internode,) which differ from intact ones; (axon,) lamellae outside and inside the lesion."""
        pitch, turns = intact_arrays(self.diameter_um)
        lamellae = lamellae_for_each(self.g_ratio, self.diameter_um)
        axon = np.repeat(np.arange(self.n_axons), np.diff(self.internode_offset))
        same_length = np.abs(self.internode_um + node_um() - pitch[axon]) < 1e-6
        return ~(same_length & np.isclose(lamellae, turns)[axon]), turns, lamellae

    def _sums(self, values: FloatArray) -> FloatArray:
        """(axon,) of values (internode,)."""
        total = np.concatenate([[0.0], np.cumsum(values)])
        return np.asarray(np.diff(total[self.internode_offset]))

    def __repr__(self) -> str:
        lesion = self.lesion_mm.mean()
        bare = 0.1 * self.bare_um.mean() / lesion if lesion else 0.0
        lesioned = f"lesion of {lesion:.1f} mm, {bare:.0f} % bare" if lesion else "intact"
        return (
            f"NerveBundle({self.n_axons} axons of {self.diameter_um.mean():.2f} um, {self.length_mm:g} mm"
            f" at {self.temperature_c:g} degC, {lesioned}{gone(self.axon_survival)})"
        )
