/* SPDX-License-Identifier: MIT */
/* See setup.h. The order of the pools is the order of the memory map: rings first, then what only the core touches. */
#include "trading/setup.h"

#include "arch/pools.h"
#include "console/console.h"
#include "core/config.h"
#include "core/export.h"
#include "memory/map.h"
#include "trading/recovery.h"

/* The bridge reads the trace at requests, and a busy kernel makes one at least every quarter of the largest RX ring. */
#define MAX_RX_BATCH (TRACE_ENTRIES / 2)

/* Descriptor rings lie at RESERVED_BASE, where the seed has them, unless they are too long for it. */
static void take_descriptors(struct nic_rings *rings, struct range *memory, const struct config_header *config) {
  uint64_t rx = config->rx_mode == RING_MODE_DESCRIPTORS ? 1ull << config->rx_log2 : 0;
  uint64_t tx = config->tx_mode == RING_MODE_DESCRIPTORS ? 1ull << config->tx_log2 : 0;
  uint64_t bytes = (rx + tx) * sizeof(struct descriptor);
  if (bytes == 0) return;
  struct range reserved = {RESERVED_BASE, RESERVED_BASE + RESERVED_SIZE};
  struct range *from = bytes <= RESERVED_SIZE ? &reserved : memory;
  struct descriptor *ring = pools_take_zeroed(from, "descriptors", rx + tx, sizeof *ring, PAGE_BYTES);
  if (rx != 0) rings->rx_ring = ring;
  if (tx != 0) rings->tx_ring = ring + rx;
  rings->descriptors = (struct range){(uint64_t)ring, (uint64_t)ring + bytes};
}

static struct nic_rings take_rings(struct range *memory, const struct config_header *config) {
  struct nic_rings rings = {0};
  rings.rx = pools_take_zeroed(memory, "RX ring", 1u << config->rx_log2, sizeof(union rx_line), PAGE_BYTES);
  rings.tx = pools_take_zeroed(memory, "TX ring", 1u << config->tx_log2, sizeof(struct tx_slot), PAGE_BYTES);
  rings.raw = pools_take_zeroed(memory, "raw ring", 1u << config->raw_log2, sizeof(union rx_line), PAGE_BYTES);
  rings.frames = pools_take_zeroed(memory, "TX frames", TX_FRAMES, TX_FRAME_BYTES, PAGE_BYTES);
  rings.window = (struct range){(uint64_t)rings.rx, memory->start};
  take_descriptors(&rings, memory, config);
  return rings;
}

void trading_take_core(struct engine *engine, struct ouch *ouch, const struct config_header *config,
                       struct range *memory) {
  struct engine_sizes sizes = engine_sizes(config);
  const struct engine_memory pools = {
      .orders = pools_take_zeroed(memory, "orders", sizes.orders, sizeof(struct order), LINE_BYTES),
      .levels = pools_take(memory, "levels", sizes.levels, sizeof(struct level), LINE_BYTES),
      .books = pools_take(memory, "books", sizes.books, sizeof(struct book), LINE_BYTES),
      .locates = pools_take_zeroed(memory, "locates", sizes.locates, sizeof(struct locate), LINE_BYTES),
      .symbol_index = pools_take_zeroed(memory, "symbol index", sizes.symbol_index, sizeof(uint32_t), LINE_BYTES),
      .rows = pools_take(memory, "tick rows", sizes.rows, sizeof(struct tick_row), LINE_BYTES),
      .collars = pools_take_zeroed(memory, "collars", sizes.collars, sizeof(struct collar), LINE_BYTES),
      .own_orders = pools_take_zeroed(memory, "own orders", sizes.own_orders, sizeof(struct own_order), LINE_BYTES),
  };
  const char *wrong = engine_init(engine, config, &pools);
  if (wrong != NULL) panic("configuration: %s", wrong);
  wrong = ouch_init(ouch, config);
  if (wrong != NULL) panic("configuration: %s", wrong);
}

void trading_setup(struct kernel *kernel, const struct config_header *config, struct range *memory) {
  kernel->config = config;
  struct nic_rings rings = take_rings(memory, config);
  kernel->trace = pools_take_zeroed(memory, "trace ring", TRACE_ENTRIES, sizeof(struct trace_entry), PAGE_BYTES);
  trading_take_core(&kernel->engine, &kernel->ouch, config, memory);
  ouch_prepare(&kernel->ouch, rings.tx, 1u << config->tx_log2);
  kernel->told.stops = kernel->engine.risk.stops;
  take_recovery(kernel, memory, config);
  kernel->export_bytes = export_limit(config);
  kernel->export = pools_take(memory, "export", 1, kernel->export_bytes, PAGE_BYTES);

  mailbox_attach(&kernel->port, kernel->trace, TRACE_LOG2);
  nic_init(&kernel->nic, &kernel->port, config, &rings);
  if (kernel->nic.rx_batch > MAX_RX_BATCH) kernel->nic.rx_batch = MAX_RX_BATCH;
  console_print("nic: rings granted and enabled, epoch 0x%x\n", kernel->nic.epoch);
  if (!connects(kernel)) return;
  if (kernel->port.free) panic("configuration: a session that connects needs lockstep time");
  order_port_init(&kernel->orders, &kernel->nic, config, &kernel->ouch);
}
