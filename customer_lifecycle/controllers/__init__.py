from . import referral
from . import unsubscribe
from . import portal
