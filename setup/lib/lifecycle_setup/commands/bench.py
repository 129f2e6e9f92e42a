"""``setup/bench``: how fast the addon and its kernel are, as ratios measured in one run."""

from __future__ import annotations

import importlib

MODES = {
    "runs": "lifecycle_setup.bench_runs",
    "kernel": "lifecycle_setup.bench_kernel",
    "journey": "lifecycle_setup.bench_journey",
    "workflow": "lifecycle_setup.bench_workflow",
}
USAGE = """\
usage: setup/bench [runs] [OPTION ...]     the addon in an Odoo full of invented customers
       setup/bench kernel [OPTION ...]     the statistical kernel alone
       setup/bench journey [OPTION ...]    opening a customer's journey
       setup/bench workflow [OPTION ...]   customers in a workflow, and a step due for all

`setup/bench runs --help` and so on list the options.
"""


def main(arguments: list[str]) -> int:
    """Run the benchmark that the first argument names and return its exit code."""
    if arguments[:1] in (["-h"], ["--help"]):
        print(USAGE, end="")
        return 0
    mode = "runs"
    if arguments and not arguments[0].startswith("-"):
        mode, *arguments = arguments
    if mode not in MODES:
        print(f"setup/bench: there is no benchmark {mode!r}.\n{USAGE}", end="")
        return 2
    return importlib.import_module(MODES[mode]).main(arguments)
