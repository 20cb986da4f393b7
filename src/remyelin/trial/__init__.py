"""Measurements to treatment effect: endpoints, estimators, results; and how many patients a trial needs."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
