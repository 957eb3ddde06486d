"""What the tests of the nodes share. A test module begins with importorskip("rclpy")."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from ros_graph import Graph


@pytest.fixture
def graph() -> Iterator[Graph]:
    """A ROS graph of this test's own; see tests/support/ros_graph.py."""
    pytest.importorskip("rclpy")
    from ros_graph import Graph

    with Graph() as graph:
        yield graph
