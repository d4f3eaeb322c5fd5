#!/usr/bin/env python3
"""Makes images/: small files of every kind that data/ decodes, and what they must decode to.

images/NAME.EXT is decoded; images/expected/NAME.EXT.ppm is the truth: for lossless files the array that the file was
made from, for lossy ones what TensorFlow decodes. images/resize/ holds one image and what TensorFlow and Keras resize
it to. Needs numpy, pillow, tifffile, imagecodecs, tensorflow-cpu and keras,
and opj_compress (Debian: libopenjp2-tools); its output is committed, so tests do not.
"""

import pathlib
import struct
import subprocess
import tempfile
import zlib

import imagecodecs
import keras
import numpy as np
import tensorflow as tf
import tifffile
from PIL import Image

OUT = pathlib.Path(__file__).parent / "images"
HEIGHT, WIDTH = 6, 8
ORIENTATION = 274

random = np.random.default_rng(20)
grey = random.integers(0, 256, (HEIGHT, WIDTH), dtype=np.uint8)
grey16 = random.integers(0, 65536, (HEIGHT, WIDTH), dtype=np.uint16)
rgb = random.integers(0, 256, (HEIGHT, WIDTH, 3), dtype=np.uint8)
alpha = random.integers(0, 256, (HEIGHT, WIDTH), dtype=np.uint8)
alpha[0, :4] = 0, 255, 1, 254
rgba = np.dstack([rgb, alpha])
bits = grey > 127


def path(name):
    return OUT / name


def expect(name, pixels):
    """Writes the truth of `name`; a grey array stands for three equal channels."""
    pixels = np.asarray(pixels).astype(np.uint8)
    if pixels.ndim == 2:
        pixels = np.dstack([pixels] * 3)
    header = b"P6\n%d %d\n255\n" % (pixels.shape[1], pixels.shape[0])
    (OUT / "expected" / (name + ".ppm")).write_bytes(header + pixels.tobytes())


def over_white(colours, opacity):
    """Rounded to nearest in exact arithmetic."""
    colours, opacity = np.asarray(colours, dtype=np.int64), np.asarray(opacity, dtype=np.int64)
    if colours.ndim == 3:
        opacity = opacity[..., None]
    return (2 * (colours * opacity + 255 * (255 - opacity)) + 255) // 510


def upright(pixels, orientation):
    """EXIF 2.32, orientation: which side the stored first row and first column show."""
    turned = {
        1: lambda a: a,
        2: lambda a: a[:, ::-1],
        3: lambda a: a[::-1, ::-1],
        4: lambda a: a[::-1],
        5: lambda a: a.swapaxes(0, 1),
        6: lambda a: np.rot90(a, -1),
        7: lambda a: a[::-1, ::-1].swapaxes(0, 1),
        8: lambda a: np.rot90(a, 1),
    }
    return turned[orientation](pixels)


def tensorflow_jpeg(name):
    return tf.io.decode_jpeg(path(name).read_bytes(), channels=3, dct_method="INTEGER_ACCURATE").numpy()


def exif(orientation):
    block = Image.Exif()
    block[ORIENTATION] = orientation
    return block


def smooth(height, width, channels):
    return smooth_of(random, height, width, channels)


