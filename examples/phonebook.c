/* SPDX-License-Identifier: MIT */
/* A phone book on libsalverdb: string keys, a unique index (no number twice), an index with many
 * keys per record (cities), and a table of JSON notes.
 *
 *     cc -o phonebook phonebook.c $(pkg-config --cflags --libs salverdb)
 *     ./phonebook book add "Ann Lee" 555-0100 London Paris
 *     ./phonebook book number 555-0100
 *     ./phonebook book city London
 *     ./phonebook book note "Ann Lee" '{"likes": ["tea"]}'
 *     ./phonebook book fill 1000     # prints each name once it is on disk; kill it whenever you
 * like
 *     ./phonebook book list
 */
#include <salverdb.h>

#include <stdio.h>
#include <stdlib.h>

enum { PEOPLE, NOTES, TABLES };
enum { BY_NUMBER, BY_CITY };

#define ENTRY_MAX 4096

/* ---- an entry: "NUMBER\nCITY\nCITY\n" ---------------------------------------------------------
 */

/* The next line of *rest, which moves behind it. */
static struct sdb_bytes line_cut(struct sdb_bytes *rest)
{
	const char *p = rest->p;
	const char *end = rest->n ? memchr(p, '\n', rest->n) : NULL;
	struct sdb_bytes line = sdb_bytes(p, end ? (size_t)(end - p) : rest->n);
	size_t used = line.n + (end != NULL);
	*rest = sdb_bytes(p + used, rest->n - used);
	return line;
}

static void number_key(const struct sdb_record *record, struct sdb_keys *out, void *ctx)
{
	struct sdb_bytes rest = record->value;
	struct sdb_bytes number = line_cut(&rest);
	(void)ctx;
	sdb_index_key(out, number.p, number.n);
}

static void city_keys(const struct sdb_record *record, struct sdb_keys *out, void *ctx)
{
	struct sdb_bytes rest = record->value;
	(void)ctx;
	(void)line_cut(&rest); /* the number */
	while (rest.n) {
		struct sdb_bytes city = line_cut(&rest);
		sdb_index_key(out, city.p, city.n);
	}
}

static const struct sdb_index people_indexes[] = {
	[BY_NUMBER] = { .name = "number", .unique = true, .keys = number_key },
	[BY_CITY] = { .name = "city", .keys = city_keys },
};

static const struct sdb_table tables[TABLES] = {
	[PEOPLE] = { .name = "people",
		     .key = SDB_KEY_STRING,
		     .indexes = people_indexes,
		     .indexes_n = 2 },
	[NOTES] = { .name = "notes", .key = SDB_KEY_STRING, .codec = SDB_JSON },
};

/* ---- commands ---------------------------------------------------------------------------------
 */

static int complain(const char *what, enum sdb_err e, const char *why)
{
	fprintf(stderr, "phonebook: %s: %s\n", what, why && *why ? why : sdb_err_text(e));
	return 1;
}

/* A transaction by hand: begin, change, commit or end. */
static int add(struct sdb *db, int argc, char **argv)
{
	char entry[ENTRY_MAX];
	size_t n = 0;
	struct sdb_txn *txn;
	for (int i = 1; i < argc; i++)
		n += (size_t)snprintf(entry + n, n < sizeof entry ? sizeof entry - n : 0, "%s\n",
				      argv[i]);
	if (n >= sizeof entry)
		return complain(argv[0], SDB_LIMIT, NULL);
	enum sdb_err e = sdb_begin_write(db, &txn);
	if (e != SDB_OK)
		return complain(argv[0], e, NULL);
	e = sdb_put(txn, PEOPLE, sdb_text(argv[0]), sdb_bytes(entry, n));
	if (e != SDB_OK) {
		complain(argv[0], e, sdb_txn_why(txn));
		sdb_end(txn);
		return 1;
	}
	e = sdb_commit(txn);
	return e == SDB_OK ? 0 : complain(argv[0], e, NULL);
}

/* Single operations: those of several threads that wait at the same time share one commit. */
static int fill(struct sdb *db, long count)
{
	for (long i = 0; i < count; i++) {
		char name[64], entry[64];
		snprintf(name, sizeof name, "Person %06ld", i);
		int n = snprintf(entry, sizeof entry, "555-%06ld\nCity %ld\n", i, i % 10);
		enum sdb_err e =
			sdb_put_now(db, PEOPLE, sdb_text(name), sdb_bytes(entry, (size_t)n));
		if (e != SDB_OK)
			return complain(name, e, NULL);
		puts(name);
		fflush(stdout);
	}
	return 0;
}

