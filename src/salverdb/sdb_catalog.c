/* SPDX-License-Identifier: MIT */
/* The catalog: table 0 says how the others were declared, so that a program which declares them
 * otherwise is told, and new indexes are made from the records. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/log.h"
#include "base/fd.h"
#include "base/num.h"
#include "salverdb/sdb_priv.h"

#define ENTRY_BYTES_MAX 4096

const struct sdb_table catalog_table = { .name = "catalog", .key = SDB_KEY_STRING };

static const char *const key_names[] = { "id", "u64", "string" };
static const char *const codec_names[] = { "bytes", "json", "flatbuffer" };

/* ---- what is declared ------------------------------------------------------------------------ */

static bool name_good(const char *name)
{
	if (!name)
		return false;
	size_t n = strlen(name);
	for (size_t i = 0; i < n; i++)
		if ((unsigned char)name[i] <= 0x20 || name[i] == 0x7f)
			return false;
	return n > 0 && n <= SDB_NAME_MAX;
}

static enum err indexes_check(const struct sdb_table *t, struct err_info *info)
{
	if (t->indexes_n > SDB_INDEXES_MAX)
		return err_set(info, ERR_LIMIT, 0, "table \"%s\" has more than %d indexes", t->name,
			       SDB_INDEXES_MAX);
	for (unsigned x = 0; x < t->indexes_n; x++) {
		if (!name_good(t->indexes[x].name) || !t->indexes[x].keys)
			return err_set(info, ERR_INVALID, 0,
				       "index %u of table \"%s\" needs a name without blanks and a "
				       "function that gives keys",
				       x, t->name);
		for (unsigned y = 0; y < x; y++)
			if (strcmp(t->indexes[x].name, t->indexes[y].name) == 0)
				return err_set(info, ERR_INVALID, 0,
					       "table \"%s\" has two indexes \"%s\"", t->name,
					       t->indexes[x].name);
	}
	return ERR_OK;
}

enum err catalog_check(const struct sdb_options *o, struct err_info *info)
{
	if (!o->dir || o->tables_n == 0 || o->tables_n > SDB_TABLES_MAX)
		return err_set(info, ERR_INVALID, 0,
			       "a database has a directory and 1 to %d tables", SDB_TABLES_MAX);
	for (unsigned t = 0; t < o->tables_n; t++) {
		const struct sdb_table *table = &o->tables[t];
		if (!name_good(table->name) || (unsigned)table->key >= ARRAY_LEN(key_names) ||
		    (unsigned)table->codec >= ARRAY_LEN(codec_names) ||
		    (table->codec == SDB_FLATBUFFER && !table->verify))
			return err_set(info, ERR_INVALID, 0,
				       "table %u needs a name without blanks, a kind of key, a "
				       "codec, and for FlatBuffers a function that verifies",
				       t);
		for (unsigned u = 0; u < t; u++)
			if (strcmp(table->name, o->tables[u].name) == 0)
				return err_set(info, ERR_INVALID, 0, "two tables \"%s\"",
					       table->name);
		enum err e = indexes_check(table, info);
		if (e != ERR_OK)
			return e;
	}
	return ERR_OK;
}

/* ---- what is stored: "NUMBER KEY CODEC", and behind '|' the indexes ---------------------------
 */

static void entry_write(const struct sdb *db, unsigned table, struct buf *b)
{
	const struct sdb_table *t = &db->tables[table].def;
	buf_addf(b, "%u %s %s|%u", table, key_names[t->key], codec_names[t->codec],
		 t->index_version);
	for (unsigned x = 0; x < t->indexes_n; x++)
		buf_addf(b, " %s:%s", t->indexes[x].name, t->indexes[x].unique ? "unique" : "many");
}

static enum err entry_compare(struct sdb *db, const struct sdb_record *stored,
			      enum catalog_state *out, struct err_info *info)
{
	struct span text = span_in(stored->value), name = span_in(stored->key.text), rest = text;
	uint64_t number;
	if (num_parse_u64(span_cut(&rest, ' '), 1, SDB_TABLES_MAX, &number) != ERR_OK)
		return err_set(info, ERR_CORRUPT, 0, "the catalog does not say which table %s is",
			       QUOTE(name));
	if (number >= db->tables_n || !span_eq(name, span_str(db->tables[number].def.name)))
		return err_set(info, ERR_INVALID, 0,
			       "table %s is number %llu of this database, but is not declared so",
			       QUOTE(name), (unsigned long long)number - 1);
	struct buf want;
	buf_init(&want, ENTRY_BYTES_MAX);
	entry_write(db, (unsigned)number, &want);
	struct span declared = buf_span(&want), declared_rest = declared;
	rest = text;
	bool same = buf_err(&want) == ERR_OK && span_eq(text, declared);
	bool compatible = span_eq(span_cut(&rest, '|'), span_cut(&declared_rest, '|'));
	buf_fini(&want);
	if (!same)
		*out = CATALOG_INDEXES_DIFFER;
	if (!compatible)
		return err_set(info, ERR_INVALID, 0,
			       "table %s is stored with another kind of key or codec", QUOTE(name));
	return ERR_OK;
}