def smooth_of(draw, height, width, channels):
    coarse = draw.integers(0, 256, (height // 6 + 2, width // 6 + 2, channels), dtype=np.uint8)
    planes = [Image.fromarray(coarse[..., i]).resize((width, height), Image.BICUBIC) for i in range(channels)]
    return np.dstack([np.asarray(plane) for plane in planes])


def jpeg():
    picture = smooth(19, 33, 3)

    def save(name, image, **options):
        image.save(path(name), quality=85, **options)
        expect(name, tensorflow_jpeg(name))

    save("420.jpg", Image.fromarray(picture), subsampling=2)
    save("444.jpg", Image.fromarray(picture), subsampling=0)
    save("progressive.jpg", Image.fromarray(picture), progressive=True)
    save("grey.jpg", Image.fromarray(picture[..., 0]))
    save("one_pixel.jpg", Image.fromarray(picture[:1, :1]))
    cmyk = Image.fromarray(smooth(19, 33, 4), "CMYK")
    save("cmyk_adobe.jpg", cmyk)
    content = path("cmyk_adobe.jpg").read_bytes()
    adobe = content.index(b"Adobe") - 4  # marker and length stand before the name
    path("cmyk_plain.jpg").write_bytes(content[:adobe] + content[adobe + 16 :])
    expect("cmyk_plain.jpg", tensorflow_jpeg("cmyk_plain.jpg"))
    # The transform flag of the Adobe segment makes the same data YCCK.
    path("ycck.jpg").write_bytes(content[: adobe + 15] + b"\x02" + content[adobe + 16 :])
    expect("ycck.jpg", tensorflow_jpeg("ycck.jpg"))

    # Luminance sampled 1x4 instead of 2x2: as many blocks, but a subsampling that TurboJPEG has no name for.
    Image.fromarray(smooth(32, 16, 3)).save(path("subsampling.jpg"), quality=85, subsampling=2)
    content = bytearray(path("subsampling.jpg").read_bytes())
    frame = content.index(b"\xff\xc0")
    assert content[frame + 11] == 0x22
    content[frame + 11] = 0x14
    path("subsampling.jpg").write_bytes(content)
    expect("subsampling.jpg", tensorflow_jpeg("subsampling.jpg"))

    Image.fromarray(picture).save(path("orientation_6.jpg"), quality=85, exif=exif(6))
    expect("orientation_6.jpg", upright(tensorflow_jpeg("orientation_6.jpg"), 6))


def png():
    def save(name, image, truth, **options):
        image.save(path(name), **options)
        expect(name, truth)

    save("rgb.png", Image.fromarray(rgb), rgb)
    save("rgba.png", Image.fromarray(rgba), over_white(rgb, alpha))
    save("grey.png", Image.fromarray(grey), grey)
    save("grey_alpha.png", Image.fromarray(np.dstack([grey, alpha]), "LA"), over_white(grey, alpha))
    save("bits.png", Image.fromarray(bits), bits * 255)
    save("grey16.png", Image.fromarray(grey16), grey16 >> 8)
    key = int(grey[2, 3])
    save("grey_key.png", Image.fromarray(grey), np.where(grey == key, 255, grey), transparency=key)
    key = tuple(int(value) for value in rgb[2, 3])
    hidden = (rgb == rgb[2, 3]).all(axis=2, keepdims=True)
    save("rgb_key.png", Image.fromarray(rgb), np.where(hidden, 255, rgb), transparency=key)
    indexed = Image.fromarray(rgb).quantize(5)
    colours = np.asarray(indexed.convert("RGB"))
    save("palette.png", indexed, colours)
    opacities = bytes([0, 255, 100, 7, 200])
    opacity = np.frombuffer(opacities, np.uint8)[np.asarray(indexed)]
    save("palette_alpha.png", indexed, over_white(colours, opacity), transparency=opacities)

    path("rgba16.png").write_bytes(imagecodecs.png_encode(rgba.astype(np.uint16) * 256 + 77))
    expect("rgba16.png", over_white(rgb, alpha))
    # 1-bit grey whose black is transparent: chunks by hand, as Pillow cannot write it.
    content = path("bits.png").read_bytes()
    chunk = b"tRNS\0\0"
    chunk = struct.pack(">I", 2) + chunk + struct.pack(">I", zlib.crc32(chunk))
    path("bits_key.png").write_bytes(content[:33] + chunk + content[33:])
    expect("bits_key.png", np.full_like(grey, 255))
    for orientation in range(1, 9):
        name = f"orientation_{orientation}.png"
        save(name, Image.fromarray(rgb), upright(rgb, orientation), exif=exif(orientation))


def webp():
    Image.fromarray(rgb).save(path("rgb.webp"), lossless=True)
    expect("rgb.webp", rgb)
    Image.fromarray(rgba).save(path("rgba.webp"), lossless=True, exact=True)
    expect("rgba.webp", over_white(rgb, alpha))
    Image.fromarray(rgb[:1, :1]).save(path("one_pixel.webp"), lossless=True)
    expect("one_pixel.webp", rgb[:1, :1])
    Image.fromarray(smooth(19, 33, 3)).save(path("lossy.webp"), quality=80)
    expect("lossy.webp", np.asarray(Image.open(path("lossy.webp")).convert("RGB")))
    Image.fromarray(rgb).save(path("orientation_8.webp"), lossless=True, exif=exif(8))
    expect("orientation_8.webp", upright(rgb, 8))
    frames = [Image.fromarray(rgb), Image.fromarray(255 - rgb)]
    frames[0].save(path("animated.webp"), save_all=True, append_images=frames[1:], lossless=True)
    expect("animated.webp", rgb)
    # A first picture that is a part of its canvas: by hand, as Pillow writes none.
    picture = path("rgba.webp").read_bytes()
    picture = picture[picture.index(b"VP8L") :]
    place = b"".join(value.to_bytes(3, "little") for value in (2 // 2, 4 // 2, WIDTH - 1, HEIGHT - 1, 100)) + b"\0"
    chunks = b"WEBP"
    for kind, data in [(b"VP8X", b"\x12\0\0\0" + (WIDTH + 4).to_bytes(3, "little") + (HEIGHT + 5).to_bytes(3, "little")),
                       (b"ANIM", bytes(6)), (b"ANMF", place + picture)]:
        chunks += kind + struct.pack("<I", len(data)) + data
    path("animated_part.webp").write_bytes(b"RIFF" + struct.pack("<I", len(chunks)) + chunks)
    canvas = np.full((HEIGHT + 6, WIDTH + 5, 3), 255)
    canvas[4 : 4 + HEIGHT, 2 : 2 + WIDTH] = over_white(rgb, alpha)
    expect("animated_part.webp", canvas)


def gif_picture(indices, left=0, top=0, interlaced=False, colours=b"", transparent=None):
    """The blocks of one picture. A code that clears the table comes before it could grow: all codes have nine bits."""
    height, width = indices.shape
    if interlaced:
        indices = np.concatenate([indices[start::step] for start, step in [(0, 8), (4, 8), (2, 4), (1, 2)]])
    codes = []
    for i, value in enumerate(indices.ravel()):
        codes += [256, int(value)] if i % 200 == 0 else [int(value)]
    packed = sum(code << (9 * i) for i, code in enumerate(codes + [257]))
    data = packed.to_bytes((9 * (len(codes) + 1) + 7) // 8, "little")
    flags = (0x87 if colours else 0) | (0x40 if interlaced else 0)
    content = b"" if transparent is None else b"!\xf9\x04\x01\0\0" + bytes([transparent]) + b"\0"
    content += b"," + struct.pack("<HHHHB", left, top, width, height, flags) + colours.ljust(768 if colours else 0, b"\0")
    content += b"\x08"
    for start in range(0, len(data), 255):
        block = data[start : start + 255]
        content += bytes([len(block)]) + block
    return content + b"\0"


def gif():
    rows, columns = HEIGHT + 7, WIDTH + 5  # more rows than one pass of an interlaced picture has
    indices = np.arange(rows * columns).reshape(rows, columns) * 3 % 250
    table = np.stack([np.arange(256) * 7 % 256, 255 - np.arange(256), np.arange(256) * 31 % 256], axis=1).astype(np.uint8)
    other = table[::-1].copy()
    truth = table[indices]
    part = np.broadcast_to(table[0], (rows + 3, columns + 4, 3)).copy()
    part[2 : 2 + rows, 3 : 3 + columns] = truth
    hidden = np.where((indices == 30)[..., None], 255, truth)
    hidden_part = np.full((rows + 3, columns + 4, 3), 255)
    hidden_part[2 : 2 + rows, 3 : 3 + columns] = hidden

    def save(name, pixels, pictures, height=rows, width=columns, colours=table.tobytes()):
        header = b"GIF89a" + struct.pack("<HHBBB", width, height, 0xF7 if colours else 0x70, 9, 0) + colours
        comment = b"!\xfe\x05hello\0"
        path(name).write_bytes(header + comment + pictures + b";")
        if pixels is not None:
            expect(name, pixels)

    picture = gif_picture(indices)
    save("palette.gif", truth, picture)
    save("interlaced.gif", truth, gif_picture(indices, interlaced=True))
    save("local_palette.gif", other[indices], gif_picture(indices, colours=other.tobytes()))
    save("no_global_palette.gif", other[indices], gif_picture(indices, colours=other.tobytes()), colours=b"")
    save("transparent.gif", hidden, gif_picture(indices, transparent=30))
    save("moving.gif", truth, picture + gif_picture(indices[::-1]))
    save("part.gif", part, gif_picture(indices, left=3, top=2), rows + 3, columns + 4)
    save("transparent_part.gif", hidden_part, gif_picture(indices, left=3, top=2, transparent=30), rows + 3, columns + 4)
    save("leaves_canvas.gif", truth, picture, 2, 2)
    save("one_pixel.gif", truth[:1, :1], gif_picture(indices[:1, :1]), 1, 1)
    # Refused.
    save("no_palette.gif", None, picture, colours=b"")


def tiff():
    def save(name, pixels, truth=None, **options):
        tifffile.imwrite(path(name), pixels, metadata=None, software=False, **options)
        if truth is not None:
            expect(name, truth)

    save("grey.tif", grey, grey)
    save("rgb.tif", rgb, rgb, photometric="rgb")
    save("lzw.tif", rgb, rgb, photometric="rgb", compression="lzw", predictor=True)
    save("planes.tif", np.moveaxis(rgb, -1, 0), rgb, photometric="rgb", planarconfig="separate")
    save("white_is_zero.tif", grey, 255 - grey, photometric="miniswhite")
    save("white_is_zero16.tif", grey16, (65535 - grey16) >> 8, photometric="miniswhite")
    save("grey16.tif", grey16, grey16 >> 8, byteorder=">")
    straight = {"photometric": "rgb", "extrasamples": ["unassalpha"]}
    save("rgba.tif", rgba, over_white(rgb, alpha), **straight)
    save("rgba16.tif", rgba.astype(np.uint16) * 256 + 77, over_white(rgb, alpha), **straight)
    premultiplied = (rgb.astype(int) * alpha[..., None] // 255).astype(np.uint8)
    associated = np.dstack([premultiplied, alpha])
    truth = premultiplied.astype(int) + (255 - alpha.astype(int))[..., None]
    save("rgba_associated.tif", associated, truth, photometric="rgb", extrasamples=["assocalpha"])
    save("rgbx.tif", rgba, rgb, photometric="rgb", extrasamples=["unspecified"])
    wide = smooth(40, 70, 3)
    save("tiles.tif", wide, wide, photometric="rgb", tile=(32, 32), compression="zlib")
    with tifffile.TiffWriter(path("pages.tif")) as writer:
        writer.write(rgb, photometric="rgb", metadata=None)
        writer.write(255 - rgb, photometric="rgb", metadata=None)
    expect("pages.tif", rgb)
    Image.fromarray(bits).save(path("fax4.tif"), compression="group4")
    expect("fax4.tif", bits * 255)
    indexed = Image.fromarray(rgb).quantize(5)
    indexed.save(path("palette.tif"))
    expect("palette.tif", np.asarray(indexed.convert("RGB")))
    for orientation in range(1, 9):
        name = f"orientation_{orientation}.tif"
        Image.fromarray(rgb).save(path(name), tiffinfo={ORIENTATION: orientation})
        expect(name, upright(rgb, orientation))
    tag = (ORIENTATION, 3, 1, 6, True)
    save("orientation_6_16bit.tif", grey16, upright(grey16 >> 8, 6), byteorder=">", extratags=[tag])
    save("float.tif", rgb.astype(np.float32), photometric="rgb")  # refused
    save("grey_alpha.tif", np.dstack([grey, alpha]), photometric="minisblack", extrasamples=["unassalpha"])
    expect("grey_alpha.tif", over_white(grey, alpha))
    save("planes16.tif", np.moveaxis(rgb, -1, 0).astype(np.uint16) * 256 + 77, rgb, photometric="rgb",
         planarconfig="separate")
    save("big.tif", rgb, rgb, photometric="rgb", bigtiff=True)


def tiff_file(bits, photometric, strips, tags=(), samples=1, planar=1, rows=HEIGHT):
    """A little-endian TIFF by hand; tags: number, letter of struct, values."""
    data = b"".join(strips)
    offsets = [8 + sum(len(strip) for strip in strips[:i]) for i in range(len(strips))]
    numbers = [(256, "H", [WIDTH]), (257, "H", [HEIGHT]), (258, "H", [bits] * samples), (259, "H", [1]),
               (262, "H", [photometric]), (273, "I", offsets), (277, "H", [samples]), (278, "H", [rows]),
               (279, "I", [len(strip) for strip in strips]), (284, "H", [planar])]
    numbers = [entry for entry in numbers if entry[0] not in {tag for tag, _, _ in tags}] + list(tags)
    directory, behind = b"", b""
    data += bytes(len(data) % 2)
    start = 8 + len(data) + 2 + 12 * len(numbers) + 4
    for tag, letter, values in sorted(numbers):
        packed = struct.pack(f"<{len(values)}{letter}", *values)
        if len(packed) > 4:
            behind, packed = behind + packed, struct.pack("<I", start + len(behind))
        kind = {"H": 3, "I": 4, "B": 1}[letter]
        directory += struct.pack("<HHI", tag, kind, len(values)) + packed.ljust(4, b"\0")
    return (b"II*\0" + struct.pack("<I", 8 + len(data)) + data + struct.pack("<H", len(numbers)) + directory
            + bytes(4) + behind)


def packed_rows(values, bits):
    """Samples of each row one after the other, high bits first, filled up to bytes."""
    rows = []
    for row in np.asarray(values).reshape(len(values), -1):
        text = "".join(f"{int(value):0{bits}b}" for value in row)
        text += "0" * (-len(text) % 8)
        rows.append(int(text, 2).to_bytes(len(text) // 8, "big"))
    return b"".join(rows)


def tiff_kinds():
    draw = np.random.default_rng(22)

    def put(name, content, truth):
        path(name).write_bytes(content)
        expect(name, truth)

    for bits in (1, 2, 4, 6, 12):
        values = draw.integers(0, 1 << bits, (HEIGHT, WIDTH))
        white = (1 << bits) - 1
        truth = (2 * values * 255 + white) // (2 * white) if bits < 8 else values >> (bits - 8)
        put(f"grey_{bits}bit.tif", tiff_file(bits, 1, [packed_rows(values, bits)]), truth)
        if bits <= 2:
            put(f"white_is_zero_{bits}bit.tif", tiff_file(bits, 0, [packed_rows(values, bits)]), 255 - truth)
    for bits in (1, 2, 4, 8):
        colours = draw.integers(0, 65536, (1 << bits, 3))
        values = draw.integers(0, 1 << bits, (HEIGHT, WIDTH))
        tags = [(320, "H", [int(value) for value in colours.T.ravel()])]
        put(f"palette_{bits}bit.tif", tiff_file(bits, 3, [packed_rows(values, bits)], tags), colours[values] >> 8)
    tags.append((338, "H", [2]))
    put("palette_alpha.tif", tiff_file(8, 3, [np.dstack([values, alpha]).astype(np.uint8).tobytes()], tags, 2),
        over_white(colours[values] >> 8, alpha))
    tags = [(320, "H", [int(value) >> 8 for value in colours.T.ravel()])]
    put("palette_of_bytes.tif", tiff_file(8, 3, [packed_rows(values, 8)], tags), colours[values] >> 8)
    values = draw.integers(0, 4, (HEIGHT, WIDTH, 3))
    put("rgb_2bit.tif", tiff_file(2, 2, [packed_rows(values, 2)], samples=3), values * 85)
    strips = [packed_rows(values[top : top + 4, :, channel], 2) for channel in range(3) for top in (0, 4)]
    put("planes_2bit.tif", tiff_file(2, 2, strips, samples=3, planar=2, rows=4), values * 85)
    tags = [(332, "H", [1]), (339, "H", [1])]  # for tests that change them
    put("grey_8bit_tags.tif", tiff_file(8, 1, [grey.tobytes()], tags), grey)
    put("grey_extra.tif", tiff_file(8, 1, [np.dstack([grey, alpha]).tobytes()], [(338, "H", [0])], 2), grey)
    put("grey_second.tif", tiff_file(8, 1, [np.dstack([grey, alpha]).tobytes()], samples=2),
        over_white(grey, alpha))
    five = np.dstack([rgb, grey, alpha])
    put("rgb_2extra.tif", tiff_file(8, 2, [five.tobytes()], [(338, "H", [0, 0])], 5), rgb)
    put("rgb_alpha_second.tif", tiff_file(8, 2, [five.tobytes()], [(338, "H", [0, 2])], 5), over_white(rgb, alpha))
    planes = [five[..., channel].tobytes() for channel in range(5)]
    put("planes_alpha.tif", tiff_file(8, 2, planes, [(338, "H", [0, 2])], 5, planar=2), over_white(rgb, alpha))
    wide_alpha = np.dstack([grey16, alpha.astype(np.uint16) * 256 + 3])
    put("grey_alpha16.tif", tiff_file(16, 1, [wide_alpha.astype("<u2").tobytes()], [(338, "H", [2])], 2),
        over_white(grey16 >> 8, alpha))
    wide = draw.integers(0, 65536, (HEIGHT, WIDTH, 3), dtype=np.uint16)
    planes = [wide[..., channel].astype("<u2").tobytes() for channel in range(3)]
    put("planes_16bit.tif", tiff_file(16, 2, planes, samples=3, planar=2), wide >> 8)

    inks = draw.integers(0, 256, (HEIGHT, WIDTH, 4)).astype(int)
    shown = (255 - inks[..., :3]) * (255 - inks[..., 3:]) // 255
    put("cmyk.tif", tiff_file(8, 5, [inks.astype(np.uint8).tobytes()], [(332, "H", [1])], samples=4), shown)
    put("cmyk16.tif", tiff_file(16, 5, [(inks * 256 + 9).astype("<u2").tobytes()], samples=4), shown)

    lab = draw.integers(0, 256, (HEIGHT, WIDTH, 3)).astype(np.uint8)
    lab[..., 1:] = (lab[..., 1:].astype(int) // 4 - 32).astype(np.uint8)  # mostly colours that sRGB has
    lab[0, :, 0], lab[0, :, 1:] = np.linspace(0, 255, WIDTH), 0
    put("lab.tif", tiff_file(8, 8, [lab.tobytes()], samples=3), srgb_of_lab(lab.view(np.int8)))
    put("icc_lab.tif", tiff_file(8, 9, [(lab ^ np.uint8([0, 128, 128])).tobytes()], samples=3),
        srgb_of_lab(lab.view(np.int8)))

    def save(name, pixels, truth, **options):
        tifffile.imwrite(path(name), pixels, metadata=None, software=False, **options)
        expect(name, truth)

    tag = (ORIENTATION, 3, 1, 8, True)
    save("big_orientation_8.tif", rgb, upright(rgb, 8), photometric="rgb", bigtiff=True, byteorder=">",
         extratags=[tag])
    large = draw.integers(0, 65536, (40, 50, 3), dtype=np.uint16)
    save("tiles16.tif", large, large >> 8, photometric="rgb", tile=(16, 32), compression="zlib", predictor=True)
    save("tiled_planes16.tif", np.moveaxis(large, -1, 0), large >> 8, photometric="rgb", planarconfig="separate",
         tile=(16, 32), compression="lzw")
    save("packbits.tif", rgb // 99, rgb // 99, photometric="rgb", compression="packbits", rowsperstrip=4)
    photo = smooth_of(draw, 37, 53, 3)
    save("jpeg_444.tif", photo, photo, photometric="ycbcr", compression="jpeg", subsampling=(1, 1))
    save("jpeg_420.tif", photo, photo, photometric="ycbcr", compression="jpeg", subsampling=(2, 2), rowsperstrip=16)
    save("jpeg_tiles.tif", photo, photo, photometric="ycbcr", compression="jpeg", subsampling=(2, 2), tile=(16, 16))
    # 4:2:0 without compression: four of Y, then Cb and Cr.
    blocks = draw.integers(0, 256, (HEIGHT // 2, WIDTH // 2, 6)).astype(np.uint8)
    blocks[..., 4:] = blocks[..., 4:] // 4 + 96
    luma = blocks[..., :4].reshape(HEIGHT // 2, WIDTH // 2, 2, 2).swapaxes(1, 2).reshape(HEIGHT, WIDTH).astype(float)
    blue, red = (np.kron(blocks[..., i], np.ones((2, 2))) - 128 for i in (4, 5))
    shown = np.dstack([luma + 1.402 * red, luma - (0.114 * 1.772 * blue + 0.299 * 1.402 * red) / 0.587,
                       luma + 1.772 * blue])
    put("ycbcr_420.tif", tiff_file(8, 6, [blocks.tobytes()], [(530, "H", [2, 2])], samples=3),
        np.clip(np.rint(shown), 0, 255))
    for name in ("jpeg_444.tif", "jpeg_420.tif", "jpeg_tiles.tif"):
        expect(name, np.asarray(Image.open(path(name)).convert("RGB")))


def srgb_of_lab(lab):
    """By ICC's formulas: `lab` as TIFF stores it; the matrix from sRGB's primaries and Bradford's cones."""
    lab = np.dstack([lab[..., 0].view(np.uint8) * (100 / 255), lab[..., 1], lab[..., 2]]).astype(float)
    y = (lab[..., 0] + 16) / 116
    curve = np.dstack([y + lab[..., 1] / 500, y, y - lab[..., 2] / 200])
    xyz = np.where(curve > 6 / 29, curve**3, (curve - 4 / 29) * 3 * (6 / 29) ** 2)
    d50, d65 = np.array([0.96422, 1, 0.82521]), np.array([0.95047, 1, 1.08883])
    cones = np.array([[0.8951, 0.2664, -0.1614], [-0.7502, 1.7135, 0.0367], [0.0389, -0.0685, 1.0296]])
    adapt = np.linalg.inv(cones) @ np.diag((cones @ d65) / (cones @ d50)) @ cones
    primaries = np.array([[0.64, 0.33], [0.30, 0.60], [0.15, 0.06]])
    columns = np.array([[x / v, 1, (1 - x - v) / v] for x, v in primaries]).T
    to_xyz = columns * np.linalg.solve(columns, d65)
    linear = np.clip((xyz * d50) @ adapt.T @ np.linalg.inv(to_xyz).T, 0, 1)
    return np.rint(255 * np.where(linear <= 0.0031308, 12.92 * linear, 1.055 * linear ** (1 / 2.4) - 0.055))


def bmp32(opacity, compression, header_bytes, top_down=False):
    rows = np.dstack([rgb[..., ::-1], opacity])
    pixels = (rows if top_down else rows[::-1]).astype(np.uint8).tobytes()
    height = -HEIGHT if top_down else HEIGHT
    masks = struct.pack("<IIII", 0xFF0000, 0xFF00, 0xFF, 0xFF000000)
    header = struct.pack("<IiiHHIIiiII", header_bytes, WIDTH, height, 1, 32, compression, len(pixels), 0, 0, 0, 0)
    if header_bytes > 40:
        header += masks + b"BGRs" + bytes(header_bytes - 60)
    offset = 14 + header_bytes
    return b"BM" + struct.pack("<IHHI", offset + len(pixels), 0, 0, offset) + header + pixels


def bmp():
    Image.fromarray(rgb).save(path("rgb.bmp"))
    expect("rgb.bmp", rgb)
    Image.fromarray(bits).save(path("bits.bmp"))
    expect("bits.bmp", bits * 255)
    indexed = Image.fromarray(rgb).quantize(5)
    indexed.save(path("palette.bmp"))
    expect("palette.bmp", np.asarray(indexed.convert("RGB")))
    for name, content, truth in [
        ("padded32.bmp", bmp32(np.zeros_like(alpha), 0, 40), rgb),
        ("unused32.bmp", bmp32(alpha, 0, 40), rgb),
        ("alpha.bmp", bmp32(alpha, 3, 108), over_white(rgb, alpha)),
        ("alpha_top_down.bmp", bmp32(alpha, 3, 108, top_down=True), over_white(rgb, alpha)),
        ("alpha_all_zero.bmp", bmp32(np.zeros_like(alpha), 3, 108), rgb),
    ]:
        path(name).write_bytes(content)
        expect(name, truth)


def bmp_file(header, palette, pixels, offset=None):
    """A BMP whose header is complete, its size included; `offset`: a wrong place of the pixels."""
    end = 14 + len(header) + len(palette)
    place = end if offset is None else offset
    return b"BM" + struct.pack("<IHHI", end + len(pixels), 0, 0, place) + header + palette + pixels


def bmp_rows(values, bits, top_down=False):
    """Rows of pixel values as they are stored: packed, then filled up to four bytes."""
    rows = []
    for row in values if top_down else values[::-1]:
        number = 0
        for value in row:
            if bits <= 8:
                number = number << bits | int(value)
        used = -(-len(row) * bits // 8)
        if bits <= 8:
            packed = (number << (used * 8 - len(row) * bits)).to_bytes(used, "big")
        else:
            packed = b"".join(int(value).to_bytes(bits // 8, "little") for value in row)
        rows.append(packed + bytes(-used % 4))
    return b"".join(rows)


def info_header(bits, compression=0, size=40, colours=0, masks=(), height=HEIGHT, width=WIDTH):
    """BITMAPINFOHEADER, cut off or followed by masks and zeros up to `size` bytes."""
    fields = struct.pack("<IiiHHIIiiII", size, width, height, 1, bits, compression, 0, 0, 0, colours, 0)
    return fields[:size] + struct.pack(f"<{len(masks)}I", *masks) + bytes(max(0, size - 40 - 4 * len(masks)))


def with_masks(masks, bits):
    """Pixel values that hold `rgba` in those masks as well as they can, and what a reader must make of them."""
    values = np.zeros((HEIGHT, WIDTH), dtype=np.int64)
    truth = np.zeros((HEIGHT, WIDTH, 4), dtype=np.int64)
    for channel, mask in enumerate(masks):
        if mask:
            shift, white = (mask & -mask).bit_length() - 1, (1 << mask.bit_count()) - 1
            sample = rgba[..., channel].astype(np.int64) * white // 255
            values |= sample << shift
            truth[..., channel] = (2 * sample * 255 + white) // (2 * white)
    return bmp_rows(values, bits), truth


def bmp_headers():
    """Every header and depth: pixel values drawn here, packed by Python's integers, and coloured by numpy."""
    draw = np.random.default_rng(21)
    colours = draw.integers(0, 256, (256, 3), dtype=np.uint8)

    def palette(count, entry_bytes=4):
        return b"".join(bytes(colour[::-1]) + bytes(entry_bytes - 3) for colour in colours[:count])

    def put(name, content, truth):
        path(name).write_bytes(content)
        expect(name, truth)

    indices = {bits: draw.integers(0, 1 << bits, (HEIGHT, WIDTH)) for bits in (1, 2, 4, 8)}
    few = indices[8] % 20
    bgr = (rgb[..., 2].astype(int) | rgb[..., 1].astype(int) << 8 | rgb[..., 0].astype(int) << 16)
    for bits in (1, 4, 8):
        core = struct.pack("<IHHHH", 12, WIDTH, HEIGHT, 1, bits)
        put(f"os2_{bits}bit.bmp", bmp_file(core, palette(1 << bits, 3), bmp_rows(indices[bits], bits)),
            colours[indices[bits]])
    core = struct.pack("<IHHHH", 12, WIDTH, HEIGHT, 1, 8)
    put("os2_short_palette.bmp", bmp_file(core, palette(20, 3), bmp_rows(few, 8)), colours[few])
    put("os2_24bit.bmp", bmp_file(struct.pack("<IHHHH", 12, WIDTH, HEIGHT, 1, 24), b"", bmp_rows(bgr, 24)), rgb)
    for size in (16, 36, 64, 124):
        put(f"header_{size}.bmp", bmp_file(info_header(8, size=size), palette(256), bmp_rows(indices[8], 8)),
            colours[indices[8]])
    put("two_bits.bmp", bmp_file(info_header(2), palette(4), bmp_rows(indices[2], 2)), colours[indices[2]])
    put("few_colours.bmp", bmp_file(info_header(8, colours=20), palette(20), bmp_rows(few, 8)), colours[few])
    put("many_colours.bmp",
        bmp_file(info_header(8, colours=300), palette(256) + bytes(44 * 4), bmp_rows(indices[8], 8)),
        colours[indices[8]])
    put("offset_forgets_palette.bmp",
        bmp_file(info_header(8), palette(256), bmp_rows(indices[8], 8), offset=54), colours[indices[8]])
    put("offset_0.bmp", bmp_file(info_header(8), palette(256), bmp_rows(indices[8], 8), offset=0),
        colours[indices[8]])
    put("last_padding_missing.bmp", bmp_file(info_header(1), palette(2), bmp_rows(indices[1], 1)[:-3]),
        colours[indices[1]])
    put("top_down.bmp", bmp_file(info_header(4, height=-HEIGHT), palette(16), bmp_rows(indices[4], 4, True)),
        colours[indices[4]])

    # In a mask of fewer bits white is all its bits.
    five = with_masks((0x7C00, 0x3E0, 0x1F), 16)
    put("plain16.bmp", bmp_file(info_header(16), b"", five[0]), five[1][..., :3])
    for name, bits, size, masks in [
        ("555", 16, 40, (0x7C00, 0x3E0, 0x1F)),
        ("565", 16, 40, (0xF800, 0x7E0, 0x1F)),
        ("565_56", 16, 56, (0xF800, 0x7E0, 0x1F, 0)),
        ("565_108", 16, 108, (0xF800, 0x7E0, 0x1F, 0)),
        ("5551_124", 16, 124, (0xF800, 0x7C0, 0x3E, 1)),
        ("4444_56", 16, 56, (0xF00, 0xF0, 0xF, 0xF000)),
        ("bgr24", 24, 40, (0xFF, 0xFF00, 0xFF0000)),
        ("rgbx_40", 32, 40, (0xFF, 0xFF00, 0xFF0000)),
        ("top_byte_40", 32, 40, (0xFF000000, 0xFF0000, 0xFF00)),
        ("top_byte_52", 32, 52, (0xFF000000, 0xFF0000, 0xFF00)),
        ("ten_bits", 32, 52, (0x3FF00000, 0xFFC00, 0x3FF)),
        ("all_but_blue", 32, 40, (0xFFFF0000, 0xFFFF, 0)),
        ("alpha_low_byte", 32, 108, (0xFF000000, 0xFF0000, 0xFF00, 0xFF)),
        ("alpha_second_byte", 32, 56, (0xFF000000, 0xFF, 0xFF00, 0xFF0000)),
        ("1010102", 32, 124, (0x3FF00000, 0xFFC00, 0x3FF, 0xC0000000)),
    ]:
        behind = struct.pack("<3I", *masks) if size == 40 else b""
        header = info_header(bits, 3, size, masks=masks if size > 40 else ())
        pixels, truth = with_masks(masks, bits)
        shown = truth[..., :3] if len(masks) == 3 or masks[3] == 0 else over_white(truth[..., :3], truth[..., 3])
        put(f"masks_{name}.bmp", bmp_file(header, behind, pixels), shown)
    pixels, truth = with_masks((0xFF0000, 0xFF00, 0xFF, 0xFF000000), 32)
    behind = struct.pack("<4I", 0xFF0000, 0xFF00, 0xFF, 0xFF000000)
    put("alpha_masks_40.bmp", bmp_file(info_header(32, 6), behind, pixels), over_white(rgb, alpha))

    # Runs, from the bottom row: single colours, colours as they are, both into the padding of a row, moves.
    def runs8(row):
        return b"".join(bytes((1, int(value))) for value in row)

    plain8 = b"".join(runs8(row) + b"\0\0" for row in indices[8][::-1])
    put("runs8.bmp", bmp_file(info_header(8, 1), palette(256), plain8 + b"\0\1"), colours[indices[8]])
    put("runs8_without_end.bmp", bmp_file(info_header(8, 1), palette(256), plain8[:-2]), colours[indices[8]])
    padded = b"".join(runs8(row[:5]) + bytes((3, int(row[5]))) + b"\0\0" for row in indices[8][::-1])
    put("runs8_padded.bmp", bmp_file(info_header(8, 1, width=6), palette(256), padded + b"\0\1"),
        colours[indices[8][:, :6]])
    padded = b"".join(b"\x08" + bytes([int(row[0]) << 4 | int(row[1])]) + b"\0\0" for row in indices[4][::-1])
    put("runs4_padded.bmp", bmp_file(info_header(4, 2, width=5), palette(16), padded + b"\0\1"),
        colours[np.tile(indices[4][:, :2], 3)[:, :5]])
    as_is = b"".join(b"\0\7" + bytes(row[:7].tolist()) + b"\0" + runs8(row[7:]) + b"\0\0"
                     for row in indices[8][::-1])
    put("runs8_as_is.bmp", bmp_file(info_header(8, 1, 64), palette(256), as_is + b"\0\1"), colours[indices[8]])
    moves = np.zeros((HEIGHT, WIDTH), dtype=np.int64)
    moves[5, :3], moves[3, 5:], moves[0, :2] = 9, 8, 7
    codes = b"\3\x09" + b"\0\2\2\2" + b"\3\x08" + b"\0\0" + b"\0\0" + b"\0\2\0\1" + b"\2\7" + b"\0\1"
    put("runs8_moves.bmp", bmp_file(info_header(8, 1), palette(256), codes), colours[moves])
    four = np.zeros((HEIGHT, WIDTH), dtype=np.int64)
    four[5], four[4, :5], four[3] = [1, 2] * 4, [3, 4, 5, 6, 7], [8, 9, 8, 9, 8, 10, 11, 12]
    codes = (b"\x08\x12\0\0" + b"\0\5\x34\x56\x70\0" + b"\0\0" + b"\5\x89" + b"\0\3\xAB\xC0" + b"\0\0"
             + b"\0\0" * 3)
    put("runs4.bmp", bmp_file(info_header(4, 2), palette(16), codes), colours[four])


def pnm():
    def text(array):
        return b"\n".join(b" ".join(b"%d" % value for value in row.ravel()) for row in array) + b"\n"

    size = b"%d %d\n" % (WIDTH, HEIGHT)
    scaled = (grey % 16).astype(int)
    for name, content, truth in [
        ("p1.pbm", b"P1\n# a comment\n" + size + text(bits.astype(int)), 255 - bits * 255),
        ("p2.pgm", b"P2 " + size + b"255\n" + text(grey), grey),
        ("p3.ppm", b"P3\n" + size + b"255 # another\n" + text(rgb), rgb),
        ("p4.pbm", b"P4\n" + size + np.packbits(bits, axis=1).tobytes(), 255 - bits * 255),
        ("p5.pgm", b"P5\n" + size + b"255\n" + grey.tobytes(), grey),
        ("p5_white_15.pgm", b"P5\n" + size + b"15\n" + scaled.astype(np.uint8).tobytes(), scaled * 17),
        ("p5_16bit.pgm", b"P5\n" + size + b"65535\n" + grey16.astype(">u2").tobytes(), grey16 >> 8),
        ("p6.ppm", b"P6\n" + size + b"255\n" + rgb.tobytes(), rgb),
        ("p6_white_1000.ppm", b"P6\n" + size + b"1000\n" + (rgb.astype(int) * 3).astype(">u2").tobytes(),
         (rgb.astype(int) * 3 * 255 + 500) // 1000),
    ]:
        path(name).write_bytes(content)
        expect(name, truth)


def jpeg2000():
    picture, opacity = smooth(19, 33, 3), smooth(19, 33, 1)[..., 0]
    Image.fromarray(picture).save(path("rgb.jp2"))
    expect("rgb.jp2", picture)
    Image.fromarray(picture).save(path("rgb.j2k"))
    expect("rgb.j2k", picture)
    Image.fromarray(np.dstack([picture, opacity])).save(path("rgba.jp2"))
    expect("rgba.jp2", over_white(picture, opacity))
    twelve = picture[..., 0].astype(np.uint16) * 16 + 5
    path("grey12.jp2").write_bytes(imagecodecs.jpeg2k_encode(twelve, bitspersample=12, reversible=True, level=0))
    expect("grey12.jp2", picture[..., 0])
    Image.fromarray(np.dstack([picture[..., 0], opacity]), "LA").save(path("grey_alpha.jp2"))
    expect("grey_alpha.jp2", over_white(picture[..., 0], opacity))


def jp2_file(codestream, components, bits, colours, boxes=b"", size=(HEIGHT, WIDTH)):
    """A JP2 around a codestream; colours: 16 sRGB, 17 grey, 18 sYCC, 12 CMYK, 14 L*a*b*."""
    def box(kind, content):
        return struct.pack(">I", 8 + len(content)) + kind + content

    ihdr = struct.pack(">IIHBBBB", *size, components, bits - 1, 7, 0, 0)
    header = box(b"ihdr", ihdr) + box(b"colr", b"\1\0\0" + struct.pack(">I", colours)) + boxes
    return (box(b"jP  ", b"\r\n\x87\n") + box(b"ftyp", b"jp2 \0\0\0\0jp2 ") + box(b"jp2h", header)
            + box(b"jp2c", codestream))


def codestream_of(planes, bits, sampling):
    """Lossless, by OpenJPEG's program: it alone writes subsampled components. planes: 2-D arrays."""
    with tempfile.TemporaryDirectory() as folder:
        raw, out = pathlib.Path(folder) / "image.raw", pathlib.Path(folder) / "image.j2k"
        raw.write_bytes(b"".join(plane.astype("u1" if bits <= 8 else "<u2").tobytes() for plane in planes))
        layout = f"{WIDTH},{HEIGHT},{len(planes)},{bits},u@{':'.join(f'{n}x{n}' for n in sampling)}"
        raw = raw.rename(raw.with_suffix(".rawl"))  # little-endian
        subprocess.run(["opj_compress", "-i", raw, "-o", out, "-F", layout, "-mct", "0", "-n", "2"], check=True,
                       stdout=subprocess.DEVNULL)
        return out.read_bytes()


def jpeg2000_kinds():
    draw = np.random.default_rng(23)

    def put(name, content, truth=None):
        path(name).write_bytes(content)
        if truth is not None:
            expect(name, truth)

    full = (1, 1, 1)
    wide = draw.integers(0, 65536, (HEIGHT, WIDTH, 3))
    put("rgb16.j2k", codestream_of(np.moveaxis(wide, -1, 0), 16, full), wide >> 8)
    nibbles = draw.integers(0, 16, (HEIGHT, WIDTH))
    put("grey4.j2k", codestream_of([nibbles], 4, (1,)), nibbles * 17)
    put("bits.j2k", codestream_of([bits.astype(int)], 1, (1,)), bits * 255)
    put("grey_alpha.j2k", codestream_of([grey, alpha], 8, (1, 1)), over_white(grey, alpha))

    luma = draw.integers(0, 256, (HEIGHT, WIDTH))
    blue, red = draw.integers(96, 160, (2, HEIGHT // 2, WIDTH // 2))
    spread_blue, spread_red = (np.kron(plane, np.ones((2, 2))) - 128 for plane in (blue, red))
    truth = np.clip(np.rint(np.dstack([
        luma + 1.402 * spread_red, luma - (0.114 * 1.772 * spread_blue + 0.299 * 1.402 * spread_red) / 0.587,
        luma + 1.772 * spread_blue])), 0, 255)
    subsampled = codestream_of([luma, blue, red], 8, (1, 2, 2))
    put("subsampled.j2k", subsampled, truth)
    put("sycc.jp2", jp2_file(subsampled, 3, 8, 18), truth)

    colours = draw.integers(0, 256, (16, 3))
    palette = struct.pack(">HB", 16, 3) + bytes([7] * 3) + bytes(colours.ravel().tolist())
    mapping = b"".join(struct.pack(">HBB", 0, 1, column) for column in range(3))
    boxes = (struct.pack(">I", 8 + len(palette)) + b"pclr" + palette
             + struct.pack(">I", 8 + len(mapping)) + b"cmap" + mapping)
    put("palette.jp2", jp2_file(codestream_of([nibbles], 4, (1,)), 1, 4, 16, boxes), colours[nibbles])

    def channels(*entries):
        content = struct.pack(">H", len(entries)) + b"".join(struct.pack(">HHH", *entry) for entry in entries)
        return struct.pack(">I", 8 + len(content)) + b"cdef" + content

    # Channel, 0 colour, 1 alpha, 2 premultiplied; which colour.
    premultiplied = rgb.astype(int) * alpha[..., None] // 255
    content = codestream_of([*np.moveaxis(premultiplied, -1, 0), alpha], 8, (1, 1, 1, 1))
    boxes = channels((0, 0, 1), (1, 0, 2), (2, 0, 3), (3, 2, 0))
    put("premultiplied.jp2", jp2_file(content, 4, 8, 16, boxes), premultiplied + (255 - alpha.astype(int))[..., None])
    content = codestream_of([*np.moveaxis(rgb, -1, 0)[::-1]], 8, full)
    put("bgr.jp2", jp2_file(content, 3, 8, 16, channels((0, 0, 3), (1, 0, 2), (2, 0, 1))), rgb)
    # Refused.
    four = codestream_of([*np.moveaxis(rgba, -1, 0)], 8, (1, 1, 1, 1))
    put("cmyk.jp2", jp2_file(four, 4, 8, 12))


def resizes():
    folder = OUT / "resize"
    folder.mkdir(exist_ok=True)
    picture = smooth(13, 21, 3)
    (folder / "picture.ppm").write_bytes(b"P6\n21 13\n255\n" + picture.tobytes())
    for size in (5, 40):
        shape = (size, size)
        results = {
            "stretch_bilinear": tf.image.resize(picture, shape),
            "stretch_nearest": tf.image.resize(picture, shape, method="nearest"),
            "crop_bilinear": keras.preprocessing.image.smart_resize(picture.astype(np.float32), shape),
            "crop_nearest": keras.preprocessing.image.smart_resize(
                picture.astype(np.float32), shape, interpolation="nearest"),
        }
        for name, values in results.items():
            (folder / f"{name}_{size}.f32").write_bytes(np.asarray(values).astype("<f4").tobytes())


def main():
    (OUT / "expected").mkdir(parents=True, exist_ok=True)
    for make in (jpeg, png, webp, gif, tiff, bmp, pnm, jpeg2000, resizes, bmp_headers, tiff_kinds, jpeg2000_kinds):
        make()


if __name__ == "__main__":
    main()
