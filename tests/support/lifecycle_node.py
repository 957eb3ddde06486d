"""A lifecycle node that does what its parameters say; each transition is a line of a file.

It fails to configure until the file `needs` exists, and writes `NAME TRANSITION PID` to
`journal` when a callback begins. Until the file `journal`.free exists, it hangs, fails or
raises in the callback that `hang`, `fail` or `raise` name (configure, activate, deactivate).
With `fatal`, an exception is the end of the node, not of its process.
"""

from __future__ import annotations

import os
import time
from pathlib import Path

import rclpy
from rclpy.executors import ExternalShutdownException
from rclpy.lifecycle import LifecycleNode, LifecycleState, TransitionCallbackReturn

SUCCESS, FAILURE = TransitionCallbackReturn.SUCCESS, TransitionCallbackReturn.FAILURE


class Obedient(LifecycleNode):
    def __init__(self) -> None:
        super().__init__("obedient")
        self.journal = self.declare_parameter("journal", "").value
        self.needs = self.declare_parameter("needs", "").value
        self.hang = self.declare_parameter("hang", "").value
        self.raises = self.declare_parameter("raise", "").value
        self.fail = self.declare_parameter("fail", "").value
        self.fatal = self.declare_parameter("fatal", False).value
        self.declare_parameter("autostart", True)
        self.write("start")

    def write(self, word: str) -> None:
        with Path(self.journal).open("a") as file:
            file.write(f"{self.get_name()} {word} {os.getpid()}\n")

    def begin(self, word: str) -> TransitionCallbackReturn:
        self.write(word)
        free = Path(f"{self.journal}.free")
        while self.hang == word and not free.exists():
            time.sleep(0.05)
        if self.raises == word and not free.exists():
            raise RuntimeError("as told")
        return FAILURE if self.fail == word and not free.exists() else SUCCESS

    def on_configure(self, state: LifecycleState) -> TransitionCallbackReturn:
        done = self.begin("configure")
        if self.needs and not Path(self.needs).exists():
            self.get_logger().error(f"nothing at {self.needs}")
            return FAILURE
        return done

    def on_activate(self, state: LifecycleState) -> TransitionCallbackReturn:
        return self.begin("activate")

    def on_error(self, state: LifecycleState) -> TransitionCallbackReturn:
        return FAILURE if self.fatal else SUCCESS

    def on_deactivate(self, state: LifecycleState) -> TransitionCallbackReturn:
        return self.begin("deactivate")

    def on_shutdown(self, state: LifecycleState) -> TransitionCallbackReturn:
        return self.begin("shutdown")


def main() -> None:
    rclpy.init()
    node = Obedient()
    try:
        rclpy.spin(node)
    except (KeyboardInterrupt, ExternalShutdownException):
        pass
    finally:
        rclpy.try_shutdown()


if __name__ == "__main__":
    main()
