"""``setup/odoo``: Odoo's own program in the environment of this checkout."""

from __future__ import annotations

import subprocess

from lifecycle_setup import python

USAGE = """\
usage: setup/odoo [ARGUMENT ...]           Odoo's own program, e.g.
         setup/odoo shell -d DATABASE
         setup/odoo -d DATABASE -i customer_lifecycle --stop-after-init
       setup/odoo --exec COMMAND [...]     any program in the same environment, e.g.
         setup/odoo --exec psql DATABASE
         setup/odoo --exec bash

The environment: an Odoo 19 (fetched, or that of ODOO_HOME), its Python packages, and a
PostgreSQL server (that of the PG* variables, or a private one that runs as long as a program
of this checkout uses it).
"""


def main(arguments: list[str]) -> int:
    """Run the program and return its exit code."""
    if arguments in ([], ["--exec"]):
        print(USAGE, end="")
        return 2
    python.enter("odoo")
    from lifecycle_setup import odoo, odoo_source, postgres
    from lifecycle_setup.console import SetupError

    source = odoo_source.ensure_odoo()
    with postgres.server() as options:
        if arguments[0] == "--exec":
            command = arguments[1:]
        else:
            command = odoo.command(*arguments)
        try:
            process = subprocess.Popen(command, env=odoo.environment(source), **options)
        except OSError as error:
            raise SetupError(f"{command[0]} cannot be run: {error.strerror}.") from error
        return odoo.wait_for(process, has_terminal=True)
