"""The page in a real Chromium, as its readers see it: no network, no errors, any width, keys alone."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from edge_sdk.validate.report.details import read_details
from edge_sdk.validate.report.page import write_page
from tests.validate.report.example import example
from tests.validate.report.test_page import ATTACK, replace_leaves

#: Ratio of the luminances of text and what is behind it, for every element with text of its own.
LEAST_CONTRAST = """() => {
  const linear = (v) => (v /= 255) <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4;
  const luminance = ([r, g, b]) => 0.2126 * linear(r) + 0.7152 * linear(g) + 0.0722 * linear(b);
  const read = (text) => { const n = text.match(/[\\d.]+/g).map(Number); return { rgb: n, a: n[3] ?? 1 }; };
  const behind = (element) => {
    const layers = [];
    for (let e = element; e; e = e.parentElement) layers.push(read(getComputedStyle(e).backgroundColor));
    let color = [255, 255, 255];
    for (const { rgb, a } of layers.reverse()) color = color.map((v, i) => v * (1 - a) + rgb[i] * a);
    return color;
  };
  let least = { ratio: 99, text: "" };
  for (const element of document.querySelectorAll("main *, header *, nav *")) {
    const own = [...element.childNodes].some((node) => node.nodeType === 3 && node.data.trim());
    if (!own || !element.checkVisibility() || ["title", "desc"].includes(element.localName)) continue;
    const style = getComputedStyle(element);
    const front = element.namespaceURI.endsWith("svg") ? style.fill : style.color;
    const a = luminance(read(front).rgb), b = luminance(behind(element));
    const ratio = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
    if (ratio < least.ratio) least = { ratio, text: element.textContent.slice(0, 40) };
  }
  return least;
}"""


class Opened:
    """A page with everything it asked for and complained about."""

    def __init__(self, context: Any, path: Path) -> None:
        self.page = context.new_page()
        self.asked: list[str] = []
        self.said: list[str] = []
        self.page.on("console", lambda message: self.said.append(message.text))
        self.page.on("pageerror", lambda error: self.said.append(str(error)))
        self.page.on("dialog", lambda dialog: (self.said.append(dialog.message), dialog.dismiss()))
        self.page.on("request", lambda request: self.asked.append(request.url))
        self.address = path.as_uri()
        # Whatever is not the file itself is counted, and would fail.
        context.route(
            "**/*", lambda route: route.continue_() if route.request.url == self.address else route.abort()
        )
        self.page.goto(self.address)

    @property
    def left(self) -> list[str]:
        return [url for url in self.asked if url != self.address and not url.startswith("data:")]


@pytest.fixture
def show(browser: Any, tmp_path: Path) -> Iterator[Callable[..., Opened]]:
    contexts = []

    def opened(details: Any, width: int = 1280, **options: Any) -> Opened:
        path = tmp_path / "report.html"
        write_page(details, path)
        context = browser.new_context(viewport={"width": width, "height": 800}, **options)
        contexts.append(context)
        return Opened(context, path)

    yield opened
    for context in contexts:
        context.close()


def fits(page: Any) -> bool:
    return bool(page.evaluate("document.documentElement.scrollWidth <= window.innerWidth"))


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 700, 360])
def test_it_renders_at_any_width_in_both_schemes(
    show: Callable[..., Opened], width: int, scheme: str
) -> None:
    opened = show(example(), width, color_scheme=scheme)
    assert opened.said == []
    assert opened.left == []
    assert fits(opened.page)
    assert opened.page.locator("section").count() == 13
    broken = opened.page.evaluate("[...document.images].filter((i) => !i.complete || !i.naturalWidth).length")
    assert broken == 0
    least = opened.page.evaluate(LEAST_CONTRAST)
    assert least["ratio"] >= 4.5, least


def test_without_scripts_every_panel_is_shown(show: Callable[..., Opened]) -> None:
    opened = show(example(), java_script_enabled=False)
    panels = opened.page.locator("[data-panel]")
    assert panels.count() > 20
    assert all(panels.nth(index).is_visible() for index in range(0, panels.count(), 5))


def test_the_theme_is_the_systems_until_it_is_chosen(show: Callable[..., Opened]) -> None:
    page = show(example(), color_scheme="dark").page
    color = "getComputedStyle(document.body).backgroundColor"
    dark = page.evaluate(color)
    button = page.get_by_role("button", name="Theme")
    button.click()
    assert button.text_content() == "Theme: light"
    light = page.evaluate(color)
    button.click()
    assert (page.evaluate(color), light) == (dark, "rgb(251, 251, 250)")
    page.reload()
    assert button.text_content() == "Theme: dark"


def test_it_is_used_with_keys_alone(show: Callable[..., Opened]) -> None:
    page = show(example()).page
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.textContent") == "Skip to the report"
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.id") == "main"
    page.keyboard.press("Tab")
    while page.evaluate("document.activeElement.name") != "layers":
        focused = page.evaluate("document.activeElement.tagName")
        assert focused != "BODY", "the choice was not reached"
        page.keyboard.press("Tab")
    outline = "getComputedStyle(document.activeElement.nextElementSibling).outlineStyle"
    assert page.evaluate(outline) == "solid"
    shown = "document.querySelector('#layers [data-panel]:not([hidden]) h3').textContent"
    assert page.evaluate(shown) == "full_int8"
    page.keyboard.press("ArrowRight")
    assert page.evaluate(shown) == "full_int8_io"
    assert page.locator("#layers [data-panel]:visible").count() == 1
    # What scrolls within itself can be reached and scrolled.
    assert page.evaluate("[...document.querySelectorAll('.scroll')].every((e) => e.tabIndex === 0)")


def test_everything_has_a_name_for_those_who_do_not_see_it(show: Callable[..., Opened]) -> None:
    page = show(example()).page
    assert (
        page.evaluate(
            "[...document.querySelectorAll('svg')].filter((s) => !s.closest('[aria-hidden=true]') && "
            "!s.parentElement.closest('svg') && !s.getAttribute('aria-label')).length"
        )
        == 0
    )
    assert page.get_by_role("navigation", name="Sections").count() == 1
    assert page.get_by_role("main").count() == 1
    assert page.get_by_role("region", name="Trade-offs").count() == 1
    assert page.get_by_role("img", name="top1 against size").count() == 1
    assert page.get_by_role("radio", name="latency and top1").count() == 1
    assert page.get_by_role("table", name="Variants and what was measured").get_by_role("row").count() == 9
    assert page.evaluate("document.documentElement.lang") == "en"


def test_the_plot_shows_each_variant_where_its_numbers_are(show: Callable[..., Opened]) -> None:
    page = show(example()).page
    page.get_by_role("radio", name="latency and top1").check(force=True)
    dots = page.locator("#tradeoffs [data-panel='1'] circle.dot")
    assert dots.count() == 7
    places = {
        dot.evaluate(
            "(dot) => dot.parentElement.querySelector('title').textContent.split(':')[0]"
        ): dot.bounding_box()
        for dot in dots.all()
    }
    across = sorted(places, key=lambda name: places[name]["x"])
    assert across[0] == "full_int8_io"
    assert across[-1] == "int16x8"
    assert places["float32"]["y"] < places["full_int8"]["y"]


def test_print_shows_every_panel_and_fits_the_paper(show: Callable[..., Opened]) -> None:
    page = show(example()).page
    page.emulate_media(media="print")
    assert page.locator("nav").is_hidden()
    assert page.locator("#layers [data-panel]:visible").count() == 7
    assert len(page.pdf(format="A4")) > 20_000


def test_hostile_text_runs_nothing_and_asks_for_nothing(show: Callable[..., Opened]) -> None:
    hostile = replace_leaves(example(), lambda value: value + ATTACK if isinstance(value, str) else value)
    hostile["name"] = ATTACK + "x" * 300
    hostile["thumbnails"] = {str(index): "https://example.org/a.png" for index in range(12)}
    opened = show(hostile, 360)
    assert opened.said == []
    assert opened.left == []
    assert opened.page.locator("script").count() == 1
    assert fits(opened.page)


def test_empty_details_render(show: Callable[..., Opened]) -> None:
    opened = show({}, 360)
    assert opened.said == []
    assert fits(opened.page)


@pytest.mark.slow
@pytest.mark.parametrize("width", [1280, 360])
def test_a_real_build_renders(show: Callable[..., Opened], built: Path, width: int) -> None:
    details = read_details(built)
    opened = show(details, width)
    assert opened.said == []
    assert opened.left == []
    assert fits(opened.page)
    text = opened.page.locator("main").inner_text()
    for variant in details["variants"]:
        assert variant["id"] in text
        assert f"{variant['metric'] * 100:.1f} %" in text
    missing = opened.page.locator(".missing").all_inner_texts()
    assert not [line for line in missing if "Compatibility" not in line and "own runtime version" not in line]
