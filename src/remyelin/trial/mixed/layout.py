"""How rows lie in groups: sorted, with the first row of each inner and first inner of each outer group."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from remyelin.errors import InputError

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Layout:
    """Rows in groups.

    Attributes
    ----------
    order
        (row,) that sorts the rows by outer, then inner group.
    ends
        (inner + 1,) first sorted row of each inner group, and the number of rows.
    outer
        (outer + 1,) first inner group of each outer one, and the number of inner groups.
    nested
        Whether the inner groups have a variance of their own; else each outer group is one inner group.
    """

    order: IntArray
    ends: IntArray
    outer: IntArray
    nested: bool

    @property
    def free(self) -> npt.NDArray[np.bool_]:
        """(3,) the variances that are estimated: outer, inner, residual."""
        return np.array([True, self.nested, True])

    @property
    def outer_of_row(self) -> IntArray:
        """(row,) number of the outer group, in the order of the data."""
        return self._unsorted(np.repeat(np.arange(len(self.outer) - 1), np.diff(self.ends[self.outer])))

    @property
    def inner_of_row(self) -> IntArray:
        """(row,) number of the inner group, in the order of the data."""
        return self._unsorted(np.repeat(np.arange(len(self.ends) - 1), np.diff(self.ends)))

    def _unsorted(self, sorted_values: IntArray) -> IntArray:
        values = np.empty_like(sorted_values)
        values[self.order] = sorted_values
        return values


def lay_out(outer: IntArray, inner: IntArray | None = None) -> Layout:
    """Sort rows by the numbers of their groups; an inner group is the pair of both numbers.

    Examples
    --------
    >>> layout = lay_out(np.array([1, 0, 1, 0]), np.array([0, 0, 1, 0]))
    >>> layout.order.tolist(), layout.ends.tolist(), layout.outer.tolist()
    ([1, 3, 0, 2], [0, 2, 3, 4], [0, 1, 3])
    """
    within = np.zeros_like(outer) if inner is None else inner
    order = np.lexsort((np.arange(len(outer)), within, outer))
    a, b = outer[order], within[order]
    ends = _starts((np.diff(a) != 0) | (np.diff(b) != 0))
    return Layout(order, ends, _starts(np.diff(a[ends[:-1]]) != 0), inner is not None)


def check_groups(layout: Layout, names: tuple[str, ...], X: FloatArray) -> None:
    """Refuse groups whose variance cannot be told from that of a row or of other groups.

    Raises
    ------
    InputError
        For a single group, one row in each group, one inner group in each outer one, or a design `X` (row,
        coefficient) that leaves nothing within the groups.
    """
    rows, inner, outer = int(layout.ends[-1]), len(layout.ends) - 1, len(layout.outer) - 1
    if outer < 2:
        raise InputError(
            "", names[0], f"the same in all {rows} rows", "at least two groups",
            "name the column of the participants; with one participant there is nothing to compare",
        )  # fmt: skip
    if inner == rows:
        raise InputError(
            "", names[-1], f"different in each of the {rows} rows",
            "at least one group with several rows: else its variance and the residual's are one number",
            f"leave {names[-1]} out of groups" if layout.nested else "use ancova: rows are independent",
        )  # fmt: skip
    if layout.nested and inner == outer:
        raise InputError(
            "", names[1], f"a single one within each {names[0]}",
            f"several within at least one {names[0]}: else the two variances are one number",
            f"give groups=[{names[0]!r}] alone",
        )  # fmt: skip
    values = X[layout.order]
    counts = np.diff(layout.ends)
    within = values - np.repeat(np.add.reduceat(values, layout.ends[:-1]) / counts[:, None], counts, axis=0)
    terms = int(np.linalg.matrix_rank(within, tol=1e-9 * np.linalg.norm(values, axis=0).max()))
    if inner + terms >= rows:
        raise InputError(
            "", names[-1], f"{inner} groups with {terms} terms that vary within them, in {rows} rows",
            "more rows than both together: else no residual variance can be told", "use fewer terms",
        )  # fmt: skip


def _starts(changes: npt.NDArray[np.bool_]) -> IntArray:
    return np.concatenate([[0], np.flatnonzero(changes) + 1, [len(changes) + 1]])
