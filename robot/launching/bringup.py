"""One lifecycle node on its way to active, and back."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Protocol

from reflexarc.robot.launching.backoff import Backoff
from reflexarc.robot.launching.transitions import TransitionsLostError

_FIRST_RETRY_S = 0.25
_LAST_RETRY_S = 2.0
_STEP_TO = {"unconfigured": ("configure", "inactive"), "inactive": ("activate", "active")}
_LINE_S = 0.02
_DOWN_S = 2.0


class Ask(Protocol):
    """What is wanted of `Transitions`."""

    async def state(self, node: str) -> str:
        """A node's state."""

    async def change(self, node: str, transition: str) -> bool | None:
        """Ask for a transition."""


class NodeFinalizedError(Exception):
    """The node has ended itself, though its process has not."""


async def bring_up(
    node: str, ask: Ask, reached: Callable[[str], None], failed: Callable[[str], None]
) -> None:
    """Configure and activate a node, again and again until it is active.

    Args:
        node: its absolute name.
        ask: does the transitions.
        reached: called with each state that it reaches.
        failed: called with each transition that failed.

    Raises:
        NodeFinalizedError: there is nothing left to activate.
        LaunchError: transitions cannot be asked for here.
    """
    backoff = Backoff(_FIRST_RETRY_S, _LAST_RETRY_S)
    state: str | None = None
    while state != "active":
        try:
            if state is None:
                state = await ask.state(node)
                reached(state)
            if state == "finalized":
                raise NodeFinalizedError(node)
            if state not in _STEP_TO:
                continue
            transition, goal = _STEP_TO[state]
            done = await ask.change(node, transition)
        except TransitionsLostError:
            state = None
            continue
        if done:
            state = goal
            backoff.reset()
            reached(state)
            continue
        state = None
        if done is False:
            # What the node says of it comes by another way.
            await asyncio.sleep(_LINE_S)
            failed(transition)
            await asyncio.sleep(backoff.next())


async def bring_down(node: str, ask: Ask, active: bool) -> str | None:
    """Deactivate a node, if it is active, and shut it down.

    Returns:
        The transition that it did not make in time; None: all went well.
    """
    for transition in ("deactivate", "shutdown") if active else ("shutdown",):
        try:
            await asyncio.wait_for(ask.change(node, transition), _DOWN_S)
        except (TimeoutError, asyncio.TimeoutError):
            return transition
        except TransitionsLostError:
            return transition
    return None
