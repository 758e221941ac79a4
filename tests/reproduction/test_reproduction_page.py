"""The page of a reproduction in a headless Chromium, from figures that a test makes up."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import polars as pl
import pytest

from stageroute_gym.reproduction.folder import ReproductionFolder
from stageroute_gym.reproduction.manifest import Part
from stageroute_gym.reproduction.page import PAGE, write_report
from stageroute_gym.reproduction.part import Measured
from stageroute_gym.reproduction.parts.shares import ORACLE

if TYPE_CHECKING:
    from selenium.webdriver import Chrome

PART = Part("shares", "Which model serves what", "Shares <b>over</b> time.", "shares", {})


@pytest.fixture
def folder(tmp_path: Path) -> ReproductionFolder:
    made = ReproductionFolder(tmp_path / "out", quick=True)
    made.prepare()
    made.begin(PART, {})
    interval = {"mean": 0.5, "low": 0.4, "high": 0.6}
    row = {"entry": "an <i>entry</i>", "common": interval, "score": interval}
    row |= {"spend": {"median": 1.0, "minimum": 1.0, "maximum": 1.0}}
    shares = [
        {"panel": panel, "model": model, "start": start, "end": start + 10, "share": 0.5}
        for panel in (ORACLE, "an <i>entry</i>")
        for model in ("a", "b")
        for start in (0, 10)
    ]
    summary = {"scenario": "paper", "seeds": 2, "rows": [row]}
    made.keep(PART, {}, Measured(summary, {"shares": pl.DataFrame(shares)}))
    return made


def test_the_page_holds_each_part_with_its_command(folder: ReproductionFolder):
    files = write_report([PART], folder)
    assert [path.name for path in files] == ["shares.png", PAGE]
    assert files[0].read_bytes().startswith(b"\x89PNG")
    page = files[1].read_text(encoding="utf-8")
    assert "By: stageroute reproduce shares --quick" in page
    assert "Shares &lt;b&gt;over&lt;/b&gt; time." in page
    assert "an &lt;i&gt;entry&lt;/i&gt;" in page


@pytest.mark.slow
@pytest.mark.xdist_group("browser")
def test_the_page_is_drawn_and_asks_nobody(driver: Chrome, folder: ReproductionFolder):
    from selenium.webdriver.common.by import By
    from selenium.webdriver.support.ui import WebDriverWait

    page = write_report([PART], folder)[-1]
    for kind in ("browser", "performance"):
        driver.get_log(kind)
    driver.get(page.as_uri())
    WebDriverWait(driver, 60).until(lambda d: d.find_elements(By.CSS_SELECTOR, ".chart svg"))
    texts = [element.text for element in driver.find_elements(By.CSS_SELECTOR, "svg text")]
    assert "an <i>entry</i>" in texts
    assert [entry for entry in driver.get_log("browser") if entry["level"] == "SEVERE"] == []
    events = [json.loads(entry["message"])["message"] for entry in driver.get_log("performance")]
    asked = [
        event["params"]["request"]["url"]
        for event in events
        if event["method"] == "Network.requestWillBeSent"
    ]
    assert [url for url in asked if not url.startswith(("file:", "data:"))] == []
