"""The Markdown page about a model file."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import colours
import pytest

from reflexarc.export.contents import read_contents
from reflexarc.export.modelcard import figure, markdown, texts, write_markdown
from reflexarc.models.registry import FAMILIES


def test_every_family_has_its_words() -> None:
    families, pictures = texts()
    assert set(FAMILIES) <= set(families)
    for text in families.values():
        assert len(text.use) > 40 and text.not_for and text.limits and text.data and text.care
        words = " ".join((text.use, text.data, text.care, *text.limits, *text.not_for))
        # Figures come from the files; what stands here is "17 keypoints" and the like.
        assert not re.search(r"\d\s*%|\d\.\d", words)
    assert {"confusion.png", "curve.png", "gradcam.png"} <= set(pictures)


def test_the_page_says_what_the_card_and_the_file_say(colour_files: dict[str, Path]) -> None:
    contents = read_contents(colour_files["int8"])
    page = markdown(contents, colour_files["int8"].parent)
    headings = re.findall(r"^## (.+)$", page, re.MULTILINE)
    assert headings == ["Use", "How right it is", "Data", "Limits", "People", "The file"]
    assert "| Right answers | 87.50 % |" in page
    assert "1.25 px |" in page
    assert "| licence | CC0-1.0 |" in page
    assert "| labels | red, green, blue |" in page
    assert contents.sha256 in page
    assert "| uint8 | 0.00784314 |" in page
    assert texts()[0]["transfer"].use.strip() in page
    assert "\n\n\n" not in page  # tables and lists are set apart by one line


def test_pictures_beside_the_file_are_linked_from_where_the_page_lies(
    colour_files: dict[str, Path], tmp_path: Path
) -> None:
    beside = tmp_path / "my model"
    beside.mkdir()
    path = shutil.copy(colour_files["int8"], beside / "colours.tflite")
    (beside / "confusion.png").write_bytes(b"a picture")
    (beside / "holiday.png").write_bytes(b"no picture of ours")
    contents = read_contents(Path(path))
    for page, link in (
        (beside / "card.md", "confusion.png"),
        (tmp_path / "pages" / "card.md", "../my%20model/confusion.png"),
    ):
        write_markdown(contents, page)
        assert re.findall(r"!\[.+\]\((.+)\)", page.read_text(encoding="utf-8")) == [link]


def test_a_family_of_your_own_gets_a_page_without_our_words(tmp_path: Path) -> None:
    card = colours.CARD.model_copy(update={"name": "my-net", "metrics": {}})
    path = colours.save_keras(colours.net(), card, tmp_path / "mine.keras")
    page = markdown(read_contents(path), tmp_path)
    assert "Nobody has written down what this model is for" in page
    assert "Not measured yet. `reflexarc evaluate mine.keras`" in page
    assert "## Limits" not in page


def test_a_file_without_a_card_gets_a_page_that_says_so(shared_data: Path) -> None:
    source = shared_data / "coral" / "mobilenet_v2_1.0_224_quant.tflite"
    page = markdown(read_contents(source), source.parent)
    assert "carries no card" in page
    assert "36 CONV_2D" in page


@pytest.mark.parametrize(
    ("value", "name", "text"),
    [
        (0.98765, "accuracy", "98.77 %"),
        (1.0, "agreement", "100.00 %"),
        (2.345, "mean_distance_px", "2.35 px"),
        (0.5, "mean_distance_px", "0.50 px"),
        (42, "bodies", "42"),
    ],
)
def test_figures_are_written_for_people(value: float, name: str, text: str) -> None:
    assert figure(value, name) == text
