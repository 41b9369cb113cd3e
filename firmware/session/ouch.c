/* SPDX-License-Identifier: MIT */
/* OUCH of the configured version. */
#include "session/ouch.h"

void ouch_prepare(const struct ouch *ouch, struct tx_slot *slots, uint32_t count) {
  for (uint32_t i = 0; i < count; i++) ouch_fill(ouch, &slots[i]);
}

const char *ouch_init(struct ouch *ouch, const struct config_header *config) {
  *ouch = (struct ouch){.version = (uint8_t)config->ouch_version};
  if (config->ouch_version == OUCH_VERSION_V50) return ouch50_init(ouch, config);
  ouch42_init(ouch, config);
  return NULL;
}
