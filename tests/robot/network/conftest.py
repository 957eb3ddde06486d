from __future__ import annotations

import functools

import pytest
from emulated_network import missing


@functools.cache
def _why_not() -> str:
    return missing()


@pytest.fixture(autouse=True)
def needs_a_network() -> None:
    """Skip, with the reason, where there can be no emulated hosts."""
    pytest.importorskip("rclpy")
    if _why_not():
        pytest.skip(_why_not())
