/* SPDX-License-Identifier: MIT */
/* Bringing the records of older versions up to date. */
#include "library/upgrade.h"

#include "library/lookup.h"
#include "library/settings.h"
#include "library/tables.h"

#define UPGRADE_ROWS_MAX 4096u /* looked at for one commit */
#define UPGRADE_SETTING SPAN(SETTING_RESERVED "upgrade")

/* While an upgrade needs several commits, a setting says that it has not ended. */
static bool is_under_way(const struct db_snap *sn)
{
	struct fb_table row;
	return setting_find(sn, UPGRADE_SETTING, &row) == ERR_OK;
}

bool upgrade_needed(const struct db_snap *sn)
{
	uint64_t known = 0;
	for (unsigned k = 0; k < DICT_KINDS_N; k++)
		known += db_count(sn, TABLE_DIRECTORY, DIRECTORY_AUDIO + k, 0);
	bool live = db_count(sn, TABLE_DIRECTORY, DIRECTORY_SUB, 0) > 0;
	return (live && known == 0) || is_under_way(sn);
}

/* Load the next rows of a dictionary: loading counts, settling stores. */
static enum err load_rows(struct apply *a, enum dict_number which, unsigned table, uint64_t *from,
			  uint32_t *left)
{
	uint64_t id;
	struct fb_table row;
	uint32_t at;
	enum err e = ERR_OK;
	while (e == ERR_OK && *left > 0) {
		e = db_row_from(a->base, table, *from, &id, &row);
		if (e != ERR_OK && e != ERR_CORRUPT)
			break;
		*from = id + 1;
		(*left)--;
		if (e == ERR_OK)
			e = dict_load(&a->dicts, which, id, &at);
		if (e == ERR_NOTFOUND || e == ERR_CORRUPT)
			e = ERR_OK; /* one bad row must not keep the rest from being counted */
	}
	return e == ERR_NOTFOUND ? ERR_OK : e;
}

static enum err set_under_way(struct apply *a, bool under_way)
{
	struct fb_table row;
	bool was = setting_find(a->base, UPGRADE_SETTING, &row) == ERR_OK;
	if (was == under_way)
		return ERR_OK;
	a->rows_n++;
	if (!under_way)
		return db_txn_remove(a->txn, TABLE_SETTING, setting_id(row));
	struct setting_in in = { .id = db_txn_new_id(a->txn, TABLE_SETTING),
				 .name = UPGRADE_SETTING,
				 .value = SPAN("true") };
	return db_txn_put(a->txn, TABLE_SETTING, in.id, &in);
}

enum err upgrade_request(struct db *db)
{
	struct db_txn *txn = NULL;
	struct fb_table row;
	enum err e = db_txn_begin(db, &txn);
	if (e != ERR_OK)
		return e;
	if (setting_find(db_txn_base(txn), UPGRADE_SETTING, &row) == ERR_OK) {
		db_txn_abort(txn);
		return ERR_OK;
	}
	struct setting_in in = { .id = db_txn_new_id(txn, TABLE_SETTING),
				 .name = UPGRADE_SETTING,
				 .value = SPAN("true") };
	e = db_txn_put(txn, TABLE_SETTING, in.id, &in);
	if (e == ERR_OK)
		return db_txn_commit(txn);
	db_txn_abort(txn);
	return e;
}

enum err upgrade_step(struct apply *a, struct upgrade *u, bool *out_done)
{
	uint32_t left = UPGRADE_ROWS_MAX;
	a->dicts.upgrading = true;
	enum err e = load_rows(a, DICT_DIRECTORY, TABLE_DIRECTORY, &u->directory, &left);
	if (e == ERR_OK)
		e = load_rows(a, DICT_TERM, TABLE_TERM, &u->term, &left);
	if (e == ERR_OK)
		e = load_rows(a, DICT_ALBUM, TABLE_ALBUM, &u->album, &left);
	*out_done = left > 0;
	return e == ERR_OK ? set_under_way(a, !*out_done) : e;
}
