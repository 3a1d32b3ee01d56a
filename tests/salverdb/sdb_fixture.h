/* SPDX-License-Identifier: MIT */
/* Three tables, one of each kind of key, and a naive model of what they hold. A record's value is
 * {"u":U,"w":W,"v":V}: U is its key in the unique index (0: none), the bits of W are its keys in
 * the other. */
#pragma once

#include "harness.h"
#include "salverdb/salverdb.h"

enum { FX_BY_ID, FX_BY_STRING, FX_BY_U64, FX_TABLES };
enum { FX_UNIQUE, FX_WORDS };

#define FX_KEYS 48 /* of each table */
#define FX_UNIQUES 24
#define FX_WORDS_N 6

extern const struct sdb_table fx_tables[FX_TABLES];

struct fx_value {
	uint32_t u, w, v; /* v 0: no such record */
};

struct fx_model {
	struct fx_value at[FX_TABLES][FX_KEYS];
};

struct sdb_options fx_options(const char *dir);
struct sdb *fx_open(const char *dir);
void fx_closep(struct sdb **db);
/** The i-th key of a table: short, long, empty, with zeros. */
struct sdb_key fx_key(unsigned table, unsigned i);
/** In a static buffer: the next calls use others, 16 in turn. */
struct sdb_bytes fx_value_make(struct fx_value v);
struct fx_value fx_value_random(void);
/** Whether the unique index forbids it. */
bool fx_model_conflict(const struct fx_model *m, unsigned table, unsigned i, struct fx_value v);
/** Everything that can be read, in every way. */
void fx_expect(struct sdb_txn *txn, const struct fx_model *m);
/** Of a new read transaction. */
void fx_expect_now(struct sdb *db, const struct fx_model *m);
void fx_expect_sound(struct sdb *db);
