"""tests/scripts/fetch_fashion_mnist_test.py: scripts/fetch-fashion-mnist on a made-up pair of IDX files: every pixel, label and
name lands where it belongs, a subset is stratified, and what is broken leaves no folder behind."""

import csv
import gzip
import os
import pathlib
import struct
import subprocess
import tempfile
import unittest
import zlib

SCRIPT = pathlib.Path(__file__).resolve().parents[2] / "scripts/fetch-fashion-mnist"
HEADSTART = pathlib.Path(os.environ.get("HEADSTART_BUILD", SCRIPT.parents[1] / "build/release")) / "bin/headstart"
CLASSES = ["t-shirt-top", "trouser", "pullover", "dress", "coat", "sandal", "shirt", "sneaker", "bag", "ankle-boot"]
HEIGHT, WIDTH = 3, 2
COUNTS = {"train": 40, "test": 20}


def pixels_of(split, row):
    return bytes((7 * row + 3 * place + len(split)) % 256 for place in range(HEIGHT * WIDTH))


def label_of(row):
    return row * 3 % 10  # every class equally often, not in order


def decode_png(data):
    """(height, width, rows) of a grey 8-bit PNG; the checksums are checked."""
    assert data[:8] == b"\x89PNG\r\n\x1a\n"
    chunks, place = {}, 8
    while place < len(data):
        length, kind = struct.unpack_from(">I4s", data, place)
        content = data[place + 8:place + 8 + length]
        assert struct.unpack_from(">I", data, place + 8 + length)[0] == zlib.crc32(kind + content)
        chunks[kind] = content
        place += 12 + length
    width, height, depth, colour = struct.unpack_from(">IIBB", chunks[b"IHDR"])
    assert (depth, colour) == (8, 0) and b"IEND" in chunks
    lines = zlib.decompress(chunks[b"IDAT"])
    stride = width + 1
    assert all(lines[y * stride] == 0 for y in range(height))
    return height, width, b"".join(lines[y * stride + 1:(y + 1) * stride] for y in range(height))


