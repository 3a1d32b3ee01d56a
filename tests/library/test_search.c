/* SPDX-License-Identifier: MIT */
/* What the text column answers is what judging every record answers, in the same order: with
 * random questions, while others write, after reopening, after kills, with a damaged file. */
#include <dirent.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#include <xxhash.h>

#include "base/thread.h"
#include "harness.h"
#include "library/batch_priv.h"
#include "library/search_words.h"
#include "library/text.h"
#include "library/text_find.h"

/* Threads share the random numbers. */
static uint64_t rnd(void)
{
	static struct mutex m = MUTEX_INIT;
	mutex_lock(&m);
	uint64_t v = test_random();
	mutex_unlock(&m);
	return v;
}

#define FILES_N 6000 /* of one kind at most: several blocks */

static const char *const vocabulary[] = { "storm",    "calm",	"a",	    "river",  "Sör",
					  "Ångström", "7",	"007",	    "10",     "rain",
					  "st",	      "x",	"ÉTUDE",    "night",  "niGHT",
					  "\u4eba",   "\u5de5", "o'clock",  "(live)", "-",
					  "moon.",    "\x01",	"tab\there" };

static const char *word(void)
{
	return vocabulary[rnd() % ARRAY_LEN(vocabulary)];
}

/* ---- files ----------------------------------------------------------------------------------- */

struct names {
	char path[64], title[96], artist[64], guest[64], album[64], album_artist[64], genre[32];
	struct span artists[2];
};

/* A leading no-break space sorts by another key than its folded form. */
static struct media_file_in random_file(struct names *n)
{
	uint64_t k = rnd() % FILES_N;
	snprintf(n->path, sizeof n->path, "/m/%c/%u/%u.bin", 'a' + (int)(k % 5), (unsigned)(k % 31),
		 (unsigned)k);
	snprintf(n->title, sizeof n->title, "%s%s %s %s", rnd() % 50 ? "" : "\u00a0", word(),
		 word(), rnd() % 2 ? word() : "");
	snprintf(n->artist, sizeof n->artist, "%s %s", word(), word());
	snprintf(n->guest, sizeof n->guest, "%s", word());
	snprintf(n->album, sizeof n->album, "%s %s", word(), word());
	snprintf(n->album_artist, sizeof n->album_artist, "%s", word());
	snprintf(n->genre, sizeof n->genre, "%s", word());
	n->artists[0] = span_str(n->artist);
	n->artists[1] = span_str(n->guest);
	unsigned what = (unsigned)rnd();
	struct media_file_in in = {
		.path = span_str(n->path),
		.title = span_str(n->title),
		.kind = what % 4 == 3	? MEDIA_KIND_IMAGE
			: what % 4 == 2 ? MEDIA_KIND_VIDEO
					: MEDIA_KIND_AUDIO,
		.size = 1 + rnd() % 1000,
		.inode = k + 1,
	};
	if (what & 16)
		in.artist = span_str(n->artist);
	if (what & 32)
		in.album = span_str(n->album);
	if ((what & (16 | 64)) == (16 | 64)) {
		in.artists = n->artists;
		in.artists_n = 2;
	}
	if (what & 128)
		in.album_artist = span_str(n->album_artist);
	if (what & 256)
		in.genre = span_str(n->genre);
	return in;
}

static struct batch *random_batch(unsigned n)
{
	struct batch *b = NULL;
	EXPECT_OK(batch_new(&b));
	EXPECT_OK(batch_root(b, SPAN("/m"), SPAN("music")));
	for (unsigned i = 0; i < n; i++) {
		struct names names;
		struct media_file_in in = random_file(&names);
		enum err e = rnd() % 8 ? batch_put(b, &in) : batch_remove(b, in.path);
		EXPECT_OK(e);
	}
	return b;
}

static struct library *open_library(const char *dir)
{
	struct library_options options = { .database_dir = dir };
	struct library *lib = NULL;
	EXPECT_OK(library_open(&options, &lib, NULL));
	return lib;
}

static void write_random(struct library *lib, unsigned n)
{
	struct batch_result r;
	EXPECT_OK(library_submit_wait(lib, random_batch(n), &r));
	EXPECT_OK(r.err);
}

/* ---- questions ------------------------------------------------------------------------------- */

struct question {
	struct search_query query;
	struct search_steps steps;
	char text[SEARCH_STEPS_MAX][64];
};

