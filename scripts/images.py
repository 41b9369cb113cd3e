# SPDX-License-Identifier: MIT
"""Builds an image that boots the kernel by itself: an ISO with GRUB, or a BIOS disk with the loader of firmware/loader.

    python -m scripts.images iso|os-image OUT [--command-line TEXT] [--config FILE]
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path

from bridge.images import COMMAND_LINE, build_iso, build_os_image
from bridge.interface import BridgeError
from tickloop.config import compile_module, load_config, sealed
from tickloop.exits import UsageError


def main() -> int:
    """The command line; returns the exit status."""
    parser = argparse.ArgumentParser(prog="python -m scripts.images", description="Build an image that boots.")
    parser.add_argument("kind", choices=["iso", "os-image"])
    parser.add_argument("output", type=Path)
    parser.add_argument("--command-line", default=COMMAND_LINE, help="the kernel's (default: %(default)s)")
    parser.add_argument("--config", type=Path, help="configuration of a run (TOML), which becomes the kernel's module")
    arguments = parser.parse_args()
    build = build_iso if arguments.kind == "iso" else build_os_image
    try:
        with tempfile.TemporaryDirectory() as directory:
            modules = []
            if arguments.config:
                modules.append(Path(directory) / "config.bin")
                config = load_config(arguments.config)
                modules[0].write_bytes(sealed(compile_module(config.kernel, config.nic)))
            print(build(arguments.output, arguments.command_line, modules))
    except (UsageError, ValueError, OSError) as error:
        print(f"images: {error}", file=sys.stderr)
        return 2
    except BridgeError as error:
        print(f"images: {error}", file=sys.stderr)
        return error.exit_status
    return 0


if __name__ == "__main__":
    sys.exit(main())
