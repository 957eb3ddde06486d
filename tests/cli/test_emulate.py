from __future__ import annotations

import json
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from programs import run_program

from reflexarc.firmware_bridge import Board
from reflexarc.firmware_bridge.protocol.messages import PROTOCOL_VERSION


@pytest.mark.parametrize("end", [signal.SIGINT, signal.SIGTERM])
def test_an_emulated_board_serves_its_port_until_it_is_ended(
    tmp_path: Path, end: signal.Signals
) -> None:
    link = tmp_path / "board"
    command = [sys.executable, "-m", "reflexarc.cli", "emulate", "--link", str(link), "--json"]
    files = {"--eeprom": tmp_path / "eeprom.bin", "--vcd": tmp_path / "board.vcd"}
    command += [word for option, path in files.items() for word in (option, str(path))]
    with run_program(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        assert json.loads(process.stdout.readline()) == {"port": str(link)}
        with Board.connect(str(link)) as board:
            assert board.hello.protocol_version == PROTOCOL_VERSION
            assert board.wait_state().encoder == (0, 0)
            board.save_settings()
        process.send_signal(end)
        assert process.wait(10) == 0
    assert files["--eeprom"].stat().st_size == 1024
    assert "$enddefinitions" in files["--vcd"].read_text()
    assert not link.exists() and not link.is_symlink()
