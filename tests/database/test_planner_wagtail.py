"""A large project that nobody wrote for us: wagtail with all its apps, from an empty database.

It is not among what the tests need. Where ``make bench`` has made ``.venv-bench``, or
``BENCH_PYTHON`` names a Python that has wagtail, this runs.
"""

from __future__ import annotations

import json
import os
from collections import Counter
from pathlib import Path

import pytest

from tests.bench import wagtail_site
from tests.database.dumping import dump

PLAN = """
import json
import django
django.setup()
from tests.database.planning import hidden, plan
made = plan("default")
print(json.dumps({
    "steps": [step.key for step in made.steps],
    "hidden": hidden(made),
    "beliefs": [str(s.belief) for step in made.steps for s in step.statements],
}))
"""


@pytest.fixture
def python() -> str:
    """A Python that has wagtail."""
    if given := os.environ.get("BENCH_PYTHON"):
        return given
    made = wagtail_site.ready()
    if made is None:
        pytest.skip("wagtail: there is no .venv-bench (make bench makes it), nor BENCH_PYTHON")
    return made


@pytest.mark.parametrize("vendor", ["postgresql"])
def test_all_of_wagtail_is_planned_from_empty(
    target: str, scratch_url: str, python: str, tmp_path: Path
) -> None:
    wagtail_site.write_site(tmp_path)
    told = json.loads(
        wagtail_site.printed(python, tmp_path, scratch_url, "-c", PLAN).splitlines()[-1]
    )
    assert len(told["steps"]) > 190
    assert "wagtailcore.0001_squashed_0016_change_page_url_path_to_text_field" in told["steps"]
    beliefs = Counter(told["beliefs"])
    assert beliefs["exact"] > 10 * beliefs["predicted"]
    own = [note for note in told["hidden"] if "is an operation of its own" in note]
    asking = [note for note in told["hidden"] if "wagtailcore_collection" in note]
    assert sorted(told["hidden"]) == sorted(own + asking), "an operation could not be previewed"
    assert (len(own), len(asking)) == (2, 1)
    assert dump(target) == {"sequences": [], "extensions": [("plpgsql",)]}
