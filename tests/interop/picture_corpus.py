#!/usr/bin/env python3
"""tests/interop/picture_corpus.py: test pictures of well-known projects, as headstart and as Pillow decode them.

    picture_corpus.py gather FOLDER             downloads Debian source packages and PyPI wheels, keeps their pictures
    picture_corpus.py compare DECODER FOLDER    DECODER: build/release/bin/decode_pictures; FOLDER: any folder of files

A picture passes if both agree to 2 of 255 everywhere, or headstart rejects it with a reason. A difference that is not
told is listed, and the exit code is 1. What only one of them reads is counted by reason. Needs numpy and Pillow.
"""

import argparse
import collections
import io
import os
import pathlib
import re
import subprocess
import sys
import tarfile
import warnings
import zipfile

import numpy as np
from PIL import Image, ImageOps

# Sources: what is in their test folders, PngSuite in libpng1.6 and bmpsuite in pillow among it.
DEBIAN = ("gdk-pixbuf giflib golang-golang-x-image graphicsmagick leptonlib libgd2 libjpeg-turbo libpng1.6 libsdl2-image "
          "libwebp openjpeg2 pillow tiff").split()
PYPI = "matplotlib pygame scikit-image".split()
SUFFIXES = set(".png .apng .jpg .jpeg .jpe .jfif .gif .webp .bmp .dib .rle .tif .tiff .btf .jp2 .j2k .jpx .jpc .j2c .ppm .pgm .pbm .pnm"
               .split())
MOST_PIXELS = 50_000_000
TOLERANCE = 2
# Files that Pillow reads otherwise than headstart, and why that is meant.
PILLOW_IS_WRONG = (
    (r"hopper\.Lab\.tif", "Pillow has L*a*b* from a table of littlecms that errs by up to 9"),
    (r"rgb32bf-abgr\.bmp", "an alpha channel of a BMP that is 0 everywhere is ignored here, and makes all white in Pillow"),
    (r"gray-[24](-.*)?-tRNS\.png", "Pillow compares the transparent grey of 2 and 4 bits with samples scaled to 8"),
)


# ---- gathering


def pictures_in(archive):
    """Name and bytes of each member of a .tar.* or .whl that is called as a picture."""
    if zipfile.is_zipfile(archive):
        with zipfile.ZipFile(archive) as members:
            for name in members.namelist():
                if pathlib.PurePath(name).suffix.lower() in SUFFIXES:
                    yield name, members.read(name)
        return
    with tarfile.open(archive) as members:
        for member in members:
            if member.isfile() and pathlib.PurePath(member.name).suffix.lower() in SUFFIXES:
                yield member.name, members.extractfile(member).read()


def keep_pictures(archive, folder):
    count = 0
    for name, content in pictures_in(archive):
        file = folder / pathlib.PurePath(name).as_posix().replace("../", "").lstrip("/")
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content)
        count += 1
    return count


def debian_sources(folder):
    """apt with lists and sources of its own, so that the machine's stay as they are."""
    lists = folder / "lists"
    (lists / "partial").mkdir(parents=True, exist_ok=True)
    (folder / "sources.list").write_text("deb-src http://deb.debian.org/debian bookworm main\n")
    apt = ["apt-get", "-q", "-o", f"Dir::Etc::sourcelist={folder}/sources.list", "-o", "Dir::Etc::sourceparts=/dev/null",
           "-o", f"Dir::State::lists={lists}", "-o", "APT::Sandbox::User="]
    subprocess.run([*apt, "update"], check=True, stdout=subprocess.DEVNULL)
    for package in DEBIAN:
        if (folder.parent / package).exists():
            continue
        subprocess.run([*apt, "source", "--download-only", package], check=False, cwd=folder, stdout=subprocess.DEVNULL)
        yield package, sorted(folder.glob("*.orig*.tar.*"))
        for file in folder.glob("*.*"):
            if file.is_file() and file.name != "sources.list":
                file.unlink()


def pypi_wheels(folder):
    for package in PYPI:
        if (folder.parent / package).exists():
            continue
        into = folder / package
        subprocess.run([sys.executable, "-m", "pip", "download", "-q", "--no-deps", "--only-binary", ":all:", "-d", into, package],
                       check=True)
        yield package, sorted(into.glob("*.whl"))


def gather(folder):
    downloads = folder / ".downloads"
    downloads.mkdir(parents=True, exist_ok=True)
    for sources in (debian_sources, pypi_wheels):
        for package, archives in sources(downloads):
            count = sum(keep_pictures(archive, folder / package) for archive in archives if not archive.name.endswith(".asc"))
            print(f"{package}: {count} files", flush=True)


# ---- comparing


