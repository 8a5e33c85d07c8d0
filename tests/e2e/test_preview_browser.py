"""The preview of a project (``rehearse --serve``) in a real browser: what it shows, on a phone and in the dark."""

import json
from collections.abc import Iterator

import pytest
from werkzeug.wrappers import Response

import ci_publish
from ci_publish.rehearsal.loopback_server import RehearsalServer
from ci_publish.rehearsal.world import RehearsalWorld
from tests import distributions
from tests.e2e.browser import Page, browser, find_browser

pytestmark = pytest.mark.e2e

EXECUTABLE = find_browser()
if EXECUTABLE is None:
    pytest.skip(
        "THE PREVIEW WAS NOT TESTED: no Chromium is installed here (Debian: apt-get install chromium).",
        allow_module_level=True,
    )

DESCRIPTION = (
    """# A demo

With a [link](https://example.org/), `code` and **words**.

![elsewhere](https://elsewhere.example/badge.svg)

<script>document.title = "owned"</script>
<img src="x" onerror="document.title = 'owned'">
<a href="javascript:document.title='owned'">click</a>

"""
    + "a_very_long_word_without_any_blank_that_no_phone_can_show_in_one_line_" * 4
)

# Relative luminance and contrast as WCAG 2.2 defines them, for what is shown.
CONTRAST = """
(selector => {
  const rgb = text => text.match(/[0-9.]+/g).slice(0, 3).map(Number);
  const channel = byte => byte <= 10.31 ? byte / 255 / 12.92 : ((byte / 255 + 0.055) / 1.055) ** 2.4;
  const luminance = ([r, g, b]) => 0.2126 * channel(r) + 0.7152 * channel(g) + 0.0722 * channel(b);
  const ground = element => {
    for (let at = element; at; at = at.parentElement) {
      const colour = getComputedStyle(at).backgroundColor;
      if (!/, 0\\)$/.test(colour)) return rgb(colour);
    }
  };
  return Math.min(...[...document.querySelectorAll(selector)].map(element => {
    const both = [rgb(getComputedStyle(element).color), ground(element)].map(luminance);
    return (Math.max(...both) + 0.05) / (Math.min(...both) + 0.05);
  }));
})("h1, h2, p, a, dt, dd, li, code")
"""


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A project that was published to a rehearsal, and its page."""
    folder = tmp_path_factory.mktemp("preview")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(distributions, "DESCRIPTION", DESCRIPTION)
        distributions.make_release(folder / "dist")
    with RehearsalWorld() as world:
        with world.ambient("github"):
            settings = ci_publish.Settings(
                paths=(str(folder / "dist"),),
                repository_url=(world.repository_url,),
                sigstore_trust_config=world.trust_config_path,
            )
            assert ci_publish.publish(settings).exit_code == 0
        yield f"{world.base_url}/project/demo/"
        assert world.failures == ()


@pytest.fixture(scope="module")
def started(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Page]:
    assert EXECUTABLE is not None
    with browser(EXECUTABLE, tmp_path_factory.mktemp("browser")) as page:
        yield page


@pytest.fixture
def page(started: Page) -> Page:
    started.requested.clear()
    started.blocked.clear()
    return started


def test_the_page_shows_what_will_be_published(page: Page, url: str) -> None:
    page.open(url)
    text = page.evaluate("document.body.innerText")
    for words in (
        "this index is only on your machine",
        "demo 1.0",
        "Made by a test",
        f"pip install --no-deps --index-url {url.removesuffix('project/demo/')}simple/ demo==1.0",
        ">=3.9",
    ):
        assert words in text
    page.open(f"{url}#tab-files")
    text = page.evaluate("document.body.innerText")
    for words in (
        "demo-1.0.tar.gz",
        "demo-1.0-py3-none-any.whl",
        "SHA-256",
        "published by octo-org/demo · release.yml (GitHub)",
    ):
        assert words in text
    assert text.index("demo-1.0.tar.gz") < text.index("demo-1.0-py3-none-any.whl")
    page.open(url)
    assert page.evaluate("document.querySelectorAll('.description strong').length") == 1


def test_nothing_is_asked_for_elsewhere(page: Page, url: str) -> None:
    page.open(url)
    origin = url.removesuffix("project/demo/")
    assert [address for address in page.requested if not address.startswith(origin)] == []
    assert page.blocked == [], "an image is a placeholder with its address"
    assert "https://elsewhere.example/badge.svg" in page.evaluate("document.body.innerText")


def test_what_stands_in_a_description_does_nothing(page: Page, url: str) -> None:
    page.open(url)
    assert page.evaluate("document.querySelectorAll('script').length") == 0
    assert page.evaluate("document.querySelectorAll('[onerror], [href^=\"javascript:\" i]').length") == 0
    assert page.evaluate("document.title") == "demo 1.0 · rehearsal"


@pytest.mark.parametrize("width", [320, 390, 800, 1280])
def test_it_is_as_wide_as_its_window(page: Page, url: str, width: int) -> None:
    page.open(url, width=width, height=800)
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert page.evaluate("parseFloat(getComputedStyle(document.body).fontSize)") >= 16


MEASURES = """(() => {
  const box = selector => document.querySelector(selector).getBoundingClientRect();
  const main = getComputedStyle(document.querySelector("main"));
  return [main.maxWidth, main.paddingLeft, box("aside").width, box("aside").top > box(".description").bottom,
          Math.round(box("aside").left - box(".description").right)];
})()"""


# Read from static/sass of warehouse at 6b62157124ab: _grid, _breakpoints, _project-description, _project-tabs.
@pytest.mark.parametrize(
    ("width", "measures"),
    [
        (1280, ["1150px", "30px", 250, False, 60]),
        (801, ["1150px", "30px", 250, False, 60]),
        (800, ["1150px", "30px", 740, True, -740]),
        (390, ["1150px", "15px", 360, True, -360]),
    ],
)
def test_columns_and_margins_are_as_wide_as_pypis(page: Page, url: str, width: int, measures: list[object]) -> None:
    page.open(url, width=width, height=800)
    assert page.evaluate(MEASURES) == measures


@pytest.mark.parametrize("panel", ["description", "files", "history"])
def test_one_panel_is_shown_and_its_tab_is_marked(page: Page, url: str, panel: str) -> None:
    shown = "[...document.querySelectorAll('.panel')].filter(each => each.offsetHeight).map(each => each.id)"
    marked = (
        "[...document.querySelectorAll('.tabs a')].filter(each => !getComputedStyle(each).borderBottomColor"
        ".endsWith(', 0)')).map(each => each.hash)"
    )
    page.open(url if panel == "description" else f"{url}#tab-{panel}")
    assert page.evaluate(shown) == [f"tab-{panel}"]
    assert page.evaluate(marked) == [f"#tab-{panel}"]


@pytest.mark.parametrize("dark", [False, True])
def test_it_can_be_read_by_day_and_by_night(page: Page, url: str, dark: bool) -> None:
    page.open(url, dark=dark)
    ground = page.evaluate("getComputedStyle(document.body).backgroundColor")
    assert ground == ("rgb(20, 23, 28)" if dark else "rgb(255, 255, 255)")
    assert page.evaluate(CONTRAST) >= 4.5


def test_the_home_page_leads_to_the_project(page: Page, url: str) -> None:
    page.open(url.removesuffix("project/demo/"))
    assert page.evaluate("document.querySelector('.projects a').href") == url


READING = """
fetch(%s).then(answer => answer.text()).then(text => "read: " + text.slice(0, 20), error => "refused: " + error.name)
"""


def reading(page: Page, url: str) -> str:
    expression = READING % json.dumps(url)
    answer = page.call("Runtime.evaluate", expression=expression, awaitPromise=True, returnByValue=True)
    return str(answer["result"]["value"])


@pytest.mark.parametrize("path", ["simple/demo/", "simple/", "pypi/demo/json", "project/demo/"])
def test_a_page_of_another_origin_reads_nothing(page: Page, url: str, path: str) -> None:
    """Another port of this machine is another origin; the page's own origin may read."""
    root = url.removesuffix("project/demo/")
    page.open(f"{root}simple/demo/")
    assert reading(page, f"{root}{path}").startswith("read: ")
    with RehearsalServer(app=Response("<p>a page of somebody else</p>", content_type="text/html")) as other:
        page.open(other.base_url)
        assert reading(page, f"{root}{path}") == "refused: TypeError"


def test_a_name_that_was_led_to_this_machine_shows_nothing(page: Page, url: str) -> None:
    """DNS rebinding; browsers take every name below localhost for this machine."""
    page.open(url.replace("127.0.0.1", "evil.localhost"))
    text = page.evaluate("document.body.innerText")
    assert "answers only to 127.0.0.1" in text
    assert "demo 1.0" not in text
