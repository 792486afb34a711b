"""``python -m tests.bench [NAME ...]``: runs the benchmarks and ends with 1 if a promise broke."""

from __future__ import annotations

import importlib
import os
import pkgutil
import sys
from types import ModuleType

from tests import bench, servers
from tests.bench.report import Report


def benchmarks() -> dict[str, ModuleType]:
    """The modules of this folder that have a ``run``, by name."""
    names = sorted(found.name for found in pkgutil.iter_modules(bench.__path__))
    modules = {
        name: importlib.import_module(f"tests.bench.{name}") for name in names if name[0] != "_"
    }
    return {name: module for name, module in modules.items() if hasattr(module, "run")}


def main(names: list[str]) -> int:
    """Run the named benchmarks, or all, on the servers there are; the exit code."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.settings")
    import django

    django.setup()
    known = benchmarks()
    if unknown := [name for name in names if name not in known]:
        print(f"There is no benchmark {', '.join(unknown)}. There are: {', '.join(known)}.")
        return 2
    report = Report()
    found = servers.find_servers()
    try:
        for name in names or known:
            report.benchmark = name
            summary = (known[name].__doc__ or name).strip().splitlines()[0]
            print(f"{name}: {summary}", flush=True)
            known[name].run(report)
    finally:
        found.stop()
    report.print_table()
    return 0 if report.kept else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
