# SPDX-License-Identifier: MIT
# The front door: every job by one name. Set-up runs once; its stamps are in .venv.
SIM ?= verilator
SCENARIO ?=
CAPTURE ?=
SEED ?=
MODE ?=
CONFIG ?=
OUCH ?=
SCRIPT ?=
COMMAND_LINE ?=
LINE_B ?=
DELIVERY ?=
HOLD ?=
PARSER ?=
WAVES ?=
AROUND ?=
OUT ?= out/sim
BIN := .venv/bin

ifeq ($(filter verilator icarus,$(SIM)),)
  $(error SIM is verilator or icarus, not '$(SIM)')
endif

# A variable given on this command line is for this file: the makes that a job calls in turn must not see it.
MAKEOVERRIDES =
unexport MAKEFLAGS

.DEFAULT_GOAL := help
.PHONY: sim test regress layouts iso os-image waves bench lint synth formal fuzz coverage mutate verify-parser docs help clean distclean

# Each stamp stands for the package groups (scripts/packages) and Python extras of its name's parts.
SETUP_INPUTS := pyproject.toml scripts/setup bridge/verilator_shim.py $(wildcard scripts/packages/*.txt)
.venv/.setup-sim-verilator: GROUPS = sim verilator
.venv/.setup-sim-icarus: GROUPS = sim icarus
.venv/.setup-test: GROUPS = sim verilator icarus images test cluster
.venv/.setup-test: COVERS = .venv/.setup-sim-verilator .venv/.setup-sim-icarus .venv/.setup-images
.venv/.setup-images: GROUPS = sim images
.venv/.setup-waves: GROUPS = sim verilator waves
.venv/.setup-%: $(SETUP_INPUTS)
	@scripts/setup $(GROUPS)
	@touch $@ $(COVERS)

SIM_ARGUMENTS = $(if $(CAPTURE),'$(CAPTURE)') $(if $(SCENARIO),--scenario '$(SCENARIO)') $(if $(SEED),--seed '$(SEED)') \
  $(if $(LINE_B),--line-b '$(LINE_B)') $(if $(DELIVERY),--delivery '$(DELIVERY)') $(if $(HOLD),--hold '$(HOLD)') \
  $(if $(MODE),--mode '$(MODE)') $(if $(CONFIG),--config '$(CONFIG)') \
  $(if $(OUCH),--ouch '$(OUCH)') $(if $(SCRIPT),--script '$(SCRIPT)') $(if $(PARSER),--parser '$(PARSER)') \
  $(if $(filter-out 0,$(WAVES)),--waves $(filter vcd fst,$(WAVES)))

sim: .venv/.setup-sim-$(SIM)  ## run the closed loop (SIM CAPTURE LINE_B SCENARIO SEED DELIVERY HOLD MODE CONFIG OUCH SCRIPT PARSER WAVES OUT)
	@$(BIN)/tickloop sim $(SIM_ARGUMENTS) --sim '$(SIM)' --out '$(OUT)'

test: .venv/.setup-test  ## run every test (PYTEST_ARGUMENTS)
	@$(BIN)/python -m pytest -n auto --dist worksteal $(PYTEST_ARGUMENTS)

layouts: .venv/.setup-test  ## Verilog, C, Python and documentation of messages, records and registers from their tables
	@$(BIN)/python -m bridge.layouts.generate

IMAGE_ARGUMENTS = $(if $(COMMAND_LINE),--command-line '$(COMMAND_LINE)') $(if $(CONFIG),--config '$(CONFIG)')

iso: .venv/.setup-images  ## a CD that boots the kernel by GRUB, build/tickloop.iso (COMMAND_LINE CONFIG)
	@$(BIN)/python -m scripts.images iso $(IMAGE_ARGUMENTS) build/tickloop.iso

os-image: .venv/.setup-images  ## a disk that boots the kernel by its own loader, build/os-image.bin (COMMAND_LINE CONFIG)
	@$(BIN)/python -m scripts.images os-image $(IMAGE_ARGUMENTS) build/os-image.bin

# With variables of a run, that run is made with waves. Without, the last one is shown; where there is none, one is made.
waves: .venv/.setup-waves  ## GTKWave on the last run, or one with the variables of make sim (AROUND=order:3|message:120)
	@$(if $(strip $(SIM_ARGUMENTS)),,test -n "$(wildcard $(if $(filter command,$(origin OUT)),$(OUT),out/*)/run.json)" ||) \
	  $(BIN)/tickloop sim $(SIM_ARGUMENTS) --waves $(filter vcd fst,$(WAVES)) --sim '$(SIM)' --out '$(OUT)'
	@$(BIN)/tickloop waves $(if $(strip $(SIM_ARGUMENTS))$(filter command,$(origin OUT)),'$(OUT)') $(if $(AROUND),--around '$(AROUND)')

bench: .venv/.setup-test  ## measure the published figures
	@set -e; for script in bench/*.py; do $(BIN)/python $$script; done

lint: .venv/.setup-test  ## every source by its linter: ruff, mypy, Verilator -Wall, verible, clang-format
	@scripts/lint

synth: .venv/.setup-test  ## cells and LUT levels of every module (Yosys), into docs/synthesis.md
	@$(BIN)/python -m scripts.synth

formal: .venv/.setup-test  ## the proofs of formal/ (PROOF=name for one)
	@$(BIN)/python -m scripts.formal $(PROOF)

fuzz: .venv/.setup-test  ## FRAMES mutated frames from SEED through RTL and model, any difference is told
	@$(BIN)/python -m scripts.fuzz $(if $(FRAMES),--frames '$(FRAMES)') $(if $(SEED),--seed '$(SEED)') --sim '$(SIM)'

mutate: .venv/.setup-test  ## mutants of the parser modules: score and survivors (MUTANTS=n)
	@$(BIN)/python -m scripts.mutate $(if $(MUTANTS),--mutants '$(MUTANTS)')

VERIFY_ARGUMENTS = $(if $(filter command,$(origin SIM)),--sim '$(SIM)') $(if $(SEED),--seed '$(SEED)') \
  $(if $(EFFORT),--effort '$(EFFORT)') $(if $(ONLY),--only '$(ONLY)') $(if $(PLUSARG),--plusarg '$(PLUSARG)') \
  $(if $(filter-out 0,$(WAVES)),--waves)

verify-parser: .venv/.setup-test  ## vectors, environment and loops against a parser of one's own (PARSER=dir ONLY=check SIM EFFORT WAVES PLUSARG)
	@$(if $(PARSER),,echo "verify-parser: PARSER=dir, or a file or file list, is missing (docs/own-parser.md)" >&2; exit 2;) \
	  $(BIN)/python -m scripts.verify_parser '$(PARSER)' $(VERIFY_ARGUMENTS)

coverage: .venv/.setup-test  ## functional coverage of the plan, line and toggle coverage of the RTL, as HTML
	@$(BIN)/python -m scripts.coverage

REGRESS_ARGUMENTS = $(if $(SEEDS),--seeds '$(SEEDS)') $(if $(SEED),--first '$(SEED)') \
  $(if $(SCENARIOS),--scenarios '$(SCENARIOS)') $(if $(SIMS),--sims '$(SIMS)') $(if $(TESTS),--tests '$(TESTS)') \
  $(if $(JOBS),--jobs '$(JOBS)') $(if $(TIMEOUT),--timeout '$(TIMEOUT)') $(if $(NAME),--name '$(NAME)') \
  $(if $(filter-out 0,$(COVERAGE)),--coverage) $(if $(OPTIONS),--options='$(OPTIONS)') $(if $(WAVES),--waves '$(WAVES)') \
  $(if $(CLUSTER),--cluster '$(CLUSTER)')

regress: .venv/.setup-test  ## new seeds x scenarios x simulators (SEEDS SEED SCENARIOS|TESTS SIMS OPTIONS JOBS TIMEOUT COVERAGE WAVES CLUSTER NAME)
	@$(BIN)/python -m scripts.regress $(REGRESS_ARGUMENTS)

docs: .venv/.setup-test  ## the documentation as a site, every link checked, into build/docs
	@$(BIN)/python -m scripts.docs_pages
	@NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --quiet --strict
	@echo "build/docs/index.html"

help:  ## list the jobs
	@echo "usage: make JOB [VARIABLE=value]..."
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/  \1\t\2/p' $(firstword $(MAKEFILE_LIST)) | expand -t 17
	@echo "Variables of make sim: SIM=verilator|icarus CAPTURE=file LINE_B=file SCENARIO=name SEED=n DELIVERY=cut-through|verified"
	@echo "  HOLD=ns MODE=lockstep|free CONFIG=file OUCH=4.2|5.0 SCRIPT=file PARSER=dir WAVES=1|vcd|fst OUT=dir"

clean:  ## remove what was built and run; the installed packages stay
	@$(MAKE) -s -C firmware clean
	@rm -rf build out

distclean: clean  ## clean, and .venv too
	@rm -rf .venv *.egg-info
