"""The models of axons in the evidence base, and axons and membranes made from their numbers."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any

from remyelin.conduction.axon import NODAL_NAV, Axon
from remyelin.conduction.membrane import Channel, Gate, Membrane, Rate, TimedGate
from remyelin.conduction.parts import Internode, Myelin, Node, Stretch
from remyelin.conduction.sheath import lamellae_for
from remyelin.errors import InputError, did_you_mean
from remyelin.evidence.load import read_data
from remyelin.number import check_number, shown

LOWEST_UM, HIGHEST_UM = 0.1, 100.0  # axons thinner or thicker than this were given in another unit


def layered_axon(
    model: str,
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
    """An axon whose sheath is laid down membrane by membrane; what is not given is as published."""
    row = known("axon", model)
    diameter = row["diameter_um"] if diameter_um is None else diameter_um
    check_number("diameter_um", diameter, least=LOWEST_UM, most=HIGHEST_UM, fix="give it in micrometres")
    scale = diameter / row["diameter_um"]
    if nodal_nav not in NODAL_NAV:
        fix = did_you_mean(str(nodal_nav), NODAL_NAV)
        raise InputError("", "nodal_nav", shown(nodal_nav), " or ".join(NODAL_NAV), fix)
    if g_ratio is not None and lamellae is not None:
        raise InputError("", model, "given g_ratio and lamellae", "one of them", "leave one out")
    length = row["node_length_um"] if node_length_um is None else node_length_um
    check_number("node_length_um", length, above=0, fix="give it in micrometres")
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
    return uniform_axon(model, row, node, internode, n_nodes, temperature_c)


def uniform_axon(
    name: str,
    row: Mapping[str, Any],
    node: Node,
    internode: Internode,
    n_nodes: int | None,
    temperature_c: float | None,
) -> Axon:
    """An axon that is the same all along, with the constants of that row of the evidence base."""
    count = row["n_nodes"] if n_nodes is None else n_nodes
    check_number("n_nodes", count, least=3, whole=True)
    count = int(count)
    return Axon(
        name=name,
        nodes=(node,) * count,
        parts=(internode,) * (count - 1),
        membrane=membrane(row["membrane"]),
        axial_ohm_m=row["axial_ohm_m"],
        periaxonal_ohm_m=row["periaxonal_ohm_m"],
        temperature_c=row["temperature_c"] if temperature_c is None else temperature_c,
    )


def _layered(row: Mapping[str, Any], diameter_um: float, lamellae: int) -> Internode:
    """An internode of equal segments, the first and the last few of which may be paranodes."""
    segment = row["internode_um"] / row["segments"]
    lemma = {
        "diameter_um": diameter_um,
        "axolemma_ms_per_cm2": row["axolemma_ms_per_cm2"],
        "axolemma_uf_per_cm2": row["axolemma_uf_per_cm2"],
    }
    ends = row["paranode_segments"]
    inner = row["segments"] - 2 * ends
    stretches = [Stretch(segment * inner, inner, periaxonal_nm=row["periaxonal_nm"], **lemma)]
    if ends:
        paranode = Stretch(segment * ends, ends, periaxonal_nm=row["paranode_nm"], paranode=True, **lemma)
        stretches = [paranode, *stretches, paranode]
    sheath = Myelin(
        lamellae,
        row["myelin_membrane_ms_per_cm2"],
        row["myelin_membrane_uf_per_cm2"],
        row["lamella_period_nm"],
    )
    return Internode(tuple(stretches), sheath)


@cache
def membrane(name: str) -> Membrane:
    """A membrane of the evidence base, such as ``"central"``."""
    row = dict(known("membrane", name))
    if "channels_of" in row:
        row["channel"] = known("membrane", row.pop("channels_of"))["channel"]
    channels = tuple(
        Channel(
            channel["name"],
            channel["ion"],
            tuple(_gate(gate) for gate in channel["gate"]),
            channel["density_ms_per_mm2"],
            channel["reversal_mv"],
        )
        for channel in row.pop("channel")
    )
    return Membrane(name=name, channels=channels, **row)


def _gate(row: Mapping[str, Any]) -> Gate | TimedGate:
    if "alpha" not in row:
        return TimedGate(**row)
    return Gate(**{**row, "alpha": _rate(row["alpha"]), "beta": _rate(row["beta"])})


def _rate(row: Mapping[str, Any]) -> Rate:
    return Rate(**{**row, "plus": _rate(row["plus"]) if "plus" in row else None})


def known(kind: str, name: str) -> Mapping[str, Any]:
    """A table of `axons.toml`.

    Raises
    ------
    InputError
        If there is none of that name.
    """
    rows: Mapping[str, Any] = read_axons()[kind]
    if name not in rows:
        raise InputError("evidence/axons.toml", kind, repr(name), "a known model", did_you_mean(name, rows))
    row: Mapping[str, Any] = rows[name]
    return row


def read_axons() -> Mapping[str, Any]:
    """The models of the evidence base."""
    return read_data("axons.toml")
