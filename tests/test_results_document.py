"""RESULTS.md and the README's table of claims are what the kept results say, and nothing else."""

from __future__ import annotations

from pathlib import Path

import pytest

from stageroute_gym.report.tables import markdown
from stageroute_gym.reproduction.claims import short_claims_table
from stageroute_gym.reproduction.markdown import read_results, render

ROOT = Path(__file__).parents[1]
KEPT = ROOT / "docs" / "results.json"
HOW = (
    "after a run of stageroute reproduce copy its results.json to docs, its RESULTS.md here, and "
    "its claims.md between the README's marks; after a change of rules print RESULTS.md by "
    "stageroute reproduce --render docs/results.json and take the README's table from it"
)


def test_results_md_is_rendered_from_the_kept_results():
    assert (ROOT / "RESULTS.md").read_text(encoding="utf-8") == render(read_results(KEPT)), HOW


def test_the_readme_has_the_claims_of_the_same_results():
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    start, end = "<!-- claims.md -->\n", "<!-- end of claims.md -->"
    if start not in readme:
        pytest.fail(f"the README has no table of claims between {start!r} and {end!r}; {HOW}")
    shown = readme.partition(start)[2].partition(end)[0]
    table = short_claims_table(read_results(KEPT))
    assert shown.strip() == markdown([table], []).strip(), HOW
