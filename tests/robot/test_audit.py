"""The log that nobody can change unseen, and without which nothing moves."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import textwrap
import threading
from collections.abc import Callable
from pathlib import Path

import pytest
from programs import run_program

from reflexarc.firmware_bridge.emulator import EmulatedBoard
from reflexarc.robot.audit import AuditError, AuditLog, files_of, path_of, read
from reflexarc.robot.body import Wheels
from reflexarc.robot.config import AuditConfig, Geometry, Limits, RobotConfig
from reflexarc.robot.gate import Decision, Gate


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "state" / "audit.jsonl"


def write(path: Path, number: int, **settings: int) -> None:
    log = AuditLog(path, **settings)
    for i in range(number):
        log.append("said", text=f"sentence {i} 你好")
    log.close()


def lines_of(path: Path) -> list[bytes]:
    return path.read_bytes().splitlines(keepends=True)


def test_what_is_written_is_read_in_its_order(path: Path) -> None:
    write(path, 3)
    entries = list(read(path))
    assert [(e.number, e.kind, e.data["text"]) for e in entries] == [
        (i, "said", f"sentence {i} 你好") for i in range(3)
    ]
    assert [entry.line for entry in entries] == [1, 2, 3]


def test_the_chain_goes_on_when_it_is_opened_again(path: Path) -> None:
    write(path, 3)
    write(path, 2)
    assert [entry.number for entry in read(path)] == [0, 1, 2, 3, 4]


def edited(lines: list[bytes]) -> list[bytes]:
    return [lines[0], lines[1].replace(b"sentence 1", b"sentence 7"), *lines[2:]]


def edited_well(lines: list[bytes]) -> list[bytes]:
    """By somebody who knows how a line is made, and makes its own hash anew."""
    import hashlib

    said = lines[1].rpartition(b',"hash":"')[0].replace(b"sentence 1", b"sentence 7")
    forged = said + f',"hash":"{hashlib.sha256(said).hexdigest()}"}}\n'.encode()
    return [lines[0], forged, *lines[2:]]


TAMPERED: dict[str, Callable[[list[bytes]], list[bytes]]] = {
    "an entry that was changed in .*, line 2": edited,
    "does not follow from the one before in .*, line 3": edited_well,
    "an entry that was changed in .*, line 4": lambda ls: [*ls[:3], ls[3].replace(b"3", b"4", 1)],
    "one before in .*, line 2": lambda ls: [ls[0], *ls[2:]],
    "one before in .*, line 3": lambda ls: [*ls[:2], ls[0], *ls[2:]],
    "one before in .*, line 2\n": lambda ls: [ls[0], ls[2], ls[1], ls[3]],
    "one before in .*, line 3\n": lambda ls: [*ls[:2], ls[1], *ls[2:]],
    "half a line in .*, line 4": lambda ls: [*ls[:3], ls[3][:-30]],
    "half a line in .*, line 4\n": lambda ls: [*ls[:3], ls[3][:-1]],
    "changed in .*, line 5": lambda ls: [*ls, b"{}\n"],
    "changed in .*, line 5\n": lambda ls: [*ls, b"\n"],
    "changed in .*, line 1": lambda ls: [b"\xff\xfe\n", *ls],
    "changed in .*, line 1\n": lambda ls: [b"[" * 5000 + b"\n", *ls],
    "first entry that follows": lambda ls: [relabelled(ls[1], 0), *ls[2:]],
}


def relabelled(line: bytes, number: int) -> bytes:
    import hashlib

    said = line.rpartition(b',"hash":"')[0].replace(b'"n":1', f'"n":{number}'.encode())
    return said + f',"hash":"{hashlib.sha256(said).hexdigest()}"}}\n'.encode()


@pytest.mark.parametrize("found", TAMPERED)
def test_every_change_is_found(path: Path, found: str) -> None:
    write(path, 4)
    path.write_bytes(b"".join(TAMPERED[found](lines_of(path))))
    with pytest.raises(AuditError, match=found.strip()):
        list(read(path))


@pytest.mark.parametrize("fields", ['"n":"x"', '"n":[1]', '"n":null', '"m":1'])
def test_entries_of_another_shape_are_no_traceback(path: Path, fields: str) -> None:
    import hashlib

    write(path, 1)
    said = lines_of(path)[0].rpartition(b',"hash":"')[0].replace(b'"n":0', fields.encode())
    path.write_bytes(said + f',"hash":"{hashlib.sha256(said).hexdigest()}"}}\n'.encode())
    with pytest.raises(AuditError, match="no entry"):
        list(read(path))


def test_what_is_before_the_change_is_still_read(path: Path) -> None:
    write(path, 4)
    path.write_bytes(b"".join(edited(lines_of(path))))
    entries = read(path)
    assert next(entries).number == 0
    with pytest.raises(AuditError):
        next(entries)


# ---- rotation


def test_the_chain_goes_on_from_file_to_file_and_old_files_go(path: Path) -> None:
    write(path, 60, max_bytes=2000, kept_files=4)
    files = files_of(path)
    assert len(files) == 4
    assert all(file.stat().st_size <= 2000 for file in files)
    numbers = [entry.number for entry in read(path)]
    assert numbers == list(range(numbers[0], 60))
    assert 0 < numbers[0] < 60
    write(path, 1)
    assert [entry.number for entry in read(path)][-1] == 60


def test_a_change_in_an_older_file_is_found(path: Path) -> None:
    write(path, 60, max_bytes=2000)
    older = files_of(path)[1]
    older.write_bytes(older.read_bytes().replace(b"sentence", b"sentance", 1))
    with pytest.raises(AuditError, match=rf"changed in .*{older.name}, line 1"):
        list(read(path))


def test_a_file_that_is_missing_in_the_middle_is_found(path: Path) -> None:
    write(path, 60, max_bytes=2000)
    files_of(path)[2].unlink()
    with pytest.raises(AuditError, match="does not follow"):
        list(read(path))


def test_cut_off_right_after_a_rotation_it_goes_on(path: Path) -> None:
    write(path, 10, max_bytes=2000)
    path.replace(path.with_name(f"{path.name}.0"))
    path.touch()
    write(path, 3)
    assert [entry.number for entry in read(path)] == list(range(13))


# ---- the end of its writer

KILLED = """
import sys, time
from pathlib import Path
from reflexarc.robot.audit import AuditLog
log = AuditLog(Path(sys.argv[1]))
for i in range(10**9):
    log.append("said", text="x" * 200)
    if i == 50:
        print("go", flush=True)
