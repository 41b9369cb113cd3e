// SPDX-License-Identifier: MIT
// Verilator main for cocotb: while a run goes on, clocks go by in batches without any VPI work; cocotb is served between
// batches. Simulated time is that of the testbench: skipped clocks are added to it. The clock stands still between runs,
// but for the ones in which the testbench takes back its done.
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <memory>

#include "Vtestbench.h"
#include "core.h"
#include "verilated.h"
#include "verilated_vpi.h"
#if VM_COVERAGE
#include "verilated_cov.h"
#endif
#if VM_TRACE
#include "verilated_vcd_c.h"
#endif

namespace {

constexpr vluint64_t kClockPs = CLOCK_PS;  // the testbench has the same parameter
constexpr unsigned kBatchClocks = 4096;
constexpr vluint64_t kNoDeadline = ~0ull;

vluint64_t now_ps = 0;

void settle() {
  while (VerilatedVpi::callValueCbs()) {
  }
}

// One time step in which cocotb may read, write and react, until nothing changes any more.
void serve_cocotb(Vtestbench &top) {
  do {
    do {
      top.eval_step();
      VerilatedVpi::clearEvalNeeded();
      VerilatedVpi::doInertialPuts();
      settle();
    } while (VerilatedVpi::evalNeeded());
    VerilatedVpi::callCbs(cbReadWriteSynch);
    VerilatedVpi::doInertialPuts();
    settle();
  } while (VerilatedVpi::evalNeeded());
  top.eval_end_step();
  VerilatedVpi::callCbs(cbReadOnlySynch);
}

class Waves {
 public:
  Waves(Vtestbench &top, const char *path) {
#if VM_TRACE
    if (!path) return;
    Verilated::traceEverOn(true);
    file_ = std::make_unique<VerilatedVcdC>();
    top.trace(file_.get(), 99);
    file_->open(path);
#else
    (void)top;
    (void)path;
#endif
  }
  void dump(vluint64_t time) {
#if VM_TRACE
    if (file_) file_->dump(time);
#else
    (void)time;
#endif
  }
  ~Waves() {
#if VM_TRACE
    if (file_) file_->close();
#endif
  }

 private:
#if VM_TRACE
  std::unique_ptr<VerilatedVcdC> file_;
#endif
};

#if VM_TRACE
void run_clock(Vtestbench &top, Waves &waves) {
  top.clk = 1;
  top.eval_step();
  waves.dump(now_ps + kClockPs / 2);
  top.clk = 0;
  top.eval_step();
  now_ps += kClockPs;
  waves.dump(now_ps);
}
#else
void run_clock(Vtestbench &top, Waves &) {
  top.tick = !top.tick;
  top.eval_step();
  now_ps += kClockPs;
}
#endif

unsigned run_batch(Vtestbench &top, Waves &waves, vluint64_t deadline) {
  unsigned clocks = 0;
  while (clocks < kBatchClocks && now_ps + kClockPs < deadline && top.go != top.done) {
    run_clock(top, waves);
    now_ps += kClockPs * tl_take_skip();
    ++clocks;
  }
  return clocks;
}

}  // namespace

// In place of Verilator's own (VL_USER_FATAL), which flushes the waves first: if what failed was writing them, on a full
// disk, that never comes back.
void vl_fatal(const char *filename, int linenum, const char *, const char *msg) VL_MT_UNSAFE {
  std::fprintf(stderr, "%%Error: %s:%d: %s\n", filename, linenum, msg);
  std::_Exit(EXIT_FAILURE);
}

double sc_time_stamp() { return static_cast<double>(now_ps); }
extern "C" void vlog_startup_routines_bootstrap(void);

int main(int argc, char **argv) {
  Verilated::commandArgs(argc, argv);
  Verilated::fatalOnVpiError(false);
  const char *wave_argument = Verilated::commandArgsPlusMatch("waves=");
  const char *wave_file = wave_argument && *wave_argument ? std::strchr(wave_argument, '=') + 1 : nullptr;
  Vtestbench top("");
  Waves waves(top, wave_file);
  vlog_startup_routines_bootstrap();
  Verilated::addExitCb([](void *) { VerilatedVpi::callCbs(cbEndOfSimulation); }, nullptr);
  VerilatedVpi::callCbs(cbStartOfSimulation);
  settle();
  while (!Verilated::gotFinish()) {
    serve_cocotb(top);
    const vluint64_t deadline = VerilatedVpi::cbNextDeadline();
    const bool running = top.go != top.done;
    if (running && run_batch(top, waves, deadline) > 0) {
      VerilatedVpi::callCbs(cbNextSimTime);
      settle();
      if (deadline <= now_ps) VerilatedVpi::callTimedCbs();
      continue;
    }
    if (deadline == kNoDeadline) break;
    now_ps = deadline;
    VerilatedVpi::callCbs(cbNextSimTime);
    settle();
    VerilatedVpi::callTimedCbs();
    settle();
  }
  top.final();
  VerilatedVpi::callCbs(cbEndOfSimulation);
#if VM_COVERAGE
  if (const char *file = std::getenv("TICKLOOP_COVERAGE")) Verilated::threadContextp()->coveragep()->write(file);
#endif
  return Verilated::threadContextp()->errorCount() > 0;
}
