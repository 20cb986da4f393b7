"""Virtual patients under a protocol, as tables or recordings with known truth; what a trial may show."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
