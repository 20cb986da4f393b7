"""A NIfTI file: its header, believed only where it can be true, and its voxels as stored."""

from __future__ import annotations

import math
import struct
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from remyelin.errors import Flag, InputError
from remyelin.files import gunzip, gunzip_head, read_bytes, relative

from .privacy import header_flags

FloatArray = NDArray[np.floating]

# 2^28 voxels are a whole head (256 mm cubed) at 0.4 mm; more is a damaged header or no MT image.
MAX_VOXELS = 2**28
# Header extensions carry text (DICOM, comments); ten megabytes of it have never been of use.
MAX_OFFSET = 10_000_000
# Edges of a voxel: ex vivo microscopy of a cord is about 0.05 mm, a thick localiser slice 20 mm.
EDGE_MM = (0.05, 20.0)
# Two affines that put every voxel within half of its edge of the same place name the same voxel.
HALF_A_VOXEL = 0.5
_CONVERT = "convert the image again from its source"
_MM_IN = {1: ("metre", 1000.0), 2: ("mm", 1.0), 3: ("micron", 0.001)}
_HEAD_BYTES = 540
MAX_BYTES = 8 * MAX_VOXELS + MAX_OFFSET


@dataclass(frozen=True, slots=True)
class Nifti:
    """What a file holds: voxels in storage order, float32 after scaling, with the affine of that order."""

    data: FloatArray
    affine: FloatArray
    file: str
    flags: tuple[Flag, ...]
    integer: bool


@dataclass(frozen=True, slots=True)
class _Layout:
    """Where the voxels stand in the file."""

    shape: tuple[int, int, int]
    dtype: np.dtype[Any]
    offset: int

    @property
    def n_bytes(self) -> int:
        return self.offset + math.prod(self.shape) * self.dtype.itemsize


def read_nifti(path: Path, root: Path | None) -> Nifti:
    """Read one 3-D image from `.nii` or `.nii.gz`, either byte order, NIfTI-1 or NIfTI-2.

    Only as many bytes are decompressed as the header asks for, so a bomb costs nothing.

    Raises
    ------
    InputError
        As `remyelin.files.gunzip`; a header that is not NIfTI, asks for an impossible size, holds no
        geometry that can be inverted, or states two geometries that disagree; fewer or more bytes than it
        asks for.
    """
    name = relative(path, root)
    packed = path.name.endswith(".gz")
    raw = gunzip_head(path, root, _HEAD_BYTES) if packed else read_bytes(path, root, limit=MAX_BYTES)
    header = _header(raw[:_HEAD_BYTES], name)
    layout = _layout(header, name)
    if packed:
        raw = gunzip(path, root, limit=layout.n_bytes)
    if len(raw) != layout.n_bytes:
        odd = "truncated" if len(raw) < layout.n_bytes else "followed by trailing data"
        expected = f"the {layout.n_bytes} bytes that the header asks for"
        raise InputError(
            name, "size", f"{len(raw)} bytes: {odd}", expected, "copy the file again from its source"
        )
    affine, flags = _affine(header, layout.shape, name)
    data, scaling = _voxels(raw, header, layout, name)
    private = header_flags(header, raw[len(header.binaryblock) : layout.offset], name)
    return Nifti(data, affine, name, (*flags, *scaling, *private), layout.dtype.kind in "iu")


def displacement_voxels(a: FloatArray, b: FloatArray, shape: tuple[int, ...]) -> float:
    """Largest distance between where two affines put the corners of a grid, in edges of the smallest voxel.

    Examples
    --------
    >>> moved = np.eye(4)
    >>> moved[0, 3] = 2.0
    >>> displacement_voxels(np.eye(4), moved, (4, 4, 4))
    2.0
    """
    corners = np.stack(np.meshgrid(*[(0, n - 1) for n in shape], indexing="ij"), -1).reshape(-1, 3)
    gap = corners @ (a - b)[:3, :3].T + (a - b)[:3, 3]
    edge = min(np.linalg.norm(a[:3, :3], axis=0).min(), np.linalg.norm(b[:3, :3], axis=0).min())
    return float(np.linalg.norm(gap, axis=1).max() / edge) if edge > 0 else np.inf