static bool other_holds(const struct object *o)
{
	return o->title.n % 2;
}

static bool question_matches(const void *ctx, const struct object *o)
{
	const struct search_steps *s = ctx;
	unsigned shape = search_shape(o), at = s->first;
	while (at < s->n) {
		const struct search_step *step = &s->step[at];
		bool holds = s->known[shape] >> at & 1 ? s->holds[shape] >> at & 1
			     : step->is_text	       ? search_step_holds(step, o)
						       : other_holds(o);
		at = step->next[holds];
	}
	return at == SEARCH_STEP_YES;
}

static uint8_t random_next(unsigned i, unsigned n)
{
	unsigned to = i + 1 + (unsigned)(rnd() % (n - i + 1));
	return (uint8_t)(to < n ? to : to == n ? SEARCH_STEP_NO : SEARCH_STEP_YES);
}

static void random_want(struct question *q, unsigned i)
{
	static const char *const parts[] = { "", "o", "or", "sto", "ight", " ", "a r", "0" };
	struct search_step *step = &q->steps.step[i];
	const char *raw = rnd() % 3 ? word() : parts[rnd() % ARRAY_LEN(parts)];
	size_t n = library_fold(span_str(raw), q->text[i], sizeof q->text[i]);
	step->want = span_of(q->text[i], n);
}

static void random_question(struct question *q)
{
	struct search_steps *s = &q->steps;
	memset(q, 0, sizeof *q);
	s->n = 1 + (unsigned)(rnd() % 5);
	for (unsigned i = 0; i < s->n; i++) {
		s->step[i] = (struct search_step){
			.is_text = rnd() % 6 != 0,
			.field = (uint8_t)(rnd() % (SEARCH_GENRE + 1)),
			.compare = (uint8_t)(rnd() % (SEARCH_BEGINS_WORD + 1)),
			.next = { random_next(i, s->n), random_next(i, s->n) },
		};
		random_want(q, i);
		for (unsigned shape = 0; shape < SEARCH_SHAPES && rnd() % 4 == 0; shape++) {
			s->known[shape] |= 1ull << i;
			s->holds[shape] |= (rnd() & 1) << i;
		}
	}
	q->query = (struct search_query){ .matches = question_matches, .ctx = s, .steps = s };
	for (unsigned k = OBJECT_AUDIO; k <= OBJECT_IMAGE; k++)
		q->query.items[k] = rnd() % 5 ? SEARCH_MAYBE : SEARCH_NO;
	for (unsigned c = 0; c < CONTAINER_CLASSES_N; c++)
		q->query.containers[c] = rnd() % 5 ? SEARCH_MAYBE : SEARCH_NO;
}

/* ---- comparing ------------------------------------------------------------------------------- */

struct ids {
	char (*id)[LIBRARY_ID_MAX];
	unsigned n, cap;
};

static void ids_add(struct ids *ids, const char *id)
{
	if (ids->n == ids->cap) {
		ids->cap = ids->cap ? ids->cap * 2 : 1024;
		ids->id = realloc(ids->id, ids->cap * sizeof *ids->id);
	}
	snprintf(ids->id[ids->n++], sizeof *ids->id, "%s", id);
}

static void collect(struct library *lib, const struct library_snap *sn, const char *scope,
		    const struct search_query *query, struct ids *out)
{
	struct search s;
	struct object o;
	out->n = 0;
	EXPECT_OK(library_search_begin(lib, sn, span_str(scope), query, &s));
	while (search_next(&s, &o))
		ids_add(out, o.id);
	search_end(&s);
}

/** A page, with the total, as Search answers it. */
static void check_page(struct library *lib, const struct library_snap *sn, const char *scope,
		       const struct search_query *query, const struct ids *want)
{
	struct search s;
	struct object o;
	unsigned start = (unsigned)(rnd() % (want->n + 2)), n = 0;
	unsigned count = (unsigned)(rnd() % 100);
	EXPECT_OK(library_search_begin(lib, sn, span_str(scope), query, &s));
	EXPECT_U64(MIN(start, want->n), search_skip(&s, start));
	for (; n < count && search_next(&s, &o); n++)
		EXPECT_STR(want->id[start + n], o.id);
	EXPECT_U64(start < want->n ? MIN(count, want->n - start) : 0, n);
	EXPECT_U64(start < want->n ? want->n - start - n : 0, search_skip(&s, UINT64_MAX));
	search_end(&s);
}

