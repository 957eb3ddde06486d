"""What the verbs that bring a robot to life share."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.markup import escape

from reflexarc.cli.output import out, print_line
from reflexarc.core import ReflexarcError, quiet

if TYPE_CHECKING:
    from reflexarc.firmware_bridge import Board
    from reflexarc.perception.cameras import Camera
    from reflexarc.robot.config import RobotConfig
    from reflexarc.robot.planners.base import Planner
    from reflexarc.robot.planners.chain import Chain

DEFAULT = Path("robot.yaml")


def config_of(robot: Path | None) -> RobotConfig:
    """The robot.yaml that is named; the one in this folder; or the default rover."""
    from reflexarc.robot.config import RobotConfig, load_config

    if robot is None and not DEFAULT.exists():
        return RobotConfig()
    return load_config(robot or DEFAULT)


def planner_of(config: RobotConfig, names: list[str] | None = None) -> Chain:
    """The chain of planners; those named go instead of robot.yaml's."""
    from reflexarc.robot.planners.opening import open_chain

    language = config.language
    if names:
        language = language.model_copy(update={"planners": tuple(names)})
    with quiet():
        return open_chain(language)


def one_planner(config: RobotConfig, name: str) -> Planner:
    """One planner by its name, with robot.yaml's options."""
    from reflexarc.robot.planners.opening import open_planner

    options = {"llm": config.language.llm, "local": config.language.local}
    with quiet():
        return open_planner(name, **options.get(name, {}))


def connected(config: RobotConfig, port: str | None) -> Board:
    """The board of robot.yaml, at another port if one is given."""
    from reflexarc.firmware_bridge import Board

    return Board.connect(port or config.board.port, baudrate=config.board.baudrate)


def manual() -> Callable[[str], str | None]:
    """Answers questions from the knowledge base; from nothing where its libraries are missing."""
    from reflexarc.robot import living

    return living.manual()


def camera_of(source: str, config: RobotConfig, fps: float | None = None) -> Camera:
    """Open a camera for a robot: files go at the pace of life.

    Args:
        source: of frames.
        config: its perception.camera are the camera's options.
        fps: of pictures; videos go as they were filmed.
    """
    from reflexarc.robot import looking

    return looking.camera_of(source, config, fps)


def tell(told: dict[str, Any], *, as_json: bool) -> None:
    """One line about a reply or an event, given as plain data."""
    if as_json:
        print_line(told if "event" in told else {"reply": told})
    elif "event" not in told:
        out.print(f"[bold]{escape(told['text'])}[/]", highlight=False)
    else:
        left, right = told["left_m"], told["right_m"]
        wheels = "" if left is None else f" (wheels {left:+.3f}, {right:+.3f} m)"
        out.print(f"{told['event']}: {escape(told['text'])}{wheels}", highlight=False)


def carry_on(answers: Iterator[dict[str, Any]], *, as_json: bool) -> Outcome:
    """Show a reply and the events after it; give what came of it."""
    outcome = Outcome("answer", "refuse", "")
    for told in answers:
        tell(told, as_json=as_json)
        if "event" not in told:
            outcome = Outcome(told["kind"], told["status"], "")
        elif told["event"] == "failed" and told["rule"] is None:
            outcome = replace(outcome, failed=told["text"])
    return outcome


def order(
    ask: Callable[[str], Iterator[dict[str, Any]]], text: str, *, yes: bool, as_json: bool
) -> int:
    """Give an order, confirm it if need be, and see it done.

    Args:
        ask: gives the answers to a sentence, as plain data.
        text: the order.
        yes: confirm without asking.
        as_json: lines for machines.

    Returns:
        0: done or answered; 1: refused, not understood or not confirmed; 2: it failed.
    """
    outcome = carry_on(ask(text), as_json=as_json)
    if outcome.kind == "confirm":
        agreed = yes or (not as_json and confirmed())
        outcome = carry_on(ask("yes" if agreed else "no"), as_json=as_json)
        if not agreed:
            return 1
    return 2 if outcome.failed else 0 if outcome.status == "ok" else 1


@dataclass(frozen=True)
class Outcome:
    """What came of a sentence: the reply's kind, the plan's status, why it failed if it did."""

    kind: str
    status: str
    failed: str


def running_robot(robot: Path | None) -> Path | None:
    """The socket of the robot that runs already: the one of that name, or the only one.

    Raises:
        ControlError: several run, and none was named.
    """
    from reflexarc.robot.control import ControlError, path_of, running

    sockets = running()
    if robot is not None or (len(sockets) > 1 and DEFAULT.exists()):
        mine = path_of(config_of(robot).name)
        return mine if mine in sockets else None
    if len(sockets) > 1:
        raise ControlError(
            expected="one running robot",
            found=", ".join(path.stem for path in sockets),
            remedy="name one with --robot",
        )
    return sockets[0] if sockets else None


def order_remotely(socket: Path, text: str, *, yes: bool, as_json: bool) -> int:
    """Give an order to a robot that runs; as `order`. Ctrl-C meanwhile means stop."""
    from reflexarc.robot.control import ControlClient

    def ask(sentence: str) -> Iterator[dict[str, Any]]:
        for answer in client.ask(say=sentence):
            yield from (answer[name] for name in ("reply", "event") if name in answer)

    with contextlib.closing(ControlClient(socket)) as client:
        try:
            return order(ask, text, yes=yes, as_json=as_json)
        except KeyboardInterrupt:
            with (
                contextlib.suppress(ReflexarcError),
                contextlib.closing(ControlClient(socket, timeout_s=2.0)) as other,
            ):
                list(other.ask(say="stop"))
            raise


def confirmed() -> bool:
    """Ask for a yes at the terminal; no without one."""
    try:
        answer = input("[y/N] ")
    except EOFError:
        return False
    from reflexarc.robot.session import is_yes

    return is_yes(answer)
