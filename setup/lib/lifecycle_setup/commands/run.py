"""``setup/run``: a running Odoo with the addon and demo data in it."""

from __future__ import annotations

import argparse
import contextlib
import subprocess

from lifecycle_setup import python
from lifecycle_setup.console import SetupError, log_file, say, step

# Ends the output of the first computation's script with what became of it.
FIRST_COMPUTATION = """
cron = env.ref("customer_lifecycle.ir_cron_lifecycle_nightly", raise_if_not_found=False)
if not cron or "lifecycle.run" not in env:
    print("RESULT nothing to compute")
else:
    Run = env["lifecycle.run"]
    unfinished = [("state", "in", ("pending", "running"))]
    for attempt in range(100):
        cron.method_direct_trigger()
        env.cr.commit()
        env.invalidate_all()
        if not Run.search_count(unfinished):
            break
    failed = Run.search([("state", "=", "failed")], limit=1)
    if failed:
        print("RESULT the first computation failed:", " ".join((failed.message or "").split()))
    elif Run.search_count(unfinished) or not Run.search_count([]):
        print("RESULT the first computation did not come to its end")
    else:
        print("RESULT done")
"""


def parse(arguments: list[str]) -> argparse.Namespace:
    """The options of the command line."""
    parser = argparse.ArgumentParser(
        prog="setup/run",
        description="Fetch what is missing, make a database with the addon and demo data, and "
        "serve it. Ctrl-C stops everything.",
    )
    parser.add_argument("--port", type=int, default=8069, help="port to serve on (8069)")
    parser.add_argument(
        "--database",
        default="customer_lifecycle",
        help="database to make or to go on with (customer_lifecycle)",
    )
    parser.add_argument(
        "--no-demo", action="store_true", help="make the database without demo data"
    )
    options = parser.parse_args(arguments)
    if not 0 < options.port < 65536:
        parser.error("--port must be between 1 and 65535")
    if not options.database.replace("_", "").replace("-", "").isalnum():
        parser.error("--database may have letters, digits, - and _ only")
    return options


def main(arguments: list[str]) -> int:
    """Run the program and return its exit code."""
    options = parse(arguments)
    from lifecycle_setup import addon
    from lifecycle_setup.server import check_port

    check_port(options.port)
    addon.manifest()
    python.enter("odoo")
    from lifecycle_setup import odoo_source, postgres

    source = odoo_source.ensure_odoo()
    with postgres.server() as keep_alive:
        from lifecycle_setup import database

        with database.claim(options.database, wait=False) as alone:
            if not alone:
                raise SetupError(
                    f"another setup/run works on the database {options.database}: end it, or "
                    "choose another name with --database."
                )
            _prepare(source, keep_alive, options)
            return _serve(source, keep_alive, options)


def _prepare(source, keep_alive, options) -> None:
    """Make the database or bring it up to date, and see to the first computation."""
    from lifecycle_setup import addon, database
    from lifecycle_setup.install import run_odoo

    name = options.database
    database.check_ours(name)
    log = f"install-{name}"
    wanted = {"odoo": source.version, "addon": addon.fingerprint()}
    notes = database.notes(name)
    if notes is not None and "demo" not in notes:
        raise SetupError(
            f"the database {name} was made by setup/bench or setup/test and will not be changed: "
            "choose another name with --database."
        )
    if notes and options.no_demo and notes.get("demo"):
        raise SetupError(
            f"the database {name} was made with demo data: choose another name with --database."
        )
    if notes is None:
        demo = [] if options.no_demo else ["--with-demo"]
        partial = f"{name}_unfinished"
        database.check_ours(partial)
        database.drop(partial)
        text = "without demo data" if options.no_demo else "with demo data"
        with step(f"Making the database {name} {text}, about two minutes"):
            database.create(partial)
            database.write_notes(partial, {})
            run_odoo(
                source,
                keep_alive,
                ["-d", partial, "-i", addon.NAME, *demo],
                log=log,
                failure=f"{addon.NAME} could not be installed",
            )
            notes = {**wanted, "demo": not options.no_demo, "computed": False}
            database.write_notes(partial, notes)
            database.rename(partial, name)
    elif {key: notes.get(key) for key in wanted} != wanted:
        changed = addon.NAME if notes.get("odoo") == source.version else "all"
        with step(f"Updating the database {name} to the changed files"):
            run_odoo(
                source,
                keep_alive,
                ["-d", name, "-u", changed],
                log=log,
                failure=f"{addon.NAME} could not be updated",
            )
        notes = {**notes, **wanted}
        database.write_notes(name, notes)
    if not notes.get("computed"):
        with step("Computing every customer's figures for the first time"):
            result = _compute(source, keep_alive, name)
        if result == "done":
            database.write_notes(name, {**notes, "computed": True})
        else:
            say(f"         {result}")


def _compute(source, keep_alive, name: str) -> str:
    """Run the nightly scheduled action to its end; return what became of it."""
    from lifecycle_setup import odoo

    path = log_file(f"compute-{name}")
    with open(path, "w", encoding="utf-8") as stream:
        answer = subprocess.run(
            odoo.command("shell", "-d", name, "--no-http", "--log-level=warn"),
            input=FIRST_COMPUTATION,
            stdout=subprocess.PIPE,
            stderr=stream,
            env=odoo.environment(source),
            check=False,
            text=True,
            **keep_alive,
        )
        stream.write(answer.stdout)
    results = [line for line in answer.stdout.splitlines() if line.startswith("RESULT ")]
    if not results or answer.returncode:
        return f"the computation ended with an error (details: {path})"
    return results[-1].removeprefix("RESULT ")


def _serve(source, keep_alive, options) -> int:
    from lifecycle_setup import odoo
    from lifecycle_setup.server import check_port, wait_until_up

    url = f"http://localhost:{options.port}"
    path = log_file(f"odoo-{options.database}")
    check_port(options.port)
    with contextlib.ExitStack() as stack:
        with step("Starting Odoo"):
            stream = stack.enter_context(open(path, "a", encoding="utf-8"))
            process = subprocess.Popen(
                odoo.command(
                    *("-d", options.database, "--http-port", str(options.port)),
                    *("--db-filter", f"^{options.database}$", "--logfile="),
                ),
                stdin=subprocess.DEVNULL,
                stdout=stream,
                stderr=subprocess.STDOUT,
                env=odoo.environment(source),
                # Ctrl-C reaches us alone; we end it in order.
                start_new_session=True,
                **keep_alive,
            )
            stack.callback(odoo.end, process)
            if not wait_until_up(process, f"http://127.0.0.1:{options.port}/web/login", 120):
                raise SetupError(f"Odoo did not start: see {path}")
        print(f"\n  Open    {url}\n  User    admin\n  Password admin", flush=True)
        print(f"\n  Odoo's log: {path}\n  Ctrl-C stops it.\n", flush=True)
        code = process.wait()
        raise SetupError(f"Odoo ended by itself with exit code {code}: see {path}")
