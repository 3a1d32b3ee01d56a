/* SPDX-License-Identifier: MIT */
/* A library with a root /m, for tests of what people keep in it. */
#pragma once

#include "harness.h"
#include "library/batch_priv.h"
#include "library/library.h"

struct shelf {
	struct library *lib;
	char dir[256];
	uint32_t linger_ms, pause_ms; /* as in struct library_options */
	struct library_change change;
	unsigned commits_n;
};

void shelf_init(struct shelf *s);
/** The same in a directory of that name; scans linger. */
void shelf_init_lingering(struct shelf *s, const char *name, uint32_t linger_ms);
/** What is in s->dir already. */
void shelf_open(struct shelf *s);
void shelf_reopen(struct shelf *s);
/** Checks the records, then closes. */
void shelf_fini(struct shelf *s);

struct batch *shelf_batch(void);
/** Submit, and expect that it is stored. */
struct batch_result shelf_submit(struct shelf *s, struct batch *b);
/** A song whose title is its file's name. */
void shelf_put(struct batch *b, const char *path);
void shelf_move(struct batch *b, uint64_t media_id, const char *path);
/** 0: there is none. */
uint64_t shelf_media(struct shelf *s, const char *path);
uint64_t shelf_audio_n(struct shelf *s);
