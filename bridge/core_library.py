# SPDX-License-Identifier: MIT
"""The native core as Python sees it: configuration before a run, totals after it (``bridge/core/core.h``)."""

from __future__ import annotations

import ctypes
from pathlib import Path

EXCHANGE = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_uint64, ctypes.c_void_p, ctypes.c_uint64)  # tl_exchange


class Config(ctypes.Structure):
    """``struct tl_config``."""

    _fields_ = [
        ("stimulus", ctypes.c_char_p),
        ("record", ctypes.c_char_p),
        ("replay", ctypes.c_char_p),
        ("commands", ctypes.c_char_p),
        ("ram_bytes", ctypes.c_uint64),
        ("ram_fd", ctypes.c_int32),
        ("mailbox_fd", ctypes.c_int32),
        ("progress_fd", ctypes.c_int32),
        ("epoch", ctypes.c_uint32),
        ("clock_ps", ctypes.c_uint32),
        ("ps_per_instruction", ctypes.c_uint32),
        ("posted_write_clocks", ctypes.c_uint32),
        ("read_clocks", ctypes.c_uint32),
        ("doorbell_clocks", ctypes.c_uint32),
        ("timeout_s", ctypes.c_uint32),
        ("host_delay_us", ctypes.c_uint32),
        ("guest_delay_us", ctypes.c_uint32),
        ("delay_seed", ctypes.c_uint32),
        ("mode", ctypes.c_uint32),
        ("give_back", ctypes.c_uint32),
        ("patience_clocks", ctypes.c_uint64),
    ]


class Totals(ctypes.Structure):
    """``struct tl_totals``."""

    _fields_ = [
        *(
            (name, ctypes.c_uint64)
            for name in ("clocks", "skipped", "ticks", "frames", "reports", "writes", "reads", "rendezvous", "held_up")
        ),
        *((name, ctypes.c_double) for name in ("boot_s", "loop_s", "guest_s")),
    ]


def as_dict(totals: Totals) -> dict[str, float]:
    """The totals by name."""
    return {field[0]: getattr(totals, field[0]) for field in Totals._fields_}


def load(path: Path) -> ctypes.CDLL:
    """Load the core; inside the simulator this is the instance the testbench calls."""
    library = ctypes.CDLL(str(path))
    library.tl_message.restype = ctypes.c_char_p
    library.tl_final_value.restype = ctypes.c_uint32
    library.tl_prepare_descriptors.argtypes = (ctypes.c_uint64, ctypes.c_uint32, ctypes.c_uint64)
    library.tl_prepare_descriptors.restype = None
    library.tl_set_exchange.argtypes = (EXCHANGE, ctypes.c_uint64)
    library.tl_set_exchange.restype = None
    library.tl_exchange_answer.argtypes = (ctypes.c_char_p, ctypes.c_uint64, ctypes.c_uint64, ctypes.c_uint32)
    library.tl_exchange_answer.restype = None
    return library
