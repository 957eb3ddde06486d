"""Cutting the packaged sheet of emoji into class folders."""

from __future__ import annotations

import json
from pathlib import Path

import cv2
import numpy as np
import pytest

from reflexarc.models import emoji


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A sheet of 2 x 2 cells of different colours, and what the package says of them."""
    folder = tmp_path / "emoji-1.0"
    folder.mkdir()
    sheet = np.zeros((132, 132, 4), np.uint8)
    rows = []
    cells = [
        ("Food & Drink", "bread.png", True),
        ("Flags", "flag.png", True),
        ("People & Body", "woman.png", True),  # looks like "man.png": left out
        ("Flags", "other-flag.png", False),  # not drawn by this vendor
    ]
    for i, (category, image, drawn) in enumerate(cells):
        x, y = divmod(i, 2)
        sheet[66 * y + 1 : 66 * y + 65, 66 * x + 1 : 66 * x + 65] = (40 * i, 10, 200, 255)
        rows.append(
            {
                "category": category,
                "image": image,
                "has_img_twitter": drawn,
                "sheet_x": x,
                "sheet_y": y,
            }
        )
    cv2.imwrite(str(folder / "64.png"), sheet)
    (folder / "emoji.json").write_text(json.dumps(rows))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setattr("reflexarc.models.assets.fetch", lambda name, console=None: folder)
    return folder


def test_each_group_is_a_folder_of_whole_drawings(package: Path) -> None:
    folder = emoji.emoji_folder()
    found = {p.relative_to(folder).as_posix() for p in folder.rglob("*.png")}
    assert found == {"food/bread.png", "flags/flag.png"}
    flag = cv2.imread(str(folder / "flags/flag.png"), cv2.IMREAD_UNCHANGED)
    assert flag is not None and flag.shape == (64, 64, 4)
    assert (flag == (40, 10, 200, 255)).all()  # its own cell, without the margin


def test_a_second_call_cuts_nothing(package: Path) -> None:
    folder = emoji.emoji_folder()
    (package / "64.png").unlink()
    assert emoji.emoji_folder() == folder
    assert not [p for p in folder.parent.iterdir() if p.name.startswith(".emoji")]
