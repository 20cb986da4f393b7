"""Axons whose parameters are known, as they stand in the evidence base."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any

from remyelin.conduction.axon import NODAL_NAV, Axon
from remyelin.conduction.membrane import Channel, Gate, Membrane, Rate
from remyelin.conduction.parts import Internode, Myelin, Node, Stretch
from remyelin.conduction.sheath import lamellae_for
from remyelin.errors import InputError, did_you_mean
from remyelin.evidence.load import read_data


def optic_nerve(
    diameter_um: float | None = None,
    *,
    g_ratio: float | None = None,
    lamellae: int | None = None,
    internode_um: float | None = None,
    node_length_um: float | None = None,
    nodal_nav: str = "density",
    n_nodes: int | None = None,
    temperature_c: float | None = None,
) -> Axon:
    """An axon of the rat's optic nerve (Arancibia-Carcamo 2017, 10.7554/eLife.23329).

    Parameters
    ----------
    diameter_um
        Of the axon without its myelin; 0.8201 as published. Node diameter and internode length go with it, an
        assumption: give `internode_um` to part from it.
    g_ratio, lamellae
        Thickness of the sheath, one of the two; 0.79 as published. Lamellae are whole: `Axon.g_ratio` says
        what was realised.
    internode_um
        Length of the internodes, 139.26 as published.
    node_length_um
        Length of the nodes, 1.02 as published.
    nodal_nav
        What a changed node length keeps: ``"density"`` of the channels or their ``"number"``.
    n_nodes
        51 as published.
    temperature_c
        37 as published.

    Raises
    ------
    InputError
        For a geometry that cannot be.

    Examples
    --------
    >>> from remyelin import conduction
    >>> conduction.optic_nerve(1.2, g_ratio=0.77)
    Axon(optic-nerve: 51 nodes, 10.24 mm, diameter 1.20 um, g-ratio 0.770, 37 degC)
    """
    return _central(
        "optic-nerve",
        diameter_um,
        g_ratio,
        lamellae,
        internode_um,
        node_length_um,
        nodal_nav,
        n_nodes,
        temperature_c,
    )


def cortex(
    diameter_um: float | None = None,
    *,
    g_ratio: float | None = None,
    lamellae: int | None = None,
    internode_um: float | None = None,
    node_length_um: float | None = None,
    nodal_nav: str = "density",
    n_nodes: int | None = None,
    temperature_c: float | None = None,
) -> Axon:
    """An axon of the rat's cortical grey matter (Arancibia-Carcamo 2017); parameters as in `optic_nerve`.

    Examples
    --------
    >>> from remyelin import conduction
    >>> conduction.cortex()
    Axon(cortex: 51 nodes, 4.16 mm, diameter 0.73 um, g-ratio 0.811, 37 degC)
    """
    return _central(
        "cortex",
        diameter_um,
        g_ratio,
        lamellae,
        internode_um,
        node_length_um,
        nodal_nav,
        n_nodes,
        temperature_c,
    )


def _central(
    model: str,
    diameter_um: float | None,
    g_ratio: float | None,
    lamellae: int | None,
    internode_um: float | None,
    node_length_um: float | None,
    nodal_nav: str,
    n_nodes: int | None,
    temperature_c: float | None,
) -> Axon:
    row = _row(model)
    diameter = row["diameter_um"] if diameter_um is None else diameter_um
    if not 0 < diameter < 1e3:
        raise InputError("", "diameter_um", f"{diameter:g}", "above 0, in micrometres", "correct it")
    scale = diameter / row["diameter_um"]
    if nodal_nav not in NODAL_NAV:
        fix = did_you_mean(nodal_nav, NODAL_NAV)
        raise InputError("", "nodal_nav", repr(nodal_nav), " or ".join(NODAL_NAV), fix)
    if g_ratio is not None and lamellae is not None:
        raise InputError("", "optic nerve", "given g_ratio and lamellae", "one of them", "leave one out")
    length = row["node_length_um"] if node_length_um is None else node_length_um
    share = 1.0 if nodal_nav == "density" else row["node_length_um"] / length
    node = Node(row["node_diameter_um"] * scale, length, share, share)
    if lamellae is None:
        ratio = row["g_ratio"] if g_ratio is None else g_ratio
        lamellae = lamellae_for(ratio, diameter, row["periaxonal_nm"], row["lamella_period_nm"])
    internode = _layered(row, diameter, lamellae)
    if internode_um is not None or scale != 1:
        internode = internode.with_length(
            row["internode_um"] * scale if internode_um is None else internode_um
        )
    count = row["n_nodes"] if n_nodes is None else n_nodes
    return Axon(
        name=model,
        nodes=(node,) * count,
        parts=(internode,) * (count - 1),
        membrane=membrane(row["membrane"]),
        axial_ohm_m=row["axial_ohm_m"],
        periaxonal_ohm_m=row["periaxonal_ohm_m"],
        temperature_c=row["temperature_c"] if temperature_c is None else float(temperature_c),
    )


def _layered(row: Mapping[str, Any], diameter_um: float, lamellae: int) -> Internode:
    """An internode of equal segments, the first and the last few of which are the paranodes."""
    segment = row["internode_um"] / row["segments"]
    lemma = {
        "diameter_um": diameter_um,
        "axolemma_ms_per_cm2": row["axolemma_ms_per_cm2"],
        "axolemma_uf_per_cm2": row["axolemma_uf_per_cm2"],
    }
    ends = row["paranode_segments"]
    paranode = Stretch(segment * ends, ends, periaxonal_nm=row["paranode_nm"], paranode=True, **lemma)
    inner = row["segments"] - 2 * ends
    middle = Stretch(segment * inner, inner, periaxonal_nm=row["periaxonal_nm"], **lemma)
    sheath = Myelin(
        lamellae,
        row["myelin_membrane_ms_per_cm2"],
        row["myelin_membrane_uf_per_cm2"],
        row["lamella_period_nm"],
    )
    return Internode((paranode, middle, paranode), sheath)


@cache
def membrane(name: str) -> Membrane:
    """A membrane of the evidence base, such as ``"central"``."""
    row = _table("membrane", name)
    channels = tuple(
        Channel(
            channel["name"],
            channel["ion"],
            tuple(_gate(gate) for gate in channel["gate"]),
            channel["density_ms_per_mm2"],
            channel["reversal_mv"],
        )
        for channel in row["channel"]
    )
    own = {key: value for key, value in row.items() if key != "channel"}
    return Membrane(name=name, channels=channels, **own)


def _gate(row: Mapping[str, Any]) -> Gate:
    rates = {key: Rate(**row[key]) for key in ("alpha", "beta")}
    return Gate(**{**row, **rates})


def _row(model: str) -> Mapping[str, Any]:
    return _table("axon", model)


def _table(kind: str, name: str) -> Mapping[str, Any]:
    rows: Mapping[str, Any] = read_axons()[kind]
    if name not in rows:
        raise InputError("evidence/axons.toml", kind, repr(name), "a known model", did_you_mean(name, rows))
    row: Mapping[str, Any] = rows[name]
    return row


@cache
def read_axons() -> Mapping[str, Any]:
    """The models of the evidence base."""
    return read_data("axons.toml")
