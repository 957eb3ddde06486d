"""The packaged net and photos, once for all tests; visible skips without a registry."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from reflexarc.models import assets
from reflexarc.models.family import Dataset


@pytest.fixture(scope="session")
def asset() -> Path:
    try:
        return assets.fetch("movenet") / "movenet-lightning.json"
    except assets.AssetError as error:
        pytest.skip(f"MoveNet's weights cannot be fetched: {error}")


@pytest.fixture(scope="session")
def model(asset: Path) -> Any:
    from reflexarc.models.movenet.network import build_from

    return build_from(asset)


@pytest.fixture(scope="session")
def data() -> Dataset:
    from reflexarc.models.movenet.photos import load

    try:
        return load()
    except assets.AssetError as error:
        pytest.skip(f"the photos cannot be fetched: {error}")
