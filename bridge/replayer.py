# SPDX-License-Identifier: MIT
"""Takes the simulator's place in a replay with a kernel: ``python -m bridge.replayer``, started with orders as the
simulator is. The native core plays the recorded NIC from the first to the last clock in one call."""

from __future__ import annotations

import asyncio
import os
from typing import Any

from bridge import steer


def main() -> None:
    """Carry out the orders."""
    orders, library = steer.load_orders()

    async def play(order: dict[str, Any]) -> None:
        library.tl_replay_nic(os.fsencode(order["replay"]))

    asyncio.run(steer.carry_out(orders, library, play))


if __name__ == "__main__":
    main()
