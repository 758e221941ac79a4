"""The page in a headless Chromium: what a reader does with it, and that it asks nobody."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from selenium import webdriver
from selenium.webdriver.common.by import By
from selenium.webdriver.support.ui import Select, WebDriverWait

from stageroute_gym.report.board_page import write_board_page
from stageroute_gym.report.results import Results

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("browser")]
PHONE, DESKTOP = (390, 844), (1280, 900)
CHARTS = ("profile", "regret", "spend", "queries", "deployed", "cost", "time")

Driver = webdriver.Chrome


@pytest.fixture(scope="module")
def address(results: Results, tmp_path_factory: pytest.TempPathFactory) -> str:
    return write_board_page(results, tmp_path_factory.mktemp("page")).as_uri()


@pytest.fixture
def opened(driver: Driver, address: str) -> Callable[..., Driver]:
    """Open the page for a size of screen and a colour scheme; waits until it is drawn."""

    def open_page(size: tuple[int, int] = DESKTOP, scheme: str = "light") -> Driver:
        metrics = {"width": size[0], "height": size[1], "deviceScaleFactor": 1}
        mobile = {"mobile": size == PHONE}
        driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", {**metrics, **mobile})
        features = [{"name": "prefers-color-scheme", "value": scheme}]
        driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": features})
        # What was logged before is another test's.
        for kind in ("browser", "performance"):
            driver.get_log(kind)
        driver.get(address)
        wait(driver)
        return driver

    return open_page


def wait(driver: Driver) -> None:
    drawn = "return document.documentElement.dataset.drawn"
    WebDriverWait(driver, 60).until(lambda d: d.execute_script(drawn) == "yes")


def texts(driver: Driver, chart: str) -> list[str]:
    script = "return [...document.querySelectorAll(arguments[0])].map((text) => text.textContent)"
    return driver.execute_script(script, f"#chart-{chart} svg text")


def column(driver: Driver, table: str, place: int) -> list[str]:
    script = "return [...document.querySelectorAll(arguments[0])].map((cell) => cell.innerText)"
    return driver.execute_script(script, f"#{table} tbody tr td:nth-child({place})")


@pytest.mark.parametrize("size", [DESKTOP, PHONE])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_it_draws_without_an_error_a_request_or_a_sideways_scroll(
    opened: Callable[..., Driver], address: str, size: tuple[int, int], scheme: str
):
    driver = opened(size, scheme)
    logged = driver.get_log("browser")
    assert [entry for entry in logged if entry["level"] == "SEVERE"] == []
    events = [json.loads(entry["message"])["message"] for entry in driver.get_log("performance")]
    asked = [
        e["params"]["request"]["url"] for e in events if e["method"] == "Network.requestWillBeSent"
    ]
    assert address in asked
    assert [url for url in asked if url != address and not url.startswith("data:")] == []
    for chart in CHARTS:
        box = driver.find_element(By.CSS_SELECTOR, f"#chart-{chart} svg")
        assert 0 < box.size["width"] <= size[0]
        assert box.size["height"] > 50
    wide = driver.execute_script("return [document.documentElement.scrollWidth, innerWidth]")
    assert wide[0] <= wide[1]
    back = driver.execute_script("return getComputedStyle(document.body).backgroundColor")
    assert (back == "rgb(255, 255, 255)") == (scheme == "light")


def test_a_heading_sorts_and_sorts_the_other_way(opened: Callable[..., Driver]):
    driver = opened()
    # By score at first, of which the ranks need not be in order.
    assert driver.find_elements(By.CSS_SELECTOR, 'th[aria-sort]:not([aria-sort="none"])') == []
    heading = driver.find_element(By.CSS_SELECTOR, "#board-overall th:nth-child(4)")
    heading.click()
    scores = [float(cell.split()[0]) for cell in column(driver, "board-overall", 4)]
    assert len(scores) == 5
    assert scores == sorted(scores)
    assert heading.get_attribute("aria-sort") == "ascending"
    heading.click()
    scores = [float(cell.split()[0]) for cell in column(driver, "board-overall", 4)]
    assert scores == sorted(scores, reverse=True)
    driver.find_element(By.CSS_SELECTOR, "#board-overall th:first-child").click()
    names = column(driver, "board-overall", 1)
    assert names == sorted(names)


def test_ranks_that_are_none_come_last_both_ways(opened: Callable[..., Driver]):
    driver = opened()
    heading = driver.find_element(By.CSS_SELECTOR, "#board-overall th:nth-child(2)")
    for _ in range(2):
        heading.click()
        assert column(driver, "board-overall", 2)[-1] == "-"


def test_an_entry_is_switched_off_and_on_in_all_tables_and_charts(opened: Callable[..., Driver]):
    driver = opened()
    boxes = 'tr[data-entry="stageroute"] input'
    overall, *others = driver.find_elements(By.CSS_SELECTOR, boxes)
    assert len(others) == 2
    for on in (False, True):
        overall.click()
        wait(driver)
        assert [box.is_selected() for box in others] == [on, on]
        for chart in ("profile", "regret", "spend", "cost", "time"):
            assert ("stageroute" in texts(driver, chart)) == on
    for button, count in (("none", 0), ("all", 5)):
        driver.find_element(By.CSS_SELECTOR, f'[data-switch="{button}"]').click()
        wait(driver)
        assert len(driver.find_elements(By.CSS_SELECTOR, "#board-overall input:checked")) == count


def test_another_scenario_has_its_table_and_charts(opened: Callable[..., Driver]):
    driver = opened()
    before = {chart: shape(driver, chart) for chart in CHARTS}
    Select(driver.find_element(By.ID, "scenario")).select_by_visible_text("routerbench")
    wait(driver)
    shown = driver.find_elements(By.CSS_SELECTOR, ".of-scenario:not([hidden])")
    assert [part.get_attribute("data-scenario") for part in shown] == ["routerbench"]
    changed = {chart for chart in CHARTS if shape(driver, chart) != before[chart]}
    assert changed == set(CHARTS) - {"profile"}


def test_another_entry_has_its_models(opened: Callable[..., Driver]):
    driver = opened()
    before = {chart: shape(driver, chart) for chart in CHARTS}
    Select(driver.find_element(By.ID, "entry")).select_by_visible_text("a <b> & c")
    wait(driver)
    changed = {chart for chart in CHARTS if shape(driver, chart) != before[chart]}
    assert changed == {"queries", "deployed"}


def shape(driver: Driver, chart: str) -> Any:
    # Vega numbers its gradients and clips anew at every drawing.
    script = """
      const kinds = ["line", "rect", "symbol", "text", "rule"].map((kind) => ".mark-" + kind);
      const svg = document.querySelector("#chart-" + arguments[0] + " svg");
      const groups = [...svg.querySelectorAll(kinds.join())];
      return groups.map((group) => group.innerHTML.replace(/url\\([^)]*\\)/g, "")).join();
    """
    return driver.execute_script(script, chart)
