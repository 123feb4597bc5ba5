"""The `refit` job: fits the winner on all rows of the search, keeps it as a file, and scores the holdout."""

from __future__ import annotations

import contextlib
import os
import warnings
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from hptune.dataset import Rows, take
from hptune.errors import Interrupted
from hptune.job import Job, Outcome
from hptune.model import EstimatorModel
from hptune.models.epochs import trained
from hptune.randomness import seed_for, seeded_globals
from hptune.regular_file import created
from hptune.worker.evaluation import watched
from hptune.worker.failures import failure_of
from hptune.worker.foretold import Foretold
from hptune.worker.inspect import versions
from hptune.worker.kept import CARD, write_card
from hptune.worker.model_contents import strange
from hptune.worker.model_types import is_harmless
from hptune.worker.problem import Problem

_NO_FILE: dict[str, Any] = {"model": None, "format": None, "trusted": [], "reason": ""}
CHECKED_ROWS = 200  # a model file is read back and must predict these rows as the model in memory does


def refit(problem: Problem, job: Job) -> Outcome:
    """Return what became of the winner.

    Options: `values` of the winner; `path`, the folder for its file (None: keep none); `holdout`, whether to score
    it; `baseline`, values to compare it with there; `everything`, whether the file's model is fitted on the holdout
    too, once it is scored. The answer: `model` (file name or None), `format` (skops, joblib
    or None), `trusted` (what to pass to `skops.io.load`), `reason` (why not skops, or why no file), `holdout` (None,
    or score, metrics, rows and the baseline's).
    """
    if not isinstance(problem.model, EstimatorModel):
        reason = f"a {problem.model.key} model has no fitted estimator to keep"
        return Outcome(answer={**_NO_FILE, "reason": reason, "holdout": None})
    options = job.options
    try:
        with watched("refit"):
            fitted = fit_all(problem, options["values"])
            answer: dict[str, Any] = {**_NO_FILE, "holdout": None}
            holdout = problem.dataset.holdout
            if options.get("holdout") and holdout is not None:
                before = _before_the_holdout(problem)
                ours = fitted if before is None else fit_all(problem, options["values"], before)
                answer["holdout"] = {**_scores(problem, ours, holdout), "rows": len(holdout)}
                if options.get("baseline") is not None:
                    baseline = fit_all(problem, options["baseline"], before)
                    answer["holdout"]["baseline"] = _scores(problem, baseline, holdout)
                    answer["holdout"]["gain"] = _resampled(problem, ours, baseline, holdout)
            if options.get("everything") and holdout is not None:  # scored above, or earlier, without these rows
                fitted = fit_all(problem, options["values"], problem.dataset.train.joined(holdout))
            if options.get("path") is not None:
                everything = bool(options.get("everything"))
                answer |= _kept(problem, trained(fitted), Path(options["path"]), job.trial, everything=everything)
    except (KeyboardInterrupt, Interrupted):
        raise
    except BaseException as error:
        return Outcome(failure=failure_of(error))
    return Outcome(answer=answer)


def fit_all(problem: Problem, values: Mapping[str, Any], rows: Rows | None = None) -> Any:
    """Return the estimator of a configuration fitted on `rows`, by default all of the search, never the holdout."""
    seed = seed_for(problem.setup.seed, "refit")
    with seeded_globals(seed):
        return problem.fit(values, problem.dataset.train if rows is None else rows, seed=seed)


def _before_the_holdout(problem: Problem) -> Rows | None:
    """Return the rows that models scored on the holdout are fitted on; None: all of the search.

    What is kept apart in the folds of a time series (`gap`) is kept apart here too; an outer fold has left it out already.
    """
    import numpy as np

    apart = problem.cv.apart if problem.dataset.consecutive and problem.setup.outer is None else 0
    rows = problem.dataset.train
    return rows.take(np.arange(max(len(rows) - apart, 1))) if apart else None


def _scores(problem: Problem, fitted: Any, rows: Rows) -> dict[str, Any]:
    scores = problem.scoring(fitted, rows.X, rows.y)
    return {
        "score": scores[problem.scoring.metric],
        "metrics": {name: scores[name] for name in problem.scoring.also},
    }


def _kept(problem: Problem, fitted: Any, folder: Path, trial: int, *, everything: bool) -> dict[str, Any]:
    """Write the model and its card into the run directory; return what `save` does."""
    rows, holdout = problem.dataset.train, problem.dataset.holdout
    (folder / CARD).unlink(missing_ok=True)  # an earlier winner's must not stand beside this one's model
    saved = save(fitted, folder, rows)
    if saved["model"] is not None:
        write_card(
            folder,
            saved,
            fitted,
            rows,
            trial=trial,
            rows=len(rows) + (len(holdout) if everything and holdout is not None else 0),
            refit="all" if everything else "training",
            task=problem.dataset.task,
            folder=str(Path(problem.setup.folder).resolve()),
            data=dict(problem.setup.data or {}),
            versions=versions(),
        )
    return saved


