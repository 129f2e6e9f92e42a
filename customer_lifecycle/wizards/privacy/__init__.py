from . import anonymise
