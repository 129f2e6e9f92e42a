from . import unsubscribe
from . import portal
