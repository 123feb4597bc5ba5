"""What the command line says when something goes wrong, and the exit code that goes with it."""

from __future__ import annotations

import contextlib
import errno
import json
import os
import re
import sys
import traceback
from dataclasses import replace

from hptune.commands._signals import signals
from hptune.commands._streams import stdout
from hptune.errors import ConfigError, FilesExhausted, GateNotMet, HptuneError, Interrupted, Problem
from hptune.report.inert import inert, plain, quoted
from hptune.report.layout import coloured, paint
from hptune.report.wording import spelled

ISSUES = "please report it with the lines above"


class StdoutClosed(Exception):
    """Who reads stdout has gone (`hptune trials DIR | head`, a closed terminal): nothing to say any more, and no fault."""


def mutter(text: str) -> None:
    """Write a line to stderr; if nobody reads it that is no reason to stop."""
    with contextlib.suppress(OSError, ValueError):
        sys.stderr.write(spelled(inert(f"{text}\n"), getattr(sys.stderr, "encoding", None)))
        sys.stderr.flush()


def report_failure(error: BaseException, *, as_json: bool) -> int:
    """Say on stderr what went wrong (and on stdout as JSON if asked); return the exit code."""
    if isinstance(error, StdoutClosed):
        let_stdout_go()
        return signals.exit_code
    code, problem = _judged(error)
    with contextlib.suppress(OSError):
        _say(error, code, problem)
    if as_json and not isinstance(error, GateNotMet):  # of which the result, printed already, has the verdict
        found = {"file": problem.file, "line": problem.line, "key": problem.key or None, "message": problem.message}
        try:
            stdout.stream.write(quoted(json.dumps({"schema_version": 1, "error": found})) + "\n")
            stdout.stream.flush()
        except OSError:
            let_stdout_go()
    return code


def _judged(error: BaseException) -> tuple[int, Problem]:
    """Return the exit code and the problem an exception stands for."""
    if isinstance(error, ConfigError):
        worst = [problem for problem in error.problems if problem.severity == "error"] or list(error.problems)
        return error.exit_code, worst[0] if worst else Problem("", str(error) or "the config cannot be run")
    if isinstance(error, HptuneError):
        return error.exit_code, Problem("", str(error))
    if isinstance(error, Interrupted):
        return signals.exit_code or error.exit_code, Problem("", "interrupted")
    if isinstance(error, KeyboardInterrupt):
        return 130, Problem("", "interrupted")
    if _asks_for_help(error):
        return 2, Problem("", "expected arguments, found none; `--help` lists them")
    usage = getattr(error, "format_message", None)  # typer's own; its base class has moved between versions
    if callable(usage):
        said = " ".join(str(usage()).split())
        meant = _run_meant(said)
        return 2, Problem("", said.partition(" Did you mean")[0] + meant if meant else said)
    if FilesExhausted.tells(error):
        return FilesExhausted.exit_code, Problem("", str(FilesExhausted(error)))
    if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT):
        return 6, Problem("", f"the disk is full: {error}; free some space and run the same command again")
    if isinstance(error, OSError) and error.errno in (errno.EROFS, errno.EIO):
        return 6, Problem(
            "", f"the disk fails: {error}; nothing finished is lost: run the same command when it works"
        )
    return 1, Problem("", f"this is a bug in hptune: {type(error).__name__}: {error}")


def _asks_for_help(error: BaseException) -> bool:
    """Return whether typer wants its help printed, which is the message, as nothing at all was given."""
    return type(error).__name__ == "NoArgsIsHelpError"


def _run_meant(said: str) -> str:
    """Return the mend for a config or a run directory where a verb belongs."""
    found = re.match(r"No such command '([^']+\.ya?ml|[^']*/[^']*)'\.", said)
    return f" Did you mean `hptune run {found[1]}`?" if found else ""


def _say(error: BaseException, code: int, problem: Problem) -> None:
    """Write the failure for people to stderr."""
    err = sys.stderr
    on = coloured(err)
    word = paint("error:", "red", on)
    # A stranger's file may hold half a character.
    message = inert(problem.message.encode(errors="backslashreplace").decode())
    if isinstance(error, ConfigError):
        from hptune.config.render import render
        from hptune.report import annotations

        err.write(inert(render(error.problems).encode(errors="backslashreplace").decode()) + "\n")
        if annotations.wanted():
            workspace = os.environ.get("GITHUB_WORKSPACE")
            told = [replace(one, key=plain(one.key), message=plain(one.message)) for one in error.problems]
            err.write("".join(f"{line}\n" for line in annotations.error_lines(told, workspace)))
    elif _asks_for_help(error):
        err.write(f"{getattr(error, 'message', '')}\n")
    elif code == 1:
        err.write(inert("".join(traceback.format_exception(error))))
        err.write(f"{word} {message}; {ISSUES}\n")
    elif isinstance(error, (KeyboardInterrupt, Interrupted)):
        err.write("interrupted\n")
    else:
        context = getattr(error, "ctx", None)
        usage = "" if context is None else f"\n{context.get_usage()}\nTry `{context.command_path} --help`."
        err.write(f"{word} {message}{usage}\n")
    err.flush()


def let_stdout_go() -> None:
    """Point stdout at nothing, so that the interpreter's last flush does not complain."""
    with contextlib.suppress(OSError, ValueError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), stdout.stream.fileno())
