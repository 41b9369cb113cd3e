/* SPDX-License-Identifier: MIT */
/*
 * The assembly half of the software parser: what costs most there is one instruction a field (MOVBE) and one for eight
 * bytes of a checksum (ADC). Needs a processor with MOVBE: CPUID.1:ECX.22.
 */
#ifndef TICKLOOP_UNPACK_H
#define TICKLOOP_UNPACK_H

#include <stdint.h>

#include "core/moldudp64.h"

/* As mold_record, which takes the messages that are not decoded; `length` is at most 65,535. */
unsigned unpack_record(const uint8_t *message, uint32_t length, uint64_t sequence, uint64_t hw_timestamp_ns,
                       union rx_line lines[MOLD_RECORD_LINES]);

/*
 * `sum` and the 64-bit words of `data` in the machine's byte order, carries added in again; a last word is filled with
 * zeros. Folded to 16 bits it is the Internet checksum's sum, its bytes swapped (RFC 1071, 1 and 2 (B)).
 */
uint64_t unpack_sum(uint64_t sum, const uint8_t *data, uint32_t bytes);

#endif
