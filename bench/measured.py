"""Runs a command and prints, as one JSON line on descriptor 3, what it and all its children used.

CPU seconds (user and system), the largest resident set of any one process in KiB, and blocks of 512 bytes written to
disk, all as the kernel counted them for the processes that were waited for.
"""

import json
import os
import sys
import time

began = time.monotonic()
pid = os.posix_spawnp(sys.argv[1], sys.argv[1:], os.environ, file_actions=[(os.POSIX_SPAWN_CLOSE, 3)])
_, status, usage = os.wait4(pid, 0)
report = {
    "status": os.waitstatus_to_exitcode(status),
    "seconds": time.monotonic() - began,
    "userSeconds": usage.ru_utime,
    "systemSeconds": usage.ru_stime,
    "peakBytes": usage.ru_maxrss * 1024,
    "writtenBytes": usage.ru_oublock * 512,
}
os.write(3, json.dumps(report).encode())
