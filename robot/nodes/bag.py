"""A rosbag2 bag that survives its program: a folder of MCAP and ``metadata.yaml``.

``ros2 bag info``, ``ros2 bag play``, Foxglove and the library rosbags read it. What a killed
program has left has no index; ``python -m reflexarc.robot.nodes.bag FOLDER`` makes a whole
bag of it.
"""

from __future__ import annotations

import argparse
import shutil
import struct
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from mcap.exceptions import McapError
from mcap.records import Channel, Message, Schema
from mcap.stream_reader import StreamReader
from rclpy.qos import QoSProfile
from rosbags.interfaces import (
    Connection,
    Qos,
    QosDurability,
    QosHistory,
    QosLiveliness,
    QosReliability,
    QosTime,
)
from rosbags.rosbag2 import CompressionFormat, CompressionMode, StoragePlugin, Writer
from rosbags.rosbag2.metadata import parse_qos
from rosbags.rosbag2.storage_mcap import McapWriter
from rosbags.typesys import Stores, get_types_from_msg, get_typestore
from zstandard import ZstdError

from reflexarc.core import ReflexarcError, WriteError

_VERSION = 9
"""Of rosbag2's metadata, as ROS 2 Jazzy and later write it."""
# What mcap's reader raises where the file is cut off.
_TORN = (McapError, ValueError, struct.error, KeyError, MemoryError, ZstdError)


class BagError(ReflexarcError):
    """A folder that is no bag, or already one."""


class Bag:
    """Writes a bag. Not to be shared between threads.

    Attributes:
        folder: of the bag.
        messages: how many were written.
    """

    def __init__(self, folder: Path) -> None:
        """Make the folder and begin.

        Raises:
            BagError: something of that name is there.
            WriteError: it cannot be made.
        """
        self.folder = folder
        self.messages = 0
        if folder.exists():
            raise BagError(
                expected=f"a new folder for the recording, not {folder}",
                found="it exists",
                remedy="name another, or remove it",
            )
        self._writer = Writer(folder, version=_VERSION, storage_plugin=StoragePlugin.MCAP)
        self._writer.set_compression(CompressionMode.STORAGE, CompressionFormat.ZSTD)
        try:
            self._writer.open()
        except OSError as error:
            raise _cannot_write(folder, error) from error
        self._is_open = True

    @property
    def size(self) -> int:
        """Bytes that are in the file."""
        return self._storage.bio.tell() if self._is_open else 0

    def topic(
        self, name: str, type_name: str, schema: str, type_hash: str, offered: list[Qos]
    ) -> Connection:
        """Say what the messages of a topic are, once for each.

        Args:
            name: of the topic.
            type_name: as in ``std_msgs/msg/String``.
            schema: the type's definition (``ros2msg``).
            type_hash: RIHS01.
            offered: its publishers' qualities of service.
        """
        return self._writer.add_connection(
            name,
            type_name,
            msgdef=schema,
            rihs01=type_hash,
            offered_qos_profiles=offered,
        )

    def write(self, topic: Connection, at_ns: int, data: bytes) -> None:
        """Add a message (CDR), received at that time.

        Raises:
            WriteError: no room, or the disk is gone.
        """
        try:
            self._writer.write(topic, at_ns, data)
        except OSError as error:
            raise _cannot_write(self.folder, error) from error
        self.messages += 1

    def flush(self) -> None:
        """Everything so far survives the end of this program, even SIGKILL.

        Raises:
            WriteError: no room, or the disk is gone.
        """
        try:
            if self._storage.chunk.bio.tell():
                self._storage.close_chunk()
            self._storage.bio.flush()
        except OSError as error:
            raise _cannot_write(self.folder, error) from error

    def close(self) -> None:
        """Write index and metadata. A bag without a message leaves nothing. Twice is fine.

        Raises:
            WriteError: no room, or the disk is gone; what was flushed can be repaired.
        """
        if not self._is_open:
            return
        self._is_open = False
        try:
            if self.messages:
                self._writer.close()
            else:
                self._writer.abort()
                shutil.rmtree(self.folder)
        except OSError as error:
            self._writer.abort()
            raise _cannot_write(self.folder, error) from error

    @property
    def _storage(self) -> McapWriter:
        storage = self._writer.storage
        assert isinstance(storage, McapWriter)
        return storage


