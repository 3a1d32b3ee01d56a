/* SPDX-License-Identifier: MIT */
/* Three tables, one of each kind of key, and a naive model of what they hold. A record's value is
 * {"u":U,"w":W,"v":V}: U is its key in the unique index (0: none), the bits of W are its keys in
 * the other. */
#pragma once

#include "harness.h"
#include "salverdb/salverdb.h"

enum { SX_BY_ID, SX_BY_STRING, SX_BY_U64, SX_TABLES };
enum { SX_UNIQUE, SX_WORDS };

#define SX_KEYS 48 /* of each table */
#define SX_UNIQUES 24
#define SX_WORDS_N 6

extern const struct sdb_table sx_tables[SX_TABLES];

struct sx_value {
	uint32_t u, w, v; /* v 0: no such record */
};

struct sx_model {
	struct sx_value at[SX_TABLES][SX_KEYS];
};

struct sdb_options sx_options(const char *dir);
struct sdb *sx_open(const char *dir);
void sx_closep(struct sdb **db);
/** The i-th key of a table: short, long, empty, with zeros. */
struct sdb_key sx_key(unsigned table, unsigned i);
/** In a static buffer: the next calls use others, 16 in turn. */
struct sdb_bytes sx_value_make(struct sx_value v);
struct sx_value sx_value_random(void);
/** Whether the unique index forbids it. */
bool sx_model_conflict(const struct sx_model *m, unsigned table, unsigned i, struct sx_value v);
/** Everything that can be read, in every way. */
void sx_expect(struct sdb_txn *txn, const struct sx_model *m);
/** Of a new read transaction. */
void sx_expect_now(struct sdb *db, const struct sx_model *m);
void sx_expect_sound(struct sdb *db);
