"""Runs each job at once in this very process: for debuggers, and for the Python door with its closures."""

from __future__ import annotations

import dataclasses
from concurrent.futures import Future
from typing import TYPE_CHECKING, ClassVar, Literal

from hptune.executor import Executor, ExecutorSpec
from hptune.job import Job, Outcome, Setup
from hptune.owned import fresh, owned

if TYPE_CHECKING:
    from hptune.early import Spare
    from hptune.worker.guarded import Guarded, Worker


class SerialSpec(ExecutorSpec):
    """No isolation: a crash of a trial is a crash of the study, and no limit of time or memory can be kept."""

    supports_limits: ClassVar[bool] = False

    type: Literal["serial"] = "serial"
    """serial: in hptune's own process, one fold after another."""
    workers: Literal[1, "auto"] = "auto"
    """Always one."""

    def slots(self) -> int:
        """Return 1."""
        return 1

    def open(self, setup: Setup, spare: Spare | None = None) -> Executor:
        """Return an executor that loads the problem at its first job."""
        del spare  # there is no worker
        return SerialExecutor(dataclasses.replace(setup, threads=self.threads()))


class SerialExecutor:
    """`submit` returns when the job is done. `worker` takes the place of the service (it needs `run(job)` only)."""

    name = "serial"
    supports_limits = False
    queues = False

    def __init__(self, setup: Setup | None = None, worker: Worker | None = None) -> None:
        if setup is None and worker is None:
            raise ValueError("the serial executor needs a setup or a worker")
        self._setup = setup
        self._worker = worker
        self._guarded: Guarded | None = None
        self._closed = False

    def slots(self) -> int:
        """Return 1."""
        return 1

    def submit(self, job: Job) -> Future[Outcome]:
        """Run `job` and return its future, done; output goes where this process's goes, `job.log` is not written.

        Raises ValueError for a job with a deadline or a memory cap, and lets KeyboardInterrupt through.
        """
        if self._closed:
            raise RuntimeError("the serial executor is closed")
        if job.deadline is not None or job.memory is not None:
            raise ValueError(
                "the serial executor cannot keep a time or memory limit for a trial: it runs in this process. "
                "Use `executor: {type: process}`, or leave out trial_time and trial_memory"
            )
        from hptune import spool_file
        from hptune.worker.guarded import DURABLE_SECONDS, encode, write_spool

        # The study's own values stay as they are whatever a model does with its: in a child they are a copy as well.
        job = dataclasses.replace(job, values=owned(job.values), options=fresh(dict(job.options)))
        done = self._loaded().run(job)
        payload = encode(done)
        if job.spool is not None:
            write_spool(job.spool, spool_file.to_bytes(job, payload), durable=done.seconds >= DURABLE_SECONDS)
        future: Future[Outcome] = Future()
        # Through JSON as with every executor, so that what works here works there.
        future.set_result(dataclasses.replace(_decoded(payload), worker=self.name))
        return future

    def cancel(self, future: Future[Outcome]) -> None:
        """Do nothing: a job is done before its future is known."""

    def close(self, kill: bool = False) -> None:  # noqa: ARG002 - the protocol's
        """Refuse further jobs."""
        self._closed = True

    def _loaded(self) -> Guarded:
        if self._guarded is None:
            from hptune.worker.guarded import Guarded

            self._guarded = Guarded(self._make, interrupts=True)
        return self._guarded

    def _make(self) -> Worker:
        if self._worker is not None:
            return self._worker
        from hptune.spawn import DEFAULT_SERVICE
        from hptune.worker.guarded import load

        assert self._setup is not None
        return load(DEFAULT_SERVICE, self._setup)


def _decoded(payload: bytes) -> Outcome:
    import json

    return Outcome.from_json(json.loads(payload))
