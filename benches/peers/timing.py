"""One timed child process, and how busy the machine was beside it."""

import os
import subprocess
import time
from dataclasses import dataclass

# A run is calm if other processes used less than this many cores on average.
CALM = 0.2
TICKS = os.sysconf("SC_CLK_TCK")


class Failed(Exception):
    """A measured program did not do its work."""


@dataclass
class Timing:
    wall: float = 0.0  # seconds
    cpu: float = 0.0  # seconds, user and system, of the process and all it waited for
    memory: int = 0  # bytes, the largest resident set of one process
    other: float = 0.0  # cores in use by other processes, average over the run

    def then(self, after):
        """This run followed by another."""
        wall = self.wall + after.wall
        other = (self.other * self.wall + after.other * after.wall) / wall if wall else 0.0
        return Timing(wall, self.cpu + after.cpu, max(self.memory, after.memory), other)


def busy():
    """Seconds of CPU used by anyone since the machine started."""
    with open("/proc/stat") as file:
        user, nice, system, _idle, _wait, irq, softirq, steal = map(int, file.readline().split()[1:9])
    return (user + nice + system + irq + softirq + steal) / TICKS


def run(arguments, *, cwd=None, stdin=None, stdout=None, environment=None, allow=(0,)):
    """Runs a program to its end and measures it; raises `Failed` on an exit code not allowed."""
    environment = {**os.environ, **(environment or {})}
    stdin_file = open(stdin, "rb") if stdin else subprocess.DEVNULL
    stdout_file = open(stdout, "wb") if stdout else subprocess.DEVNULL
    try:
        busy_before, before = busy(), time.perf_counter()
        child = subprocess.Popen(
            [str(argument) for argument in arguments],
            cwd=cwd,
            stdin=stdin_file,
            stdout=stdout_file,
            stderr=subprocess.PIPE,
            env=environment,
        )
        errors = child.stderr.read()
        _, status, usage = os.wait4(child.pid, 0)
        wall = time.perf_counter() - before
        child.returncode = os.waitstatus_to_exitcode(status)
    finally:
        for file in (stdin_file, stdout_file):
            if file is not subprocess.DEVNULL:
                file.close()
    if child.returncode not in allow:
        told = errors.decode(errors="replace").strip()[-500:]
        raise Failed(f"{arguments[0]} {arguments[1]}: exit code {child.returncode}: {told}")
    cpu = usage.ru_utime + usage.ru_stime
    other = max(0.0, busy() - busy_before - cpu) / max(wall, 1 / TICKS)
    return Timing(wall, cpu, usage.ru_maxrss * 1024, other)