"""


def test_a_writer_that_is_killed_leaves_whole_lines(path: Path) -> None:
    with run_program([sys.executable, "-c", KILLED, str(path)], stdout=subprocess.PIPE) as writer:
        assert writer.stdout is not None
        writer.stdout.readline()
        writer.send_signal(signal.SIGKILL)
    write(path, 1)
    entries = list(read(path))
    assert len(entries) > 50
    assert entries[-1].number == len(entries) - 1


@pytest.mark.parametrize("rotated", [False, True])
def test_half_a_line_is_moved_aside_and_named(path: Path, rotated: bool) -> None:
    """A power cut. What is before and after it verifies; the broken file is kept."""
    write(path, 10, **({"max_bytes": 1500} if rotated else {}))
    before = [entry.number for entry in read(path)]
    with path.open("ab") as file:
        file.write(b'{"n":10,"time":"2026')
    broken = path.read_bytes()
    log = AuditLog(path, now=lambda: 0.0)
    log.append("said", text="again")
    log.close()
    aside = path.with_name("audit-broken-19700101T000000-0.jsonl")
    assert aside.read_bytes() == broken
    entries = list(read(path))
    begin = next(entry for entry in entries if entry.kind == "begin")
    assert begin.data["after"] == aside.name
    assert "half a line" in begin.data["because"]
    if rotated:  # the chain goes on from the file before the broken one
        assert entries[0].number == before[0]
    else:
        assert begin.number == 0


def test_two_broken_files_at_once_keep_apart(path: Path) -> None:
    write(path, 20, max_bytes=1500)
    for file in files_of(path)[-2:]:
        file.write_bytes(file.read_bytes()[:-5])
    log = AuditLog(path, now=lambda: 0.0)
    log.close()
    assert len(list(path.parent.glob("audit-broken-*"))) == 2
    assert [e.kind for e in read(path)][-2:] == ["begin", "begin"]


def test_two_robots_do_not_write_the_same_log(path: Path) -> None:
    log = AuditLog(path)
    with pytest.raises(AuditError, match=r"only writer .*another robot .*audit.path"):
        AuditLog(path)
    log.close()
    AuditLog(path).close()


def test_each_robot_has_a_log_of_its_own() -> None:
    one, other = (path_of(RobotConfig(name=name)) for name in ("rover", "tea/../maid"))
    assert one != other
    assert one.parent == other.parent
    mine = RobotConfig(audit=AuditConfig(path="/tmp/a.jsonl"))
    assert path_of(mine) == Path("/tmp/a.jsonl")


@pytest.mark.parametrize("what", ["a folder", "below a file"])
def test_a_log_that_cannot_be_opened(tmp_path: Path, what: str) -> None:
    path = tmp_path / "audit.jsonl"
    if what == "a folder":
        path.mkdir()
    else:
        (tmp_path / "file").touch()
        path = tmp_path / "file" / "audit.jsonl"
    with pytest.raises(AuditError, match=r"to write the audit log .*audit.path"):
        AuditLog(path)


def test_no_log_is_an_error_with_a_remedy(path: Path) -> None:
    with pytest.raises(AuditError, match="`reflexarc run` writes one"):
        list(read(path))


# ---- what goes in


def drives(number: int, reason: str = "", *, start: int = 0) -> list[Decision]:
    return [
        Decision(i * 10_000_000, "drive", Wheels(0.4, 0.4), Wheels(i / 100, 0.1), reason)
        for i in range(start, start + number)
    ]


def test_commands_in_a_row_are_the_first_and_a_sum(path: Path) -> None:
    log = AuditLog(path)
    for decision in [*drives(40), Decision(1, "stop", None, None, "button")]:
        log.decision(decision)
    log.close()
    first, rest, stop = read(path)
    assert first.data["applied"] == {"left": 0.0, "right": 0.1}
    assert (rest.data["count"], rest.data["highest"]["left"]) == (39, 0.39)
    assert rest.data["lowest"] == {"left": 0.01, "right": 0.1}
    assert (stop.kind, stop.data["reason"]) == ("stop", "button")


def test_a_movement_is_on_disk_when_it_begins(path: Path) -> None:
    log = AuditLog(path)
    log.decision(drives(1)[0])
    assert [entry.kind for entry in read(path)] == ["drive"]
    log.close()
    assert [entry.kind for entry in read(path)] == ["drive"]


def test_another_reason_and_each_second_begin_a_new_line(path: Path) -> None:
    log = AuditLog(path)
    for decision in [*drives(3), *drives(250, "speed limit", start=3)]:
        log.decision(decision)
    log.close()
    said = [(e.data.get("reason"), e.data.get("count")) for e in read(path)]
    assert said[:2] == [(None, None), (None, 2)]
    assert said[2:] == [("speed limit", None), ("speed limit", 100)] * 2 + [
        ("speed limit", None),
        ("speed limit", 47),
    ]


def test_numbers_that_are_none_and_text_that_is_none_are_written_too(path: Path) -> None:
    log = AuditLog(path)
    log.decision(Decision(0, "drive", Wheels(float("nan"), float("inf")), Wheels(0, 0), "x"))
    log.append("plan", said="\ud800 \x00 \n \U0001f600")
    log.close()
    drive, plan = read(path)
    assert drive.data["asked"] == {"left": "nan", "right": "inf"}
    assert plan.data["said"] == "\ud800 \x00 \n \U0001f600"


def test_many_threads_may_write(path: Path) -> None:
    log = AuditLog(path, max_bytes=50_000, kept_files=1000)

    def work(who: int) -> None:
        for i in range(100):
            log.append("said", who=who, i=i)
            log.decision(drives(1, start=i)[0])

    threads = [threading.Thread(target=work, args=(who,)) for who in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    log.close()
    log.close()
    entries = list(read(path))
    assert [entry.number for entry in entries] == list(range(len(entries)))
    for who in range(6):
        mine = [e.data["i"] for e in entries if e.data.get("who") == who]
        assert mine == list(range(100))


# ---- a full disk

FULL = """
import resource, sys
from pathlib import Path
from reflexarc.robot.audit import AuditError, AuditLog
path = Path(sys.argv[1])
resource.setrlimit(resource.RLIMIT_FSIZE, (1500, 1500))
log = AuditLog(path)
try:
    for i in range(1000):
        log.append("said", text=f"sentence {i}")
