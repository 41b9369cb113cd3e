// SPDX-License-Identifier: MIT
// Runs the replay bench to its $finish.
#include <verilated.h>

#include <memory>

#include "Vreplay.h"

int main(int argc, char **argv) {
  const auto context = std::make_unique<VerilatedContext>();
  context->commandArgs(argc, argv);
  const auto top = std::make_unique<Vreplay>(context.get());
  while (!context->gotFinish()) {
    top->clk = !top->clk;
    top->eval();
  }
  top->final();
  return 0;
}
