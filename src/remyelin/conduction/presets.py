"""Axons of the central nervous system whose parameters are known, as they stand in the evidence base."""

from __future__ import annotations

from remyelin.conduction.axon import Axon
from remyelin.conduction.models import layered_axon


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

    Numbers from the authors' program (MyelinatedAxonModel 989f392), run; the paper's table was not read. Axon
    0.82 um, node 0.73 um, internodes 139 um, 7 lamellae, 15 nm of periaxonal space that the paranodes seal;
    velocity 2.95 m/s at 37 degrees. The axon to take for a central lesion.

    Not a human axon: calibres of the human optic nerve are reached by `diameter_um`, which takes the rat's
    channels and proportions along. The numbers are of one mean axon; any other calibre extrapolates.

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
    return layered_axon(
        "optic-nerve",
        diameter_um,
        g_ratio=g_ratio,
        lamellae=lamellae,
        internode_um=internode_um,
        node_length_um=node_length_um,
        nodal_nav=nodal_nav,
        n_nodes=n_nodes,
        temperature_c=temperature_c,
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

    Axon 0.73 um, node 0.64 um and 1.5 um long, internodes 82 um, 5 lamellae; velocity 2.61 m/s at 37 degrees.
    Not for tracts: its internodes are short and its sheath thin.

    Examples
    --------
    >>> from remyelin import conduction
    >>> conduction.cortex()
    Axon(cortex: 51 nodes, 4.16 mm, diameter 0.73 um, g-ratio 0.811, 37 degC)
    """
    return layered_axon(
        "cortex",
        diameter_um,
        g_ratio=g_ratio,
        lamellae=lamellae,
        internode_um=internode_um,
        node_length_um=node_length_um,
        nodal_nav=nodal_nav,
        n_nodes=n_nodes,
        temperature_c=temperature_c,
    )


def corpus_callosum(*, n_nodes: int | None = None, temperature_c: float | None = None) -> Axon:
    """An axon of the corpus callosum (Bakiri 2011, 10.1113/jphysiol.2010.201376).

    Numbers from the authors' program (MyelinatedAxonModel 989f392); the paper was not read. Axon and node
    0.36 um, internodes 79 um, 5 lamellae; velocity 1.70 m/s at 37 degrees. The channels are those of
    `optic_nerve`.

    No current flows along its periaxonal space, so it has no paranodal seal: use `optic_nerve` or `cortex` to
    ask what loosening one does.

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
    >>> conduction.corpus_callosum()
    Axon(corpus-callosum: 21 nodes, 1.60 mm, diameter 0.36 um, g-ratio 0.769, 37 degC)
    """
    return layered_axon("corpus-callosum", n_nodes=n_nodes, temperature_c=temperature_c)


def cerebellum(*, n_nodes: int | None = None, temperature_c: float | None = None) -> Axon:
    """An axon of the white matter of the cerebellum (Bakiri 2011), of the same make as `corpus_callosum`.

    Axon and node 0.72 um, internodes 106 um, 10 lamellae; velocity 3.52 m/s at 37 degrees. It too has no
    paranodal seal.

    Examples
    --------
    >>> from remyelin import conduction
    >>> conduction.cerebellum()
    Axon(cerebellum: 21 nodes, 2.14 mm, diameter 0.72 um, g-ratio 0.759, 37 degC)
    """
    return layered_axon("cerebellum", n_nodes=n_nodes, temperature_c=temperature_c)


def bushy_cell(*, n_nodes: int | None = None, temperature_c: float | None = None) -> Axon:
    """The axon of a globular bushy cell to the calyx of Held, lateral type (Ford 2015, 10.1038/ncomms9073).

    Numbers from the authors' program (MyelinatedAxonModel 989f392, GBClat); the paper was not read. Axon
    3.06 um, node 1.68 um, internodes 198 um, 31 lamellae, 201 nodes; velocity 11.28 m/s at 37 degrees. It has
    channels of its own: sodium ``m^2 h`` and potassium of low threshold, which cuts trains of spikes short.

    An auditory axon made for timing: not the optic nerve's, and without a paranodal seal like
    `corpus_callosum`.

    Parameters
    ----------
    n_nodes
        201 as published.
    temperature_c
        37 as published.

    Raises
    ------
    InputError
        For fewer than 3 nodes or a temperature outside 5 to 50 degrees.

    Examples
    --------
    >>> from remyelin import conduction
    >>> conduction.bushy_cell()
    Axon(bushy-cell: 201 nodes, 39.75 mm, diameter 3.06 um, g-ratio 0.763, 37 degC)
    """
    return layered_axon("bushy-cell", n_nodes=n_nodes, temperature_c=temperature_c)
