/* SPDX-License-Identifier: MIT */
/* The checksum behind a configuration module: what is not as it was written is not traded on. Pure. */
#ifndef TICKLOOP_TRADING_SEAL_H
#define TICKLOOP_TRADING_SEAL_H

#include <stdbool.h>
#include <stdint.h>

/* SEAL_MAGIC and the CRC-32 (IEEE 802.3) of all before it, behind the module; one without it has no seal to be broken. */
#define SEAL_MAGIC 0x4C414553u /* "SEAL" */
#define SEAL_BYTES 8u

/* False if the seal is broken; *bytes becomes the module's own length. */
bool seal_holds(const void *module, uint64_t *bytes);

#endif
