"""Axons of peripheral nerves: to check against known models, not to put a lesion of MS into."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from remyelin.conduction.axon import Axon
from remyelin.conduction.models import known, layered_axon, uniform_axon
from remyelin.conduction.parts import Internode, Myelin, Node, Stretch
from remyelin.number import check_number

ROW = ("axon_um", "node_um", "pitch_um", "flut_um", "lamellae")


def richardson(*, n_nodes: int | None = None, temperature_c: float | None = None) -> Axon:
    """The motor nerve fibre of 10 um of Richardson 2000 (10.1007/BF02345014), with a double cable.

    Numbers from the program of the Attwell laboratory (MyelinatedAxonModel 989f392); the paper's own table
    was not read. Axon 6 um, internodes 1149 um, 120 lamellae, 10 nm of periaxonal space without a seal;
    velocity 43.57 m/s at 37 degrees. Its channels are those that the central axons took over.

    Not for central axons: 5 to 10 times too thick, myelin of a ninth of the capacitance per membrane, and no
    paranodal seal to lose.

    Parameters
    ----------
    n_nodes
        21 as published.
    temperature_c
        37 as published.

    Raises
    ------
    InputError
        For fewer than 3 nodes or a temperature outside 5 to 50 degrees.

    Examples
    --------
    >>> from remyelin import conduction
    >>> conduction.richardson()
    Axon(richardson: 21 nodes, 23.00 mm, diameter 6.00 um, g-ratio 0.600, 37 degC)
    """
    return layered_axon("richardson", n_nodes=n_nodes, temperature_c=temperature_c)


def mrg(diameter_um: float, *, n_nodes: int | None = None, temperature_c: float | None = None) -> Axon:
    """The peripheral motor fibre of McIntyre, Richardson & Grill 2002 (10.1152/jn.00353.2001).

    Numbers from the authors' program (ModelDB 3810) and PyFibers 0.13.0; the paper's table was not read. Each
    internode is MYSA (the paranode), FLUT, six pieces of STIN, FLUT and MYSA, one segment each; the current
    under the myelin leaves at the middle of the node. Their leak is fixed and the fibre drifts from -80 to
    -79.96 mV; here, as for every axon, the leak is solved so that it rests, at -80 mV, which makes it 0.1 %
    slower than in NEURON.

    A check against a model that is widely known, not the fibre of a central lesion: Schwann cells, nodes of
    another kind, faster potassium channels, and calibres that the optic nerve hardly has.

    Parameters
    ----------
    diameter_um
        Of the whole fibre, not of the axon: one of 2.0, 5.7, 7.3, 8.7, 10, 11.5, 12.8, 14, 15, 16 as
        tabulated (2.0: McIntyre 2004, 10.1152/jn.00989.2003), or any between by the polynomials of Musselman
        2021 (10.1371/journal.pcbi.1009285) with lamellae rounded to whole ones. The polynomials do not pass
        through the table: at its rows they give 2.7 % less to 3.0 % more velocity.
    n_nodes
        41 by default; theirs has 21.
    temperature_c
        37 as published.

    Raises
    ------
    InputError
        For a diameter outside 2 to 16 um. The fibre of 1 um that is found in programs fires twice at every
        node and stays depolarised; it is refused.

    Examples
    --------
    >>> from remyelin import conduction
    >>> conduction.mrg(10)
    Axon(mrg-10: 41 nodes, 46.00 mm, diameter 6.90 um, g-ratio 0.690, 37 degC)
    >>> conduction.mrg(8).diameter_um
    5.16164
    """
    model = known("fibre", "mrg")
    lowest, highest = model["between"]["lowest_um"], model["between"]["highest_um"]
    expected = f"{lowest:g} to {highest:g} um, of the whole fibre"
    if diameter_um == 1:
        expected += "; the fibre of 1 um fires twice at every node and stays depolarised"
    fix = "choose a diameter in that range, or conduction.optic_nerve() for a thin central axon"
    check_number("mrg diameter_um", diameter_um, least=lowest, most=highest, expected=expected, fix=fix)
    row = next((row for row in model["table"] if row["fibre_um"] == diameter_um), None)
    shape = {key: row[key] for key in ROW} if row else _between(model["between"], diameter_um)
    node = Node(shape["node_um"], model["node_length_um"], periaxonal_nm=model["node_periaxonal_nm"])
    internode = _fibre(model, diameter_um, shape)
    return uniform_axon(f"mrg-{diameter_um:g}", model, node, internode, n_nodes, temperature_c)


def _between(rule: Mapping[str, Any], fibre_um: float) -> dict[str, float]:
    """Dimensions of a fibre that stands between two rows of the table."""
    shape = {key: float(np.polynomial.polynomial.polyval(fibre_um, rule[key])) for key in ROW}
    if fibre_um < rule["pitch_below_um"]:
        shape["pitch_um"] = float(np.polynomial.polynomial.polyval(fibre_um, rule["pitch_below"]))
    return shape


def _fibre(model: Mapping[str, Any], fibre_um: float, shape: Mapping[str, float]) -> Internode:
    """MYSA, FLUT, STIN, FLUT, MYSA; the sheath's membranes all have the area of the fibre's outside."""
    lemma_uf = model["axolemma_uf_per_cm2"]
    mysa = Stretch(
        model["mysa_length_um"],
        1,
        diameter_um=shape["node_um"],
        periaxonal_nm=model["mysa_periaxonal_nm"],
        axolemma_ms_per_cm2=model["mysa_ms_per_cm2"],
        axolemma_uf_per_cm2=lemma_uf,
        paranode=True,
    )
    inner = {
        "diameter_um": shape["axon_um"],
        "axolemma_ms_per_cm2": model["internode_ms_per_cm2"],
        "axolemma_uf_per_cm2": lemma_uf,
    }
    flut = Stretch(shape["flut_um"], 1, periaxonal_nm=model["flut_periaxonal_nm"], **inner)
    rest = shape["pitch_um"] - model["node_length_um"] - 2 * (mysa.length_um + flut.length_um)
    stin = Stretch(rest, model["stin_segments"], periaxonal_nm=model["stin_periaxonal_nm"], **inner)
    lamellae = round(shape["lamellae"])
    sheath = Myelin(
        lamellae,
        model["myelin_membrane_ms_per_cm2"],
        model["myelin_membrane_uf_per_cm2"],
        # Only to make a new sheath of a given g-ratio: the thickness of this one, shared.
        period_nm=(fibre_um - shape["axon_um"]) / 2 / lamellae * 1e3,
        outer_um=fibre_um,
    )
    return Internode((mysa, flut, stin, flut, mysa), sheath)
