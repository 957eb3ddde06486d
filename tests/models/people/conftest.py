"""The published graph and our net of it, once for all tests; a visible skip without PyPI."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from reflexarc.models import assets
from reflexarc.models.people import photos
from reflexarc.models.people.network import ASSET, GRAPH, build_from


@pytest.fixture(scope="session")
def graph_file() -> Path:
    try:
        return assets.fetch(ASSET) / GRAPH
    except assets.AssetError as error:
        pytest.skip(f"the pedestrian detector cannot be fetched: {error}")


@pytest.fixture(scope="session")
def published_size(graph_file: Path) -> Any:
    return build_from(graph_file, 300, 300)


@pytest.fixture(scope="session")
def pictures() -> Any:
    """Every second of the photos that the file is measured on."""
    try:
        return photos.test()[::2]
    except assets.AssetError as error:
        pytest.skip(f"the photos cannot be fetched: {error}")