/** Two words of the vocabulary or parts of them, as somebody types them. */
static void random_words(struct search_words *words, struct search_query *out)
{
	char text[64];
	int n = snprintf(text, sizeof text, "%s %s", word(), word());
	size_t cut = (size_t)n - rnd() % 3;
	EXPECT_OK(search_words_parse(span_of(text, cut), words));
	search_words_query(words, out);
}

/** Random questions on one snapshot; returns how many of them found something. */
static unsigned compare(struct library *lib, const struct library_snap *sn, unsigned rounds)
{
	static const char *const scopes[] = { "0",  "0",   "0",	 "A",  "AT",  "V",  "VT",
					      "I",  "F",   "F",	 "AR", "AL",  "AG", "d2",
					      "d3", "ar1", "AA", "AC", "AN",  "VN", "IN",
					      "AF", "VF",  "IF", "ID", "aa1", "dv2" };
	struct ids want = { 0 }, got = { 0 };
	struct question *q = malloc(sizeof *q);
	struct search_words *words = malloc(sizeof *words);
	unsigned found = 0;
	for (unsigned i = 0; i < rounds; i++) {
		struct object o;
		const char *scope = scopes[rnd() % ARRAY_LEN(scopes)];
		if (library_object_get(sn, span_str(scope), &o) != ERR_OK)
			continue;
		random_question(q);
		if (rnd() % 4 == 0)
			random_words(words, &q->query);
		collect(NULL, sn, scope, &q->query, &want);
		collect(lib, sn, scope, &q->query, &got);
		for (unsigned k = 0; k < MIN(want.n, got.n); k++)
			EXPECT_STR(want.id[k], got.id[k]);
		EXPECT_U64(want.n, got.n);
		check_page(lib, sn, scope, &q->query, &want);
		found += want.n > 0;
	}
	free(want.id);
	free(got.id);
	free(words);
	free(q);
	return found;
}

static unsigned compare_now(struct library *lib, unsigned rounds)
{
	struct library_snap *sn = library_snap_begin(lib);
	unsigned found = compare(lib, sn, rounds);
	library_snap_end(sn);
	return found;
}

static struct library_stats stats_of(struct library *lib)
{
	struct library_stats stats;
	library_stats_get(lib, &stats);
	return stats;
}

/* ---- words ----------------------------------------------------------------------------------- */

static bool words_match(const char *text, const char *title, const char *artist)
{
	struct search_words words;
	struct object o = { .kind = OBJECT_CONTAINER,
			    .container_class = CONTAINER_ALBUM,
			    .title = span_str(title),
			    .artist = span_str(artist) };
	EXPECT_OK(search_words_parse(span_str(text), &words));
	return search_steps_match(&words.steps, &o);
}

TEST(search_words, each_must_be_somewhere)
{
	static const struct {
		const char *text, *title, *artist;
		bool matches;
	} rows[] = {
		{ "", "Storm", "Nina", false },
		{ "  ", "Storm", "Nina", false },
		{ "storm", "Storm", "Nina", true },
		{ "NIN sto", "Brainstorm", "Nina", true },
		{ "nina calm", "Storm", "Nina", false },
		{ "t", "Storm", "Nina", false }, /* begins no word */
		{ "na", "Storm", "Nina", false },
		{ "ni s", "A storm", "Nina", true },
		{ "u2", "One", "U2", true },
		{ "ina", "Storm", "Nina", true },
		{ "\u4eba", "\u5de5\u4eba", "", true }, /* words without spaces */
		{ "etude", "\u00c9tude", "", true },
		{ "\tnina\n\x01", "Storm", "Nina", true },
	};
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		printf("%s in %s\n", rows[i].text, rows[i].title);
		EXPECT_U64(rows[i].matches,
			   words_match(rows[i].text, rows[i].title, rows[i].artist));
	}
}

TEST(search_words, there_are_limits)
{
	struct search_words words;
	char text[SEARCH_WORDS_BYTES_MAX + 1];
	memset(text, 'a', sizeof text);
	EXPECT_OK(search_words_parse(span_of(text, SEARCH_WORDS_BYTES_MAX), &words));
	EXPECT_ERR(ERR_LIMIT, search_words_parse(span_of(text, sizeof text), &words));
	for (size_t i = 1; i < sizeof text; i += 2)
		text[i] = ' ';
	EXPECT_OK(search_words_parse(span_of(text, 2 * SEARCH_WORDS_MAX), &words));
	EXPECT_ERR(ERR_LIMIT, search_words_parse(span_of(text, 2 * SEARCH_WORDS_MAX + 1), &words));
}