except AuditError as error:
    print(i, error)
log.close()
"""


def test_a_full_disk_is_an_error_and_breaks_nothing(path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", FULL, str(path)], capture_output=True, text=True, check=True
    )
    number, _, message = done.stdout.partition(" ")
    assert "room for the audit log" in message
    assert "nothing moves without the log" in message
    assert len(list(read(path))) == int(number)
    write(path, 1)
    assert len(list(read(path))) == int(number) + 1


FULL_ROBOT = textwrap.dedent("""
    import resource, sys, time
    from pathlib import Path
    from reflexarc.firmware_bridge import Board
    from reflexarc.robot.actions import Move
    from reflexarc.robot.audit import AuditError, AuditLog
    from reflexarc.robot.config import RobotConfig
    from reflexarc.robot.robot import Robot
    from reflexarc.robot.plan import Plan
    resource.setrlimit(resource.RLIMIT_FSIZE, (2500, 2500))
    with Board.connect(sys.argv[2]) as board:
        try:
            with Robot(RobotConfig(), board, audit=AuditLog(Path(sys.argv[1]))) as robot:
                robot.controller.order(Plan(status="ok", actions=(Move(distance_m=5),)))
                while True:
                    time.sleep(0.01)
                    robot.check()
        except AuditError as error:
            print(board.wait_state().motors_on, error, flush=True)
            time.sleep(30)
