# The one list of public names; whatever is not here is private.
from .errors import InputError as InputError
