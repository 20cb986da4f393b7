from .completing import impute as impute
from .conditional import conditional_mean as conditional_mean
from .imputations import Imputations as Imputations
from .pooling import rubin as rubin
from .tipping import TippingPoint as TippingPoint
from .tipping import tipping_point as tipping_point
