"""tests/interop/resample_test.py: a network's input is what Pillow makes of the picture by torchvision's rules, byte for
byte: photographs and random pictures of odd sizes, reduced and enlarged, with each filter. Without antialias it is what
OpenCV makes of floats. (tests/data/make_resampled.py asks torchvision, timm and PyTorch themselves, once.)
"""

import math
import os
import pathlib
import subprocess
import tempfile
import unittest

import cv2
import numpy as np
from PIL import Image

ROOT = pathlib.Path(__file__).resolve().parents[2]
PROGRAM = pathlib.Path(os.environ["HEADSTART_BINARY"]).with_name("resample_pictures")
SAMPLES = ROOT / "samples" / "openclipart10"
FILTERS = {"nearest": Image.Resampling.NEAREST, "bilinear": Image.Resampling.BILINEAR, "bicubic": Image.Resampling.BICUBIC}
OPENCV = {"bilinear": cv2.INTER_LINEAR, "bicubic": cv2.INTER_CUBIC}
FITS = (("stretch", 1.0), ("shorter-side", 0.875), ("shorter-side", 0.9), ("shorter-side", 0.31), ("shorter-side", 1.0))
MOST_PIXELS = 3_000_000  # of the scaled picture, all of which the others have to make
RANDOM_SHAPES = ((1, 1), (1, 400), (900, 2), (3, 5), (37, 41), (223, 225), (224, 224), (225, 223), (256, 300), (333, 1000),
                 (899, 1201), (2500, 131))  # height, width


def scaled_shape(height, width, size):
    """torchvision's Resize(size): height and width."""
    if width <= height:
        return int(size * height / width), size
    return size, int(size * width / height)


def square(height, width, size, fit, share):
    """Height and width of the scaled picture, top and left of the square that CenterCrop(size) takes."""
    if fit == "stretch":
        return size, size, 0, 0
    height, width = scaled_shape(height, width, math.floor(size / share))
    return height, width, int(round((height - size) / 2.0)), int(round((width - size) / 2.0))


class ResampleTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        scratch = tempfile.TemporaryDirectory()
        cls.addClassCleanup(scratch.cleanup)
        draw = np.random.default_rng(7)
        pictures = {f"{height}x{width}": draw.integers(0, 256, (height, width, 3), dtype=np.uint8)
                    for height, width in RANDOM_SHAPES}
        # Black and white: bicubic overshoots at each edge.
        pictures["edges"] = draw.choice(np.uint8([0, 255]), (211, 307, 1)).repeat(3, axis=2)
        for file in sorted(SAMPLES.glob("*/*.jpg"))[::40]:
            pictures[file.stem] = np.asarray(Image.open(file).convert("RGB"))
        assert len(pictures) > len(RANDOM_SHAPES) + 5
        cls.pictures = {}
        for name, pixels in pictures.items():
            file = pathlib.Path(scratch.name, f"{name}.ppm")
            Image.fromarray(pixels).save(file)
            cls.pictures[file] = pixels

    def ours(self, file, size, fit, share, method, antialias):
        request = f"{size} {fit} {share!r} {method} {antialias:d} {file}\n"
        done = subprocess.run([PROGRAM], input=request.encode(), stdout=subprocess.PIPE, check=True)
        return np.frombuffer(done.stdout, dtype=np.float32).reshape(size, size, 3)

    def test_antialiased_is_pillow_to_the_bit(self):
        compared = 0
        for file, pixels in self.pictures.items():
            for (fit, share), size in ((fit, size) for fit in FITS for size in (224, 61)):
                height, width, top, left = square(*pixels.shape[:2], size, fit, share)
                if height * width > MOST_PIXELS:
                    continue
                for method, filter_of_pillow in FILTERS.items():
                    with self.subTest(picture=file.stem, fit=fit, share=share, size=size, filter=method):
                        scaled = Image.fromarray(pixels).resize((width, height), filter_of_pillow)
                        expected = np.asarray(scaled.crop((left, top, left + size, top + size)))
                        np.testing.assert_array_equal(self.ours(file, size, fit, share, method, True), expected)
                        compared += 1
        self.assertGreater(compared, 300)

    def test_without_antialias_is_opencv_on_floats(self):
        for file, pixels in self.pictures.items():
            for method, filter_of_opencv in OPENCV.items():
                for fit, share in (("stretch", 1.0), ("shorter-side", 0.875)):
                    height, width, top, left = square(*pixels.shape[:2], 224, fit, share)
                    if height * width > MOST_PIXELS:
                        continue
                    with self.subTest(picture=file.stem, fit=fit, filter=method):
                        scaled = cv2.resize(pixels.astype(np.float32), (width, height), interpolation=filter_of_opencv)
                        expected = scaled[top:top + 224, left:left + 224]
                        # Positions in float32 err by 1e-4 of a pixel at 1,000; times 255, and bicubic's slope is steeper.
                        np.testing.assert_allclose(self.ours(file, 224, fit, share, method, False), expected, rtol=0, atol=0.1)
