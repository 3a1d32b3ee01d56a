/* SPDX-License-Identifier: MIT */
/* A naive model of the library: a list of files, from which every listing is made anew each time.
 * It shares nothing with the library but the sort key, which has tests of its own. */
#pragma once

#include "base/buf.h"
#include "library/batch_priv.h"
#include "library/listing.h"

#define MODEL_NAMES_MAX 4
#define MODEL_FILES_MAX 400
#define MODEL_LEARNED_MAX 4000
#define MODEL_CONTAINERS_MAX 2000

struct model_file {
	bool used;
	char path[96];
	uint8_t kind;
	char taken[16]; /* images: year, month, space, day */
	char title[32], album[32], album_artist[32], composer[32];
	char artists[MODEL_NAMES_MAX][32], genres[MODEL_NAMES_MAX][32];
	unsigned artists_n, genres_n;
	uint16_t track, disc, year;
	bool compilation, art;
	uint64_t inode, size;
	uint64_t id;	    /* learned; 0: not seen yet */
	int64_t created_at; /* learned */
	uint32_t serial;    /* changes whenever the record does */
	unsigned grave; /* the batch that removed it from where it was: a put there revives it */
};

/* Ids that the library gave out, by what they stand for. */
struct model_learned {
	char kind; /* m, d, t, a */
	char key[160];
	uint64_t id;
};

/* A container as it was after the last commit. */
struct model_seen {
	char id[LIBRARY_ID_MAX];
	char *signature;
	uint32_t update_id;
	bool was_alive, alive, changed, exempt;
};

struct model {
	struct library *lib;
	char roots[3][16];
	unsigned roots_n;
	struct model_file files[MODEL_FILES_MAX];
	struct model_file last[MODEL_FILES_MAX]; /* as at the last comparison */
	struct model_file put_last;
	unsigned batch; /* number of the one being built */
	struct model_learned *learned;
	size_t learned_n;
	struct model_seen *seen;
	size_t seen_n;
	uint32_t serial;
	uint64_t commit;
	struct library_change change; /* of the last on_commit */
	unsigned changes_n;
};

struct model *model_new(void);
void model_free(struct model *m);

struct model_file *model_find(struct model *m, const char *path);
/** A free place. */
struct model_file *model_add(struct model *m);
/** The file goes from where it is, for this batch or for ever. */
void model_remove(struct model *m, struct model_file *f);
/** What was removed from there in the batch at hand. */
struct model_file *model_grave(struct model *m, const char *path);
/** The input that stands for this file; names must outlive its use. */
struct model_input {
	struct media_file_in in;
	struct span artists[MODEL_NAMES_MAX], genres[MODEL_NAMES_MAX];
};
void model_fill(const struct model_file *f, struct model_input *out);

/** Compare everything that the library shows with what the model says. `wrote`: a commit happened.
 */
void model_check(struct model *m, bool wrote);
