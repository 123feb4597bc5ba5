"""The executors, by the name that `executor: {type: NAME}` takes."""

from __future__ import annotations

from hptune.executor import ExecutorSpec
from hptune.executors.process import ProcessSpec
from hptune.executors.serial import SerialSpec

EXECUTORS: dict[str, type[ExecutorSpec]] = {"serial": SerialSpec, "process": ProcessSpec}
