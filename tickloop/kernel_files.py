# SPDX-License-Identifier: MIT
"""``--files``: a directory for the kernel's file system. With the configuration it makes the archive that is the
kernel's module: the same bytes for the same contents."""

from __future__ import annotations

import io
import tarfile
from pathlib import Path

from tickloop.exits import UsageError

CONFIG_MEMBER = "config.bin"  # as firmware/trading/run.c looks for it
LARGEST = 256 << 10  # what the kernel's file system holds (firmware/files/ramfs.h)


def module_with_files(config: bytes, directory: Path) -> bytes:
    """The archive of the configuration and all files below ``directory``.

    Raises:
        UsageError: they cannot be read, or there is no room for them.
    """
    if not directory.is_dir():
        raise UsageError(f"--files {directory}: no such directory")
    buffer = io.BytesIO()
    try:
        with tarfile.open(fileobj=buffer, mode="w", format=tarfile.USTAR_FORMAT) as archive:
            _add(archive, CONFIG_MEMBER, config)
            for path in sorted(directory.rglob("*")):
                _add(archive, str(path.relative_to(directory)), None if path.is_dir() else path.read_bytes())
    except OSError as error:
        raise UsageError(f"--files {error.filename}: {error.strerror}") from None
    except ValueError as error:
        raise UsageError(f"--files {directory}: {error}") from None
    if len(buffer.getvalue()) > LARGEST:
        raise UsageError(f"--files {directory}: more than the {LARGEST >> 10} KiB that the kernel has room for")
    return buffer.getvalue()


def _add(archive: tarfile.TarFile, name: str, data: bytes | None) -> None:
    entry = tarfile.TarInfo(name)
    entry.type = tarfile.DIRTYPE if data is None else tarfile.REGTYPE
    entry.size = len(data or b"")
    archive.addfile(entry, io.BytesIO(data or b""))
