/* SPDX-License-Identifier: MIT */
/* See settings.h. */
#include "console/settings.h"

void settings_begin(struct settings *settings, const struct engine *engine) {
  *settings = (struct settings){0};
  settings_used(engine, settings->used);
  for (uint32_t i = 1; i < INSTANCES; i++) settings->room += !settings->used[i];
}

static bool same(const struct setting *one, const struct setting *other) {
  return one->strategy == other->strategy &&
         __builtin_memcmp(one->parameters, other->parameters, sizeof one->parameters) == 0;
}

/* The one made before, or a place for it. */
static uint32_t place_of(const struct settings *settings, const struct setting *setting, uint16_t before) {
  uint32_t i = 0;
  while (i < settings->count && (settings->made[i].before != before || !same(&settings->made[i].setting, setting))) i++;
  return i;
}

bool settings_fit(struct settings *settings, const struct setting *setting) {
  uint16_t none = 0, *now = setting->book != 0 ? &settings->of_book[setting->book] : &none;
  if (*now < INSTANCES && settings->used[setting->instance] && (*now == 0 || *now == setting->instance)) {
    *now = setting->instance;
    return true;
  }
  if (*now >= INSTANCES && same(&settings->made[*now - INSTANCES].setting, setting)) return true;
  uint32_t place = place_of(settings, setting, *now);
  if (place == settings->room) return false;
  if (place == settings->count) settings->made[settings->count++] = (struct new_setting){*setting, *now};
  *now = (uint16_t)(INSTANCES + place);
  return true;
}