def _header(head: bytes, name: str) -> Any:
    import nibabel as nib

    kinds = {348: (nib.Nifti1Header, b"n+1\0"), 540: (nib.Nifti2Header, b"n+2\0")}
    for order in "<>":
        size = struct.unpack(order + "i", head[:4])[0] if len(head) >= 4 else 0
        if size in kinds and len(head) >= size:
            kind, magic = kinds[size]
            header = kind(head[:size], endianness=order, check=False)
            # The field is read as a C string, so its last NUL is gone.
            if bytes(header["magic"]).startswith(magic.rstrip(b"\0")):
                return header
            found = "an image in two files or the old Analyze format"
            raise InputError(name, "header", found, "one NIfTI file (n+1 or n+2)", _CONVERT)
    raise InputError(name, "header", "not a NIfTI header", "a NIfTI image", _CONVERT)


def _layout(header: Any, name: str) -> _Layout:
    from nibabel.nifti1 import data_type_codes

    dims = [int(n) for n in header["dim"]]
    shape = dims[1 : dims[0] + 1] if 1 <= dims[0] <= 7 else [0]
    while len(shape) > 3 and shape[-1] == 1:
        shape.pop()
    if len(shape) != 3 or min(shape) < 1:
        found = "x".join(map(str, shape))
        raise InputError(name, "dimension", found, "one 3-D volume", "split the series, one volume a file")
    if math.prod(shape) > MAX_VOXELS:
        found = f"{'x'.join(map(str, shape))} voxels, too large"
        raise InputError(name, "dimension", found, f"at most {MAX_VOXELS} voxels", _CONVERT)
    code = int(header["datatype"])
    dtype = np.dtype(data_type_codes.dtype[code]) if code in data_type_codes.dtype else np.dtype("V")
    if dtype.kind not in "iuf" or dtype.itemsize > 8:
        raise InputError(name, "datatype", f"code {code}", "real numbers of 8 to 64 bits", _CONVERT)
    offset = float(header["vox_offset"])
    if not 352 <= offset <= MAX_OFFSET:
        raise InputError(name, "vox_offset", f"{offset:g}", f"352 to {MAX_OFFSET} bytes", _CONVERT)
    return _Layout((shape[0], shape[1], shape[2]), dtype.newbyteorder(header.endianness), int(offset))


def _voxels(raw: bytes, header: Any, layout: _Layout, name: str) -> tuple[FloatArray, list[Flag]]:
    stored = np.frombuffer(raw, layout.dtype, math.prod(layout.shape), layout.offset)
    stored = stored.reshape(layout.shape, order="F")
    slope, inter = float(header["scl_slope"]), float(header["scl_inter"])
    flags = []
    if not (math.isfinite(slope) and math.isfinite(inter)):
        found = f"not a number (scl_slope {slope:g}, scl_inter {inter:g})"
        fix = "rewrite the header; the stored values were used as they are"
        flags.append(Flag(name, "scaling slope", found, "a finite slope, 0 for none", fix))
        slope = 0.0
    if slope == 0 or (slope, inter) == (1, 0):
        with np.errstate(over="ignore"):
            return stored.astype(np.float32), flags
    with np.errstate(over="ignore", invalid="ignore"):
        return (stored.astype(np.float64) * slope + inter).astype(np.float32), flags


def _affine(header: Any, shape: tuple[int, ...], name: str) -> tuple[FloatArray, list[Flag]]:
    affine, flags = _stated(header, shape, name)
    edges = np.linalg.norm(affine[:3, :3], axis=0) if np.isfinite(affine).all() else np.zeros(3)
    with np.errstate(over="ignore", invalid="ignore"):
        # 0.05: axes closer than 3 degrees to one plane. No scanner shears a grid so far.
        flat = not edges.min() > 0 or not abs(np.linalg.det(affine[:3, :3] / edges)) > 0.05
    if flat:
        raise InputError(name, "affine", "singular", "an invertible affine with the voxel size", _CONVERT)
    return _in_mm(affine, edges, int(header["xyzt_units"]) % 8, name, flags)


