"""Datasets of an analysis in the shape that CDISC ADaM gives them: one row a subject, one row a value.

Variables and flags as in the ADaM Implementation Guide 1.3 (CDISC 2021). They support work for regulators;
whether a submission conforms is for its own checks to say.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
