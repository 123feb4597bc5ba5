"""From typer's registrations to the command that understands the arguments: no more of it than they ask for."""

from __future__ import annotations

import copy
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import typer
import typer.main

from hptune.commands._signals import signals


def built(
    app: typer.Typer, parts: Sequence[typer.Typer], arguments: Sequence[str], parsed: Callable[[], None]
) -> Any:
    """Return the app as a command whose own options do without pydantic, which typer loads to coerce even None.

    That keeps `hptune VERB --help` and shell completion as fast as `hptune --help`. `parts` were added to the app. Where
    the arguments begin with a verb, the other verbs are left out: they would take longer to build than what is asked
    for. `parsed` is called once the arguments are understood, before the verb.
    """
    verbs = [verb for one in (app, *parts) for verb in one.registered_commands]
    asked = [verb for verb in verbs if verb.callback is not None and [verb.callback.__name__] == [*arguments[:1]]]
    known = app
    if asked:
        known = copy.copy(app)
        known.registered_commands, known.registered_groups = asked, []
    command = typer.main.get_command(known)
    own = command.get_help_option(typer.Context(command, **command.context_settings))
    for option in (own, *command.params):
        if option is not None and option.default is None:
            option.default = False

    def begun(invoke: Callable[[Any], Any], context: Any) -> Any:
        parsed()
        with signals.interrupting():  # else typer ends it, without a word and without the JSON document
            return invoke(context)

    for verb in command.commands.values():  # type: ignore[attr-defined]
        verb.invoke = partial(begun, verb.invoke)
        verb.no_args_is_help = any(one.required for one in verb.params)  # as of the app itself
    return command
