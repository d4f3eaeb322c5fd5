"""tests/interop/views.py: the views of an image, drawn as docs/cache-format.md specifies them, without headstart's code."""

import hashlib
import itertools
import math
import struct

RATIOS = (3 / 4, 4 / 3)
SHARES = (0.6, 1.0)
TRIES = 10


def view_key(content, index):
    """The cache key of view `index` (from 1) of the image file whose SHA-256 digest is `content`."""
    return hashlib.sha256(content + b"headstart view 1" + struct.pack("<Q", index)).digest()


def uniforms(key):
    """Numbers in [0, 1), 53 bits each: SHA-256 of the key and a counter, four to a digest."""
    for block in itertools.count():
        for number in struct.unpack("<4Q", hashlib.sha256(key + struct.pack("<Q", block)).digest()):
            yield (number >> 11) / 2**53


def draw_view(key, width, height):
    """(flip, x, y, width, height) of the view with this key of an image of this size."""
    draw = uniforms(key)
    flip = next(draw) < 0.5
    for _ in range(TRIES):
        area = (SHARES[0] + (SHARES[1] - SHARES[0]) * next(draw)) * width * height
        low, high = map(math.log, RATIOS)
        ratio = math.exp(low + (high - low) * next(draw))
        w, h = round(math.sqrt(area * ratio)), round(math.sqrt(area / ratio))
        if 1 <= w <= width and 1 <= h <= height:
            x = int((width - w + 1) * next(draw))
            y = int((height - h + 1) * next(draw))
            return flip, x, y, w, h
    w, h = width, height
    if width / height < RATIOS[0]:
        h = min(max(round(width / RATIOS[0]), 1), height)
    if width / height > RATIOS[1]:
        w = min(max(round(height * RATIOS[1]), 1), width)
    return flip, (width - w) // 2, (height - h) // 2, w, h
