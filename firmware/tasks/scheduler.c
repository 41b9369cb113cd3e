/* SPDX-License-Identifier: MIT */
/* See scheduler.h. One processor runs tasks, so holding interrupts off is all the locking there is. */
#include "tasks/scheduler.h"

#include <stddef.h>

#include "arch/command_line.h"
#include "arch/cpu.h"
#include "arch/processor.h"
#include "arch/traps.h"
#include "console/console.h"
#include "memory/memory.h"
#include "tasks/bell.h"

#define SPIN_NS 200000u
#define PATIENCE_NS 100000000u /* with a task in the waits of the trading loop */
#define PATIENCE_PRINTING 20u  /* so much longer if it keeps others off, as who prints does */
#define CALLEE_SAVED 6u /* words that task_switch takes from a stack before it returns */

struct task {
  struct ready_link link; /* first: a link is its task */
  uint64_t stack_pointer;
  const char *name;
  void (*run)(void *argument);
  void *argument;
  struct event *event; /* it waits for this, or NULL */
  struct timer timer;
  uint64_t switches;
  uint64_t run_tsc;
  enum task_state_name state;
  bool timed_out;
};

/* A page below each stack that nobody has mapped, so that one that overflows is a fault and no damage. */
struct stack {
  _Alignas(4096) uint8_t guard[4096];
  uint8_t bytes[TASK_STACK_BYTES];
};

_Static_assert(sizeof(struct stack) % 4096 == 0, "guards are whole pages");

static struct stack stacks[TASKS_MAX], lone_stack;
static struct task tasks[TASKS_MAX], lone; /* of task_alone: in no list */
static struct task idle; /* the context that booted */
static struct task *current = &idle;
static struct ready ready;
static bool preemptive; /* tasks run with interrupts on */
static unsigned locks;  /* a fault inside of the scheduler is no task's */
static unsigned holds;  /* no other task is to run now */
static bool shielded;   /* a panic of a task is not the machine's end */
static bool spins;      /* before it sleeps */
static bool watched;    /* tasks may not run for long */
static unsigned spared; /* times that a task had more time */
static uint64_t since_tsc;
static uint64_t switches;
static uint64_t faults;

static bool lock(void) {
  bool on = interrupts_disable();
  locks++;
  return on;
}

static void unlock(bool on) {
  locks--;
  interrupts_restore(on);
}

static void switch_to(struct task *next) {
  struct task *previous = current;
  uint64_t now = rdtsc();
  previous->run_tsc += now - since_tsc;
  since_tsc = now;
  next->state = TASK_RUNNING;
  next->switches++;
  switches++;
  current = next;
  spared = 0;
  if (watched) timer_watch(next != &idle ? PATIENCE_NS : 0);
  unsigned held = locks;
  task_switch(&previous->stack_pointer, next->stack_pointer);
  locks = held;
}

/* Give the processor to whoever comes next; the caller has said what becomes of the current task. Locked. */
static void schedule(void) {
  struct task *next = (struct task *)ready_take(&ready);
  if (next == NULL) next = &idle;
  if (next == current) next->state = TASK_RUNNING;
  else switch_to(next);
}

static void make_ready(struct task *task) {
  task->state = TASK_READY;
  ready_append(&ready, &task->link);
}

/* Locked; a task of a higher priority that has become ready goes first. */
static void let_higher_run(void) {
  if (holds != 0 || current == &idle || !ready_above(&ready, current->link.priority)) return;
  current->state = TASK_READY;
  ready_push(&ready, &current->link);
  schedule();
}

void tasks_hold(void) { holds++; }

void tasks_release(void) {
  bool on = lock();
  if (--holds == 0 && on) let_higher_run();
  unlock(on);
}

static void __attribute__((noreturn)) end_current(enum task_state_name state) {
  current->state = state;
  if (current == &lone) switch_to(&idle); /* whatever else is ready */
  schedule();
  __builtin_unreachable(); /* nobody switches to a task that has ended */
}

/* The first instruction of a task: whoever switched to it holds the lock. */
static void begin(void) {
  unlock(preemptive);
  current->run(current->argument);
  (void)lock();
  end_current(TASK_ENDED);
}

/* Whether what happens here and now is a task's doing, and the scheduler is as it should be. */
static bool is_tasks(void) { return current != &idle && locks == 0; }

static void __attribute__((noreturn)) end_by(const char *what) {
  faults++;
  console_print("task %s: ended by %s, all else goes on\n", current->name, what);
  this_processor()->reporting = 0;
  holds = 0;
  locks = 1;
  end_current(TASK_FAULTED);
}

static bool overdue(void) {
  if (!watched || !timer_watch_over()) return false;
  if (holds == 0 || ++spared == PATIENCE_PRINTING) return true;
  timer_watch(PATIENCE_NS);
  return false;
}

static void after_interrupt(void) {
  if (locks != 0) return;
  if (is_tasks() && overdue()) end_by("having run for too long without a wait");
  locks++;
  let_higher_run();
  locks--;
}

static void on_fault(const struct trap_frame *frame) {
  if (is_tasks() && !trap_is_machines(frame)) end_by("the fault");
}

void tasks_shield(void) { shielded = true; }

void tasks_panicked(void) {
  if (!shielded || this_processor()->index != 0 || this_processor()->handling != 0 || !is_tasks()) return;
  interrupts_disable();
  end_by("its panic");
}