/* ---- cases ----------------------------------------------------------------------------------- */

TEST(text_find, finds_the_first_place_wherever_it_is)
{
	static const char letters[] = "aab c\xc3";
	for (int round = 0; round < 20000; round++) {
		char hay[80], want[8];
		size_t n = rnd() % sizeof hay, m = 1 + rnd() % 5;
		for (size_t i = 0; i < n; i++)
			hay[i] = letters[rnd() % (sizeof letters - 1)];
		for (size_t i = 0; i < m; i++)
			want[i] = letters[rnd() % (sizeof letters - 1)];
		struct text_needle needle;
		text_needle_init(&needle, span_of(want, m));
		EXPECT(text_find(&needle, hay, hay + n) == (const char *)memmem(hay, n, want, m));
	}
}

TEST(text_find, words_begin_behind_what_is_no_letter)
{
	static const struct {
		const char *text;
		size_t at;
		bool begins;
	} rows[] = { { "storm", 0, true },	 { "a storm", 2, true }, { "(storm", 1, true },
		     { "brainstorm", 5, false }, { "7storm", 1, false }, { "\u00e9t", 2, false } };
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		EXPECT_U64(rows[i].begins,
			   text_word_begins(rows[i].text, rows[i].text + rows[i].at));
}

TEST_LIMIT(text, answers_like_judging_each_record_with_changes_before_and_behind, 300)
{
	struct library *lib = open_library(test_tmpdir());
	unsigned found = 0;
	for (int i = 0; i < 4; i++)
		write_random(lib, 3000);
	found += compare_now(lib, 10);
	for (int i = 0; i < 6; i++) {
		EXPECT_OK(text_settle(library_text(lib)));
		EXPECT_U64(stats_of(lib).commit, stats_of(lib).text_commit);
		found += compare_now(lib, 25);
		write_random(lib, i % 2 ? 5 : 400);
		EXPECT(stats_of(lib).commit > stats_of(lib).text_commit);
		found += compare_now(lib, 25);
	}
	EXPECT(found > 100);
	EXPECT_U64(0, stats_of(lib).text_refused_n);
	library_close(lib);
}

struct writing {
	struct library *lib;
	_Atomic bool stop;
};

static void write_on(void *arg)
{
	struct writing *w = arg;
	while (!atomic_load(&w->stop))
		write_random(w->lib, 40);
}

static void settle_on(void *arg)
{
	struct writing *w = arg;
	while (!atomic_load(&w->stop))
		EXPECT_OK(text_settle(library_text(w->lib)));
}

TEST_LIMIT(text, answers_are_those_of_the_snapshot_while_others_write_and_build, 300)
{
	struct writing w = { .lib = open_library(test_tmpdir()) };
	struct thread writer = { .started = false }, settler = { .started = false };
	for (int i = 0; i < 3; i++)
		write_random(w.lib, 3000);
	EXPECT_OK(text_settle(library_text(w.lib)));
	EXPECT_OK(thread_start(&writer, "writer", write_on, &w));
	EXPECT_OK(thread_start(&settler, "settler", settle_on, &w));
	unsigned found = 0;
	for (int i = 0; i < 40; i++)
		found += compare_now(w.lib, 4);
	atomic_store(&w.stop, true);
	thread_join(&writer);
	thread_join(&settler);
	EXPECT(found > 40);
	library_close(w.lib);
}

TEST_LIMIT(text, a_column_is_used_again_after_reopening_with_what_came_behind_it, 300)
{
	const char *dir = test_tmpdir();
	struct library *lib = open_library(dir);
	for (int i = 0; i < 3; i++)
		write_random(lib, 3000);
	EXPECT_OK(text_settle(library_text(lib)));
	uint64_t commit = stats_of(lib).text_commit;
	write_random(lib, 100);
	library_close(lib);
	lib = open_library(dir);
	while (stats_of(lib).text_commit == 0) /* its thread looks at it first */
		sched_yield();
	EXPECT_U64(commit, stats_of(lib).text_commit);
	EXPECT_U64(0, stats_of(lib).text_builds_n);
	EXPECT(stats_of(lib).text_bytes > 9000 * 4); /* an id for each, at least */
	EXPECT(stats_of(lib).text_memory_bytes > 9000 / TEXT_BLOCK_ROWS * 32);
	compare_now(lib, 50);
	library_close(lib);
}

