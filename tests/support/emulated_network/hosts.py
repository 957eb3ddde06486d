"""Machines of one network, as Linux namespaces: own network, shared memory, processes, name.

Nothing has a name outside of its processes: when a host's first process ends, and it ends
with the test's, the kernel takes the host, its processes and its devices away.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from emulated_network import link

_HERE = Path(__file__).parent
_NET = "10.77.0"
_END_S = 10.0
_KINDS = ("--net", "--mount", "--uts", "--ipc", "--pid")
_FIRST_PROCESS = ("--fork", "--kill-child", "--mount-proc")
_ENDS_WITH_US = ("setpriv", "--pdeathsig", "KILL")
# Two hosts must not meet in shared memory, as two machines do not.
_BOOT = "mount -t tmpfs shm /dev/shm && ip link set lo up && echo up && exec sleep infinity"


def missing() -> str:
    """Why there can be no hosts here; empty: there can."""
    if os.geteuid() != 0:
        return "network namespaces need root"
    if not Path("/dev/net/tun").exists():
        return "no /dev/net/tun"
    for tool in ("unshare", "nsenter", "setpriv", "ip"):
        if shutil.which(tool) is None:
            return f"no command {tool} (util-linux, iproute2)"
    probe = subprocess.run(
        ["unshare", "--net", "--mount", "--pid", "--fork", "ip", "link", "set", "lo", "up"],
        capture_output=True,
        text=True,
    )
    return f"no namespaces: {probe.stderr.strip()}" if probe.returncode else ""


class Program:
    """A program on a host: what it writes, and its end."""

    def __init__(self, command: Sequence[str], environment: Mapping[str, str]) -> None:
        self._output = tempfile.TemporaryFile()  # noqa: SIM115
        self._process = subprocess.Popen(
            command,
            env=environment,
            stdin=subprocess.PIPE,
            stdout=self._output,
            stderr=subprocess.STDOUT,
        )

    @property
    def text(self) -> str:
        """All it has written so far."""
        return os.pread(self._output.fileno(), 1 << 24, 0).decode(errors="replace")

    def say(self, line: str) -> None:
        """Write a line to its standard input."""
        assert self._process.stdin is not None
        self._process.stdin.write(line.encode() + b"\n")
        self._process.stdin.flush()

    @property
    def runs(self) -> bool:
        """Has it not ended yet?"""
        return self._process.poll() is None

    def wait(self, timeout_s: float) -> str:
        """Until it ends; gives what it has written."""
        self._process.wait(timeout_s)
        return self.text

    def kill(self) -> None:
        """At once, without a word, as the kernel does when memory is short."""
        self._process.kill()
        self._process.wait(_END_S)

    def close(self) -> None:
        """To be called after the end of its host."""
        self._process.wait(_END_S)
        assert self._process.stdin is not None
        self._process.stdin.close()
        self._output.close()


class Host:
    """A machine. Its files are ours, so its programs find this checkout and its interpreter.

    Args:
        name: of the machine.
        number: its address is 10.77.0.NUMBER.
        monotonic_s: its monotonic clock is that far ahead; between machines it has no
            relation at all.
    """

    def __init__(self, name: str, number: int, monotonic_s: int = 0) -> None:
        self.name = name
        self.address = f"{_NET}.{number}"
        clock = ["--time", f"--monotonic={monotonic_s}"] if monotonic_s else []
        self._boot = subprocess.Popen(
            [*_ENDS_WITH_US, "unshare", *clock, *_KINDS, *_FIRST_PROCESS, "sh", "-c", _BOOT],
            stdout=subprocess.PIPE,
        )
        assert self._boot.stdout is not None
        self._programs: list[Program] = []
        if self._boot.stdout.readline() != b"up\n":
            self.close()
            raise RuntimeError(f"host {name} does not come up")
        children = Path(f"/proc/{self._boot.pid}/task/{self._boot.pid}/children").read_text()
        self.pid = int(children.split()[0])

    def plug_in(self) -> None:
        """Give the network device its address; the segment has made it."""
        steps = (
            f"hostname {self.name}",
            f"ip address add {self.address}/24 dev {link.TAP}",
            f"ip link set {link.TAP} up",
            f"ip route add default dev {link.TAP}",
        )
        subprocess.run([*self._enter(), "sh", "-ec", "; ".join(steps)], check=True)

    def start(
        self, command: Sequence[str], environment: Mapping[str, str] | None = None
    ) -> Program:
        """Start a program here; it ends with this process or with the host."""
        program = Program(
            [*self._enter(), *_ENDS_WITH_US, *command], {**os.environ, **(environment or {})}
        )
        self._programs.append(program)
        return program

    def _enter(self) -> list[str]:
        return [*_ENDS_WITH_US, "nsenter", f"--target={self.pid}", *_KINDS, "--time"]

    def close(self) -> None:
        """Pull the mains plug: every program here is gone, and the host with it."""
        self._boot.kill()
        self._boot.wait(_END_S)
        assert self._boot.stdout is not None
        self._boot.stdout.close()
        for program in self._programs:
            program.close()


class Network:
    """The segment between running hosts: see `link` for what its commands do."""

    def __init__(self, hosts: Sequence[Host], delay_ms: float, loss: float, seed: int) -> None:
        self._process = subprocess.Popen(
            [sys.executable, str(_HERE / "link.py")]
            + [f"--delay-ms={delay_ms}", f"--loss={loss}", f"--seed={seed}"]
            + [f"{host.name}={host.pid}" for host in hosts],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        if not self._answer():
            raise RuntimeError("the network segment does not start")
        for host in hosts:
            host.plug_in()

    def cut(self, host: Host) -> float:
        """Pull its network cable; gives the monotonic time, s."""
        return float(self._ask(f"cut {host.name}")["at"])

    def restore(self, host: Host) -> float:
        """Put it back."""
        return float(self._ask(f"restore {host.name}")["at"])

    def stall(self, host: Host) -> float:
        """Hold back all that comes and goes, as a full queue does; `flow` lets it through."""
        return float(self._ask(f"stall {host.name}")["at"])

    def flow(self, host: Host) -> float:
        """All that was held back arrives at once."""
        return float(self._ask(f"flow {host.name}")["at"])

    def change(self, *, delay_ms: float, loss: float) -> None:
        """From now on."""
        self._ask(f"delay {delay_ms}")
        self._ask(f"loss {loss}")

    @property
    def counts(self) -> tuple[int, int]:
        """Frames carried and lost so far."""
        answer = self._ask("counts")
        return int(answer["carried"]), int(answer["lost"])

    def _ask(self, line: str) -> dict[str, Any]:
        assert self._process.stdin is not None
        self._process.stdin.write(line + "\n")
        self._process.stdin.flush()
        answer = self._answer()
        if "at" not in answer:
            raise RuntimeError(f"{line}: {answer or 'the network segment is gone'}")
        return answer

    def _answer(self) -> dict[str, Any]:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        answer: dict[str, Any] = json.loads(line) if line else {}
        return answer

    def close(self) -> None:
        """Take the segment away."""
        for pipe in (self._process.stdin, self._process.stdout):
            assert pipe is not None
            pipe.close()
        self._process.wait(_END_S)


@contextlib.contextmanager
def network(
    *names: str,
    delay_ms: float = 50.0,
    loss: float = 0.01,
    seed: int = 1,
    monotonic_s: int = 0,
) -> Iterator[tuple[Network, list[Host]]]:
    """Hosts with these names on one segment; everything in them ends with the block.

    Args:
        delay_ms: of each way.
        loss: of each frame, each way, 0..1.
        seed: of the losses.
        monotonic_s: by how much the clock of each host is ahead of the one before it.
    """
    with contextlib.ExitStack() as stack:
        hosts = []
        for number, name in enumerate(names):
            host = Host(name, number + 1, monotonic_s * number)
            stack.callback(host.close)
            hosts.append(host)
        segment = Network(hosts, delay_ms, loss, seed)
        stack.callback(segment.close)
        yield segment, hosts
