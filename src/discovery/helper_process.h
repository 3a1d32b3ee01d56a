/* SPDX-License-Identifier: MIT */
/* One salver-discovery process: started, told to end, started again with growing pauses. */
#pragma once

#include <sys/types.h>

#include "discovery/links.h"

#define HELPER_PAUSE_MIN_MS 1000
#define HELPER_PAUSE_MAX_MS 60000
#define HELPER_STEADY_MS 60000 /* one that ran so long failed for a new reason */
#define HELPER_BYEBYE_MS 1500  /* from SIGTERM to SIGKILL */

struct helper {
	char name[IF_NAMESIZE];
	struct in_addr address, mask; /* it runs with, or will */
	pid_t pid;		      /* 0: not running */
	int pid_fd, control_fd;	      /* -1: none */
	bool announced;
	bool ending;	      /* was told to */
	uint64_t deadline_ms; /* running and ending: to be killed; not running: to be started */
	uint64_t started_ms;
	unsigned pause_ms; /* before the next start, if this one fails */
};

/** For interface `l`, to be started at once. */
void helper_init(struct helper *h, const struct link_info *l);
/** Start it: failures count as an end. */
void helper_start(struct helper *h, const char *program, uint16_t port, uint64_t now_ms);
/** Tell it to say byebye. */
void helper_end(struct helper *h, uint64_t now_ms);
/** Kill it where it was told to end and has not. */
void helper_check_deadline(struct helper *h, uint64_t now_ms);
/** It says something, or has closed its socket. */
void helper_control_read(struct helper *h);
/** Its pid_fd is readable: reap it, plan the next start. True: it was not told to end. */
bool helper_reap(struct helper *h, uint64_t now_ms);
/** The pause that follows `pause_ms` after a run of ran_ms. Pure. */
unsigned helper_next_pause_ms(unsigned pause_ms, uint64_t ran_ms);
