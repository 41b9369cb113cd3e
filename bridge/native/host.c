/* SPDX-License-Identifier: MIT */
/* See host.h. */
#include "host.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "core/config.h"

#define LARGE_PAGE (2ull << 20)

/* As the kernel has them: zeroed before use, and in large pages if the system has some to give. */
static void *pool(uint64_t count, uint64_t size) {
  uint64_t bytes = (count * size + LARGE_PAGE - 1) / LARGE_PAGE * LARGE_PAGE;
  void *memory = aligned_alloc(LARGE_PAGE, bytes);
  if (memory == NULL) return NULL;
  (void)madvise(memory, bytes, MADV_HUGEPAGE); /* advice: without it everything is the same, and slower */
  return memset(memory, 0, bytes);
}

const char *host_open(struct host *host, const void *module, uint64_t bytes) {
  *host = (struct host){0};
  host->config = malloc(bytes + 1);
  if (host->config == NULL) return "out of memory";
  memcpy(host->config, module, bytes);
  if (!config_layout_matches(host->config, bytes)) return "module is none of this layout";
  const char *wrong = config_validate(host->config, bytes);
  if (wrong != NULL) return wrong;
  struct engine_sizes sizes = engine_sizes(host->config);
  host->memory = (struct engine_memory){
      .orders = pool(sizes.orders, sizeof(struct order)),
      .levels = pool(sizes.levels, sizeof(struct level)),
      .books = pool(sizes.books, sizeof(struct book)),
      .locates = pool(sizes.locates, sizeof(struct locate)),
      .symbol_index = pool(sizes.symbol_index, sizeof(uint32_t)),
      .rows = pool(sizes.rows, sizeof(struct tick_row)),
      .collars = pool(sizes.collars, sizeof(struct collar)),
      .own_orders = pool(sizes.own_orders, sizeof(struct own_order)),
  };
  const struct engine_memory *memory = &host->memory;
  if (memory->orders == NULL || memory->levels == NULL || memory->books == NULL || memory->locates == NULL ||
      memory->symbol_index == NULL || memory->rows == NULL || memory->collars == NULL || memory->own_orders == NULL) {
    return "out of memory";
  }
  wrong = engine_init(&host->engine, host->config, memory);
  return wrong != NULL ? wrong : ouch_init(&host->ouch, host->config);
}

void host_close(struct host *host) {
  free(host->memory.orders);
  free(host->memory.levels);
  free(host->memory.books);
  free(host->memory.locates);
  free(host->memory.symbol_index);
  free(host->memory.rows);
  free(host->memory.collars);
  free(host->memory.own_orders);
  free(host->config);
}
