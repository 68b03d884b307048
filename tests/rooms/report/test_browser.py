"""The pages in a real browser, from disk: what people see and do."""

from __future__ import annotations

import hashlib
from dataclasses import replace

import pytest
from playwright.sync_api import expect, sync_playwright

from onkos.report import comparison as comparison_page
from onkos.report import reading as reading_page

pytestmark = pytest.mark.tools

READY = "#viewer[data-state=ready]"


@pytest.fixture(scope="module")
def browser(tool):
    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(
            executable_path=tool("chromium"), args=["--no-sandbox", "--disable-gpu"]
        )
        yield opened
        opened.close()


@pytest.fixture(scope="module")
def report(head_reading, tmp_path_factory):
    path = tmp_path_factory.mktemp("reading") / "report.html"
    path.write_text(reading_page.render(head_reading), encoding="utf-8")
    return path


class Watched:
    """A page with everything it asked for and complained of."""

    def __init__(self, browser, path, **options) -> None:
        options.setdefault("viewport", {"width": 1280, "height": 900})
        self.context = browser.new_context(**options)
        self.page = self.context.new_page()
        self.asked: list[str] = []
        self.complaints: list[str] = []
        self.page.on("request", lambda request: self.asked.append(request.url))
        self.page.on("console", lambda message: self.complaints.append(message.text))
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))
        self.path = path

    def __enter__(self):
        self.page.goto(self.path.as_uri())
        return self

    def __exit__(self, *_) -> None:
        self.context.close()

    def ready(self):
        self.page.wait_for_selector(READY)
        self.settle()
        return self

    def settle(self) -> None:
        """Wait until what was asked for is drawn."""
        self.page.evaluate("new Promise((done) => setTimeout(() => requestAnimationFrame(done)))")
        self.page.evaluate("new Promise((done) => requestAnimationFrame(() => done()))")

    def canvas(self, plane: str):
        return self.page.locator(f'.pane[data-plane="{plane}"] canvas')

    def pixels(self, plane: str) -> str:
        self.settle()
        drawn = self.canvas(plane).evaluate("canvas => canvas.toDataURL()")
        return hashlib.sha256(drawn.encode()).hexdigest()

    def slice(self, plane: str) -> int:
        self.settle()
        part = self.page.locator(f'.pane[data-plane="{plane}"] [data-part=slice]')
        return int(part.inner_text().split()[0])

    def part(self, name: str):
        return self.page.locator(f"[data-part={name}]")


@pytest.fixture
def seen(browser, report):
    with Watched(browser, report) as watched:
        yield watched.ready()
        assert watched.complaints == []


def test_it_opens_from_disk_and_asks_for_nothing_else(seen):
    seen.part("role").select_option("3")
    seen.settle()
    outside = [url for url in seen.asked if not url.startswith(("data:", "blob:"))]
    assert outside == [seen.path.as_uri()]
    assert seen.page.title().startswith("Phantom: reading of PHANTOM-0002")


def test_the_wheel_scrolls_the_plane_under_it_and_moves_the_others_crosshair(seen):
    before, axial, coronal = seen.slice("axial"), seen.pixels("axial"), seen.pixels("coronal")
    seen.canvas("axial").scroll_into_view_if_needed()
    seen.canvas("axial").hover(position={"x": 5, "y": 5})
    position = seen.page.evaluate("scrollY")
    seen.page.mouse.wheel(0, 100)
    expect(seen.page.get_by_label("Axial slice")).to_have_value(str(before - 1))
    assert seen.slice("axial") == before - 1
    assert seen.pixels("axial") != axial
    assert seen.pixels("coronal") != coronal
    assert seen.page.evaluate("scrollY") == position


