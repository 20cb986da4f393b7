"""A spoiled gradient echo with a pulse of magnetisation transfer in every repetition."""

from __future__ import annotations

from dataclasses import dataclass

from remyelin.errors import InputError
from remyelin.number import check_number, shown

from .pulse import Pulse

# The virtual scanner's: near to clinical ones, copied from none.
_PULSE = Pulse(500, duration_ms=9, offset_hz=2000)


@dataclass(frozen=True)
class Sequence:
    """Times and angles of the recordings; those of the package's virtual scanner by default.

    Parameters
    ----------
    tr_ms, flip_deg
        Repetition time, and flip angle of the excitation, of MT-on and MT-off alike.
    pulse
        In every repetition of MT-on.
    gap_ms
        From the end of the MT pulse to the excitation.
    excitation_ms
        Length of the excitation pulse.
    t1w_flip_deg, t1w_tr_ms
        Of the T1-weighted recording that MTsat needs besides.

    Raises
    ------
    InputError
        If the parts do not fit into the repetition time, or a number cannot be.

    Examples
    --------
    >>> Sequence().tr_ms, Sequence().pulse.angle_deg
    (30.0, 500)
    """

    tr_ms: float = 30.0
    flip_deg: float = 5.0
    pulse: Pulse = _PULSE
    gap_ms: float = 3.0
    excitation_ms: float = 1.0
    t1w_flip_deg: float = 20.0
    t1w_tr_ms: float = 18.0

    @classmethod
    def given(cls, sequence: object) -> Sequence:
        """What a caller gave, the default for None; InputError for what is no sequence."""
        if sequence is None:
            return cls()
        if not isinstance(sequence, cls):
            fix = "give Sequence(...), or nothing for the virtual scanner's"
            raise InputError("", "sequence", shown(sequence), "a Sequence", fix)
        return sequence

    def __post_init__(self) -> None:
        if not isinstance(self.pulse, Pulse):
            raise InputError("", "pulse", shown(self.pulse), "a Pulse", "give Pulse(...)")
        for name in ("tr_ms", "t1w_tr_ms"):
            check_number(
                name, getattr(self, name), least=1, most=1000, fix="give the repetition time in milliseconds"
            )
        for name in ("flip_deg", "t1w_flip_deg"):
            check_number(name, getattr(self, name), least=0.5, most=90, fix="give the flip angle in degrees")
        check_number("gap_ms", self.gap_ms, least=0)
        check_number("excitation_ms", self.excitation_ms, least=0)
        if self.excitation_ms >= self.t1w_tr_ms:
            words = f"{self.excitation_ms:g} ms of excitation in {self.t1w_tr_ms:g} ms"
            raise InputError("", "Sequence", words, "parts shorter than t1w_tr_ms", "lengthen t1w_tr_ms")
        used = self.pulse.duration_ms + self.gap_ms + self.excitation_ms
        if used >= self.tr_ms:
            words = f"{used:g} ms of MT pulse, gap and excitation in {self.tr_ms:g} ms"
            raise InputError(
                "", "Sequence", words, "parts shorter than tr_ms", "lengthen tr_ms or shorten them"
            )

    @property
    def rest_ms(self) -> float:
        """From the end of the excitation to the next MT pulse."""
        return self.tr_ms - self.pulse.duration_ms - self.gap_ms - self.excitation_ms
