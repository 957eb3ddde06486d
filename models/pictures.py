"""Photos decoded once: every later epoch and run maps a file of model inputs instead.

Pillow reads them rather than OpenCV: it looks at the size before it decodes, shrinks
large JPEGs while decoding, and says which of alpha, CMYK, palette or 16 bit it has.
"""

from __future__ import annotations

import hashlib
import io
import json
import os
import shutil
import tempfile
import warnings
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import cv2
import numpy as np
import numpy.typing as npt
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from reflexarc.core import ReflexarcError, cache_dir
from reflexarc.perception.card import InputSpec
from reflexarc.perception.fit import fit

if TYPE_CHECKING:
    from PIL import Image

Pixels = npt.NDArray[np.uint8]

SUFFIXES = (".jpg", ".jpeg", ".png", ".bmp", ".gif", ".webp", ".tif", ".tiff")
# Raise it whenever the stored bytes or their order would come out differently.
_VERSION = 2
_CHUNK = 128  # pictures decoded ahead of the writer: bounds memory


class PictureError(ReflexarcError):
    """Pictures that cannot be read or stored."""


@dataclass(frozen=True)
class Entry:
    """One picture of a store.

    Attributes:
        path: relative to the store's folder.
        label: index of its class.
        part: "train", "validation" or "test"; empty until it is assigned.
        height, width: of the upright photo, before it was brought to size.
        sha256: of the file, hexadecimal.
        dhash: 128-bit difference hash of what it shows (`difference_hash`).
    """

    path: str
    label: int
    part: str
    height: int = 0
    width: int = 0
    sha256: str = ""
    dhash: int = 0


@dataclass(frozen=True)
class Store:
    """Decoded pictures.

    Attributes:
        inputs: uint8 np.memmap (n, height, width, channels), sorted by part.
        entries: what each of them is.
        skipped: files that could not be read, and why.
    """

    inputs: Pixels
    entries: tuple[Entry, ...]
    skipped: dict[str, str]


def read(path: Path, *, enough: int | None = None) -> tuple[Pixels, tuple[int, int]]:
    """Read a photo as upright RGB: `decode` of a file."""
    return decode(path.read_bytes(), enough=enough)


def decode(data: bytes, *, enough: int | None = None) -> tuple[Pixels, tuple[int, int]]:
    """Decode a photo as upright RGB.

    EXIF rotation is applied, transparency is laid on white, 16-bit grey is
    scaled to 8 bit, of animations the first picture is taken. More pixels than
    Pillow's limit (89 million) are refused before anything is decoded.

    Args:
        data: the file's bytes.
        enough: JPEGs may come out smaller by a power of two, but not smaller than this.

    Returns:
        uint8 (h, w, 3), and the photo's own (height, width).

    Raises:
        PictureError: not a picture, damaged, or too large.
    """
    from PIL import Image, ImageOps  # of the extra "train": without it, families can be listed

    try:
        with Image.open(io.BytesIO(data)) as picture:
            if picture.width * picture.height > (Image.MAX_IMAGE_PIXELS or 0):
                raise ValueError(f"{picture.width}x{picture.height} pixels are too many")
            size = (picture.height, picture.width)
            if enough and min(size) >= 2 * enough:
                picture.draft("RGB", (enough, enough))
            # Orientations 5 to 8 lie on their side.
            if picture.getexif().get(0x0112, 1) in (5, 6, 7, 8):
                size = size[::-1]
            upright = ImageOps.exif_transpose(picture)
            return _rgb(upright), size
    except Exception as error:  # Pillow's decoders raise whatever a damaged file leads them to
        first = (str(error).strip() or type(error).__name__).splitlines()[0]
        raise PictureError(
            expected="a whole picture",
            found=first.replace(" <_io.BytesIO object", "").split(" at 0x")[0],
            remedy="replace the file or leave it out",
        ) from error


