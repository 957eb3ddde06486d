"""Small helpers for the XML that the three robot formats are."""

from __future__ import annotations

import xml.etree.ElementTree as ElementTree
from collections.abc import Iterable
from xml.etree.ElementTree import Element, SubElement

from reflexarc.sim.shapes import Inertia


def number(value: float) -> str:
    """Enough digits to be the same number again for any practical purpose; no "-0"."""
    return f"{value + 0.0:.9g}" if abs(value) > 1e-12 else "0"


def numbers(values: Iterable[float]) -> str:
    """Separated by spaces."""
    return " ".join(number(value) for value in values)


def add(
    parent: Element, tag: str, text: str | float | None = None, **attributes: object
) -> Element:
    """A new last child; floats become text, a trailing underscore is dropped from names."""
    child = SubElement(
        parent,
        tag,
        {
            name.rstrip("_"): number(value) if isinstance(value, float) else str(value)
            for name, value in attributes.items()
        },
    )
    if text is not None:
        child.text = number(text) if isinstance(text, float) else str(text)
    return child


def moments(inertia: Inertia) -> dict[str, float]:
    """The six different entries, by URDF's and SDF's names."""
    m = inertia.matrix
    return {
        "ixx": float(m[0, 0]),
        "ixy": float(m[0, 1]),
        "ixz": float(m[0, 2]),
        "iyy": float(m[1, 1]),
        "iyz": float(m[1, 2]),
        "izz": float(m[2, 2]),
    }


def text_of(root: Element, comment: str) -> str:
    """The whole document, indented, with a comment at its top."""
    ElementTree.indent(root)
    body = ElementTree.tostring(root, encoding="unicode")
    return f'<?xml version="1.0"?>\n<!-- {comment} -->\n{body}\n'