def bag_quality(profile: QoSProfile) -> Qos:
    """A quality of service as a bag states it."""

    def time_of(duration: Any) -> QosTime:
        return QosTime(*divmod(duration.nanoseconds, 1_000_000_000))

    return Qos(
        QosHistory(int(profile.history)),
        profile.depth,
        QosReliability(int(profile.reliability)),
        QosDurability(int(profile.durability)),
        time_of(profile.deadline),
        time_of(profile.lifespan),
        QosLiveliness(int(profile.liveliness)),
        time_of(profile.liveliness_lease_duration),
        profile.avoid_ros_namespace_conventions,
    )


def repair(folder: Path) -> int:
    """Make a whole bag of what a killed recorder has left; in its place, when it is done.

    Returns:
        How many messages there are.

    Raises:
        BagError: it is no bag, or nothing is broken.
        WriteError: no room. What was there is still there.
    """
    parts = sorted(folder.glob("*.mcap"))
    if (folder / "metadata.yaml").exists() or not parts:
        raise BagError(
            expected=f"a bag without metadata.yaml in {folder}",
            found="a whole one" if parts else "no .mcap file",
            remedy="nothing to repair" if parts else "name the folder of a recording",
        )
    scratch = folder.with_name(f"{folder.name}.repaired")
    bag = Bag(scratch)
    try:
        for part in parts:
            _copy(part, bag)
        if not bag.messages:
            raise BagError(
                expected=f"messages in {folder}",
                found="not one that is whole",
                remedy="remove the folder",
            )
        bag.close()
    except ReflexarcError:
        shutil.rmtree(scratch, ignore_errors=True)
        raise
    # The file is named as its folder.
    for made in scratch.iterdir():
        made.replace(folder / made.name.replace(scratch.name, folder.name))
    metadata = folder / "metadata.yaml"
    metadata.write_text(metadata.read_text().replace(scratch.name, folder.name))
    scratch.rmdir()
    return bag.messages


def _copy(part: Path, bag: Bag) -> None:
    schemas: dict[int, Schema] = {}
    channels: dict[int, Connection] = {}
    for record in whole_records(part):
        if isinstance(record, Schema):
            schemas[record.id] = record
        elif isinstance(record, Channel) and record.id not in channels:
            schema = schemas[record.schema_id]
            text = schema.data.decode()
            channels[record.id] = bag.topic(
                record.topic,
                schema.name,
                text,
                _hash(schema.name, text),
                parse_qos(record.metadata.get("offered_qos_profiles", "")),
            )
        elif isinstance(record, Message):
            bag.write(channels[record.channel_id], record.log_time, record.data)


def _hash(type_name: str, schema: str) -> str:
    """The file says it nowhere, and the type need not be installed here."""
    types = get_typestore(Stores.EMPTY)
    types.register(get_types_from_msg(schema, type_name))
    return str(types.hash_rihs01(type_name))


def whole_records(part: Path) -> Iterator[Any]:
    """The records of an MCAP file, up to where it is cut off."""
    with part.open("rb") as stream:
        records = iter(StreamReader(stream).records)
        while True:
            try:
                record = next(records)
            except (StopIteration, *_TORN):
                return
            yield record


def _cannot_write(folder: Path, error: OSError) -> WriteError:
    return WriteError(
        expected=f"to write the recording {folder}",
        found=error.strerror or str(error),
        remedy="free some space or name another folder; what is there already can be had with "
        f"`python -m reflexarc.robot.nodes.bag {folder}`",
    )


def main() -> None:
    """Repair the bag that is named."""
    parser = argparse.ArgumentParser(
        prog="python -m reflexarc.robot.nodes.bag",
        description="Make a whole bag of what a killed recorder has left.",
    )
    parser.add_argument("folder", type=Path, help="of the bag")
    try:
        print(f"{repair(parser.parse_args().folder)} messages")
    except ReflexarcError as error:
        print(error, file=sys.stderr)
        raise SystemExit(1) from error


if __name__ == "__main__":
    main()
