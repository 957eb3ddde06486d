"""The model card for people: a Markdown page about a model file, written beside it.

Sections after Mitchell et al., "Model Cards for Model Reporting" (2019). Figures
come from the card inside the file, words about use and limits from
``models/cards.yaml``, pictures from what training and testing left beside the file.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from pathlib import Path
from urllib.parse import quote

import yaml

from reflexarc.core import atomic_write
from reflexarc.export.contents import Contents


@dataclass(frozen=True)
class Text:
    """What is to be said about a family in words; `measures` names the card's metrics."""

    use: str
    not_for: tuple[str, ...]
    data: str
    limits: tuple[str, ...]
    care: str
    measures: dict[str, str]


@cache
def texts() -> tuple[dict[str, Text], dict[str, str]]:
    """The words by family, and the captions by a picture's file name."""
    source = files("reflexarc.models").joinpath("cards.yaml").read_text(encoding="utf-8")
    data = yaml.safe_load(source)
    families = {
        name: Text(
            use=entry["use"],
            not_for=tuple(entry["not_for"]),
            data=entry["data"],
            limits=tuple(entry["limits"]),
            care=entry["care"],
            measures={**data["measures"], **entry.get("measures", {})},
        )
        for name, entry in data["families"].items()
    }
    return families, data["pictures"]


def text_of(contents: Contents) -> Text | None:
    """The words about a file's family; None without a card or for a family of your own."""
    return texts()[0].get(contents.card.name) if contents.card else None


def measures_of(contents: Contents) -> dict[str, str]:
    """The card's figures by what they mean, as people read them."""
    if not contents.card:
        return {}
    text = text_of(contents)
    words = text.measures if text else {}
    return {
        words.get(name, name): figure(value, name) for name, value in contents.card.metrics.items()
    }


def pictures_of(contents: Contents, folder: Path) -> list[tuple[str, str]]:
    """Pictures beside the model file: (path relative to `folder`, caption)."""
    beside = contents.path.resolve().parent
    return [
        (os.path.relpath(beside / name, folder.resolve()), caption)
        for name, caption in texts()[1].items()
        if (beside / name).is_file()
    ]


def markdown(contents: Contents, folder: Path) -> str:
    """The page.

    Args:
        contents: what the model file says.
        folder: where the page will lie; its links start there.
    """
    import jinja2

    environment = jinja2.Environment(
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        undefined=jinja2.StrictUndefined,
        autoescape=False,  # Markdown, not HTML
    )
    environment.filters["url"] = quote
    source = files("reflexarc.export").joinpath("modelcard.md.jinja").read_text(encoding="utf-8")
    return environment.from_string(source).render(
        contents=contents,
        card=contents.card,
        text=text_of(contents),
        measures=measures_of(contents),
        pictures=pictures_of(contents, folder),
    )


def write_markdown(contents: Contents, path: Path) -> None:
    """Write the page; it is whole or not there."""
    page = markdown(contents, path.parent)
    with atomic_write(path) as temporary:
        temporary.write_text(page, encoding="utf-8")


def figure(value: float, name: str) -> str:
    """A metric as people read it; the card says that fractions have no ending, pixels "_px"."""
    if name.endswith("_px"):
        return f"{value:.2f} px"
    return f"{100 * value:.2f} %" if 0 <= value <= 1 else f"{value:g}"
