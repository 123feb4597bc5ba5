"""Slots and executors whose children run `hostile.Hostile`."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from hostile_kit import HOSTILE, setup_for

from hptune.executors.process import ProcessExecutor
from hptune.slot import Slot


@pytest.fixture(scope="module")
def shared_slot() -> Iterator[Slot]:
    """One slot for a whole file: each test also shows that it has survived the ones before."""
    slot = Slot(setup_for(), service=HOSTILE)
    yield slot
    slot.close(kill=True)


@pytest.fixture
def slot() -> Iterator[Slot]:
    slot = Slot(setup_for(), service=HOSTILE)
    yield slot
    slot.close(kill=True)


@pytest.fixture
def executor() -> Iterator[ProcessExecutor]:
    executor = ProcessExecutor(setup_for(), 2, service=HOSTILE)
    yield executor
    executor.close(kill=True)
