/* SPDX-License-Identifier: MIT */
/* Two tables for the store's tests, and a naive model of what they must hold.
 * A row's content follows from its id and a version, so a model is an array of versions. */
#pragma once

#include "db/db.h"
#include "harness.h"
#include "schema/media_fb.h"

enum { FX_MEDIA, FX_SETTING, FX_TABLES };
enum { FX_DIR, FX_TITLE, FX_TERM, FX_ALBUM, FX_HASH, FX_MEDIA_INDEXES };
enum { FX_NAME, FX_LOOKUP, FX_SETTING_INDEXES };

#define FX_IDS 400
#define FX_GROUPS 16 /* of every index: 0..FX_GROUPS-1 */

extern const struct db_table_def fx_tables[FX_TABLES];

struct fx_model {
	uint64_t commit;
	uint32_t version[FX_TABLES][FX_IDS]; /* by id; 0: no such row */
	uint64_t group_commit[FX_TABLES][DB_INDEXES_MAX][FX_GROUPS];
	uint64_t next_id[FX_TABLES];
};

struct db_options fx_options(const char *dir);
struct db *fx_open(const char *dir);
void fx_closep(struct db **db);

NODISCARD enum err fx_put(struct db_txn *txn, unsigned table, uint64_t id, uint32_t version);
/** The model's side of a put (version > 0) or a removal (0) in commit `commit`. */
void fx_model_put(struct fx_model *m, unsigned table, uint64_t id, uint32_t version,
		  uint64_t commit);
/** A random transaction on both; commits, or aborts (the model then stays). */
NODISCARD enum err fx_random_txn(struct db *db, struct fx_model *m, unsigned changes_max);
/** Expects the snapshot to show exactly the model. */
void fx_expect(const struct db_snap *sn, const struct fx_model *m);
/** Whether it does (rows, counts and order; cheaper than fx_expect() where it does not matter what
 * differs). */
bool fx_same(const struct db_snap *sn, const struct fx_model *m);
void fx_expect_sound(struct db *db);
void fx_print_finding(void *ctx, const char *line);
