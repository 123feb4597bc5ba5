"""Pictures of studies: scores trial by trial, over each numeric parameter, and several studies side by side.

Of every study with two completed trials: `NAME-history` and, where it has numeric parameters, `NAME-parameters`; where
several vary and it can be told, `NAME-importance`. Of two or more with the same metric: `compared`, and
`compared-PARAMETER` for each numeric parameter that they share.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import accumulate
from pathlib import Path
from typing import TYPE_CHECKING

from hptune.analysis.importance import importance_of
from hptune.history import History
from hptune.objective import Objective
from hptune.report import figure_style as style
from hptune.report import wording
from hptune.report.figure_importance import importance_figure
from hptune.report.figure_parts import (
    Window,
    best,
    completed,
    crown,
    default_score,
    is_alone,
    is_log,
    known,
    lower_is_better,
    numeric,
    place,
    places,
    score,
    score_label,
    star,
    train_score,
)
from hptune.space import Int, Parameter

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

MOST_SHARED = 12  # parameters that several studies share; beyond that no one looks at them all


def draw(folders: Sequence[Path], out: Path) -> list[Path]:
    """Draw the figures that go with these run directories into `out`; return the files, SVG and PNG of each.

    Raises `UsageError` where matplotlib is missing, and what reading a journal raises.
    """
    from hptune import journal
    from hptune.replay import replay

    return draw_histories([replay(journal.read(folder, packed=True).events) for folder in folders], out)


def draw_histories(histories: Sequence[History], out: Path) -> list[Path]:
    """Draw the figures that go with these studies into `out`; return the files, SVG and PNG of each."""
    shown = [history for history in histories if history.best is not None]
    files: list[Path] = []
    taken: set[str] = set()
    with style.styled():
        out.mkdir(parents=True, exist_ok=True)

        def keep(figure: Figure, *name: str) -> None:
            files.extend(style.save(figure, out, style.file_name(name, taken)))

        for history in shown:
            if len(completed(history)) > 1:
                keep(_trial_by_trial(history), history.name, "history")
            if len(completed(history)) > 1 and numeric(history):
                keep(_over_parameters(history), history.name, "parameters")
            found = importance_of(history)
            if len(found.parameters) > 1:
                keep(importance_figure(history, found), history.name, "importance")
        for group in _comparable(shown):
            metric = () if len(group) == len(shown) else (wording.metric(group[0].objective),)
            keep(_compared(group), "compared", *metric)
            for name in _shared(group):
                keep(_over_shared(group, name), "compared", name, *metric)
    return files


# -- one study ------------------------------------------------------------------------------------------------------


def _trial_by_trial(history: History) -> Figure:
    """Return the scores trial by trial, with the best so far."""
    trials = completed(history)
    numbers, scores = [trial.number for trial in trials], [score(history, trial) for trial in trials]
    default = default_score(history)
    window = Window(scores, history.objective, kept=known([default]))
    figure, (axes,) = style.panels(1)
    axes.plot(
        numbers, window.clip(scores), "o", color=style.BLUE, alpha=0.75, clip_on=False,
        label=window.note("trial", scores), rasterized=len(trials) > style.MANY,
    )  # fmt: skip
    so_far = list(accumulate(scores, min if lower_is_better(history.objective) else max))
    last = max(len(history.trials) - 1, numbers[-1])
    axes.plot(
        [*numbers, last], window.clip([*so_far, so_far[-1]]), drawstyle="steps-post", color=style.INK,
        label="best so far",
    )  # fmt: skip
    if default is not None:
        text = f"defaults {wording.fixed(default, places(history))}"
        axes.axhline(default, color=style.GREY, linestyle=":", label=text)
    _mark_ends(axes, history)
    star(axes, history, window, f"{crown(history)}: trial {best(history).number}", where=lambda t: t.number)
    axes.set_xlabel("trial")
    axes.set_ylabel(score_label(history))
    axes.set_xlim(-0.02 * last - 0.5, 1.02 * last + 0.5)
    style.number_axis(axes.xaxis, whole=True)
    window.show(axes)
    style.label(figure, f"{history.name}: {wording.metric(history.objective)} trial by trial")
    return figure


def _mark_ends(axes: Axes, history: History) -> None:
    """Mark the trials without a score along the lower edge."""
    for status, mark, words in (("failed", "x", "failed"), ("stopped", "|", "given up early")):
        numbers = [trial.number for trial in history.trials if trial.status == status]
        if numbers:
            axes.plot(
                numbers, [0.015] * len(numbers), mark, color=style.VERMILION, transform=axes.get_xaxis_transform(),
                clip_on=False, label=f"{words} ({len(numbers)})", rasterized=len(numbers) > style.MANY,
            )  # fmt: skip


def _over_parameters(history: History) -> Figure:
    """Return the score over each numeric parameter, with train scores where there are some, the winner marked."""
    parameters, trials = numeric(history), completed(history)
    window = Window(
        [score(history, trial) for trial in trials],
        history.objective,
        kept=known([default_score(history)]),
        others=[train_score(history, trial) for trial in trials],
    )
    columns = 3 if len(parameters) != 4 else 2
    figure, listed = style.panels(len(parameters), columns=columns)
    for index, (axes, parameter) in enumerate(zip(listed, parameters, strict=True)):
        _panel(axes, history, parameter, window)
        if index % columns == 0:
            short = len(parameters) > columns
            axes.set_ylabel(wording.metric(history.objective) if short else score_label(history))
    window.show(listed[0])  # they share the y axis
    over = wording.shorten(parameters[0].name, 40) if len(parameters) == 1 else "each numeric parameter"
    style.label(figure, f"{history.name}: {wording.metric(history.objective)} over {over}")
    return figure


def _panel(axes: Axes, history: History, parameter: Parameter, window: Window) -> None:
    """Draw the scores over one parameter; joined by a line where nothing else varies."""
    alone = is_alone(history)
    line = "-" if alone else ""
    placed = [(x, trial) for trial in completed(history) if (x := place(trial, parameter)) is not None]
    placed.sort(key=lambda pair: pair[0])
    trained = [(x, one) for x, trial in placed if (one := train_score(history, trial)) is not None]
    pixels = len(placed) > style.MANY
    if trained:
        axes.plot(
            [x for x, _ in trained], window.clip([y for _, y in trained]), f"s{line}", color=style.ORANGE,
            markerfacecolor="white", label="training", rasterized=pixels,
        )  # fmt: skip
    # Counted over the whole study, so that all panels share one legend entry.
    words = window.note("validation", [score(history, trial) for trial in completed(history)])
    axes.plot(
        [x for x, _ in placed], window.clip([score(history, trial) for _, trial in placed]), f"o{line}",
        color=style.BLUE, label=words, rasterized=pixels,
    )  # fmt: skip
    found = wording.value(best(history).values.get(parameter.name))
    words = f"{wording.shorten(parameter.name, 30)} = {found}" if alone else f"trial {best(history).number}"
    star(axes, history, window, f"{crown(history)}: {words}", where=lambda trial: place(trial, parameter))
    left_out = sum(parameter.name in t.values and place(t, parameter) is None for t in completed(history))
    note = f"\n({wording.count(left_out, 'trial')} at other values)" if left_out else ""
    axes.set_xlabel(wording.shorten(parameter.name, 34) + note)
    if placed:
        style.number_axis(axes.xaxis, log=is_log(parameter), whole=isinstance(parameter, Int))


# -- several studies ------------------------------------------------------------------------------------------------


def _comparable(histories: Sequence[History]) -> list[list[History]]:
    """Return the studies in groups of the same metric, those that stand alone left out."""
    groups: dict[Objective, list[History]] = {}
    for history in histories:
        groups.setdefault(history.objective, []).append(history)
    return [group for group in groups.values() if len(group) > 1]


def _shared(group: Sequence[History]) -> list[str]:
    """Return the numeric parameters that at least two of the studies have."""
    names = [parameter.name for history in group for parameter in numeric(history)]
    return [name for name in dict.fromkeys(names) if names.count(name) > 1][:MOST_SHARED]


def _named(group: Sequence[History]) -> list[tuple[str, History]]:
    """Return the studies with their names, those that are the same told apart by a number."""
    names = [wording.shorten(history.name, 36) for history in group]
    return [
        (f"{name} ({names[: i + 1].count(name)})" if names.count(name) > 1 else name, history)
        for i, (name, history) in enumerate(zip(names, group, strict=True))
    ]


def _compared(group: Sequence[History]) -> Figure:
    """Return each study's best trial, its train score and its defaults, the best study on top."""
    objective = group[0].objective
    rows = sorted(_named(group), key=lambda row: score(row[1], best(row[1])), reverse=lower_is_better(objective))
    scores = [score(history, best(history)) for _, history in rows]
    trained = [train_score(history, best(history)) for _, history in rows]
    defaults = [default_score(history) for _, history in rows]
    window = Window([*scores, *known(defaults)], objective, kept=scores, others=trained)
    figure, (axes,) = style.panels(1, height=min(1.5 + 0.42 * len(rows), 30))
    for y, (one, other) in enumerate(zip(scores, trained, strict=True)):
        if other is not None:
            axes.plot(window.clip([one, other]), [y, y], color="#BBBBBB", linewidth=2, zorder=1)
    _marks(axes, defaults, window, "|", "validation, defaults", colour=style.INK, size=13)
    _marks(axes, trained, window, "s", "training, best trial", colour=style.ORANGE, hollow=True)
    _marks(axes, scores, window, "o", "validation, best trial", colour=style.BLUE, size=7)
    decimals = wording.decimals(scores)
    for y, one in enumerate(scores):
        text = wording.fixed(one, decimals)
        axes.text(1.01, y, text, transform=axes.get_yaxis_transform(), va="center", color=style.BLUE)
    axes.set_yticks(range(len(rows)), [name for name, _ in rows])
    axes.set_ylim(-0.6, len(rows) - 0.4)
    axes.set_xlim(window.low, window.high)
    axes.set_xlabel(f"{wording.metric(objective)}, {wording.better(objective)}")
    style.number_axis(axes.xaxis)
    style.label(figure, f"{len(rows)} studies compared")
    return figure


