# SPDX-License-Identifier: GPL-3.0-or-later
"""What the shared pool and the processes take, from /proc."""
import os
import pathlib

KIB = 1024


def pool_kib(pid):
    """Pages in use of the memfds that process `pid` holds (they are sparse)."""
    total = 0
    for link in pathlib.Path(f"/proc/{pid}/fd").glob("*"):
        try:
            if os.readlink(link).startswith("/memfd:"):
                total += os.stat(link).st_blocks * 512
        except OSError:
            pass
    return total // KIB


def status_kib(pid, field):
    """VmRSS, VmHWM (its peak), RssShmem ... of a process; 0 of one that has gone."""
    try:
        for line in pathlib.Path(f"/proc/{pid}/status").read_text().splitlines():
            if line.startswith(field + ":"):
                return int(line.split()[1])
    except OSError:
        pass
    return 0


def n_descriptors(pid):
    return len(os.listdir(f"/proc/{pid}/fd"))
