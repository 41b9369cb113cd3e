/* SPDX-License-Identifier: MIT */
/* OUCH of the configured version. */
#include "session/ouch.h"

const char *ouch_init(struct ouch *ouch, const struct config_header *config) {
  *ouch = (struct ouch){.version = (uint8_t)config->ouch_version};
  if (config->ouch_version == OUCH_VERSION_V50) return ouch50_init(ouch, config);
  ouch42_init(ouch, config);
  return NULL;
}
