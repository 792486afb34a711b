"""What ``make bench`` takes for a benchmark is one."""

from __future__ import annotations

import inspect

from tests.bench.__main__ import benchmarks


def test_every_benchmark_runs_on_a_report_alone() -> None:
    found = benchmarks()
    assert "planning" in found
    for name, module in found.items():
        assert list(inspect.signature(module.run).parameters) == ["report"], name
