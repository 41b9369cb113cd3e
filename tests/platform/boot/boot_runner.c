/* SPDX-License-Identifier: MIT */
/* multiboot2_parse behind a pipe: the call is the structure, in a block of memory that ends where it ends; the answer what
   was wrong, or what was understood. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "arch/multiboot2.h"

int main(void) {
  uint32_t head[2];
  while (fread(head, sizeof head, 1, stdin) == 1) {
    uint8_t *information = malloc(head[1] + (head[1] == 0));
    if (fread(information, 1, head[1], stdin) != head[1]) abort();
    static struct boot boot;
    memset(&boot, 0xAA, sizeof boot);
    const char *wrong = multiboot2_parse(&boot, information, head[1]);
    static char answer[65536];
    int size = 0;
    if (wrong != NULL) {
      size = sprintf(answer, "%s\n", wrong);
    } else {
      size = sprintf(answer, "command line %s\n", boot.command_line);
      for (uint32_t i = 0; i < boot.region_count; i++) {
        size += sprintf(answer + size, "region %lx %lx %u\n", boot.regions[i].range.start, boot.regions[i].range.end,
                        boot.regions[i].type);
      }
      for (uint32_t i = 0; i < boot.module_count; i++) {
        size += sprintf(answer + size, "module %lx %lx\n", boot.modules[i].start, boot.modules[i].end);
      }
    }
    fwrite(&size, sizeof size, 1, stdout);
    fwrite(answer, 1, (size_t)size, stdout);
    fflush(stdout);
    free(information);
  }
  return 0;
}
