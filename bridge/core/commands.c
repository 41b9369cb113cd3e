/* SPDX-License-Identifier: MIT */
/*
 * Host commands at simulated times. The mailbox has room for one, so each is given when it is due and the kernel has taken
 * the one before it; and only while the kernel is parked, so a run with commands is as reproducible as one without.
 */
#include "internal.h"

#include <string.h>

static struct {
  struct recording script;
  uint64_t given;
} commands;

int commands_open(const char *directory) {
  memset(&commands, 0, sizeof commands);
  if (directory && !recording_open(&commands.script, directory, "commands", sizeof(struct host_command)))
    return TL_FAILED;
  return TL_OK;
}

void commands_close(void) { recording_close(&commands.script); }

bool commands_untaken(const struct mailbox *mailbox) {
  return (uint32_t)commands.given != __atomic_load_n(&mailbox->command_taken, __ATOMIC_RELAXED);
}

uint64_t commands_due(void) {
  if (commands.given == commands.script.count || player_origin() == NEVER) return NEVER;
  return player_origin() * clock_ps + ((const struct host_command *)commands.script.data)[commands.given].time_ps;
}

bool commands_all_given(void) { return commands.given == commands.script.count; }

void commands_give(struct mailbox *mailbox, uint64_t now_ps) {
  if (commands_due() > now_ps || commands_untaken(mailbox)) return;
  const struct host_command *command = (const struct host_command *)commands.script.data + commands.given++;
  memcpy(mailbox->command, command->text, sizeof mailbox->command);
  mailbox->command_sequence = (uint32_t)commands.given;
}
