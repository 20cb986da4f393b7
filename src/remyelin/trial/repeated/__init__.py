"""Mixed model for repeated measures: the mean at each visit, with a covariance between visits."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