RESAMPLES = 300


def _resampled(problem: Problem, fitted: Any, baseline: Any, rows: Rows) -> dict[str, Any]:
    """Return score(winner) - score(baseline) on the holdout, and on `RESAMPLES` draws from it with replacement.

    `units` is how many rows, groups or blocks are drawn. Draws on which the metric is not defined (one class only) are
    left out. Each model predicts once.
    """
    import numpy as np

    from hptune.worker.resampling import resampling

    scoring, rng = problem.scoring, np.random.default_rng(seed_for(problem.setup.seed, "holdout", "bootstrap"))
    drawn = resampling(rows, consecutive=problem.dataset.consecutive)
    methods = scoring.methods(scoring.metric)
    ours, theirs = (Foretold(one, rows.X, methods) for one in (fitted, baseline))

    def difference(some: Any) -> float:
        y = take(rows.y, some)
        return float(scoring.main(ours, some, y) - scoring.main(theirs, some, y))

    found: list[float] = []
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for _ in range(RESAMPLES):
            some = drawn.draw(rng)
            with contextlib.suppress(ValueError):
                found.append(difference(some))
    return {"mean": difference(np.arange(len(rows))), "resamples": found, "units": drawn.units}


# -- the file -------------------------------------------------------------------------------------------------------


class _NotKept(Exception):
    """Why a format cannot keep a model."""


def save(fitted: Any, folder: Path, rows: Rows) -> dict[str, Any]:
    """Write the model as `model.skops`, else as `model.joblib`; return `model`, `format`, `trusted` and `reason`.

    A skops file names the types it holds and loads those that the reader trusts, `trusted` among them; a joblib file
    is a pickle, which can run anything. So joblib is for models only that skops cannot keep, or that hold types from
    outside scikit-learn. Raises OSError if the folder cannot be written.
    """
    sample = rows.take(list(range(min(len(rows), CHECKED_ROWS)))).X
    skops, joblib = folder / "model.skops", folder / "model.joblib"
    try:
        trusted = _written(skops, lambda place: _skops(fitted, place, sample))
        joblib.unlink(missing_ok=True)  # an earlier winner's
        return {"model": skops.name, "format": "skops", "trusted": trusted, "reason": ""}
    except _NotKept as error:
        reason = f"not skops: {error}"
    try:
        _written(joblib, lambda place: _joblib(fitted, place))
        skops.unlink(missing_ok=True)
        return {"model": joblib.name, "format": "joblib", "trusted": [], "reason": reason}
    except _NotKept as error:
        return {**_NO_FILE, "reason": f"{reason}; not joblib: {error}"}


def _written(place: Path, write: Callable[[Path], list[str]]) -> list[str]:
    """Write a file whole or not at all and return what `write` returns; raises `_NotKept` saying why it cannot be."""
    temporary = place.with_name(f"{place.name}.{os.getpid()}.tmp")
    try:
        os.close(created(temporary))  # what is written to is this file, not what a link of its name leads to
        found = write(temporary)
        with temporary.open("rb") as file:
            os.fsync(file.fileno())
        temporary.replace(place)
        return found
    except (OSError, _NotKept):
        raise  # a full disk is no property of the model
    except Exception as error:
        said = str(error).strip().splitlines()
        raise _NotKept(f"{type(error).__name__}: {said[0] if said else ''}".rstrip(": ")) from error
    finally:
        temporary.unlink(missing_ok=True)


def _skops(fitted: Any, place: Path, sample: Any) -> list[str]:
    """Write a skops file, read it back, and return the types that its reader has to trust."""
    import numpy as np
    from skops import io

    io.dump(fitted, place)
    types = list(io.get_untrusted_types(file=place))
    foreign = [name for name in types if not is_harmless(name)]
    if foreign:
        more = f" and {len(foreign) - 3} more" if len(foreign) > 3 else ""
        raise _NotKept(f"it would need trust in {', '.join(foreign[:3])}{more}")
    if found := strange(fitted):
        raise _NotKept(found)
    loaded = io.load(place, trusted=types)
    if not np.array_equal(loaded.predict(sample), fitted.predict(sample)):
        raise _NotKept("read back, it predicts otherwise")
    return types


def _joblib(fitted: Any, place: Path) -> list[str]:
    import joblib

    joblib.dump(fitted, place)
    return []
