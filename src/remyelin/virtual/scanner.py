"""A virtual scanner: where the head lies, which fields it lies in, and what noise does to a signal."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from remyelin.errors import InputError
from remyelin.number import check_number

from .waves import FloatArray

VOXELS_MM = (1.0, 2.0)
WHITE_MATTER = 1000.0  # of white matter on the MT-off image at a gain of 1, in numbers of the file
FIELD_OF_VIEW_MM = (176.0, 216.0, 176.0)


@dataclass(frozen=True, slots=True)
class Scanner:
    """How images are made: settings of an instrument, chosen, not evidence about one.

    Parameters
    ----------
    voxel_mm
        Edge of a voxel, 1 or 2 mm.
    head_scale
        Size of the heads and of the field of view, 1 as people have them. A head of 0.65 is measured in a
        third of the time: for demonstrations and tests.
    noise
        SD of the noise in each of both channels, relative to white matter on the MT-off image.
    receive
        How far the sensitivity of the coil varies over the head: log, at 80 mm from the middle.
    b1
        How far the local flip angle falls from the middle of the head to 80 mm.
    b1_session_sd
        The nominal angle is missed by this part at each session: SD.
    drift_sd
        The gain differs by this part between MT-off and MT-on: SD.
    visit_mm, visit_deg
        Position of the head at a visit: SD along and about each axis.
    scan_mm, scan_deg
        Movement between the images of a visit.
    reader_mm
        SD by which a reader draws a lesion's border too far in or out at a visit.
    t1w, b1_map
        Whether a T1-weighted image and a map of the transmit field are made too.

    Raises
    ------
    InputError
        Another voxel size; a number that cannot be.

    Examples
    --------
    >>> Scanner(voxel_mm=1).shape
    (176, 216, 176)
    """

    voxel_mm: float = 2.0
    head_scale: float = 1.0
    noise: float = 0.02
    receive: float = 0.12
    b1: float = 0.12
    b1_session_sd: float = 0.003
    drift_sd: float = 0.001
    visit_mm: float = 2.0
    visit_deg: float = 1.5
    scan_mm: float = 0.3
    scan_deg: float = 0.25
    reader_mm: float = 0.1
    t1w: bool = True
    b1_map: bool = False

    def __post_init__(self) -> None:
        if self.voxel_mm not in VOXELS_MM:
            fix = "choose 1 (as trials) or 2 (eight times as fast)"
            raise InputError("", "voxel_mm", f"{self.voxel_mm:g} mm", "1 or 2 mm", fix)
        check_number("head_scale", self.head_scale, least=0.5, most=1.2)
        for name, most in _MOST.items():
            check_number(name, getattr(self, name), least=0, most=most)

    def clean(self) -> Scanner:
        """The same voxels without field, drift and reader; noise of a tenth, heads that still move.

        Examples
        --------
        >>> Scanner().clean().b1
        0.0
        """
        still = replace(self, receive=0.0, b1=0.0, b1_session_sd=0.0, drift_sd=0.0)
        return replace(still, noise=self.noise / 10, reader_mm=0.0)

    @property
    def shape(self) -> tuple[int, int, int]:
        """Voxels along each axis."""
        x, y, z = (2 * round(self.head_scale * edge / self.voxel_mm / 2) for edge in FIELD_OF_VIEW_MM)
        return x, y, z

    @property
    def affine(self) -> FloatArray:
        """(4, 4) voxel index to scanner mm, the isocentre in the middle."""
        affine = np.diag([self.voxel_mm, self.voxel_mm, self.voxel_mm, 1.0])
        affine[:3, 3] = [-self.voxel_mm * (n - 1) / 2 for n in self.shape]
        return affine

    def draw_position(self, rng: np.random.Generator) -> FloatArray:
        """(4, 4) head mm to scanner mm of a visit."""
        return draw_pose(rng, self.visit_mm, self.visit_deg)

    def draw_movement(self, rng: np.random.Generator) -> FloatArray:
        """(4, 4) what the head does between two images."""
        return draw_pose(rng, self.scan_mm, self.scan_deg)


_MOST = {
    "noise": 0.5, "receive": 1.0, "b1": 0.5, "b1_session_sd": 0.2, "drift_sd": 0.1, "visit_mm": 20,
    "visit_deg": 20, "scan_mm": 5, "scan_deg": 5, "reader_mm": 2,
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Fields:
    """What a session's signals are multiplied by, and what its flip angles are.

    Parameters
    ----------
    b1
        (10,) local over nominal flip angle in the head: coefficients of 1, x, y, z, xx, yy, zz, xy, yz, zx in
        units of 100 mm from the middle of the brain.
    receive
        (10,) log of the sensitivity in the scanner.
    drift
        Gain of MT-on over that of MT-off.
    """

    b1: FloatArray
    receive: FloatArray
    drift: float

    @classmethod
    def draw(cls, scanner: Scanner, b1: FloatArray, rng: np.random.Generator) -> Fields:
        """The fields of one session of a person, whose own transmit field is `b1`."""
        tilt = scanner.receive / np.sqrt(3) / 0.8 * rng.normal(size=3)
        bend = scanner.receive / np.sqrt(6) / 0.64 * rng.normal(size=6)
        gain = np.log(rng.uniform(0.85, 1.2))
        missed = 1 + scanner.b1_session_sd * rng.normal()
        drift = 1 + scanner.drift_sd * rng.normal()
        return cls(b1 * missed, np.r_[gain, tilt, bend], float(drift))

    def b1_at(self, points_mm: FloatArray) -> FloatArray:
        """Local over nominal flip angle at points of the head (..., 3).

        Examples
        --------
        >>> fields = Fields(np.r_[1.05, np.zeros(9)], np.zeros(10), 1.0)
        >>> fields.b1_at(np.zeros(3))
        array(1.05)
        """
        x, y, z = np.moveaxis(np.asarray(points_mm) / 100, -1, 0)
        terms = (np.ones_like(x), x, y, z, x * x, y * y, z * z, x * y, y * z, x * z)
        return np.asarray(sum(c * term for c, term in zip(self.b1, terms, strict=True)))


def draw_b1(scanner: Scanner, rng: np.random.Generator) -> FloatArray:
    """(10,) a person's transmit field: high in the middle of the head, a little higher on one side."""
    bend = scanner.b1 / 0.64 * (1 + 0.15 * rng.normal(size=3))
    tilt = 0.15 * scanner.b1 / 0.8 * rng.normal(size=3)
    return np.concatenate([[1 + scanner.b1 / 2], tilt, -bend, np.zeros(3)])


