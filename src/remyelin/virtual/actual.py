"""The effect that a virtual trial has: given, or what the biology of the treatment's target says."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from remyelin.errors import InputError
from remyelin.protocol import Protocol

from .exposure import courses
from .instruments import asked
from .patient import OF_EYES, OF_LESIONS
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
        Change of a delayed eye's P100 (-30 to 30), and of a lesion's MTR (-10 to 10), by every treatment.
        With one given the other is 0. Where neither is, the effect is that of the biology: the mean over
        what is assumed of it (`remyelin forecast` says how wide that is); none where no endpoint shows it.

    Raises
    ------
    InputError
        A treatment whose target is not known, and no effect given; an effect that no endpoint shows.

    Examples
    --------
    >>> true_effect(Protocol.read("ccmr-two"), latency_ms=-1.2)["clemastine+metformin"].latency_ms
    array([[-1.2]])
    """
    names = dict.fromkeys(course.treatment for arm in protocol.arm for course in courses(protocol, arm))
    shown = _shown(protocol)
    for option, value in (("--latency-ms", latency_ms), ("--mtr-pu", mtr_pu)):
        if value is not None and option not in shown:
            allowed = f"only {' and '.join(shown)}" if shown else "none"
            expected = f"{allowed}: no endpoint of {protocol.trial.id} shows it"
            raise InputError("", option, f"{value:g}", expected, "take it out")
    if not shown or latency_ms is not None or mtr_pu is not None:
        return dict.fromkeys(names, Response.constant(latency_ms or 0.0, mtr_pu or 0.0))
    last = protocol.visit[-1].day - protocol.visit[0].day
    days = np.unique(np.rint(np.linspace(0, last, 7)))
    lesions = "acute" if is_acute(protocol) else "chronic"
    try:
        return {name: response(name, age_years=AGES, day=days, lesions=lesions) for name in names}
    except InputError as error:
        if error.field != "treatment":
            raise
        options = " and ".join(f"{option} {example}" for option, example in shown.items())
        fix = f"give the true effect, as {options}"
        raise InputError("", error.field, error.found, error.expected, fix) from None


def _shown(protocol: Protocol) -> dict[str, str]:
    """The options of effects that an endpoint shows, each with an example."""
    kinds = {"--latency-ms": (OF_EYES, "-1.2"), "--mtr-pu": (OF_LESIONS, "0.2")}
    measures = set(asked(protocol))
    return {option: example for option, (of, example) in kinds.items() if measures & set(of)}