class FetchFashionMnistTest(unittest.TestCase):
    def setUp(self):
        scratch = tempfile.TemporaryDirectory()
        self.addCleanup(scratch.cleanup)
        self.folder = pathlib.Path(scratch.name)
        self.source, self.out = self.folder / "source", self.folder / "out"
        self.source.mkdir()
        for split, prefix in (("train", "train"), ("test", "t10k")):
            count = COUNTS[split]
            self.idx(f"{prefix}-images-idx3-ubyte.gz", (count, HEIGHT, WIDTH),
                     b"".join(pixels_of(split, row) for row in range(count)))
            self.idx(f"{prefix}-labels-idx1-ubyte.gz", (count,), bytes(label_of(row) for row in range(count)))

    def idx(self, name, sizes, data):
        header = bytes([0, 0, 8, len(sizes)]) + struct.pack(f">{len(sizes)}I", *sizes)
        (self.source / name).write_bytes(gzip.compress(header + data))

    def fetch(self, *arguments):
        done = subprocess.run([SCRIPT, "--from", self.source, *map(str, arguments), self.out], capture_output=True, text=True,
                              check=False)
        return done.returncode, done.stdout + done.stderr

    def made(self, *arguments):
        code, text = self.fetch(*arguments)
        self.assertEqual(code, 0, text)
        return text

    def refused(self, words, *arguments, status=1):
        code, text = self.fetch(*arguments)
        self.assertEqual(code, status, text)
        self.assertEqual(len(text.strip().splitlines()), 1, text)
        for word in words:
            self.assertIn(word, text)

    def table(self):
        with open(self.out / "labels.csv", newline="", encoding="utf-8") as file:
            return list(csv.DictReader(file))

    def files(self):
        return {str(path.relative_to(self.out)): path.read_bytes() for path in self.out.rglob("*") if path.is_file()}

    def leftovers(self):
        return sorted(path.name for path in self.folder.iterdir() if path.name not in ("source", "out"))

    def test_every_image_is_where_its_label_says(self):
        text = self.made()
        self.assertIn("40 training and 20 test images of 10 classes", text)
        rows = self.table()
        self.assertEqual(len(rows), 60)
        self.assertEqual(len(list(self.out.rglob("*.png"))), 60)
        for row in rows:
            split, name, file = row["path"].split("/")
            number = int(file.removesuffix(".png"))
            self.assertEqual((row["split"], row["label"]), (split, name))
            self.assertEqual(name, CLASSES[label_of(number)])
            self.assertEqual(decode_png((self.out / row["path"]).read_bytes()), (HEIGHT, WIDTH, pixels_of(split, number)))
        self.assertEqual(self.leftovers(), [])

    def test_a_subset_is_the_first_of_each_class(self):
        self.made("--train", 20, "--test", 10)
        for split, per_class in (("train", 2), ("test", 1)):
            for label, name in enumerate(CLASSES):
                first = [row for row in range(COUNTS[split]) if label_of(row) == label][:per_class]
                self.assertEqual(sorted(path.name for path in (self.out / split / name).iterdir()),
                                 [f"{row:05}.png" for row in first])

    def test_the_same_options_change_nothing(self):
        self.made("--train", 20)
        before, stamp = self.files(), self.out.stat().st_mtime_ns
        self.assertIn("there already", self.made("--train", 20))
        self.assertEqual((self.files(), self.out.stat().st_mtime_ns), (before, stamp))

    def test_the_same_options_give_the_same_bytes(self):
        self.made()
        first = self.files()
        self.out.rename(self.folder / "first")
        self.made()
        self.assertEqual(self.files(), first)

    def test_other_options_and_other_images_replace_the_folder(self):
        self.made("--train", 20)
        self.made("--train", 10)
        self.assertEqual(len(list((self.out / "train").rglob("*.png"))), 10)
        self.assertEqual(self.leftovers(), [])
        self.idx("t10k-labels-idx1-ubyte.gz", (20,), bytes(label_of(row + 1) for row in range(20)))
        self.assertIn("20 test images", self.made("--train", 10))

    def test_a_folder_of_something_else_is_left_alone(self):
        self.out.mkdir()
        (self.out / "thesis.txt").write_text("years of work")
        self.refused(["there is something else", "pass another folder"])
        self.assertEqual(self.files(), {"thesis.txt": b"years of work"})

    def test_what_is_broken_is_said_and_leaves_the_earlier_folder(self):
        self.made("--train", 10)
        before = self.files()
        labels = self.source / "train-labels-idx1-ubyte.gz"
        good = labels.read_bytes()
        for broken, words in ((b"no gzip", ["cannot be read", labels.name]),
                              (good[:-9], ["cannot be read", labels.name]),
                              (gzip.compress(gzip.decompress(good)[:-1]), ["cut short", "47 bytes, needed 48"]),
                              (gzip.compress(b"\0\0\x0d\1" + gzip.decompress(good)[4:]), ["not an IDX file", "00000d01"])):
            labels.write_bytes(broken)
            self.refused(words)
        self.idx(labels.name, (39,), bytes(39))
        self.refused(["40 images, but 39 labels"])
        self.idx(labels.name, (40,), bytes([10] * 40))
        self.refused(["a label is 10, at most 9"])
        labels.unlink()
        self.refused(["no such file", labels.name, "--from"])
        self.assertEqual(self.files(), before)
        self.assertEqual(self.leftovers(), [])

    def test_more_than_there_are_is_refused(self):
        self.refused(["train: 5 images of t-shirt-top asked for, 4 there", "smaller --train"], "--train", 50)
        self.assertFalse(self.out.exists())

    def test_wrong_usage_is_two(self):
        self.refused(["25 is no positive multiple of 10"], "--train", 25, status=2)
        self.refused(["0 is no positive multiple of 10"], "--test", 0, status=2)
        self.refused(["--frobnicate"], "--frobnicate", status=2)

    @unittest.skipUnless(os.access(HEADSTART, os.X_OK), "no headstart built")
    def test_headstart_reads_the_table(self):
        self.made("--train", 10, "--test", 10)
        done = subprocess.run([HEADSTART, "extract", self.out / "labels.csv", "--dry-run", "--cache", self.folder / "cache"],
                              capture_output=True, text=True, check=False)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn("20 images: 0 in the cache, 20 to compute, 0 unreadable", done.stdout + done.stderr)


if __name__ == "__main__":
    unittest.main()
