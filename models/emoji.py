"""A small picture set that a package carries: emoji by group, as class folders.

It lets transfer learning run on a machine that has no photos yet. About 900
drawings of 64 x 64 with transparency, from Twemoji (CC-BY-4.0).
"""

from __future__ import annotations

import json
import tempfile
from pathlib import Path

import cv2
import numpy as np
from rich.console import Console

from reflexarc.core import cache_dir
from reflexarc.models import assets

# Unicode's own groups; the ones whose members look alike across genders and skin
# tones are left out: their near-copies would fall into training and test.
GROUPS = {
    "Animals & Nature": "animals",
    "Flags": "flags",
    "Food & Drink": "food",
    "Smileys & Emotion": "smileys",
    "Travel & Places": "travel",
}
_CELL, _MARGIN = 66, 1  # the sheet: 64 px drawings with a pixel of margin around


def emoji_folder(*, console: Console | None = None) -> Path:
    """Give a folder with one folder of PNG files a group, cutting it out on first use.

    Raises:
        AssetError: the package could not be fetched.
    """
    source = assets.fetch("emoji", console=console)
    folder = cache_dir("pictures") / source.name
    if folder.is_dir():
        return folder
    sheet = cv2.imread(str(source / "64.png"), cv2.IMREAD_UNCHANGED)
    assert sheet is not None  # its hash was checked
    rows = json.loads((source / "emoji.json").read_text(encoding="utf-8"))
    with tempfile.TemporaryDirectory(prefix=".emoji.", dir=folder.parent) as temporary:
        whole = Path(temporary) / "whole"
        for row in rows:
            if row["category"] not in GROUPS or not row["has_img_twitter"]:
                continue
            left, top = (_MARGIN + _CELL * row[f"sheet_{axis}"] for axis in "xy")
            side = _CELL - 2 * _MARGIN
            target = whole / GROUPS[row["category"]] / row["image"]
            target.parent.mkdir(parents=True, exist_ok=True)
            ok, png = cv2.imencode(".png", sheet[top : top + side, left : left + side])
            assert ok
            target.write_bytes(np.asarray(png).tobytes())
        try:
            whole.rename(folder)
        except OSError:
            if not folder.is_dir():  # another process was first
                raise
    return folder
