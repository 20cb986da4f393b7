"""The effect that a virtual trial has: given, or what the biology of the treatment's target says."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from remyelin.number import check_number
from remyelin.protocol import Protocol

from .exposure import courses
from .people import is_acute
from .response import Response, response

AGES = (20.0, 30.0, 40.0, 50.0, 60.0)


def true_effect(
    protocol: Protocol, latency_ms: float | None = None, mtr_pu: float | None = None
) -> Mapping[str, Response]:
    """What each treatment of the protocol does.

    Parameters
    ----------
    protocol
        Its treatments.
    latency_ms, mtr_pu
        Change of a delayed eye's P100, and of a lesion's MTR, by every treatment. Where neither is given,
        that of the biology: the mean over what is assumed of it (`remyelin forecast` says how wide that is).

    Raises
    ------
    InputError
        A treatment whose target is not known, and no effect given.

    Examples
    --------
    >>> true_effect(Protocol.read("ccmr-two"), latency_ms=-1.2)["clemastine+metformin"].latency_ms
    array([[-1.2]])
    """
    names = dict.fromkeys(course.treatment for arm in protocol.arm for course in courses(protocol, arm))
    if latency_ms is None and mtr_pu is None:
        last = protocol.visit[-1].day - protocol.visit[0].day
        days = np.unique(np.rint(np.linspace(0, last, 7)))
        lesions = "acute" if is_acute(protocol) else "chronic"
        return {name: response(name, age_years=AGES, day=days, lesions=lesions) for name in names}
    for name, value in (("latency_ms", latency_ms), ("mtr_pu", mtr_pu)):
        if value is not None:
            check_number(name, value, least=-100, most=100)
    return dict.fromkeys(names, Response.constant(latency_ms or 0.0, mtr_pu or 0.0))
