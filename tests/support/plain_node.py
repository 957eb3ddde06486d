"""A managed node that does nothing but what it is told to: for tests of what all nodes share.

`python -m plain_node --ros-args -p how:=...`: "" works; "later" cannot be opened before the
file `path` is there; "bug" has one in `open`; "callback" has one where it listens; "dies" fails
in the background; "clings" hangs at its end as two locks of the middleware's can. Told "hang",
it does so at once.
"""

from __future__ import annotations

import ctypes
from pathlib import Path
from typing import Any, ClassVar

from pydantic import Field

from reflexarc.core import ReflexarcError
from reflexarc.robot.nodes import graph
from reflexarc.robot.nodes.managed import ManagedNode, run
from reflexarc.robot.nodes.parameters import Parameters


class PlainParameters(Parameters):
    """What it can be told."""

    how: str = Field("", description="what goes wrong")
    path: str = Field("", description="of the file that it waits for")
    number: int = Field(3, ge=1, le=9, description="a number")
    share: float = Field(0.5, ge=0.0, le=1.0, description="a share")
    words: list[str] = Field(["a", "b"], description="some words")


class PlainNode(ManagedNode[PlainParameters]):
    """See the module."""

    NAME = "plain"
    PARAMETERS = PlainParameters
    SUBSCRIBES: ClassVar = (graph.ORDERS,)
    PUBLISHES: ClassVar = (graph.REPLIES,)
    _clings = False

    def __init__(self, **keywords: Any) -> None:
        """See `ManagedNode`."""
        super().__init__(**keywords)
        self.failure: BaseException | None = None

    def open(self) -> None:
        """Open what is needed."""
        how = self.settings.how
        if how == "bug":
            raise KeyError("a bug of ours")
        if how == "later" and not Path(self.settings.path).exists():
            raise ReflexarcError(expected="the file", found="none", remedy="make it")
        self._clings = how == "clings"
        self._replies = self.publisher(graph.REPLIES)
        self.listen(graph.ORDERS, self._hear)
        print("opened", self.settings.number, self.settings.share, self.settings.words, flush=True)

    def begin(self) -> None:
        """Work."""
        if self.settings.how == "dies":
            self.failure = ReflexarcError(expected="life", found="death", remedy="start it again")

    def pause(self) -> None:
        """Rest."""
        print("paused", flush=True)

    def close(self) -> None:
        """Let go."""
        print("closed", flush=True)

    def destroy_node(self) -> None:
        """The last that it does."""
        if self._clings:
            _hang()
        super().destroy_node()

    def _hear(self, message: Any) -> None:
        if message.data == "hang":
            _hang()
        if message.data == "refuse":
            raise ReflexarcError(expected="a good order", found="a bad one", remedy="think")
        if message.data == "break":
            raise ZeroDivisionError("a bug of ours")
        self._replies.publish(message)


def _hang() -> None:
    """With Python's lock held: no other thread, and no handler of a signal, has its turn."""
    print("hangs", flush=True)
    while True:
        ctypes.PyDLL(None).sleep(1000)


if __name__ == "__main__":
    run(PlainNode)
