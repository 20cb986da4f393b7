from .load import Parameter as Parameter
from .load import Source as Source
from .load import parameter as parameter
from .load import parameters as parameters
from .load import source as source
from .treatments import check_treatments as check_treatments
from .treatments import known_treatments as known_treatments