def test_the_keyboard_alone_is_enough(seen):
    start = seen.slice("sagittal")
    seen.canvas("sagittal").focus()
    for key, expected in [
        ("ArrowUp", start + 1),
        ("ArrowRight", start + 2),
        ("ArrowDown", start + 1),
        ("ArrowLeft", start),
        ("PageUp", start + 10),
        ("Home", 1),
        ("ArrowDown", 1),
    ]:
        seen.page.keyboard.press(key)
        assert seen.slice("sagittal") == expected
    seen.page.keyboard.press("End")
    last = seen.slice("sagittal")
    slider = seen.page.get_by_label("Sagittal slice")
    assert slider.get_attribute("max") == str(last)
    slider.focus()
    seen.page.keyboard.press("ArrowLeft")
    assert seen.slice("sagittal") == last - 1
    focusable = seen.page.evaluate(
        "[...document.querySelectorAll('#viewer canvas, #viewer input, #viewer select')]"
        ".every((each) => each.tabIndex === 0)"
    )
    assert focusable


def test_a_click_links_the_three_planes(seen):
    box = seen.canvas("axial").bounding_box()
    before = seen.slice("coronal"), seen.slice("sagittal")
    x, y = box["width"] * 0.6, box["height"] * 0.65
    seen.canvas("axial").click(position={"x": x, "y": y})
    columns = int(seen.page.get_by_label("Sagittal slice").get_attribute("max"))
    rows = int(seen.page.get_by_label("Coronal slice").get_attribute("max"))
    slices = int(seen.page.get_by_label("Axial slice").get_attribute("max"))
    side = max(columns, rows, slices)
    expected_column = (x / box["width"] - 0.5) * side + columns / 2
    expected_row = (y / box["height"] - 0.5) * side + rows / 2
    assert (seen.slice("coronal"), seen.slice("sagittal")) != before
    assert seen.slice("sagittal") == pytest.approx(expected_column + 0.5, abs=1)
    assert seen.slice("coronal") == pytest.approx(expected_row + 0.5, abs=1)


def test_outlines_can_be_hidden_one_by_one_and_all(seen):
    def everything():
        return tuple(seen.pixels(plane) for plane in ("axial", "coronal", "sagittal"))

    seen.part("cross").uncheck()
    shown = everything()
    oedema = seen.page.get_by_label("oedema", exact=True)
    oedema.uncheck()
    one = everything()
    assert seen.part("all").evaluate("box => box.indeterminate")
    seen.part("all").check()
    assert everything() == shown
    seen.part("all").uncheck()
    none = everything()
    assert len({shown, one, none}) == 3
    assert not seen.page.get_by_label("core", exact=True).is_checked()
    seen.part("all").check()
    assert oedema.is_checked()
    assert everything() == shown
    seen.part("fill").fill("90")
    assert everything() != shown


def test_another_image_and_another_window_change_what_is_seen(seen):
    first = seen.pixels("axial")
    values = seen.part("readout").inner_text()
    assert "t1c about " in values
    seen.part("role").select_option(label="flair")
    expect(seen.part("readout")).to_contain_text("flair about")
    assert seen.pixels("axial") != first
    seen.part("role").select_option(label="t1c")
    assert seen.pixels("axial") == first
    seen.part("preset").select_option(label="Bright tissue")
    bright = seen.pixels("axial")
    assert bright != first
    for end, value in (("low", "100"), ("high", "400")):
        seen.part(end).fill(value)
        seen.part(end).press("Enter")
    assert seen.part("preset").input_value() == "own"
    assert seen.pixels("axial") not in (first, bright)
    seen.part("low").fill("500")
    seen.part("low").press("Enter")
    assert seen.part("low").input_value() == "100"
    assert seen.part("status").inner_text() == "White must lie above black."
    seen.part("preset").select_option(label="Full range")
    assert not seen.part("status").is_visible()
    assert seen.pixels("axial") == first


def test_a_drag_changes_the_window_and_leaves_the_crosshair(seen):
    seen.canvas("axial").scroll_into_view_if_needed()
    box = seen.canvas("axial").bounding_box()
    before = seen.slice("coronal"), seen.slice("sagittal")
    high = float(seen.part("high").input_value())
    seen.page.mouse.move(box["x"] + 100, box["y"] + 100)
    seen.page.mouse.down()
    seen.page.mouse.move(box["x"] + 180, box["y"] + 100, steps=4)
    seen.page.mouse.up()
    seen.settle()
    assert float(seen.part("high").input_value()) < high
    assert (seen.slice("coronal"), seen.slice("sagittal")) == before


