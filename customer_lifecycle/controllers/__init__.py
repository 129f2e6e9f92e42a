from . import person_file
from . import referral
from . import tracking
from . import unsubscribe
from . import portal
