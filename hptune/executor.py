"""What executes jobs: the protocol that the loop knows, and the options that every executor has.

The members are in `executors/`, one file each.
"""

from __future__ import annotations

from concurrent.futures import Future
from typing import TYPE_CHECKING, Annotated, ClassVar, Literal, Protocol

from pydantic import Field

from hptune.job import Job, Outcome, Setup
from hptune.spec import Spec
from hptune.threads import threads_each, usable_cores

if TYPE_CHECKING:
    from hptune.early import Spare


class Executor(Protocol):
    """Runs jobs and answers with futures. What a trial does is in the outcome, never an exception.

    A future's exception is an `ExecutorUnreachable` (no worker can be started) or a bug of hptune. `supports_limits`
    says whether jobs may have a `deadline` or a `memory` cap. `queues` says whether jobs
    beyond `slots()` wait in line, so that a slot that becomes free need not wait for the next.
    """

    name: str
    supports_limits: bool
    queues: bool

    def submit(self, job: Job) -> Future[Outcome]:
        """Queue `job`; raises RuntimeError once the executor is closed."""
        ...

    def slots(self) -> int:
        """Return how many jobs can run at once; with a cluster it may change while running."""
        ...

    def cancel(self, future: Future[Outcome]) -> None:
        """Cancel a queued job (its future is cancelled), or end a running one (its outcome: failure `lost`)."""
        ...

    def close(self, kill: bool = False) -> None:
        """Cancel what is queued, then wait for what is running or, with `kill`, end it now. May be called again."""
        ...


class ExecutorSpec(Spec):
    """The options all executors share; a member adds `type`, its own options, and `open`."""

    supports_limits: ClassVar[bool] = True

    workers: Annotated[int, Field(ge=1)] | Literal["auto"] = "auto"
    """How many trials (or folds) run at once; `auto`: one for each core this process may use."""
    threads_per_worker: Annotated[int, Field(ge=1)] | Literal["auto"] = "auto"
    """BLAS and OpenMP threads inside each worker; `auto`: the cores divided by the workers, at least one, and no more than
    the environment variable OMP_NUM_THREADS where it is set."""
    retries: Annotated[int, Field(ge=0)] = 0
    """How often a crashed trial is tried again (one whose worker was lost gets one attempt more)."""
    order: Literal["strict", "async"] = "strict"
    """`strict`: the same trials whatever the timing. `async`: use each result as it comes, for throughput."""
    lookahead: Annotated[int, Field(ge=1)] | None = None
    """How many of the latest trials count as pending when the next is chosen; default 1 for one worker, else twice
    the workers. More workers than this cannot be kept busy by `strict` order."""

    def slots(self) -> int:
        """Return the number of workers, `auto` resolved on this machine."""
        return usable_cores() if self.workers == "auto" else self.workers

    def threads(self) -> int:
        """Return the number of BLAS and OpenMP threads for each worker, `auto` resolved on this machine."""
        if self.threads_per_worker == "auto":
            return threads_each(self.slots())
        return self.threads_per_worker

    def resolved_lookahead(self) -> int:
        """Return `lookahead`, or its default for the number of workers."""
        if self.lookahead is not None:
            return self.lookahead
        slots = self.slots()
        return 1 if slots == 1 else 2 * slots

    def open(self, setup: Setup, spare: Spare | None = None) -> Executor:
        """Return a running executor for the problem `setup` (whose `threads` are overridden by `threads()`).

        Returns quickly: workers start in the background, unless `spare` has one already. Raises
        `ExecutorUnreachable` when that is known at once.
        """
        raise NotImplementedError(f"{type(self).__name__} has no open()")