""")


def test_a_robot_whose_log_is_full_stops(path: Path, emulator: EmulatedBoard) -> None:
    with run_program(
        [sys.executable, "-c", FULL_ROBOT, str(path), emulator.port],
        stdout=subprocess.PIPE,
        text=True,
    ) as robot:
        assert robot.stdout is not None
        said = robot.stdout.readline()
        stopped = emulator.status()
        robot.kill()
    assert said.startswith("False expected room for the audit log")
    assert stopped.duty == (0, 0)
    assert stopped.encoder[0] > 0  # it was on its way
    kinds = [json.loads(line)["kind"] for line in lines_of(path)]
    assert "drive" in kinds


def test_a_gate_tells_the_log_everything(path: Path) -> None:
    class Nothing:
        def drive(self, left: int, right: int) -> tuple[int, int]:
            return left, right

        def stop(self) -> None: ...

        def set_servos(self, angles: object) -> dict[str, float]:
            return {}

        def set_light(self, color: str) -> None: ...

    log = AuditLog(path)
    gate = Gate(Nothing(), Limits(), Geometry(), log.decision)
    gate.arm(0)
    gate.drive(Wheels(9, 9), 0)
    gate.light("red", 0)
    gate.stop("button", 0)
    log.close()
    assert [(e.kind, e.data.get("reason", "")) for e in read(path)] == [
        ("arm", ""),
        ("drive", "speed limit"),
        ("light", ""),
        ("stop", "button"),
    ]