void tasks_init(void) {
  idle = (struct task){.name = "idle", .state = TASK_RUNNING};
  since_tsc = rdtsc();
  struct processor *processor = this_processor();
  processor->contain = on_fault;
  processor->after_interrupt = after_interrupt;
}

static void on_timer(void *context) {
  struct task *task = context;
  if (task->event != NULL) task->event->waiting = NULL;
  task->event = NULL;
  task->timed_out = true;
  make_ready(task);
}

/* A place that was never used; if there is none, one that is free again, last of all what tells of a fault. */
static struct task *find_place(void) {
  static const enum task_state_name order[] = {TASK_FREE, TASK_ENDED, TASK_FAULTED};
  for (unsigned k = 0; k < sizeof order / sizeof order[0]; k++) {
    for (unsigned i = 0; i < TASKS_MAX; i++) {
      if (tasks[i].state == order[k]) return &tasks[i];
    }
  }
  return NULL;
}

static void create(struct task *task, struct stack *stack, const char *name, void (*run)(void *), void *argument) {
  memory_guard((uint64_t)stack->guard, name);
  /* At `begin` the stack is as behind a call (System V ABI, 3.2.2): 8 off a multiple of 16. */
  uint64_t *top = (uint64_t *)(stack->bytes + sizeof stack->bytes) - 2;
  top[0] = (uint64_t)begin;
  *task = (struct task){
      .stack_pointer = (uint64_t)(top - CALLEE_SAVED),
      .name = name,
      .run = run,
      .argument = argument,
      .timer = {.expired = on_timer, .context = task},
  };
}

bool task_start(const char *name, uint8_t priority, void (*run)(void *argument), void *argument) {
  bool on = lock();
  struct task *task = find_place();
  if (task != NULL) {
    create(task, &stacks[task - tasks], name, run, argument);
    task->link.priority = priority < PRIORITIES ? priority : PRIORITIES - 1;
    make_ready(task);
    if (on) let_higher_run();
  }
  unlock(on);
  return task != NULL;
}

void task_alone(const char *name, void (*run)(void *argument), void *argument) {
  if (this_processor()->index != 0) {
    run(argument);
    return;
  }
  bool on = lock(), was_preemptive = preemptive, was_watched = watched;
  create(&lone, &lone_stack, name, run, argument);
  preemptive = watched = false;
  switch_to(&lone);
  preemptive = was_preemptive;
  watched = was_watched;
  unlock(on);
}

void task_yield(void) {
  bool on = lock();
  if (current != &idle) make_ready(current);
  schedule();
  unlock(on);
}

static bool wait(struct event *event, uint64_t due_ns) {
  bool on = lock(), came = true;
  if (event != NULL && event->set) {
    event->set = false;
  } else {
    current->state = TASK_WAITING;
    current->timed_out = false;
    current->event = event;
    if (event != NULL) event->waiting = current;
    if (due_ns != TIMERS_NEVER) timer_arm(&current->timer, due_ns);
    schedule();
    came = !current->timed_out;
  }
  unlock(on);
  return came;
}

void task_sleep_ns(uint64_t ns) { (void)wait(NULL, timer_now_ns() + ns); }

void event_wait(struct event *event) { (void)wait(event, TIMERS_NEVER); }

bool event_wait_until(struct event *event, uint64_t due_ns) { return wait(event, due_ns); }

void event_signal(struct event *event) {
  bool on = lock();
  struct task *task = event->waiting;
  if (task == NULL) {
    event->set = true;
  } else {
    event->waiting = NULL;
    task->event = NULL;
    timer_cancel(&task->timer);
    make_ready(task);
    if (on) let_higher_run(); /* in an interrupt that is after_interrupt's */
  }
  unlock(on);
}

void tasks_choose_idle(const char *command_line) {
  struct command_line_word word = command_line_find(command_line, "idle");
  spins = command_line_equal(word.value, "spin");
  if (word.name[0] != '\0' && !spins && !command_line_equal(word.value, "halt")) {
    panic("command line: idle=%s is not known", word.value);
  }
}

/* Who halts has to be woken, which takes far longer than an interrupt where a processor is a thread of an emulator. */
static void spin(void) {
  uint64_t end = timer_now_ns() + SPIN_NS;
  interrupts_enable();
  bells_begin();
  while (__atomic_load_n(&ready.waiting, __ATOMIC_RELAXED) == 0 && timer_now_ns() < end) bells_listen();
  bells_end();
}

void tasks_run(void) {
  preemptive = true;
  for (;;) {
    bool on = lock();
    schedule();
    unlock(on);
    if (spins) spin();
    interrupts_disable();
    if (ready.waiting == 0) interrupts_wait();
  }
}

void tasks_step(uint64_t now_ns) {
  timer_follow(now_ns);
  if (ready.waiting == 0) return;
  preemptive = watched = true;
  (void)lock();
  schedule();
  unlock(false);
}

bool task_look(unsigned index, struct task_report *report) {
  if (index >= TASKS_MAX) return false;
  const struct task *task = &tasks[index];
  *report = (struct task_report){task->name, task->switches, task->run_tsc, task->link.priority, task->state};
  return true;
}

uint64_t tasks_switches(void) { return switches; }

uint64_t tasks_faults(void) { return faults; }