enum err catalog_compare(struct sdb *db, enum catalog_state *out, struct err_info *info)
{
	struct db_snap *sn = db_snap_begin(db->db);
	enum err e = ERR_OK;
	uint64_t id = 0, from = 0;
	struct fb_table row;
	*out = db_rows(sn, 0) + 1 < db->tables_n ? CATALOG_NEW : CATALOG_SAME;
	while (e == ERR_OK && (e = db_row_from(sn, 0, from, &id, &row)) == ERR_OK) {
		struct sdb_record record;
		record_of_row(&db->tables[0], row, &record);
		e = entry_compare(db, &record, out, info);
		from = id + 1;
	}
	if (e == ERR_CORRUPT && info->text[0] == '\0')
		(void)err_set(info, e, 0, "the catalog of the database is damaged");
	db_snap_end(sn);
	return e == ERR_NOTFOUND ? ERR_OK : e;
}

enum err catalog_store(struct sdb *db)
{
	struct db_txn *txn;
	enum err e = db_txn_begin(db->db, &txn);
	if (e != ERR_OK)
		return e;
	for (unsigned t = 1; t < db->tables_n && e == ERR_OK; t++) {
		struct buf b;
		buf_init(&b, ENTRY_BYTES_MAX);
		entry_write(db, t, &b);
		const struct kv_record_in in = { .key = span_str(db->tables[t].def.name),
						 .value = buf_span(&b) };
		e = buf_err(&b);
		if (e == ERR_OK) /* a table's number is its row's id */
			e = db_txn_put(txn, 0, t, &in);
		buf_fini(&b);
	}
	if (e == ERR_OK)
		return db_txn_commit(txn);
	db_txn_abort(txn);
	return e;
}

/* ---- keys that should be unique ---------------------------------------------------------------
 */

static enum err index_unique_check(const struct sdb *db, const struct db_snap *sn, unsigned table,
				   unsigned index, struct err_info *info)
{
	const struct table *t = &db->tables[table];
	uint8_t scratch[2][DB_KEY_BYTES_MAX];
	struct span key, before = { 0 };
	struct db_cursor c;
	uint64_t id;
	db_seek(&c, sn, table, t->key_indexes_n + index, 0, 0);
	for (unsigned i = 0; db_next_key(&c, &id, &key, scratch[i % 2]); i++) {
		if (i > 0 && span_eq(key, before))
			return err_set(info, ERR_EXISTS, 0,
				       "index \"%s\" of table \"%s\" is declared unique, but "
				       "more than one record has the key %s",
				       t->def.indexes[index].name, t->def.name, QUOTE(key));
		before = key;
	}
	return ERR_OK;
}

enum err unique_check(struct sdb *db, struct err_info *info)
{
	struct db_snap *sn = db_snap_begin(db->db);
	enum err e = ERR_OK;
	for (unsigned t = 1; t < db->tables_n; t++)
		for (unsigned x = 0; x < db->tables[t].def.indexes_n && e == ERR_OK; x++)
			if (db->tables[t].def.indexes[x].unique)
				e = index_unique_check(db, sn, t, x, info);
	db_snap_end(sn);
	return e;
}

/* ---- making indexes again -------------------------------------------------------------------- */

enum err index_files_remove(const char *dir, struct err_info *info)
{
	CLEANUP(fd_closep) int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int list_fd = fd < 0 ? -1 : fcntl(fd, F_DUPFD_CLOEXEC, 0);
	DIR *d = list_fd < 0 ? NULL : fdopendir(list_fd);
	bool ok = d != NULL;
	const struct dirent *de;
	while (ok && (de = readdir(d))) {
		struct span name = span_str(de->d_name);
		bool index = span_starts(name, SPAN("index-")) && span_ends(name, SPAN(".run"));
		if (index || span_eq(name, SPAN("manifest")))
			ok = unlinkat(fd, de->d_name, 0) == 0;
	}
	if (d)
		closedir(d);
	else if (list_fd >= 0)
		close(list_fd);
	if (ok && fsync(fd) == 0)
		return ERR_OK;
	return err_set(info, err_from_errno(errno), errno,
		       "cannot remove the index files of database %s: %s", QUOTE(span_str(dir)),
		       strerror(errno));
}
