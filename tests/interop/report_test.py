"""tests/interop/report_test.py: report.html of every kind of run is well-formed HTML, whatever classes and files are
called: html5lib's strict parser takes it without one parse error, and every link within the page leads somewhere."""

import pathlib
import shutil
import subprocess
import tempfile
import unittest

import html5lib

from training_run import BINARY, CACHE, CLASSES, DATASET, OUT, TUNED

NAMES = ["a<b>&amp;c", "say \"x\" 'y'", "日本 <script>"]  # a class each, and part of each file's name


def run(*arguments):
    done = subprocess.run([BINARY, *arguments, "--cache", CACHE, "--quiet"], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


class ReportTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        scratch = tempfile.TemporaryDirectory()
        cls.addClassCleanup(scratch.cleanup)
        cls.folder = pathlib.Path(scratch.name)
        for name, source in zip(NAMES, CLASSES):
            (cls.folder / "odd" / name).mkdir(parents=True)
            for image in sorted((DATASET / source).iterdir()):
                shutil.copy(image, cls.folder / "odd" / name / f"{name[:3]}{image.name}")
        (cls.folder / "odd" / NAMES[0] / "broken <i>.jpg").write_bytes(b"\xff\xd8\xff no image")

    def check(self, out):
        page = (out / "report.html").read_bytes()
        document = html5lib.HTMLParser(strict=True, namespaceHTMLElements=False).parse(page)
        places = [element.get("id") for element in document.iter() if element.get("id")]
        self.assertEqual(len(places), len(set(places)))
        links = [element.get("href") for element in document.iter("a") if element.get("href", "").startswith("#")]
        self.assertEqual([link for link in links if link[1:] not in places], [])
        return page.decode()

    def test_of_train(self):
        self.check(OUT)

    def test_of_finetune(self):
        self.check(TUNED)

    def test_of_train_on_odd_names(self):
        out = self.folder / "train"
        run("train", self.folder / "odd", "-o", out, "--hidden", "8", "--epochs", "2", "--validation", "0.4")
        page = self.check(out)
        self.assertIn("a&lt;b&gt;&amp;amp;c", page)
        self.assertNotIn("<script>\"", page)

    def test_of_sweep_on_odd_names(self):
        out = self.folder / "sweep"
        run("sweep", self.folder / "odd", "-o", out, "--poolings", "avg", "--transforms", "none", "--hidden", "0",
            "--folds", "2", "--nested")
        self.check(out)


if __name__ == "__main__":
    unittest.main()
