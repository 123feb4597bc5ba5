"""A service whose jobs do what they should not; `job.values["do"]` names the deed. Runs in children of the tests."""

from __future__ import annotations

import contextlib
import ctypes
import os
import resource
import signal
import subprocess
import sys
import tempfile
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy

from hptune.job import Job, Outcome, Setup
from hptune.trial import Failure, Measurement


class UnpicklableError(Exception):
    def __init__(self) -> None:
        super().__init__("cannot travel")
        self.lock = threading.Lock()


class UnspeakableError(Exception):
    def __str__(self) -> str:
        raise RuntimeError("no words")

    __repr__ = __str__


def sleeping_program(seconds: int = 60, **how) -> int:
    return subprocess.Popen(["sleep", str(seconds)], **how).pid


class Hostile:
    def __init__(self, setup: Setup) -> None:
        self.setup = setup
        deed = setup.model.get("load")
        if deed == "segfault":
            print("about to die", file=sys.stderr, flush=True)
            ctypes.string_at(0)
        if deed == "raise":
            raise FileNotFoundError("train.csv")
        if deed == "sleep":
            time.sleep(60)

    def run(self, job: Job) -> Outcome:
        score = getattr(self, "do_" + job.values.get("do", "good"))(job)
        if isinstance(score, Outcome) or not isinstance(score, float | None):
            return score
        folds = job.folds or (0,)
        return Outcome(measurements=tuple(Measurement(fold, 0.25 if score is None else score) for fold in folds))

    def do_good(self, job):
        return job.values.get("score", 0.25)

    def do_pid(self, job):
        return Outcome(answer={"pid": os.getpid(), "cwd": str(Path.cwd())})

    def do_environment(self, job):
        return Outcome(answer=dict(os.environ))

    def do_failed(self, job):
        return Outcome(failure=Failure("error", "x" * 10, "y" * 50_000))

    # deaths

    def do_segfault(self, job):
        print("last words", flush=True)
        ctypes.string_at(0)

    def do_abort(self, job):
        os.abort()

    def do_exit3(self, job):
        os._exit(3)

    def do_sigkill(self, job):
        os.kill(os.getpid(), signal.SIGKILL)

    def do_kill_guard(self, job):
        os.kill(os.getppid(), signal.SIGKILL)
        time.sleep(60)

    def do_stop_guard(self, job):
        os.kill(os.getppid(), signal.SIGSTOP)
        time.sleep(60)

    def do_die_later(self, job):
        def die() -> None:
            time.sleep(0.05)
            os._exit(3)

        threading.Thread(target=die).start()

    # exceptions

    def do_raise(self, job):
        raise ValueError("two\nlines")

    def do_sysexit(self, job):
        sys.exit(3)

    def do_interrupt(self, job):
        raise KeyboardInterrupt

    def do_unpicklable(self, job):
        raise UnpicklableError

    def do_unspeakable(self, job):
        raise UnspeakableError

    def do_memory_error(self, job):
        raise MemoryError

    def do_recursion(self, job):
        return self.do_recursion(job)

    # answers

    def do_nan(self, job):
        return float("nan")

    def do_not_json(self, job):
        return Outcome(answer={"x": object()})

    def do_nothing(self, job):
        return "abc"

    def do_garbage(self, job):
        for fd in range(3, 2000):
            try:
                os.write(fd, b"\x00\x00\x00\x03abc" * 3)
            except OSError:
                continue

    # time and memory

    def do_sleep(self, job):
        time.sleep(job.values.get("seconds", 60))

    def do_deaf(self, job):
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        time.sleep(60)

    def do_hold_interpreter(self, job):
        return float(sum(range(10**12)))  # one C call that never gives the interpreter lock back

    def do_grandchild(self, job):
        sleeping_program()
        sleeping_program(process_group=0)
        sleeping_program(start_new_session=True)
        Path(job.options["marker"]).write_text("ready")
        time.sleep(60)

    def do_hog(self, job):
        blocks = []
        while True:
            blocks.append(b"x" * 20_000_000)
            time.sleep(0.01)

    def do_hog_below(self, job):
        subprocess.run([sys.executable, "-c", "import time; x = b'x' * 400_000_000; time.sleep(60)"], check=False)

    # leftovers

    def do_print(self, job):
        print("out", job.trial)
        print("err", job.trial, file=sys.stderr)
        os.system(f"echo shell {job.trial}")

    def do_print_much(self, job):
        for number in range(200_000):
            print(f"{number:0100d}")

    def do_leave_programs(self, job):
        pids = [sleeping_program(), sleeping_program(start_new_session=True)]
        pid = os.fork()
        if pid == 0:
            time.sleep(60)
            os._exit(0)
        # An orphan that moved away: only Linux's subreaper knows that it is ours.
        shell = subprocess.run(
            ["sh", "-c", "setsid sleep 60 >/dev/null 2>&1 & echo $!"], capture_output=True, check=True
        )
        return Outcome(answer={"pids": [*pids, pid, int(shell.stdout)]})

    def do_fork_and_return(self, job):
        os.fork()

    def do_leave_thread(self, job):
        threading.Thread(target=time.sleep, args=(60,)).start()

    def do_leave_pool(self, job):
        type(self).pool = ThreadPoolExecutor(2)
        return float(sum(self.pool.map(abs, (-1.0, 2.0))))

    def do_leave_files(self, job):
        kept = type(self).__dict__.get("files", [])
        with contextlib.suppress(OSError):
            while len(kept) < job.values["most"]:
                kept.append(os.open(os.devnull, os.O_RDONLY))
        type(self).files = kept

    def do_meddle(self, job):
        """Change something of the process as a whole, for the next to suffer from."""

        def lower(name, soft):
            which = getattr(resource, f"RLIMIT_{name}")
            resource.setrlimit(which, (soft, resource.getrlimit(which)[1]))

        {
            "virtual timer": lambda: signal.setitimer(signal.ITIMER_VIRTUAL, 0.05),
            "profiling timer": lambda: signal.setitimer(signal.ITIMER_PROF, 0.05),
            "processor seconds": lambda: lower("CPU", int(time.process_time()) + 1),
            "file size": lambda: lower("FSIZE", 1000),
            "memory": lambda: lower("AS", 50_000_000),
            "open files": lambda: lower("NOFILE", 3),
            "children ignored": lambda: signal.signal(signal.SIGCHLD, signal.SIG_IGN),
            "signals blocked": lambda: signal.pthread_sigmask(signal.SIG_BLOCK, range(1, 64)),
            "recursion": lambda: sys.setrecursionlimit(60),
            "numpy": lambda: numpy.seterr(all="raise"),
            "environment": os.environ.clear,
            "file modes": lambda: os.umask(0o777),
        }[job.values["with"]]()

    def do_innocent(self, job):
        """Do what trials do; returns 1 if all is as it should be."""
        until = time.process_time() + (1.2 if job.values.get("long") else 0.1)
        while time.process_time() < until:
            pass
        assert subprocess.run(["sh", "-c", "exit 3"], check=False).returncode == 3
        with tempfile.TemporaryDirectory() as folder:
            written = Path(folder) / "inner" / "file"
            written.parent.mkdir()
            written.write_bytes(bytes(3_000_000))
            assert written.read_bytes() == bytes(3_000_000)
        assert len(bytearray(100_000_000)) == 100_000_000
        assert numpy.exp(numpy.float64(-1e5)) == 0
        assert signal.pthread_sigmask(signal.SIG_BLOCK, ()) == set()

        def deep(n):
            return n and deep(n - 1)

        deep(500)
        return float("PATH" in os.environ)

    def do_close_all(self, job):
        os.closerange(0, 256)

    def do_close_streams(self, job):
        sys.stdout.close()
        sys.stderr.close()
        sys.stdout = None

    def do_chdir(self, job):
        os.chdir("/")
        signal.setitimer(signal.ITIMER_REAL, 0.05)

    def do_interrupt_disposition(self, job):
        code = "import signal; print(int(signal.getsignal(signal.SIGINT) is signal.default_int_handler))"
        done = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True)
        os.kill(os.getpid(), signal.SIGINT)
        return float(done.stdout)

    def do_joblib(self, job):
        import joblib

        pids = joblib.Parallel(n_jobs=2)(joblib.delayed(os.getpid)() for _ in range(4))
        return Outcome(answer={"pids": sorted(set(pids))})

    def do_spool_then_die(self, job):
        # Dies between the spool and the reply: the first thing the child does after it is to point its output away.
        original = os.replace

        def replace_and_die(*args, **kwargs):
            original(*args, **kwargs)
            os._exit(9)

        os.replace = replace_and_die
