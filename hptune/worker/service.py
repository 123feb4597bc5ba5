"""`Service`: the one thing a worker process holds. It knows the problem and does the jobs."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import asdict
from typing import Any

from hptune.collecting import no_collecting
from hptune.errors import Interrupted
from hptune.job import Job, Outcome, Setup
from hptune.models import makes_estimators
from hptune.threads import told_by_environment
from hptune.worker.problem import Problem


class Service:
    """Does jobs of one problem; data and model are loaded at the first that needs them, and kept."""

    def __init__(self, setup: Setup) -> None:
        self.setup = setup
        self.problem = Problem(setup)
        self._fits: Any = None
        self._controller: Any = None
        self._told: bool | None = None
        if makes_estimators(setup.model):
            with no_collecting():
                import sklearn.base  # noqa: F401 - most of the seconds that a worker needs; here no trial pays for them

    def run(self, job: Job) -> Outcome:
        """Return what became of a job; faults of the user's config, data or code are failures or findings in it."""
        from hptune.worker.failures import failure_of

        try:
            with self._threads():
                match job.kind:
                    case "inspect":
                        from hptune.worker.evaluation import watched
                        from hptune.worker.inspect import inspect

                        with watched("inspection"):
                            found = inspect(
                                self.problem,
                                probe_fits=job.options.get("probe", True),
                                probed=job.options.get("probed"),
                            )
                            return Outcome(answer=found.to_json())
                    case "probe":
                        return Outcome(answer={"findings": self._probe(job)})
                    case "refit":
                        self.problem.must_hold(job.data)
                        from hptune.worker.refit import refit

                        return refit(self.problem, job)
                    case "evaluate":
                        self.problem.must_hold(job.data)
                        from hptune.worker.evaluation import evaluate

                        return evaluate(self.problem, job)
            raise ValueError(f"job kind: expected inspect, probe, evaluate or refit, found {job.kind!r}")
        except (KeyboardInterrupt, Interrupted):
            raise
        except BaseException as error:
            return Outcome(failure=failure_of(error))

    def _probe(self, job: Job) -> list[dict[str, Any]]:
        """Return the findings about the range of one parameter of the space to search."""
        from hptune.space import SearchSpace
        from hptune.worker.evaluation import watched
        from hptune.worker.probe_fits import ProbeFits
        from hptune.worker.ranges import check_range

        with watched("probe"):
            if self._fits is None:  # kept: the ranges share their defaults
                self._fits = ProbeFits(self.problem)
            space = SearchSpace.from_json(job.options["space"])
            return [asdict(one) for one in check_range(self._fits, space, job.options["range"])]

    @contextlib.contextmanager
    def _threads(self) -> Iterator[None]:
        """Keep BLAS and OpenMP to `setup.threads` threads: two fits that take all cores each slow down twentyfold.

        The environment variables that a child is started with do the same before the libraries are loaded; this is
        for the serial executor, and for user code that set the variables to something else.
        """
        if self._told is None:
            self._told = told_by_environment(self.setup.threads)
        if self._told:
            yield
            return
        from threadpoolctl import ThreadpoolController

        # Finding the loaded libraries takes 10 ms; those that a fit loads later read the environment variables.
        if self._controller is None:
            self._controller = ThreadpoolController()
        with self._controller.limit(limits=self.setup.threads):
            yield
