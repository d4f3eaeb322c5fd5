"""tests/browser/report_test.py: report.html in a browser: nothing is requested, nothing complained about, every name is shown
as it is, tables sort, the map answers to mouse and keys, and it fits a telephone, the dark and a sheet of paper."""

import json
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import unittest

from browser import Browser, find

BINARY = os.environ.get("HEADSTART_BINARY")
SAMPLES = pathlib.Path(__file__).resolve().parents[2] / "samples" / "openclipart10"

# What would break out of a page that doesn't escape it.
CLASSES = {"<b>bold & \"quoted\"": "birds", "it's 日本語": "flowers", "Übermäßig سيارة": "roadsigns"}
FILE_NAMES = ["<img src=x onerror=alert(1)>.jpg", "a & b 'c' \"d\".jpg", "&amp;lt;.jpg"]
IMAGES = 8  # of each class


def make_dataset(folder):
    for name, source in CLASSES.items():
        (folder / name).mkdir(parents=True)
        for i, image in enumerate(sorted((SAMPLES / source).glob("*.jpg"))[:IMAGES]):
            shutil.copy(image, folder / name / (FILE_NAMES[i] if i < len(FILE_NAMES) else image.name))
    (folder / next(iter(CLASSES)) / "broken <i>.jpg").write_bytes(b"not an image")


class ReportTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.scratch = tempfile.TemporaryDirectory()
        cls.addClassCleanup(cls.scratch.cleanup)
        folder = pathlib.Path(cls.scratch.name)
        make_dataset(folder / "<data> & 'set'")
        out = folder / "out"
        subprocess.run([BINARY, "sweep", folder / "<data> & 'set'", "-o", out, "--cache", folder / "cache", "--validation",
                        "0.5", "--folds", "2", "--quiet"], check=True, stdout=subprocess.DEVNULL)
        cls.metrics = json.loads((out / "metrics.json").read_text(encoding="utf-8"))
        cls.report = out / "report.html"
        cls.browser = cls.enterClassContext(Browser())

    def setUp(self):
        self.browser.resize(1280, 900)
        self.browser.emulate()
        self.browser.open(self.report)

    def test_nothing_is_requested_and_nothing_complained_about(self):
        self.assertEqual(self.browser.run("return performance.getEntriesByType('resource').map(e => e.name)"), [])
        self.assertEqual(self.browser.console(), [])
        # The policy holds: what a careless change might add is refused.
        self.browser.run("const i = new Image(); i.src = 'http://127.0.0.1:9/x.png'; document.body.append(i);")
        self.assertTrue(any("Content Security Policy" in message for message in self.browser.console()))

    def test_links_lead_to_sections_and_ids_are_unique(self):
        links = self.browser.run("return [...document.links].map(a => a.getAttribute('href'))")
        self.assertGreater(len(links), 8)
        for link in links:
            self.assertTrue(link.startswith("#"), link)
            self.assertTrue(self.browser.run("return document.getElementById(arguments[0]) !== null", link[1:]), link)
        ids = self.browser.run("return [...document.querySelectorAll('[id]')].map(e => e.id)")
        self.assertEqual(len(ids), len(set(ids)))

    def test_names_are_shown_as_they_are(self):
        names = self.browser.run("return [...document.querySelectorAll('#classes tbody th')].map(e => e.textContent)")
        self.assertEqual(names, self.metrics["classes"])
        self.assertEqual(sorted(names), sorted(CLASSES))
        text = self.browser.run("return document.body.innerText")
        self.assertIn("broken <i>.jpg", text)
        self.assertIn("<data> & 'set'", self.browser.run("return document.title"))
        said = self.browser.run("return [...document.querySelectorAll('.plane use')].map(e => e.dataset.text).join('\\n')")
        for name in FILE_NAMES:
            self.assertIn(name, said)
        self.assertEqual(self.browser.run("return document.querySelectorAll('b, i, img').length"), 0)

    def test_numbers_are_those_of_the_metrics(self):
        accuracy = self.browser.run("return document.querySelector('.figures dd').firstChild.textContent")
        self.assertEqual(accuracy, f"{self.metrics['validation']['accuracy'] * 100:.1f} %")
        cells = self.browser.run("return [...document.querySelectorAll('.confusion tbody tr')].map("
                                 "row => [...row.querySelectorAll('td')].map(cell => Number(cell.textContent)))")
        confusion = self.metrics["validation"]["confusion"]
        counts = [[0] * len(CLASSES) for _ in CLASSES]
        for label, predicted, images in zip(confusion["label"], confusion["predicted"], confusion["images"], strict=True):
            counts[label][predicted] = images
        self.assertEqual(cells, counts)

    def test_pictures_are_pictures(self):
        sizes = self.browser.run("""
            return Promise.all([...document.querySelectorAll('symbol image')].map(async (shown) => {
              const image = new Image();
              image.src = shown.getAttribute('href');
              await image.decode();
              return [image.naturalWidth, image.naturalHeight, shown.width.baseVal.value, shown.height.baseVal.value];
            }));""")
        self.assertEqual(len(sizes), IMAGES * len(CLASSES))
        for width, height, shown_width, shown_height in sizes:
            self.assertEqual((width, height), (shown_width, shown_height))
            self.assertEqual(max(width, height), 96)
        self.assertTrue(self.browser.run(
            "return [...document.querySelectorAll('.picture use')].every("
            "use => document.querySelector(use.getAttribute('href')) !== null)"))

    def test_a_table_sorts_by_mouse_and_keyboard(self):
        column = "return [...document.querySelectorAll('#classes tbody tr')].map(row => row.cells[2].textContent)"
        before = self.browser.run(column)
        self.browser.run("document.querySelector('#classes th:nth-child(3) button').click()")
        self.assertEqual(self.browser.run(column), sorted(before, key=float, reverse=True))
        self.browser.run("document.querySelector('#classes th:nth-child(3) button').focus()")
        self.browser.keys("\ue007")  # Enter
        self.assertEqual(self.browser.run(column), sorted(before, key=float))
        self.assertEqual(
            self.browser.run("return document.querySelector('#classes th:nth-child(3)').getAttribute('aria-sort')"),
            "ascending")

    def test_the_map_answers_to_mouse_and_keyboard(self):
        words = "document.querySelector('.map .detail').innerText"
        detail = f"return {words}"
        # Not scrolled to: the page scrolls smoothly, and would still be on its way when the mouse is moved.
        self.browser.run("document.querySelector('.plane').focus({preventScroll: true})")
        self.browser.keys("\ue014")  # right
        first = self.browser.run(detail)
        self.browser.keys("\ue014")
        second = self.browser.run(detail)
        self.assertNotEqual(first, second)
        self.browser.keys("\ue012")  # left
        self.assertEqual(self.browser.run(detail), first)
        self.assertEqual(self.browser.run("return document.querySelectorAll('.map .detail svg.picture').length"), 1)

        self.browser.run("document.querySelector('.plane').scrollIntoView({block: 'center', behavior: 'instant'})")
        x, y, text = self.browser.run("""
            const use = document.querySelectorAll('.plane use')[10], box = use.getBoundingClientRect();
            return [box.x + box.width / 2, box.y + box.height / 2, use.dataset.text]""")
        self.browser.point(x, y)
        # Chromium tells the page at its next frame, which a busy machine draws late.
        self.browser.wait_until(f"{words}.trim() === arguments[0]", text)

        self.browser.run("document.querySelector('.map .legend button').click()")
        shown = self.browser.run("return document.querySelectorAll('.plane use.shown').length")
        self.assertEqual(shown, IMAGES)
        self.browser.run("document.querySelector('.map .legend button').click()")
        self.assertFalse(self.browser.run("return document.querySelector('.plane').classList.contains('chosen')"))

    def test_everything_has_a_name_for_a_screen_reader(self):
        self.assertEqual(self.browser.run("return document.documentElement.lang"), "en")
        nameless = self.browser.run("""
            return [...document.querySelectorAll('[role=img], button, section')].filter((e) =>
              !(e.getAttribute('aria-label') || e.textContent.trim() ||
                document.getElementById(e.getAttribute('aria-labelledby')))).map((e) => e.outerHTML.slice(0, 80))""")
        self.assertEqual(nameless, [])
        levels = self.browser.run("return [...document.querySelectorAll('h1, h2, h3')].map(h => Number(h.tagName[1]))")
        self.assertEqual(levels[0], 1)
        self.assertTrue(all(b - a <= 1 for a, b in zip(levels, levels[1:])), levels)
        self.assertEqual(self.browser.run("return document.querySelectorAll('main').length"), 1)

    def test_it_fits_a_telephone(self):
        self.browser.resize(390, 844)
        width = self.browser.run("return document.documentElement.scrollWidth")
        self.assertLessEqual(width, 390)

    def test_it_is_dark_where_the_reader_is(self):
        colour = "const c = getComputedStyle(document.body); return [c.color, c.backgroundColor]"
        light = self.browser.run(colour)
        self.browser.emulate(prefers_color_scheme="dark")
        dark = self.browser.run(colour)
        brightness = lambda text: sum(int(part) for part in text[text.index("(") + 1:-1].split(",")[:3])
        self.assertLess(brightness(light[0]), brightness(light[1]))
        self.assertGreater(brightness(dark[0]), brightness(dark[1]))

    def test_it_prints(self):
        pdf = self.browser.pdf()
        self.assertTrue(pdf.startswith(b"%PDF"))
        self.assertGreater(len(pdf), 30_000)
        self.browser.emulate(media="print")
        self.assertEqual(self.browser.run("return getComputedStyle(document.querySelector('nav')).display"), "none")


if __name__ == "__main__":
    if find() is None:
        print("skipped: no chromium and chromedriver: scripts/install-packages test")
        sys.exit(77)
    unittest.main()