static unsigned columns_n(const char *dir)
{
	DIR *d = opendir(dir);
	unsigned n = 0;
	for (const struct dirent *de; (de = readdir(d));)
		n += span_ends(span_str(de->d_name), SPAN(".col"));
	closedir(d);
	return n;
}

/* Every place is taken by searches that go on: the column that is not taken counts as not built. */
TEST_LIMIT(text, a_column_without_a_place_is_built_again, 120)
{
	const char *dir = test_tmpdir();
	struct library *lib = open_library(dir);
	struct text *t = library_text(lib);
	unsigned slots[4];
	for (size_t i = 0; i < ARRAY_LEN(slots); i++) {
		write_random(lib, 700);
		EXPECT_OK(text_settle(t));
		EXPECT(text_pin(t, &slots[i]) != NULL);
	}
	uint64_t commit = stats_of(lib).text_commit;
	write_random(lib, 700);
	EXPECT_ERR(ERR_BUSY, text_settle(t));
	EXPECT_U64(commit, stats_of(lib).text_commit);
	EXPECT_U64(1, columns_n(dir));
	compare_now(lib, 10);
	text_unpin(t, slots[0]);
	EXPECT_OK(text_settle(t));
	EXPECT_U64(stats_of(lib).commit, stats_of(lib).text_commit);
	for (size_t i = 1; i < ARRAY_LEN(slots); i++)
		text_unpin(t, slots[i]);
	library_close(lib);
}

/** Writes and builds without end, in a process that is killed. */
NORETURN static void work_until_killed(const char *dir, int ready_fd)
{
	struct library *lib = open_library(dir);
	struct writing w = { .lib = lib };
	struct thread settler = { .started = false };
	EXPECT_OK(thread_start(&settler, "settler", settle_on, &w));
	for (;;) {
		write_random(lib, 200);
		if (write(ready_fd, "", 1) != 1)
			_exit(1);
	}
}

TEST_LIMIT(text, answers_are_right_after_kills, 300)
{
	const char *dir = test_tmpdir();
	struct library *lib = open_library(dir);
	write_random(lib, 3000);
	library_close(lib);
	for (int round = 0; round < 6; round++) {
		int ready[2], status;
		char c;
		EXPECT(pipe(ready) == 0);
		pid_t pid = fork();
		if (pid == 0)
			work_until_killed(dir, ready[1]);
		close(ready[1]);
		for (uint64_t n = 1 + rnd() % 8; n > 0; n--)
			EXPECT(read(ready[0], &c, 1) == 1);
		kill(pid, SIGKILL);
		EXPECT(waitpid(pid, &status, 0) == pid && WIFSIGNALED(status));
		close(ready[0]);
		lib = open_library(dir);
		compare_now(lib, 6);
		EXPECT_OK(text_settle(library_text(lib)));
		compare_now(lib, 6);
		EXPECT_OK(library_check(lib, NULL, NULL));
		library_close(lib);
	}
}

/* ---- damage ---------------------------------------------------------------------------------- */

static void column_path(const char *dir, char *out, size_t max)
{
	DIR *d = opendir(dir);
	unsigned n = 0;
	for (const struct dirent *de; (de = readdir(d));)
		if (span_ends(span_str(de->d_name), SPAN(".col"))) {
			snprintf(out, max, "%s/%s", dir, de->d_name);
			n++;
		}
	closedir(d);
	EXPECT_U64(1, n);
}

static void note_line(void *ctx, const char *line)
{
	snprintf(ctx, 200, "%s", line);
}

TEST_LIMIT(text, a_damaged_column_is_named_and_made_again, 300)
{
	const char *dir = test_tmpdir();
	struct library *lib = open_library(dir);
	write_random(lib, 3000);
	for (int round = 0; round < 40; round++) {
		char path[300], line[200] = "";
		struct stat st;
		EXPECT_OK(text_settle(library_text(lib)));
		library_close(lib);
		column_path(dir, path, sizeof path);
		EXPECT(stat(path, &st) == 0);
		int fd = open(path, O_RDWR | O_CLOEXEC);
		off_t at = (off_t)(rnd() % (uint64_t)st.st_size);
		uint8_t c = 0;
		if (round % 4 == 0) { /* torn */
			EXPECT(ftruncate(fd, at) == 0);
		} else {
			EXPECT(pread(fd, &c, 1, at) == 1);
			c ^= (uint8_t)(1u << rnd() % 8);
			EXPECT(pwrite(fd, &c, 1, at) == 1);
		}
		close(fd);
		struct library_options options = { .database_dir = dir, .read_only = true };
		EXPECT_OK(library_open(&options, &lib, NULL));
		EXPECT_OK(library_check(lib, note_line, line));
		library_close(lib);
		/* bytes between two blocks mean nothing */
		EXPECT(strstr(line, "made again") || strstr(line, "makes it again") ||
		       line[0] == '\0');
		lib = open_library(dir);
		compare_now(lib, 2);
		write_random(lib, 3);
	}
	library_close(lib);
}

