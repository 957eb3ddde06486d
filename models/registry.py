"""The families by name. A new one is a module with FAMILY and a line here."""

from __future__ import annotations

from reflexarc.core import ReflexarcError
from reflexarc.models import mask, mnist_cnn, transfer
from reflexarc.models.family import Family
from reflexarc.models.movenet import family as movenet
from reflexarc.models.situps import net as situps

FAMILIES: dict[str, Family] = {
    family.name: family
    for family in (mnist_cnn.FAMILY, transfer.FAMILY, mask.FAMILY, movenet.FAMILY, situps.FAMILY)
}


class UnknownFamilyError(ReflexarcError):
    """A name that no family has."""


def family_of(name: str) -> Family:
    """Find a family by its name, or by its Keras model's name (underscores)."""
    try:
        return FAMILIES[name.replace("_", "-")]
    except KeyError:
        raise UnknownFamilyError(
            expected=f"one of the model families {', '.join(FAMILIES)}",
            found=repr(name),
            remedy="train one with `reflexarc train`",
        ) from None