def _rgb(picture: Image.Image) -> Pixels:
    from PIL import Image

    if picture.mode.startswith("I"):  # 16 bits, in Pillow's several ways to hold them
        values = np.asarray(picture).astype(np.int64)
        grey: Pixels = np.clip(values // 257, 0, 255).astype(np.uint8)
        return np.repeat(grey[..., None], 3, axis=2)
    if picture.mode == "F":
        raise ValueError("floating-point pixels without a known range")
    if picture.has_transparency_data:
        over = picture.convert("RGBA")
        picture = Image.alpha_composite(Image.new("RGBA", over.size, "white"), over)
    return np.array(picture.convert("RGB"))


def difference_hash(image: Pixels) -> int:
    """128 bits: is a pixel lighter than the next one, across and down, on a 9x9 thumbnail.

    Resized or recompressed copies differ in few bits (N. Krawetz, "Kind of Like That", 2013).
    """
    grey = cv2.cvtColor(image, cv2.COLOR_RGB2GRAY) if image.ndim == 3 else image
    small = cv2.resize(grey, (9, 9), interpolation=cv2.INTER_AREA)
    across, down = small[:-1, :-1] > small[:-1, 1:], small[:-1, :-1] > small[1:, :-1]
    return int.from_bytes(np.packbits(np.stack([across, down])).tobytes(), "big")


def store(
    folder: Path,
    entries: Sequence[Entry],
    spec: InputSpec,
    assign: Callable[[list[Entry]], list[str]],
    *,
    console: Console | None = None,
) -> Store:
    """Give the decoded pictures, from the cache where the same files were decoded before.

    Args:
        folder: what the entries' paths are relative to.
        entries: the files.
        spec: the input they are fitted to.
        assign: names the part of each picture once its hashes are known.
        console: where progress is drawn; standard error by default.

    Raises:
        PictureError: no room on the disk.
    """
    target = _target(folder, entries, spec)
    if not target.is_dir():
        parent = target.parent
        try:
            _check_room(parent, len(entries), spec)
            # Beside its final place, so that the last step is a rename: whole or not there.
            with tempfile.TemporaryDirectory(prefix=f".{target.name}.", dir=parent) as scratch:
                built = Path(scratch) / "store"
                built.mkdir()
                _build(built, folder, entries, spec, assign, console)
                try:
                    built.rename(target)
                except OSError:
                    if not target.is_dir():  # another process may have been faster
                        raise
        except OSError as error:
            raise PictureError(
                expected=f"room for {len(entries)} pictures in {parent}",
                found=error.strerror or str(error),
                remedy="free some space, or set XDG_CACHE_HOME to a larger disk",
            ) from error
        for old in parent.glob(f"{target.name.rsplit('-', 1)[0]}-*"):
            if old != target:
                shutil.rmtree(old, ignore_errors=True)
    return _open(target, spec)


def _target(folder: Path, entries: Sequence[Entry], spec: InputSpec) -> Path:
    # The place first, then what it holds: a changed folder replaces its own old store.
    what = (spec.width, spec.height, spec.color, spec.fit)
    place = hashlib.sha256(repr((str(folder.resolve()), what)).encode()).hexdigest()[:12]
    files = [(e.path, e.label, e.part, *_facts(folder / e.path)) for e in entries]
    content = hashlib.sha256(repr((_VERSION, files)).encode()).hexdigest()[:16]
    return cache_dir("pictures") / f"{place}-{content}"


def _facts(path: Path) -> tuple[int, int]:
    try:
        about = path.stat()
    except OSError:  # a link to nothing: reading it will say so
        return -1, -1
    return about.st_size, about.st_mtime_ns


def _bytes_each(spec: InputSpec) -> int:
    return spec.width * spec.height * (3 if spec.color == "rgb" else 1)


def _check_room(parent: Path, count: int, spec: InputSpec) -> None:
    needed, free = 2 * count * _bytes_each(spec), shutil.disk_usage(parent).free
    if free < needed:
        raise OSError(28, f"{free / 1e6:.0f} MB free, {needed / 1e6:.0f} MB needed")


def _build(
    built: Path,
    folder: Path,
    entries: Sequence[Entry],
    spec: InputSpec,
    assign: Callable[[list[Entry]], list[str]],
    console: Console | None,
) -> None:
    found: list[Entry] = []
    skipped: dict[str, str] = {}
    scan = built / "scan.u8"
    with scan.open("wb") as out:
        for entry, result in _decoded(folder, entries, spec, console):
            if isinstance(result, str):
                skipped[entry.path] = result
                continue
            image, known = result
            out.write(np.ascontiguousarray(image).tobytes())
            found.append(known)
    parts = assign(found)
    # Each part in one piece: it is mapped, never gathered in memory.
    order = sorted(range(len(found)), key=lambda i: (parts[i], i))
    with scan.open("rb") as source, (built / "inputs.u8").open("wb") as out:
        for i in order:
            source.seek(i * _bytes_each(spec))
            out.write(source.read(_bytes_each(spec)))
    scan.unlink()
    ordered = [asdict(replace(found[i], part=parts[i])) for i in order]
    index = {"entries": ordered, "skipped": skipped}
    (built / "index.json").write_text(json.dumps(index), encoding="utf-8")


def _decoded(
    folder: Path, entries: Sequence[Entry], spec: InputSpec, console: Console | None
) -> Iterator[tuple[Entry, tuple[Pixels, Entry] | str]]:
    def one(entry: Entry) -> tuple[Pixels, Entry] | str:
        try:
            data = (folder / entry.path).read_bytes()
            image, (height, width) = decode(data, enough=2 * max(spec.width, spec.height))
        except PictureError as error:
            return error.found
        except OSError as error:
            return error.strerror or str(error)
        sha256 = hashlib.sha256(data).hexdigest()
        fitted = fit(image, spec)
        hashes = {"sha256": sha256, "dhash": difference_hash(image)}
        return fitted, replace(entry, height=height, width=width, **hashes)  # type: ignore[arg-type]

    progress = Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(compact=True),
        console=console or Console(stderr=True),
        transient=True,
    )
    with (
        warnings.catch_warnings(),  # here, as it is the whole process that they are caught for
        ThreadPoolExecutor(min(4, os.cpu_count() or 1)) as pool,
        progress,
    ):
        warnings.filterwarnings("ignore", module="PIL")  # odd metadata; `decode` checks the size
        bar = progress.add_task(f"decode {folder.name}", total=len(entries))
        for start in range(0, len(entries), _CHUNK):
            chunk = entries[start : start + _CHUNK]
            for entry, result in zip(chunk, pool.map(one, chunk), strict=True):
                progress.advance(bar)
                yield entry, result


def _open(target: Path, spec: InputSpec) -> Store:
    index = json.loads((target / "index.json").read_text(encoding="utf-8"))
    entries = tuple(Entry(**row) for row in index["entries"])
    shape = (len(entries), spec.height, spec.width, 3 if spec.color == "rgb" else 1)
    inputs: Pixels
    if entries:
        inputs = np.memmap(target / "inputs.u8", np.uint8, "r", shape=shape)
    else:
        inputs = np.zeros(shape, np.uint8)
    return Store(inputs, entries, index["skipped"])
