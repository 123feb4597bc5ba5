"""An objective whose odd trials do what they should not; copied into a project with the names of the deeds."""

from __future__ import annotations

import ctypes
import os
import signal
import subprocess
import sys
import threading
import time

DEEDS: list[str] = []


class UnpicklableError(Exception):
    def __init__(self):
        super().__init__("cannot travel")
        self.lock = threading.Lock()


def measure(values):
    if values["i"] % 2:
        return do(DEEDS[values["i"] // 2])
    time.sleep(0.02)
    return float(values["i"])


def stack_overflow():
    """Let C code call itself until its stack is full."""
    compare = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_void_p, ctypes.c_void_p)
    sort = ctypes.CDLL(None).qsort

    def again(a, b):
        sys.setrecursionlimit(10**7)
        sort((ctypes.c_int * 2)(2, 1), 2, 4, compare(again))
        return 0

    return again(0, 0)


def hog():
    blocks = []
    while True:
        blocks.append(b"x" * 20_000_000)
        time.sleep(0.01)


def talk():
    for number in range(200_000):
        print(f"{number:099d}")
    return 0.5


def talk_for_ever():
    while True:
        talk()


def recurse():
    return recurse()


def leave_child():
    if os.fork() == 0:
        time.sleep(600)
        os._exit(0)
    subprocess.Popen(["sleep", "600"], start_new_session=True)
    return 0.5


def leave_thread():
    threading.Thread(target=time.sleep, args=(600,)).start()
    return 0.5


def close_all():
    os.closerange(0, 65536)
    return 0.5


def deaf():
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    time.sleep(600)


def interrupt():
    raise KeyboardInterrupt


def unpicklable():
    raise UnpicklableError


def memory_error():
    import resource

    limit = resource.getrlimit(resource.RLIMIT_AS)
    resource.setrlimit(resource.RLIMIT_AS, (2**30, limit[1]))
    try:
        return float(len(b"x" * 2**34))
    finally:
        resource.setrlimit(resource.RLIMIT_AS, limit)


def do(deed):
    return {
        "segfault": lambda: ctypes.string_at(0),
        "abort": os.abort,
        "stack_overflow": stack_overflow,
        "exit": lambda: os._exit(1),
        "sys_exit": lambda: sys.exit(3),
        "sigkill": lambda: os.kill(os.getpid(), signal.SIGKILL),
        "interrupt": interrupt,
        "sleep": lambda: time.sleep(600),
        "memory_error": memory_error,
        "raise": lambda: 1 / 0,
        "unpicklable": unpicklable,
        "recursion": recurse,
        "nan": lambda: float("nan"),
        "minus_infinity": lambda: float("-inf"),
        "infinity": lambda: float("inf"),
        "none": lambda: None,
        "text": lambda: "abc",
        "complex": lambda: 1 + 2j,
        "numeric_text": lambda: "-123.5",
        "huge": lambda: 10**400,
        "list": lambda: [0.25],
        "true": lambda: True,
        "talk": talk,
        "talk_and_raise": lambda: talk() / 0,
        "talk_for_ever": talk_for_ever,
        "leave_child": leave_child,
        "leave_thread": leave_thread,
        "close_all": close_all,
        "deaf": deaf,
        "hold_interpreter": lambda: float(sum(range(10**13))),
        "stop_itself": lambda: os.kill(os.getpid(), signal.SIGSTOP),
        "kill_guard": lambda: (os.kill(os.getppid(), signal.SIGKILL), time.sleep(600)),
        "hog": hog,
    }[deed]()
