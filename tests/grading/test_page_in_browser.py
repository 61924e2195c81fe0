"""The page of `course report` in Chromium: for small, large, empty and hostile classes, narrow and wide, light and dark."""

import pytest
from axe_playwright_python.sync_playwright import Axe
from browser import chromium, patient
from made_class import HOSTILE, class_of

from course.grading.page.command import html

CLASSES = {
    "thirty": lambda: class_of(30, absent=3),
    "three": lambda: class_of(3),
    "three hundred": lambda: class_of(300, absent=20),
    "nobody": lambda: class_of(0, absent=5),
    "no roster": lambda: class_of(0),
    "hostile": lambda: class_of(12, 2, HOSTILE, words=lambda text: f"{text} {HOSTILE[0]}{HOSTILE[3]}"),
    "long names": lambda: class_of(8, 2, [f"{letter * 200}" for letter in "abcdefghij"]),
}
OVERFLOWS = "document.documentElement.scrollWidth > innerWidth"


@pytest.fixture(scope="module")
def browser():
    with chromium() as browser:
        yield browser


@pytest.fixture(scope="module", params=CLASSES)
def file(request, tmp_path_factory):
    file = tmp_path_factory.mktemp("page") / "page.html"
    file.write_text(html(CLASSES[request.param]()), encoding="utf-8")
    return file


def opened(browser, file, width=1400, theme="light", **more):
    """The open page, which notes what it asks for and what it complains of."""
    context = browser.new_context(viewport={"width": width, "height": 900}, color_scheme=theme, **more)
    page = patient(context.new_page())
    page.asked, page.complaints = [], []
    page.on("request", lambda request: page.asked.append(request.url))
    page.on("console", lambda message: page.complaints.append(message.text))
    page.on("pageerror", lambda error: page.complaints.append(str(error)))
    page.on("dialog", lambda dialog: (page.complaints.append(dialog.message), dialog.dismiss()))
    page.goto(file.as_uri())
    return page


def open_all(page):
    page.evaluate("document.querySelectorAll('details').forEach(one => one.open = true)")


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("width", [700, 1400])
def test_nothing_leaves_the_page_and_nothing_overflows(browser, file, width, theme):
    page = opened(browser, file, width, theme)
    for _ in range(2):
        assert (page.asked, page.complaints, page.evaluate(OVERFLOWS)) == ([file.as_uri()], [], False)
        open_all(page)
    assert page.evaluate("typeof said") == "undefined" and page.locator("script").count() == 0
    page.context.close()


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_axe_finds_no_serious_fault(browser, file, theme):
    page = opened(browser, file, theme=theme, bypass_csp=True)
    open_all(page)
    found = Axe().run(page, options={"resultTypes": ["violations"]}).response["violations"]
    assert [(fault["id"], fault["nodes"][0]["html"][:200]) for fault in found if fault["impact"] in ("serious", "critical")] == []
    page.context.close()


def test_ids_are_unique_and_every_link_leads_somewhere(browser, file):
    page = opened(browser, file)
    ids = page.eval_on_selector_all("[id]", "all => all.map(one => one.id)")
    assert len(ids) == len(set(ids))
    assert {link[1:] for link in page.eval_on_selector_all("a", "all => all.map(one => one.getAttribute('href'))")} <= set(ids)
    page.context.close()


def test_what_students_wrote_is_inert_also_without_the_rule_against_scripts(browser, tmp_path):
    text = html(CLASSES["hostile"]())
    assert text.count("Content-Security-Policy") == 1
    file = tmp_path / "page.html"
    file.write_text(text.replace("Content-Security-Policy", "x-nothing"), encoding="utf-8")
    page = opened(browser, file)
    open_all(page)
    assert page.evaluate("typeof said") == "undefined" and page.complaints == [] and page.asked == [file.as_uri()]
    assert page.locator("script, img, iframe, object, embed, form, main a").count() == 0
    shown = page.locator("main").inner_text()
    assert all(name in shown for name in HOSTILE if name.isprintable()) and not set("\u202e\x1b\x00") & set(text)
    page.context.close()


def test_by_keyboard_a_question_is_opened_and_its_mistakes_are_read(browser, tmp_path):
    file = tmp_path / "page.html"
    file.write_text(html(class_of(30)), encoding="utf-8")
    page = opened(browser, file)
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.className") == "skip"
    for _ in range(40):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.tagName") == "SUMMARY" and "of mistake" in page.evaluate("document.activeElement.textContent"):
            break
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.parentElement.open")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    assert page.locator("pre:visible").first.inner_text().startswith("WRONG")
    page.context.close()


def test_printed_it_is_light_and_shows_every_row(browser, tmp_path):
    file = tmp_path / "page.html"
    file.write_text(html(class_of(300)), encoding="utf-8")
    page = opened(browser, file, theme="dark")
    page.emulate_media(media="print")
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
    wide = page.locator(".wide").evaluate("one => [one.scrollHeight, one.clientHeight]")
    assert wide[0] <= wide[1] and len(page.pdf()) > 10_000
    page.context.close()
