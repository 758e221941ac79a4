from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from selenium.webdriver import Chrome

# Windows and sounds without a screen; read when pygame starts.
os.environ.setdefault("SDL_VIDEODRIVER", "dummy")
os.environ.setdefault("SDL_AUDIODRIVER", "dummy")


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder of recorded outcomes beside the repository; skips where there is none."""
    folder = Path(__file__).resolve().parents[2] / "shared" / "data"
    if not folder.is_dir():
        pytest.skip("the recorded outcomes, ../shared/data, are not on this machine")
    return folder


@pytest.fixture(scope="module")
def driver() -> Iterator[Chrome]:
    """A headless Chromium that logs what pages print and ask for."""
    from selenium import webdriver

    browser, service = shutil.which("chromium"), shutil.which("chromedriver")
    if browser is None or service is None:
        missing = "chromium and its driver (Debian: apt-get install chromium chromium-driver)"
        if os.environ.get("STAGEROUTE_CI"):
            pytest.fail(f"CI installs {missing}, and they are not here")
        pytest.skip(f"needs {missing}")
    options = webdriver.ChromeOptions()
    options.binary_location = browser
    for argument in ("--headless=new", "--no-sandbox", "--disable-dev-shm-usage"):
        options.add_argument(argument)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    started = webdriver.Chrome(options=options, service=webdriver.ChromeService(service))
    yield started
    started.quit()
