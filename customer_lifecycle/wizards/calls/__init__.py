from . import contact_call
