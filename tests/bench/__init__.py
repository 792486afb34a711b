"""Benchmarks: ratios against what one would use otherwise, measured side by side in one run.

A benchmark is a module in this folder with a function ``run(report: Report) -> None`` whose module
docstring begins with one line on what it measures. ``make bench`` runs all of them,
``make bench ONLY=planning`` one. Modules without ``run`` are helpers.

    def run(report: Report) -> None:
        ours, theirs = best_of(3, plan), best_of(3, sqlmigrate)
        report.compare("plan 5 pending", ours, theirs, than="sqlmigrate in process", at_most=0.2)
"""

from tests.bench.report import Report, best_of, peak_memory

__all__ = ["Report", "best_of", "peak_memory"]
