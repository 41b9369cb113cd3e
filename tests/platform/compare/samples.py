# SPDX-License-Identifier: MIT
"""Boots run=compare and takes its samples out of the machine's memory, which is this process's too."""

from __future__ import annotations

import mmap
import os
import re
from typing import Any

import numpy as np

from bridge import build
from tests.platform.machine import DONE, Machine, Setup

PATHS = ("blocking", "interrupt", "woken", "naive", "ring", "switch")
RAM_MIB = 128
SAMPLE = np.dtype("<u8")

Samples = dict[str, Any]


def measure(samples: int, processors: int, lockstep: bool = False, idle: str = "halt") -> tuple[Samples, int, bool]:
    """Boot the kernel: samples by path, the rate of the time-stamp counter, whether two processors took part. ``idle``:
    what the processor that is waited for does meanwhile."""
    size = RAM_MIB << 20
    fd = os.memfd_create("tickloop-compare", 0)
    try:
        os.ftruncate(fd, size)
        ram = f"memory-backend-file,id=ram,size={size},mem-path=/proc/self/fd/{fd},share=on"
        words = f"run=compare samples={samples} idle={idle}"
        setup = Setup(build.build_kernel(), command_line=words, memory_mib=RAM_MIB,
                      processors=processors, chipset="pc,memory-backend=ram", lockstep=lockstep,
                      extra=("-object", ram), pass_fds=(fd,))
        with Machine(setup) as machine:
            status = machine.wait(60 + samples / 200)
            console = machine.console
        if status != DONE:
            raise SystemExit(f"the kernel ended with {status}:\n{console}")
        places = re.findall(r"compare: (\w+), (\d+) samples at 0x([0-9a-f]+)", console)
        rate = re.search(r"time: TSC (\d+) kHz", console)
        if rate is None or [name for name, _, _ in places] != list(PATHS):
            raise SystemExit(f"no samples:\n{console}")
        with mmap.mmap(fd, size, prot=mmap.PROT_READ) as memory:
            taken = {name: np.frombuffer(memory[int(at, 16) : int(at, 16) + SAMPLE.itemsize * int(count)], SAMPLE)
                     for name, count, at in places}
    finally:
        os.close(fd)
    return taken, int(rate[1]) * 1000, "between two processors" in console