def _stated(header: Any, shape: tuple[int, ...], name: str) -> tuple[FloatArray, list[Flag]]:
    """The affine that the header states, the sform before the qform."""
    sform_code, qform_code = int(header["sform_code"]), int(header["qform_code"])
    if sform_code <= 0 and qform_code <= 0:
        found, expected = (
            "without codes, so left and right are a guess",
            "a qform or sform with a code above 0",
        )
        flag = Flag(name, "orientation", found, expected, _CONVERT + ", keeping the orientation", "fail")
        return np.asarray(header.get_base_affine(), float), [flag]
    if sform_code <= 0:
        return _qform(header, name), []
    with np.errstate(invalid="ignore"):  # a damaged header holds numbers that are none
        sform = np.asarray(header.get_sform(), float)
    if qform_code <= 0 or not np.isfinite(sform).all() or abs(np.linalg.det(sform[:3, :3])) < 1e-12:
        return sform, []
    qform = _qform(header, name)
    if displacement_voxels(sform, qform, shape) <= HALF_A_VOXEL:
        return sform, []
    mirrored = np.linalg.det(sform[:3, :3]) * np.linalg.det(qform[:3, :3]) < 0
    if mirrored or sform_code == qform_code:
        found = "mirrored against the sform" if mirrored else "another position than the sform"
        fix = "find out which of the two is right and write it to both"
        raise InputError(name, "qform", found, "the same geometry in qform and sform", fix)
    found = f"another position (code {qform_code}) than the sform (code {sform_code})"
    fix = "check that the sform is the scanner's; it was used"
    return sform, [Flag(name, "qform", found, "the same geometry in qform and sform", fix)]


def _qform(header: Any, name: str) -> FloatArray:
    from nibabel.spatialimages import HeaderDataError

    try:
        with np.errstate(all="ignore"):
            return np.asarray(header.get_qform(), float)
    except (ValueError, HeaderDataError):
        raise InputError(name, "qform", "not a rotation", "a valid quaternion", _CONVERT) from None


def _in_mm(
    affine: FloatArray, edges: FloatArray, code: int, name: str, flags: list[Flag]
) -> tuple[FloatArray, list[Flag]]:
    """The affine in mm. A unit other than mm is believed only if it makes voxels of a possible size."""
    low, high = EDGE_MM
    unit, factor = _MM_IN.get(code, ("unknown", 1.0))
    if factor != 1:
        believed = bool((edges * factor >= low).all() and (edges * factor <= high).all())
        factor = factor if believed else 1.0
        done = f"converted from {unit}" if believed else "the numbers were read as mm"
        flags = [*flags, Flag(name, "unit", unit, "mm", f"set xyzt_units to mm; {done}")]
    scaled = np.diag([factor, factor, factor, 1.0]) @ affine
    if (edges * factor < low).any() or (edges * factor > high).any():
        found = "x".join(f"{edge * factor:.3g}" for edge in edges) + " mm"
        raise InputError(name, "voxel size", found, f"edges of {low:g} to {high:g} mm", _CONVERT)
    return scaled, flags


def canonical(nifti: Nifti) -> Nifti:
    """The same image with its voxels in the order nearest to right, front, up, contiguous in memory.

    Two files that store one image in different orders give the same array, so also the same sums.
    """
    from nibabel.orientations import apply_orientation, inv_ornt_aff, io_orientation

    orientation = io_orientation(nifti.affine)
    shape = nifti.data.shape
    data = np.ascontiguousarray(apply_orientation(nifti.data, orientation))
    return replace(nifti, data=data, affine=nifti.affine @ inv_ornt_aff(orientation, shape))