static void print(const struct sdb_record *r)
{
	struct sdb_bytes rest = r->value;
	printf("%.*s", (int)r->key.text.n, (const char *)r->key.text.p);
	while (rest.n) {
		struct sdb_bytes line = line_cut(&rest);
		printf("\t%.*s", (int)line.n, (const char *)line.p);
	}
	putchar('\n');
}

struct question {
	char **argv;
	enum sdb_err (*open)(struct sdb_txn *txn, char **argv, struct sdb_cursor **out);
};

static enum sdb_err open_all(struct sdb_txn *txn, char **argv, struct sdb_cursor **out)
{
	(void)argv;
	return sdb_all(txn, PEOPLE, out);
}

static enum sdb_err open_number(struct sdb_txn *txn, char **argv, struct sdb_cursor **out)
{
	return sdb_find(txn, PEOPLE, BY_NUMBER, sdb_str(argv[0]), out);
}

static enum sdb_err open_city(struct sdb_txn *txn, char **argv, struct sdb_cursor **out)
{
	return sdb_find_prefix(txn, PEOPLE, BY_CITY, sdb_str(argv[0]), out);
}

/* Everything borrowed is used before the snapshot ends; nothing is copied. */
static enum sdb_err answer(struct sdb_txn *txn, void *ctx)
{
	const struct question *q = ctx;
	struct sdb_cursor *c;
	struct sdb_record r, note;
	enum sdb_err e = q->open(txn, q->argv, &c);
	if (e != SDB_OK)
		return e;
	printf("%llu of %llu\n", (unsigned long long)sdb_cursor_count(c),
	       (unsigned long long)sdb_len(txn, PEOPLE));
	while ((e = sdb_cursor_next(c, &r)) == SDB_OK) {
		print(&r);
		if (sdb_get(txn, NOTES, r.key, &note) == SDB_OK)
			printf("\t%.*s\n", (int)note.value.n, (const char *)note.value.p);
	}
	sdb_cursor_close(c);
	return e == SDB_NOTFOUND ? SDB_OK : e;
}

static int ask(struct sdb *db, struct question q)
{
	enum sdb_err e = sdb_read(db, answer, &q);
	return e == SDB_OK ? 0 : complain("read", e, NULL);
}

static void finding(void *ctx, const char *line)
{
	(void)ctx;
	fprintf(stderr, "phonebook: %s\n", line);
}

static int run(struct sdb *db, int argc, char **argv)
{
	const char *what = argv[0];
	enum sdb_err e = SDB_INVALID;
	if (argc >= 3 && strcmp(what, "add") == 0)
		return add(db, argc - 1, argv + 1);
	if (argc == 2 && strcmp(what, "fill") == 0)
		return fill(db, strtol(argv[1], NULL, 10));
	if (argc == 1 && strcmp(what, "list") == 0)
		return ask(db, (struct question){ argv + 1, open_all });
	if (argc == 2 && strcmp(what, "number") == 0)
		return ask(db, (struct question){ argv + 1, open_number });
	if (argc == 2 && strcmp(what, "city") == 0)
		return ask(db, (struct question){ argv + 1, open_city });
	if (argc == 3 && strcmp(what, "note") == 0)
		e = sdb_put_now(db, NOTES, sdb_text(argv[1]), sdb_str(argv[2]));
	if (argc == 2 && strcmp(what, "remove") == 0)
		e = sdb_remove_now(db, PEOPLE, sdb_text(argv[1]));
	if (argc == 1 && strcmp(what, "check") == 0)
		e = sdb_check(db, finding, NULL);
	return e == SDB_OK ? 0 : complain(what, e, NULL);
}

int main(int argc, char **argv)
{
	struct sdb *db;
	struct sdb_why why;
	if (argc < 3) {
		fprintf(stderr,
			"usage: phonebook DIR add NAME NUMBER [CITY...] | note NAME JSON | "
			"remove NAME |\n                     list | number NUMBER | city PREFIX "
			"| fill COUNT | check\n");
		return 2;
	}
	const struct sdb_options options = { .dir = argv[1], .tables = tables, .tables_n = TABLES };
	if (sdb_open(&options, &db, &why) != SDB_OK) {
		fprintf(stderr, "phonebook: %s\n", why.text);
		return 1;
	}
	int status = run(db, argc - 2, argv + 2);
	sdb_close(db);
	return status;
}