def draw_pose(rng: np.random.Generator, shift_mm: float, turn_deg: float) -> FloatArray:
    """A random rigid (4, 4) map of points: normal shifts and turns, SD per axis as given."""
    turn = np.eye(3)
    for angle, (i, j) in zip(np.deg2rad(rng.normal(0, turn_deg, 3)), ((1, 2), (2, 0), (0, 1)), strict=True):
        step = np.eye(3)
        step[i, i] = step[j, j] = np.cos(angle)
        step[j, i], step[i, j] = np.sin(angle), -np.sin(angle)
        turn = step @ turn
    pose = np.eye(4)
    pose[:3, :3] = turn
    pose[:3, 3] = rng.normal(0, shift_mm, 3)
    return pose


def recorded(signal: NDArray[np.float32], scanner: Scanner, rng: np.random.Generator) -> NDArray[np.int16]:
    """The numbers of an image: a signal with Rician noise, rounded.

    Parameters
    ----------
    signal
        (x, y, z), white matter of the MT-off image about 1.
    scanner
        Its noise.
    rng
        Source of randomness.

    Notes
    -----
    The magnitude of a complex signal with normal noise in both parts (Gudbjartsson and Patz 1995,
    doi:10.1002/mrm.1910340618).

    Examples
    --------
    >>> still = recorded(np.zeros((20, 20, 20), np.float32), Scanner(noise=0.02), np.random.default_rng(1))
    >>> round(float(still.mean()))  # Rayleigh: 20 times the root of pi / 2
    25
    """
    sd = np.float32(WHITE_MATTER * scanner.noise)
    real = rng.standard_normal(signal.shape, np.float32)
    real *= sd
    real += np.float32(WHITE_MATTER) * signal
    imaginary = rng.standard_normal(signal.shape, np.float32)
    imaginary *= sd
    np.hypot(real, imaginary, out=real)
    return np.asarray(np.rint(real, out=real).astype(np.int16))
