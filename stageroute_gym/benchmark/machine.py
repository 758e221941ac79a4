"""What machine and which versions the figures come from, and how much memory a process took."""

from __future__ import annotations

import os
import platform
import sys
from importlib.metadata import version
from pathlib import Path

_MEBIBYTE = 2**20


def describe_machine() -> dict[str, str]:
    """Processor, cores and versions, by name."""
    versions = {name: version(name) for name in ("numpy", "numba", "scipy", "gymnasium")}
    return {
        "processor": _processor(),
        "cores": f"{available_cores()} of {os.cpu_count()}",
        "system": f"{platform.system()} {platform.machine()}",
        "Python": platform.python_version(),
        **versions,
        "stageroute-gym": version("stageroute-gym"),
    }


def available_cores() -> int:
    """Cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def peak_memory() -> float | None:
    """Most memory that this process has held so far, MiB; None where the system does not tell."""
    status = Path("/proc/self/status")
    if status.exists():
        # Linux carries ru_maxrss over from the process that started this one; VmHWM starts anew.
        for line in status.read_text(encoding="ascii", errors="replace").splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) / 1024
    try:
        import resource
    except ImportError:  # Windows
        return None
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / _MEBIBYTE


def _processor() -> str:
    information = Path("/proc/cpuinfo")
    if information.exists():
        for line in information.read_text(encoding="utf-8", errors="replace").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or "unknown"