def test_the_value_under_the_pointer_is_the_one_in_the_image(seen, head_reading):
    """Read the value at the crosshair back and compare with the study at that place."""
    facts = seen.page.evaluate("JSON.parse(document.getElementById('viewer-facts').textContent)")
    where = [
        origin + index * facts["step_mm"]
        for origin, index in zip(facts["origin_mm"], facts["start"], strict=True)
    ]
    volume = head_reading.study.volume("t1c")
    i, j, k = volume.geometry.to_index(where).round().astype(int)
    near = volume.data[i - 1 : i + 2, j - 1 : j + 2, k - 1 : k + 2]
    text = seen.part("readout").inner_text()
    said = float(text.split("about ")[1].split()[0])
    assert near.min() - 5 <= said <= near.max() + 5
    for letters, mm in zip(("RL", "AP", "FH"), where, strict=True):
        assert f"{letters[int(mm >= 0)]} {abs(mm):.1f}" in text
    seen.canvas("axial").scroll_into_view_if_needed()
    seen.canvas("axial").hover(position={"x": 1, "y": 1})
    seen.canvas("axial").hover(position={"x": 150, "y": 150})
    assert seen.part("readout").inner_text().startswith("Under the pointer: t1c")


def test_it_opens_on_the_lesion_and_goes_to_another(seen, head_reading):
    assert ", outlined as " in seen.part("readout").inner_text()
    if len(head_reading.lesions) > 1:
        before = seen.part("readout").inner_text()
        seen.part("lesion").select_option("1")
        seen.settle()
        assert seen.part("readout").inner_text() != before


def test_a_plane_can_be_enlarged(seen):
    button = seen.page.get_by_role("button", name="Enlarge coronal")
    narrow = seen.canvas("coronal").bounding_box()["width"]
    button.click()
    seen.settle()
    assert button.get_attribute("aria-pressed") == "true"
    assert seen.canvas("coronal").bounding_box()["width"] > 1.5 * narrow
    button.click()
    seen.settle()
    assert seen.canvas("coronal").bounding_box()["width"] == pytest.approx(narrow, abs=1)


@pytest.mark.parametrize("width", [390, 320])
def test_a_phone_needs_no_sideways_scrolling(browser, report, width):
    with Watched(browser, report, viewport={"width": width, "height": 844}) as watched:
        watched.ready()
        assert watched.page.evaluate("document.documentElement.scrollWidth") <= width
        wide = watched.page.evaluate(
            "[...document.querySelectorAll('main *')].filter((each) => !each.closest('.scroll')"
            " && !each.closest('svg') && !each.closest('.skip')"
            f" && each.getBoundingClientRect().right > {width} + 1).map((each) => each.outerHTML)"
        )
        assert wide == []
        assert watched.complaints == []


def test_print_keeps_pictures_and_tables_and_leaves_the_viewer_out(browser, report):
    with Watched(browser, report) as watched:
        watched.ready()
        watched.page.emulate_media(media="print")
        assert not watched.page.locator("#viewer").is_visible()
        assert not watched.page.locator("nav").is_visible()
        for selector in (".phantom", ".plane >> nth=0", "#measurements table", "#provenance"):
            assert watched.page.locator(selector).is_visible()
        assert watched.page.pdf(prefer_css_page_size=True).startswith(b"%PDF")


def test_without_javascript_the_page_says_so_and_is_complete(browser, report):
    with Watched(browser, report, java_script_enabled=False) as watched:
        text = watched.page.locator("body").inner_text()
        assert "The viewer needs JavaScript" in text
        assert "Measurements (phantom)" in text
        assert not watched.page.locator(".viewer-body").is_visible()