/* Hashes are no proof: whoever can write the file can make them. */
static void forge(uint8_t *p, size_t n)
{
	struct disk_text_head *head = (void *)p;
	for (uint64_t i = 1 + rnd() % 4; i > 0; i--) {
		size_t at = rnd() % n & ~(size_t)3;
		uint32_t old, values[] = { 0, 1, UINT32_MAX, (uint32_t)rnd(), (uint32_t)n };
		memcpy(&old, p + at, 4);
		values[1] += old;
		memcpy(p + at, &values[rnd() % ARRAY_LEN(values)], MIN(4, n - at));
	}
	uint64_t table = head->blocks_off;
	if (table % 8 == 0 && table < n && head->blocks_n <= (n - table) / 32) {
		for (uint32_t i = 0; i < head->blocks_n; i++) {
			struct disk_text_block *b = (void *)(p + table + (size_t)i * 32);
			if (b->off < n && b->bytes <= n - b->off)
				b->hash = XXH3_64bits_withSeed(p + b->off, b->bytes, b->off);
		}
		head->blocks_hash = XXH3_64bits(p + table, (size_t)head->blocks_n * 32);
	}
	head->hash = XXH3_64bits(p, offsetof(struct disk_text_head, hash));
}

TEST_LIMIT(text, a_forged_column_harms_nobody, 300)
{
	const char *dir = test_tmpdir();
	struct library *lib = open_library(dir);
	struct question *q = malloc(sizeof *q);
	struct ids got = { 0 };
	unsigned taken_n = 0;
	for (int i = 0; i < 2; i++)
		write_random(lib, 2500);
	for (int round = 0; round < 60; round++) {
		char path[300];
		struct stat st;
		EXPECT_OK(text_settle(library_text(lib)));
		library_close(lib);
		column_path(dir, path, sizeof path);
		int fd = open(path, O_RDWR | O_CLOEXEC);
		EXPECT(fstat(fd, &st) == 0);
		size_t n = (size_t)st.st_size;
		uint64_t *bytes = calloc(1, n + 8);
		EXPECT(pread(fd, bytes, n, 0) == (ssize_t)n);
		forge((uint8_t *)bytes, n);
		EXPECT(pwrite(fd, bytes, n, 0) == (ssize_t)n);
		close(fd);
		free(bytes);
		lib = open_library(dir);
		EXPECT_OK(library_check(lib, NULL, NULL)); /* long enough for the column */
		taken_n += stats_of(lib).text_commit != 0;
		struct library_snap *sn = library_snap_begin(lib);
		for (int i = 0; i < 8; i++) {
			random_question(q);
			collect(lib, sn, "0", &q->query, &got);
		}
		library_snap_end(sn);
	}
	printf("%u of 60 taken\n", taken_n);
	free(got.id);
	free(q);
	library_close(lib);
}

TEST_LIMIT(text, a_column_that_shrinks_under_a_search_costs_no_process, 120)
{
	const char *dir = test_tmpdir();
	struct library *lib = open_library(dir);
	char path[300];
	for (int i = 0; i < 2; i++)
		write_random(lib, 3000);
	EXPECT_OK(text_settle(library_text(lib)));
	column_path(dir, path, sizeof path);
	EXPECT(truncate(path, 4096) == 0);
	struct question *q = malloc(sizeof *q);
	struct ids got = { 0 };
	struct library_snap *sn = library_snap_begin(lib);
	for (int i = 0; i < 30; i++) { /* the first may come short; none may crash */
		random_question(q);
		collect(lib, sn, "0", &q->query, &got);
	}
	compare(lib, sn, 20);
	library_snap_end(sn);
	free(got.id);
	free(q);
	library_close(lib);
}
