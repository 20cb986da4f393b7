"""How many lesions people have."""

from __future__ import annotations

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
    groups = read_data("lesions.toml")
    if people not in groups:
        raise InputError(
            "evidence/lesions.toml", "people", f"{people!r}", "a group of people whose lesions were counted",
            did_you_mean(people, groups),
        )  # fmt: skip
    group = groups[people]
    source(group["source"])
    key = "at_least_10_mm3" if min_volume_mm3 >= 10 else "at_least_3_mm3" if min_volume_mm3 >= 3 else "all"
    return tuple(group[key])