class Decoder:
    """DECODER over many files; it is started anew where it ends, which is a fault of its own."""

    def __init__(self, program):
        self.program = program
        self.process = None

    def decode(self, file):
        """An array [height, width, 3], or the reason of a reject."""
        if self.process is None:
            self.process = subprocess.Popen([self.program], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        self.process.stdin.write(os.fsencode(file) + b"\n")
        self.process.stdin.flush()
        line = self.process.stdout.readline().decode().rstrip("\n")
        if line.startswith("picture "):
            width, height = (int(word) for word in line.split(" ")[1:3])
            pixels = self.process.stdout.read(width * height * 3)
            return np.frombuffer(pixels, np.uint8).reshape(height, width, 3).astype(int)
        if line.startswith("reject "):
            return line[len("reject "):]
        code = self.process.wait()
        self.process = None
        raise RuntimeError(f"the decoder ended with {code}")


def over_white(image):
    colours = np.asarray(image, dtype=int)
    opacity = colours[..., 3:]
    return (2 * (colours[..., :3] * opacity + 255 * (255 - opacity)) + 255) // 510


def pillows(content):
    """Pillow's pixels by headstart's rules: upright, over white, the high byte of 16 bits."""
    with Image.open(io.BytesIO(content)) as image:
        if image.width * image.height > MOST_PIXELS:
            raise ValueError("too large to compare")
        image.load()
        if image.mode.startswith("I"):
            values = np.asarray(ImageOps.exif_transpose(image)).astype(int)
            hidden = values == image.info.get("transparency", -1)
            return np.stack([np.where(hidden, 255, np.clip(values >> 8, 0, 255))] * 3, axis=-1)
        image = ImageOps.exif_transpose(image)
        if image.mode in ("RGBA", "LA", "PA", "RGBa", "La") or "transparency" in image.info:
            return over_white(image.convert("RGBA"))
        return np.asarray(image.convert("RGB")).astype(int)


def format_of(content):
    for magic, name in ((b"\x89PNG", "PNG"), (b"\xff\xd8\xff", "JPEG"), (b"GIF8", "GIF"), (b"BM", "BMP"), (b"II", "TIFF"),
                        (b"MM", "TIFF"), (b"\xff\x4f", "JPEG 2000"), (b"\0\0\0\x0cjP", "JPEG 2000"), (b"P", "PNM")):
        if content.startswith(magic):
            return name
    return "WebP" if content[8:12] == b"WEBP" else "other"


def verdict(ours, content):
    """One of: same, differs, rejected, rejected by both, read by headstart alone; with what is to be said about it."""
    try:
        reference = pillows(content)
    except Exception as error:  # Pillow has many ways to fail
        problem = re.sub(" <.*>", "", f"{type(error).__name__}: {error}".replace("\n", " "))[:100]
        return ("rejected by both", "") if isinstance(ours, str) else ("read by headstart alone", problem)
    if isinstance(ours, str):
        return "rejected", ours
    if ours.shape != reference.shape:
        return "differs", f"{ours.shape[1]} x {ours.shape[0]}, Pillow has {reference.shape[1]} x {reference.shape[0]}"
    difference = np.abs(ours - reference).max(axis=-1)
    if difference.max() <= TOLERANCE:
        return "same", ""
    return "differs", f"by up to {difference.max()} in {np.mean(difference > TOLERANCE):.2%} of its pixels"


def compare(program, folder):
    decoder = Decoder(program)
    counts = collections.defaultdict(collections.Counter)
    reasons = collections.Counter()
    differing = []
    files = sorted(file for file in folder.rglob("*") if file.is_file() and ".downloads" not in file.parts)
    for file in files:
        if "\n" in file.name:
            continue
        content = file.read_bytes()
        what, detail = verdict(decoder.decode(file), content)
        counts[format_of(content)][what] += 1
        known = next((why for pattern, why in PILLOW_IS_WRONG if re.search(pattern, str(file))), None)
        if what == "differs" and known:
            reasons[f"{what}: {format_of(content)}: {known}"] += 1
        elif what == "differs":
            differing.append(f"{file.relative_to(folder)}: {detail}")
        elif detail:
            reasons[f"{what}: {format_of(content)}: {detail}"] += 1
    kinds = ("same", "differs", "rejected", "rejected by both", "read by headstart alone")
    print(f"{'':10}" + "".join(f"{kind:>26}" for kind in kinds))
    for name, found in sorted(counts.items()):
        print(f"{name:10}" + "".join(f"{found[kind]:26}" for kind in kinds))
    for reason, count in sorted(reasons.items()):
        print(f"{count:5}  {reason}")
    for line in differing:
        print(f"DIFFERS {line}")
    return 1 if differing or not files else 0


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("gather").add_argument("folder", type=pathlib.Path)
    comparing = commands.add_parser("compare")
    comparing.add_argument("decoder")
    comparing.add_argument("folder", type=pathlib.Path)
    arguments = parser.parse_args()
    warnings.simplefilter("ignore")
    Image.MAX_IMAGE_PIXELS = None
    if arguments.command == "gather":
        gather(arguments.folder.resolve())
        return 0
    os.dup2(os.open(os.devnull, os.O_WRONLY), 2)  # Pillow's libraries print what they think of each file
    return compare(arguments.decoder, arguments.folder.resolve())


if __name__ == "__main__":
    sys.exit(main())
