// SPDX-License-Identifier: MIT
// Plays a stimulus into the sound receive side, keeps what leaves it clock by clock, then plays it into each mutant
// until that leaves something else: a killed mutant costs no more clocks than it takes to see it.
//
// usage: Vreplay STIMULUS MUTANT...; prints "sound LINES REPORTS RESTS", then "killed MUTANT CLOCK" for those killed.
// STIMULUS, as scripts/mutants/stimulus.py writes it: 64-bit words {clocks, changes}, clocks x {a_data, b_data,
// a_control | b_control << 16}, changes x {clock << 8 | input, value}. A control is tkeep, tvalid, tlast, tuser.
#include <verilated.h>

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

#include "Vreplay.h"

namespace {

struct Beats {
  uint64_t a_data;
  uint64_t b_data;
  uint64_t control;
};

struct Change {
  uint64_t clock_and_input;
  uint64_t value;
};

constexpr uint64_t kTimeStepNs = 6;

// In the order of stimulus.INPUTS.
enum Input {
  kRst,
  kTime,
  kEnable,
  kVerified,
  kPrototype,
  kGroupAddress,
  kGroupPort,
  kHold,
  kEventEnable,
  kFilterEnable,
  kFilterFill,
  kFilterFillValue,
  kFilterUpdate,
  kFilterUpdateLocate,
  kFilterUpdatePass
};

class Stimulus {
 public:
  explicit Stimulus(const char *path) {
    std::ifstream file(path, std::ios::binary);
    uint64_t sizes[2] = {0, 0};
    file.read(reinterpret_cast<char *>(sizes), sizeof sizes);
    beats_.resize(sizes[0]);
    changes_.resize(sizes[1]);
    file.read(reinterpret_cast<char *>(beats_.data()), static_cast<std::streamsize>(sizes[0] * sizeof(Beats)));
    file.read(reinterpret_cast<char *>(changes_.data()), static_cast<std::streamsize>(sizes[1] * sizeof(Change)));
    if (!file || beats_.empty()) {
      std::fprintf(stderr, "replay: %s is no stimulus\n", path);
      std::exit(2);
    }
  }

  const std::vector<Beats> &beats() const { return beats_; }
  const std::vector<Change> &changes() const { return changes_; }

 private:
  std::vector<Beats> beats_;
  std::vector<Change> changes_;
};

// One run from reset on.
class Run {
 public:
  Run(const Stimulus &stimulus, unsigned mutant)
      : stimulus_(stimulus), context_(std::make_unique<VerilatedContext>()), top_(new Vreplay(context_.get())) {
    top_->mutant = mutant;
  }

  // What leaves in the next clock, as a number.
  uint64_t clock() {
    top_->time_ns = (top_->time_ns + kTimeStepNs) & ((uint64_t{1} << 48) - 1);
    const auto &changes = stimulus_.changes();
    for (; next_change_ < changes.size() && changes[next_change_].clock_and_input >> 8 == clocks_; ++next_change_)
      change(changes[next_change_].clock_and_input & 0xFF, changes[next_change_].value);
    const Beats &beats = stimulus_.beats()[clocks_];
    top_->rx_a_tdata = beats.a_data;
    top_->rx_a_tkeep = beats.control & 0xFF;
    top_->rx_a_tvalid = beats.control >> 8 & 1;
    top_->rx_a_tlast = beats.control >> 9 & 1;
    top_->rx_a_tuser = beats.control >> 10 & 1;
    top_->rx_b_tdata = beats.b_data;
    top_->rx_b_tkeep = beats.control >> 16 & 0xFF;
    top_->rx_b_tvalid = beats.control >> 24 & 1;
    top_->rx_b_tlast = beats.control >> 25 & 1;
    top_->rx_b_tuser = beats.control >> 26 & 1;
    top_->clk = 0;
    top_->eval();
    uint64_t seen = 0;
    for (std::size_t word = 0; word < sizeof top_->seen / sizeof(EData); ++word)
      seen = (seen ^ top_->seen[word]) * 0x9E3779B97F4A7C15u + (seen >> 29);
    lines_ += top_->line_valid;
    reports_ += top_->report_valid;
    idle_ = top_->idle;
    top_->clk = 1;
    top_->eval();
    ++clocks_;
    return seen;
  }

  unsigned lines() const { return lines_; }
  unsigned reports() const { return reports_; }
  bool idle() const { return idle_; }

 private:
  void change(uint64_t input, uint64_t value) {
    switch (input) {
      case kRst: top_->rst = value; break;
      case kTime: top_->time_ns = value; break;
      case kEnable: top_->enable = value; break;
      case kVerified: top_->verified = value; break;
      case kPrototype: top_->prototype = value; break;
      case kGroupAddress: top_->group_address = value; break;
      case kGroupPort: top_->group_port = value; break;
      case kHold: top_->hold = value; break;
      case kEventEnable: top_->event_enable = value; break;
      case kFilterEnable: top_->filter_enable = value; break;
      case kFilterFill: top_->filter_fill = value; break;
      case kFilterFillValue: top_->filter_fill_value = value; break;
      case kFilterUpdate: top_->filter_update = value; break;
      case kFilterUpdateLocate: top_->filter_update_locate = value; break;
      case kFilterUpdatePass: top_->filter_update_pass = value; break;
      default: std::fprintf(stderr, "replay: no such input\n"); std::exit(2);
    }
  }

  const Stimulus &stimulus_;
  std::unique_ptr<VerilatedContext> context_;
  std::unique_ptr<Vreplay> top_;
  std::size_t clocks_ = 0;
  std::size_t next_change_ = 0;
  unsigned lines_ = 0;
  unsigned reports_ = 0;
  bool idle_ = false;
};

}  // namespace

// Verilator's way out when combinational logic does not come to rest, which a fault can do: a difference too.
void vl_fatal(const char * /*file*/, int /*line*/, const char * /*hierarchy*/, const char *message) {
  throw std::runtime_error(message);
}

namespace {

// The first clock in which a mutant differs; as many as there are if in none.
std::size_t first_difference(const Stimulus &stimulus, const std::vector<uint64_t> &sound, unsigned mutant) {
  Run run(stimulus, mutant);
  std::size_t clock = 0;
  try {
    while (clock < sound.size() && run.clock() == sound[clock]) ++clock;
  } catch (const std::runtime_error &) {
  }
  return clock;
}

}  // namespace

int main(int argc, char **argv) {
  if (argc < 2) return 2;
  const Stimulus stimulus(argv[1]);
  std::vector<uint64_t> sound;
  Run reference(stimulus, 0);
  for (std::size_t clock = 0; clock < stimulus.beats().size(); ++clock) sound.push_back(reference.clock());
  std::printf("sound %u %u %d\n", reference.lines(), reference.reports(), reference.idle());
  for (int argument = 2; argument < argc; ++argument) {
    const auto mutant = static_cast<unsigned>(std::stoul(argv[argument]));
    const std::size_t clock = first_difference(stimulus, sound, mutant);
    if (clock < sound.size()) std::printf("killed %u %zu\n", mutant, clock);
    std::fflush(stdout);
  }
  return 0;
}