def _marks(
    axes: Axes, scores: Sequence[float | None], window: Window, mark: str, words: str, *,
    colour: str, size: float = 6, hollow: bool = False,
) -> None:  # fmt: skip
    """Put a mark on each row that has a score."""
    rows = [(one, y) for y, one in enumerate(scores) if one is not None]
    if rows:
        found = [one for one, _ in rows]
        axes.plot(
            window.clip(found), [y for _, y in rows], mark, color=colour, markersize=size, clip_on=False, zorder=3,
            markerfacecolor="white" if hollow else colour, label=window.note(words, found),
        )  # fmt: skip


def _over_shared(group: Sequence[History], name: str) -> Figure:
    """Return the score over one parameter of several studies, each winner marked."""
    members = [(label, h) for label, h in _named(group) if name in [one.name for one in numeric(h)]]
    scores = [score(history, trial) for _, history in members for trial in completed(history)]
    defaults = known(default_score(history) for _, history in members)
    window = Window(scores, group[0].objective, kept=defaults)
    decimals = max(places(history) for _, history in members)  # the same score must look the same
    figure, (axes,) = style.panels(1)
    for index, (words, history) in enumerate(members):
        colour, mark = style.SERIES[index % len(style.SERIES)]
        _one_of_several(axes, history, history.space[name], window, words, mark, colour, decimals)
    parameters = [history.space[name] for _, history in members]
    whole = all(isinstance(parameter, Int) for parameter in parameters)
    style.number_axis(axes.xaxis, log=all(map(is_log, parameters)), whole=whole)
    axes.set_xlabel(wording.shorten(name, 60))
    axes.set_ylabel(score_label(group[0]))
    window.show(axes)
    style.label(figure, f"{wording.metric(group[0].objective)} over {wording.shorten(name, 40)}, compared")
    return figure


def _one_of_several(
    axes: Axes,
    history: History,
    parameter: Parameter,
    window: Window,
    words: str,
    mark: str,
    colour: str,
    decimals: int,
) -> None:
    """Draw one study's scores over a parameter in its own mark and colour."""
    points = [(x, score(history, t)) for t in completed(history) if (x := place(t, parameter)) is not None]
    points.sort()
    axes.plot(
        [x for x, _ in points], window.clip([y for _, y in points]), mark + ("-" if is_alone(history) else ""),
        color=colour, label=window.note(words, [y for _, y in points]), rasterized=len(points) > style.MANY,
    )  # fmt: skip
    found = wording.value(best(history).values.get(parameter.name))
    text = f"{words}: {crown(history)} {wording.shorten(parameter.name, 30)} = {found}"
    star(axes, history, window, text, where=lambda trial: place(trial, parameter), colour=colour, decimals=decimals)
