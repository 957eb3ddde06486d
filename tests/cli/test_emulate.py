from __future__ import annotations

import json
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from reflexarc.firmware_bridge import Board


@pytest.mark.parametrize("end", [signal.SIGINT, signal.SIGTERM])
def test_an_emulated_board_serves_its_port_until_it_is_ended(
    tmp_path: Path, end: signal.Signals
) -> None:
    link = tmp_path / "board"
    command = [sys.executable, "-m", "reflexarc.cli", "emulate", "--link", str(link), "--json"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        assert json.loads(process.stdout.readline()) == {"port": str(link)}
        with Board.connect(str(link)) as board:
            assert board.hello.protocol_version == 1
            assert board.wait_state().encoder == (0, 0)
        process.send_signal(end)
        assert process.wait(10) == 0
    assert not link.exists() and not link.is_symlink()
