"""What several rooms' tests share: real digits, real photos, a small trained model."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[1]
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The evaluation photos; they lie beside the checkout and are never part of it."""
    folder = Path(os.environ.get("REFLEXARC_SHARED_DATA", ROOT.parent / "shared" / "data"))
    if not folder.is_dir():
        pytest.skip(f"no evaluation data at {folder} (set REFLEXARC_SHARED_DATA)")
    return folder


@pytest.fixture(scope="session")
def mnist() -> Any:
    """The real MNIST, 60,000 + 10,000 (fetched once into the user's cache)."""
    from reflexarc.models.mnist import load_mnist

    digits = load_mnist()
    if digits.source.test_size != 10_000:
        pytest.skip(f"the whole MNIST could not be had, only {digits.source.name}")
    return digits
