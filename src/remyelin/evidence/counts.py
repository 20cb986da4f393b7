"""How many lesions people have, and how large these are."""

from __future__ import annotations

from typing import Any

from remyelin.errors import InputError, did_you_mean

from .load import read_data, source


def lesion_counts(people: str = "open-ms", min_volume_mm3: float = 0.0) -> tuple[int, ...]:
    """Lesions of each person of a group of real people.

    Parameters
    ----------
    people
        A group of `evidence/lesions.toml`.
    min_volume_mm3
        Lesions smaller than this are not counted: 0, 3 or 10; between them the next smaller one.

    Raises
    ------
    InputError
        A group that is not known.

    Examples
    --------
    >>> counts = lesion_counts("open-ms", min_volume_mm3=10)
    >>> len(counts), min(counts), max(counts), sum(counts) / len(counts)
    (20, 8, 213, 66.5)
    """
    return tuple(_group(people)[_least(min_volume_mm3, "all")])


def lesion_volumes_mm3(people: str = "open-ms", min_volume_mm3: float = 0.0) -> tuple[float, ...]:
    """20 quantiles of the volume of a lesion, mm3; the arguments are those of `lesion_counts`.

    Examples
    --------
    >>> lesion_volumes_mm3(min_volume_mm3=10)[10]
    41.5
    """
    return tuple(_group(people)[f"volumes_{_least(min_volume_mm3, 'of_all')}"])


def _least(min_volume_mm3: float, every: str) -> str:
    return "at_least_10_mm3" if min_volume_mm3 >= 10 else "at_least_3_mm3" if min_volume_mm3 >= 3 else every


def _group(people: str) -> dict[str, Any]:
    groups = read_data("lesions.toml")
    if people not in groups:
        raise InputError(
            "evidence/lesions.toml", "people", f"{people!r}", "a group of people whose lesions were counted",
            did_you_mean(people, groups),
        )  # fmt: skip
    group: dict[str, Any] = groups[people]
    source(group["source"])
    return group
