"""What the programs in ``setup/`` share: fetch Odoo, start PostgreSQL, run, test.

Everything up to :mod:`lifecycle_setup.python` runs in whatever ``python3`` the machine has;
the other modules run in the virtual environment which that module makes.
"""

from lifecycle_setup.console import SetupError
from lifecycle_setup.python import ensure_python

__all__ = ["SetupError", "ensure_python"]