def test_an_old_browser_is_told(browser, report):
    watched = Watched(browser, report)
    watched.page.add_init_script("delete window.DecompressionStream")
    with watched:
        watched.page.wait_for_selector("#viewer[data-state=unable]")
        assert "too old for the viewer" in watched.part("status").inner_text()
        assert not watched.page.locator(".viewer-body").is_visible()
        assert watched.complaints == []


def test_a_damaged_page_is_told(browser, report, tmp_path):
    html = report.read_text(encoding="utf-8")
    start = html.index('id="viewer-image-0">') + len('id="viewer-image-0">')
    damaged = tmp_path / "report.html"
    damaged.write_text(
        html[:start] + html[start : start + 400] + html[html.index("</script>", start) :]
    )
    with Watched(browser, damaged) as watched:
        watched.page.wait_for_selector("#viewer[data-state=unable]")
        assert "the page is damaged or cut short" in watched.part("status").inner_text()


def test_no_script_from_a_file_runs(browser, ball_reading, tmp_path):
    evil = (
        "</script><img src=x onerror=\"document.title='run'\"><script>document.title='run'</script>"
    )
    study = replace(
        ball_reading.study,
        description=evil,
        patient=replace(ball_reading.study.patient, name=evil),
        volumes={**ball_reading.study.volumes, evil: ball_reading.study.volume("flair")},
    )
    path = tmp_path / "report.html"
    path.write_text(reading_page.render(replace(ball_reading, study=study)), encoding="utf-8")
    with Watched(browser, path) as watched:
        watched.ready()
        assert watched.page.title().startswith("Phantom: reading of P900")
        assert watched.page.locator("img").count() == 0
        assert "onerror" in watched.page.locator(".subject").inner_text()
        assert watched.complaints == []


@pytest.mark.parametrize("width", [1280, 390])
def test_a_comparison_opens_and_unfolds(browser, comparison, tmp_path, width):
    path = tmp_path / "report.html"
    path.write_text(comparison_page.render(comparison), encoding="utf-8")
    with Watched(browser, path, viewport={"width": width, "height": 844}) as watched:
        assert watched.page.evaluate("document.documentElement.scrollWidth") <= width
        cell = watched.page.get_by_role("rowheader", name="case-0-0").first
        assert not cell.is_visible()
        watched.page.locator("#cases summary").first.click()
        assert cell.is_visible()
        assert watched.page.evaluate("document.documentElement.scrollWidth") <= width
        assert watched.asked == [path.as_uri(), "data:,"][: len(watched.asked)]
        assert watched.complaints == []


def test_text_stands_out_from_its_background(browser, report):
    """Contrast of at least 4.5 to 1 for every piece of text on the page (WCAG 2.2, 1.4.3)."""
    with Watched(browser, report) as watched:
        watched.ready()
        poor = watched.page.evaluate(
            """() => {
              const channel = (v) => v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4;
              const parse = (colour) => colour.match(/[\\d.]+/g).map(Number);
              const light = ([r, g, b]) => 0.2126 * channel(r / 255)
                + 0.7152 * channel(g / 255) + 0.0722 * channel(b / 255);
              const behind = (element) => {
                for (let each = element; each; each = each.parentElement) {
                  const [r, g, b, a = 1] = parse(getComputedStyle(each).backgroundColor);
                  if (a > 0) return [r, g, b];
                }
                return [255, 255, 255];
              };
              const found = [];
              for (const element of document.querySelectorAll("body *:not(svg *)")) {
                const own = [...element.childNodes].some(
                  (node) => node.nodeType === 3 && node.textContent.trim());
                if (!own || !element.offsetParent) continue;
                const pair = [light(parse(getComputedStyle(element).color)),
                  light(behind(element))].sort((a, b) => b - a);
                const ratio = (pair[0] + 0.05) / (pair[1] + 0.05);
                if (ratio < 4.5) found.push(`${element.outerHTML.slice(0, 80)} ${ratio}`);
              }
              return found;
            }"""
        )
        assert poor == []
