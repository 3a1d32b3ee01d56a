/* SPDX-License-Identifier: MIT */
/* When the writer commits: a scan's batches share transactions, and nobody can tell but by the
 * number of commits. */
#include <signal.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/thread.h"
#include "library/listing.h"
#include "library/submit.h"
#include "library/writer_priv.h"
#include "base/buf.h"
#include "library/upkeep.h"
#include "library/playlists.h"
#include "shelf.h"

#define FOR_EVER 1000000u /* ms: longer than any test may take */

/* What became of the batches that were given. */
struct given {
	struct mutex m;
	struct cond changed;
	unsigned taken_n, done_n, failed_n; /* under m */
	uint32_t put_n;			    /* under m */
	struct batch_result last;	    /* under m */
	uint64_t commits[16];		    /* under m */
};

static void given_init(struct given *g)
{
	memset(g, 0, sizeof *g);
	mutex_init(&g->m);
	cond_init(&g->changed);
}

static void note_taken(void *ctx)
{
	struct given *g = ctx;
	mutex_lock(&g->m);
	g->taken_n++;
	cond_broadcast(&g->changed);
	mutex_unlock(&g->m);
}

static void note_done(void *ctx, const struct batch_result *r)
{
	struct given *g = ctx;
	mutex_lock(&g->m);
	g->commits[g->done_n++ % ARRAY_LEN(g->commits)] = r->commit;
	g->failed_n += r->err != ERR_OK;
	g->put_n += r->put_n;
	g->last = *r;
	cond_broadcast(&g->changed);
	mutex_unlock(&g->m);
}

static void give(struct shelf *s, struct given *g, struct batch *b, enum batch_urgency urgency)
{
	batch_on_taken(b, note_taken);
	EXPECT_OK(library_submit(s->lib, b, urgency, note_done, g));
}

static void wait_taken(struct given *g, unsigned n)
{
	mutex_lock(&g->m);
	while (g->taken_n < n)
		cond_wait(&g->changed, &g->m);
	mutex_unlock(&g->m);
}

static void wait_done(struct given *g, unsigned n)
{
	mutex_lock(&g->m);
	while (g->done_n < n)
		cond_wait(&g->changed, &g->m);
	mutex_unlock(&g->m);
}

static unsigned done_n(struct given *g)
{
	mutex_lock(&g->m);
	unsigned n = g->done_n;
	mutex_unlock(&g->m);
	return n;
}

static struct batch *one_song(const char *path)
{
	struct batch *b = shelf_batch();
	shelf_put(b, path);
	return b;
}

/* ---- when ------------------------------------------------------------------------------------ */

TEST(writer, batches_of_a_scan_share_a_commit_that_comes_when_somebody_waits)
{
	struct shelf s;
	struct given g;
	given_init(&g);
	shelf_init_lingering(&s, "db", FOR_EVER);
	unsigned commits_n = s.commits_n;
	give(&s, &g, one_song("/m/a.mp3"), BATCH_SCAN);
	give(&s, &g, one_song("/m/b.mp3"), BATCH_SCAN);
	give(&s, &g, one_song("/m/x/c.mp3"), BATCH_SCAN);
	wait_taken(&g, 3);
	EXPECT_U64(0, done_n(&g));
	EXPECT_U64(0, shelf_audio_n(&s));
	EXPECT_U64(commits_n, s.commits_n);
	library_flush(s.lib);
	wait_done(&g, 3);
	EXPECT_U64(3, shelf_audio_n(&s));
	EXPECT_U64(commits_n + 1, s.commits_n);
	EXPECT_U64(g.commits[0], g.commits[2]);
	EXPECT_U64(s.change.commit, g.commits[0]);
	EXPECT_U64(3, g.put_n);
	give(&s, &g, one_song("/m/d.mp3"), BATCH_SCAN_END);
	wait_done(&g, 4);
	EXPECT_U64(4, shelf_audio_n(&s));
	shelf_fini(&s);
}

TEST(writer, a_scan_that_pauses_is_committed)
{
	struct shelf s;
	struct given g;
	given_init(&g);
	shelf_init(&s);
	give(&s, &g, one_song("/m/a.mp3"), BATCH_SCAN);
	wait_done(&g, 1);
	EXPECT_U64(1, shelf_audio_n(&s));
	shelf_fini(&s);
}

TEST(writer, a_scan_that_never_pauses_is_committed_when_its_transaction_is_old)
{
	struct shelf s;
	struct given g;
	char path[64];
	given_init(&g);
	shelf_init_lingering(&s, "db", 5);
	for (unsigned i = 0; done_n(&g) == 0; i++) {
		snprintf(path, sizeof path, "/m/%u.mp3", i);
		give(&s, &g, one_song(path), BATCH_SCAN);
	}
	shelf_fini(&s);
}

TEST_LIMIT(writer, a_transaction_takes_so_many_changes_and_no_more, 100)
{
	struct shelf s;
	struct given g;
	char path[64];
	unsigned batches_n = 2 * CHAIN_CHANGES_MAX / LIBRARY_BATCH_MAX_FILES + 2;
	given_init(&g);
	shelf_init_lingering(&s, "db", FOR_EVER);
	unsigned commits_n = s.commits_n;
	for (unsigned i = 0; i < batches_n; i++) {
		struct batch *b = shelf_batch();
		for (unsigned k = 0; k < LIBRARY_BATCH_MAX_FILES; k++) {
			snprintf(path, sizeof path, "/m/%u/%u.mp3", i, k);
			shelf_put(b, path);
		}
		give(&s, &g, b, BATCH_SCAN);
	}
	wait_taken(&g, batches_n);
	EXPECT_U64(commits_n + 2, s.commits_n);
	library_flush(s.lib);
	wait_done(&g, batches_n);
	EXPECT_U64(commits_n + 3, s.commits_n);
	EXPECT_U64((uint64_t)batches_n * LIBRARY_BATCH_MAX_FILES, shelf_audio_n(&s));
	shelf_fini(&s);
}

TEST(writer, who_is_in_a_hurry_does_not_wait_for_a_scan)
{
	struct shelf s;
	struct given g;
	given_init(&g);
	shelf_init_lingering(&s, "db", FOR_EVER);
	for (unsigned i = 0; i < 20; i++) {
		char path[64];
		snprintf(path, sizeof path, "/m/%u.mp3", i);
		give(&s, &g, one_song(path), BATCH_SCAN);
		wait_taken(&g, i + 1);
		EXPECT_U64(i, done_n(&g));
		snprintf(path, sizeof path, "/m/urgent/%u.mp3", i);
		struct batch_result r = shelf_submit(&s, one_song(path));
		EXPECT_U64(i + 1, done_n(&g)); /* what came before it is there before it */
		EXPECT_U64(g.last.commit + 1, r.commit);
	}
	EXPECT_U64(40, shelf_audio_n(&s));
	shelf_fini(&s);
}

TEST(writer, an_errand_and_closing_find_the_scans_transaction_committed)
{
	struct shelf s;
	struct given g;
	uint64_t before = 0, after = 0;
	given_init(&g);
	shelf_init_lingering(&s, "db", FOR_EVER);
	EXPECT_OK(library_compact(s.lib, NULL, &before, &after));
	give(&s, &g, one_song("/m/a.mp3"), BATCH_SCAN);
	wait_taken(&g, 1);
	EXPECT_OK(library_compact(s.lib, NULL, &before, &after));
	EXPECT_U64(1, done_n(&g));
	EXPECT_U64(1, shelf_audio_n(&s));
	give(&s, &g, one_song("/m/b.mp3"), BATCH_SCAN);
	wait_taken(&g, 2);
	shelf_reopen(&s);
	EXPECT_U64(2, g.done_n);
	EXPECT_OK(g.last.err);
	EXPECT_U64(2, shelf_audio_n(&s));
	shelf_fini(&s);
}

TEST(writer, a_barrier_of_who_submits_waits_for_the_commit_and_not_for_more)
{
	struct shelf s;
	struct submit submit;
	struct submit_totals totals;
	int stop_fd[2];
	char path[64];
	shelf_init_lingering(&s, "db", FOR_EVER);
	EXPECT(pipe(stop_fd) == 0);
	EXPECT_OK(submit_init(&submit, s.lib, stop_fd[0]));
	unsigned commits_n = s.commits_n;
	for (unsigned i = 0; i < 3 * SUBMIT_BATCH_FILES; i++) {
		snprintf(path, sizeof path, "/m/%u.mp3", i);
		struct media_file_in in = { .path = span_str(path), .kind = MEDIA_KIND_AUDIO };
		EXPECT_OK(submit_put(&submit, &in, 0));
	}
	EXPECT_OK(submit_barrier(&submit)); /* with an empty batch at hand */
	EXPECT_U64(3 * SUBMIT_BATCH_FILES, shelf_audio_n(&s));
	EXPECT_U64(commits_n + 1, s.commits_n);
	EXPECT_OK(submit_remove(&submit, span_str(path)));
	EXPECT_OK(submit_barrier(&submit));
	EXPECT_U64(3 * SUBMIT_BATCH_FILES - 1, shelf_audio_n(&s));
	submit_totals(&submit, &totals);
	EXPECT_U64(3 * SUBMIT_BATCH_FILES, totals.stored_n);
	EXPECT_U64(1, totals.removed_n);
	EXPECT_OK(submit_remove(&submit, SPAN("/m/1.mp3")));
	EXPECT_OK(submit_flush(&submit));
	submit_fini(&submit); /* waits for it, not for the linger */
	EXPECT_U64(3 * SUBMIT_BATCH_FILES - 2, shelf_audio_n(&s));
	fd_closep(&stop_fd[0]);
	fd_closep(&stop_fd[1]);
	shelf_fini(&s);
}

/* ---- what two batches touch ------------------------------------------------------------------ */

#define OTHER_SIZE 4711

/* One change: p path, q path (with other contents), r path, m path-whose-file > path. */
static void add_change(struct shelf *s, struct batch *b, const char *what)
{
	char from[32], to[32];
	if (what[0] == 'p') {
		shelf_put(b, what + 2);
	} else if (what[0] == 'q') {
		struct media_file_in in = { .path = span_str(what + 2),
					    .kind = MEDIA_KIND_AUDIO,
					    .size = OTHER_SIZE };
		EXPECT_OK(batch_put(b, &in));
	} else if (what[0] == 'r') {
		EXPECT_OK(batch_remove(b, span_str(what + 2)));
	} else {
		EXPECT(sscanf(what + 2, "%31s > %31s", from, to) == 2);
		EXPECT(shelf_media(s, from) != 0);
		shelf_move(b, shelf_media(s, from), to);
	}
}

static const struct {
	const char *first, *second;
	/* afterwards: path=id of what was stored before, or + ; ! for what q put */
	const char *paths;
	unsigned commits_n;
} pairs[] = {
	{ "p /m/n", "q /m/n", "a=1 b=2 n=+!", 2 },
	{ "q /m/n", "p /m/n", "a=1 b=2 n=+", 2 },
	{ "p /m/n", "p /m/n", "a=1 b=2 n=+", 1 }, /* the same: nothing is left to commit */
	{ "p /m/n", "r /m/n", "a=1 b=2", 2 },
	{ "p /m/n", "m /m/a > /m/n", "b=2 n=1", 2 },
	{ "q /m/a", "p /m/a", "a=1 b=2", 2 },
	{ "q /m/a", "r /m/a", "b=2", 2 },
	{ "q /m/a", "m /m/a > /m/n", "b=2 n=1", 2 },
	{ "q /m/a", "m /m/b > /m/a", "a=2", 2 },
	{ "r /m/a", "q /m/a", "a=+! b=2", 2 },
	{ "r /m/a", "r /m/a", "b=2", 1 },
	{ "r /m/a", "m /m/a > /m/n", "b=2 n=+", 2 },
	{ "r /m/a", "m /m/b > /m/a", "a=2", 2 },
	{ "m /m/a > /m/n", "q /m/a", "a=+! b=2 n=1", 2 },
	{ "m /m/a > /m/n", "q /m/n", "b=2 n=1!", 2 },
	{ "m /m/a > /m/n", "r /m/n", "b=2", 2 },
	{ "m /m/a > /m/n", "r /m/a", "b=2 n=1", 1 },
	{ "m /m/a > /m/n", "m /m/a > /m/o", "b=2 o=1", 2 },
	{ "m /m/a > /m/n", "m /m/b > /m/a", "a=2 n=1", 2 },
	{ "m /m/a > /m/b", "q /m/b", "b=1!", 2 },
	{ "m /m/a > /m/b", "r /m/b", "", 2 },
	{ "m /m/a > /m/b", "m /m/b > /m/n", "b=1 n=+", 2 },
	{ "m /m/a > /m/b", "q /m/a", "a=+! b=1", 2 },
	/* and these do not wait */
	{ "p /m/n", "q /m/o", "a=1 b=2 n=+ o=+!", 1 },
	{ "q /m/a", "q /m/b", "a=1! b=2!", 1 },
	{ "r /m/a", "r /m/b", "", 1 },
	{ "m /m/a > /m/n", "m /m/b > /m/o", "n=1 o=2", 1 },
};

static const char *shelf_paths(struct shelf *s, uint64_t a, uint64_t b)
{
	static char text[256];
	static const char *const names[] = { "a", "b", "n", "o" };
	char path[16];
	size_t n = 0;
	uint64_t files_n = 0;
	text[0] = '\0';
	struct library_snap *sn = library_snap_begin(s->lib);
	for (unsigned i = 0; i < ARRAY_LEN(names); i++) {
		struct fb_table row;
		snprintf(path, sizeof path, "/m/%s", names[i]);
		if (library_media_by_path(sn, span_str(path), &row) != ERR_OK)
			continue;
		uint64_t id = media_file_id(row);
		n += (size_t)snprintf(text + n, sizeof text - n, "%s%s=%c%s", n ? " " : "",
				      names[i],
				      id == a	? '1'
				      : id == b ? '2'
						: '+',
				      media_file_size(row) == OTHER_SIZE ? "!" : "");
		files_n++;
	}
	library_snap_end(sn);
	EXPECT_U64(files_n, shelf_audio_n(s)); /* one record for each path */
	return text;
}

TEST_LIMIT(writer, what_two_batches_of_one_transaction_name_ends_as_the_second_says, 100)
{
	for (unsigned i = 0; i < ARRAY_LEN(pairs); i++) {
		struct shelf s;
		struct given g;
		char name[16];
		given_init(&g);
		snprintf(name, sizeof name, "db%u", i);
		shelf_init_lingering(&s, name, FOR_EVER);
		struct batch *b = one_song("/m/a"), *c = shelf_batch();
		shelf_put(b, "/m/b");
		shelf_submit(&s, b);
		uint64_t ids[] = { shelf_media(&s, "/m/a"), shelf_media(&s, "/m/b") };
		unsigned commits_n = s.commits_n;
		printf("%s, %s\n", pairs[i].first, pairs[i].second);
		b = shelf_batch();
		add_change(&s, b, pairs[i].first);
		add_change(&s, c, pairs[i].second);
		give(&s, &g, b, BATCH_SCAN);
		give(&s, &g, c, BATCH_SCAN);
		wait_taken(&g, 2);
		library_flush(s.lib);
		wait_done(&g, 2);
		EXPECT_U64(0, g.failed_n);
		EXPECT_STR(pairs[i].paths, shelf_paths(&s, ids[0], ids[1]));
		EXPECT_U64(pairs[i].commits_n, s.commits_n - commits_n);
		shelf_reopen(&s);
		EXPECT_STR(pairs[i].paths, shelf_paths(&s, ids[0], ids[1]));
		shelf_fini(&s);
	}
}

TEST(writer, a_batch_that_waits_is_not_split)
{
	struct shelf s;
	struct given g;
	given_init(&g);
	shelf_init_lingering(&s, "db", FOR_EVER);
	shelf_submit(&s, one_song("/m/a"));
	uint64_t id = shelf_media(&s, "/m/a");
	give(&s, &g, one_song("/m/n"), BATCH_SCAN);
	struct batch *b = shelf_batch();
	add_change(&s, b, "r /m/a");
	add_change(&s, b, "q /m/n"); /* waits */
	add_change(&s, b, "q /m/a");
	give(&s, &g, b, BATCH_SCAN_END);
	wait_done(&g, 2);
	EXPECT_U64(g.commits[0] + 1, g.commits[1]);
	EXPECT_STR("a=1! n=+!", shelf_paths(&s, id, 0)); /* the same file as before */
	shelf_fini(&s);
}

/* ---- against commits of their own ------------------------------------------------------------ */

/* All that a client can come to, one line each. */
static void dump(const struct library_snap *sn, const char *id, unsigned depth, struct buf *out)
{
	struct listing *li = calloc(1, sizeof *li);
	struct object o;
	char line[512];
	EXPECT(li && depth < 12);
	EXPECT_OK(library_list(sn, span_str(id), li));
	while (listing_next(li, &o)) {
		bool is_file = o.kind != OBJECT_CONTAINER;
		struct span path = is_file ? media_file_path(o.media) : SPAN("");
		snprintf(line, sizeof line, "%s/%s of %u: %.*s %.*s %u %u\n", id, o.id,
			 (unsigned)li->total, SPAN_ARG(o.title), SPAN_ARG(path),
			 is_file ? (unsigned)media_file_size(o.media) : 0, o.child_count);
		buf_add(out, span_str(line));
		if (!is_file && !span_eq(o.title, SPAN("Recently Added"))) /* the clock's order */
			dump(sn, o.id, depth + 1, out);
	}
	free(li);
}

static void shelf_dump(struct shelf *s, struct buf *out)
{
	struct library_snap *sn = library_snap_begin(s->lib);
	buf_init(out, 64u << 20);
	dump(sn, "0", 0, out);
	EXPECT_OK(buf_err(out));
	library_snap_end(sn);
}

static struct span line_of(struct span *text)
{
	size_t n = span_find(*text, '\n');
	struct span line = span_first(*text, n);
	*text = span_skip(*text, MIN(n + 1, text->n));
	return line;
}

static void expect_same_lines(struct span want, struct span got)
{
	while (want.n || got.n)
		EXPECT_SPAN(line_of(&want), line_of(&got));
}

static void random_path(char out[64])
{
	static const char *const dirs[] = { "", "/x", "/x/y", "/z", "/z/w/v" };
	unsigned n = (unsigned)(test_random() % 60);
	snprintf(out, 64, "/m%s/%u.%s", dirs[test_random() % ARRAY_LEN(dirs)], n,
		 n % 7 == 0 ? "jpg" : "mp3");
}

static struct media_file_in random_file(const char *path, char names[2][16])
{
	snprintf(names[0], 16, "Artist %u", (unsigned)(test_random() % 5));
	snprintf(names[1], 16, "Album %u", (unsigned)(test_random() % 4));
	return (struct media_file_in){
		.path = span_str(path),
		.artist = span_str(names[0]),
		.album = span_str(names[1]),
		.genre = span_str(names[0] + 7),
		.year = (uint16_t)(2000 + test_random() % 3),
		.size = test_random() % 1000,
		.modified = (int64_t)(test_random() % 30) * 2000000000000000ll,
		.kind = strstr(path, "jpg") ? MEDIA_KIND_IMAGE : MEDIA_KIND_AUDIO,
	};
}

/* The same changes for both. */
static void random_changes(struct shelf *s, struct batch *b[2])
{
	unsigned tree = test_random() % 16 == 0;
	for (unsigned left = 1 + (unsigned)(test_random() % 6); left; left--) {
		char path[64], moved[64], names[2][16];
		random_path(path);
		random_path(moved);
		unsigned dice = (unsigned)(test_random() % 8);
		struct media_file_in in = random_file(path, names);
		uint64_t id = shelf_media(s, moved);
		for (unsigned i = 0; i < 2; i++) {
			if (tree && left == 1)
				EXPECT_OK(batch_remove_tree(b[i], SPAN("/m/x")));
			else if (dice < 4)
				EXPECT_OK(batch_put(b[i], &in));
			else if (dice < 6 && id)
				EXPECT_OK(batch_move(b[i], id, &in));
			else
				EXPECT_OK(batch_remove(b[i], in.path));
		}
	}
}

/* One has each batch committed by itself, the other a few in one transaction. */
TEST_LIMIT(writer, transactions_of_several_batches_give_what_single_commits_give, 250)
{
	struct shelf single, chained;
	struct given g;
	unsigned given_n = 0;
	given_init(&g);
	shelf_init_lingering(&single, "single", 0);
	shelf_init_lingering(&chained, "chained", FOR_EVER);
	for (unsigned round = 0; round < 150; round++) {
		struct buf a, b;
		for (unsigned n = 1 + (unsigned)(test_random() % 6); n; n--) {
			struct batch *both[] = { shelf_batch(), shelf_batch() };
			random_changes(&single, both);
			shelf_submit(&single, both[0]);
			give(&chained, &g, both[1], BATCH_SCAN);
			given_n++;
		}
		wait_taken(&g, given_n);
		library_flush(chained.lib);
		wait_done(&g, given_n);
		EXPECT_U64(0, g.failed_n);
		shelf_dump(&single, &a);
		shelf_dump(&chained, &b);
		expect_same_lines(buf_span(&a), buf_span(&b));
		buf_fini(&a);
		buf_fini(&b);
		if (test_random() % 20 == 0)
			shelf_reopen(&chained);
	}
	printf("%u commits, %u with several batches in each\n", single.commits_n,
	       chained.commits_n);
	EXPECT(chained.commits_n < single.commits_n * 3 / 4);
	shelf_fini(&single);
	shelf_fini(&chained);
}

/* ---- what goes wrong ------------------------------------------------------------------------- */

static void die(void *ctx)
{
	(void)ctx;
	kill(getpid(), SIGKILL);
}

TEST(writer, killed_before_the_commit_it_loses_what_was_not_acknowledged_and_no_more)
{
	struct shelf s;
	char dir[256];
	snprintf(dir, sizeof dir, "%s/db", test_tmpdir());
	fflush(stdout);
	pid_t pid = fork();
	EXPECT(pid >= 0);
	if (pid == 0) {
		struct given g;
		given_init(&g);
		shelf_init_lingering(&s, "db", FOR_EVER);
		give(&s, &g, one_song("/m/acknowledged.mp3"), BATCH_SCAN_END);
		wait_done(&g, 1);
		give(&s, &g, one_song("/m/taken.mp3"), BATCH_SCAN);
		struct batch *b = one_song("/m/last.mp3");
		batch_on_taken(b, die);
		EXPECT_OK(library_submit(s.lib, b, BATCH_SCAN, note_done, &g));
		for (;;)
			pause();
	}
	int status;
	EXPECT(waitpid(pid, &status, 0) == pid);
	EXPECT(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
	memset(&s, 0, sizeof s);
	snprintf(s.dir, sizeof s.dir, "%s", dir);
	shelf_open(&s);
	EXPECT(shelf_media(&s, "/m/acknowledged.mp3") != 0);
	EXPECT_U64(1, shelf_audio_n(&s));
	struct batch *b = one_song("/m/taken.mp3"); /* the next scan finds it again */
	shelf_put(b, "/m/last.mp3");
	shelf_submit(&s, b);
	EXPECT_U64(3, shelf_audio_n(&s));
	shelf_fini(&s);
}

/* No file may grow beyond that: what a full disk does to who writes. */
static void allow_files_of(rlim_t bytes)
{
	struct rlimit limit = { .rlim_cur = bytes, .rlim_max = RLIM_INFINITY };
	signal(SIGXFSZ, SIG_IGN);
	EXPECT(setrlimit(RLIMIT_FSIZE, &limit) == 0);
}

static struct batch *many_songs(const char *dir, unsigned n)
{
	struct batch *b = shelf_batch();
	for (unsigned i = 0; i < n; i++) {
		char path[64];
		snprintf(path, sizeof path, "%s/%u.mp3", dir, i);
		shelf_put(b, path);
	}
	return b;
}

TEST_LIMIT(writer, on_a_full_disk_nothing_is_acknowledged_that_is_not_there, 100)
{
	struct shelf s;
	struct given g;
	struct library_stats stats;
	char dir[32];
	given_init(&g);
	shelf_init_lingering(&s, "db", FOR_EVER);
	library_stats_get(s.lib, &stats);
	allow_files_of(stats.log_bytes + (1u << 20));
	for (unsigned i = 0; i < 10; i++) { /* some 4 MiB */
		snprintf(dir, sizeof dir, "/m/%u", i);
		give(&s, &g, many_songs(dir, 2000), BATCH_SCAN);
	}
	library_flush(s.lib);
	wait_done(&g, 10);
	printf("%u of 10 failed\n", g.failed_n);
	EXPECT(g.failed_n > 0 && g.failed_n < 10); /* it takes what it has room for */
	EXPECT_ERR(ERR_NOSPACE, g.last.err);
	EXPECT_U64((uint64_t)(10 - g.failed_n) * 2000, shelf_audio_n(&s));
	EXPECT_U64(g.put_n, shelf_audio_n(&s));
	allow_files_of(RLIM_INFINITY);
	for (unsigned i = 0; i < 10; i++) {
		snprintf(dir, sizeof dir, "/m/%u", i);
		give(&s, &g, many_songs(dir, 2000), BATCH_SCAN);
	}
	library_flush(s.lib);
	wait_done(&g, 20);
	EXPECT_OK(g.last.err);
	EXPECT_U64(20000, shelf_audio_n(&s));
	EXPECT_U64(20000, g.put_n);
	shelf_reopen(&s);
	EXPECT_U64(20000, shelf_audio_n(&s));
	shelf_fini(&s);
}

/* ---- commits of their own -------------------------------------------------------------------- */

/* Holds the writer in a commit until all is queued. */
struct gate {
	struct mutex m;
	struct cond moved;
	bool reached, open; /* under m */
};

static void wait_at_gate(void *ctx, const struct batch_result *r)
{
	struct gate *gate = ctx;
	(void)r;
	mutex_lock(&gate->m);
	gate->reached = true;
	cond_broadcast(&gate->moved);
	while (!gate->open)
		cond_wait(&gate->moved, &gate->m);
	mutex_unlock(&gate->m);
}

static void gate_close(struct gate *gate, struct shelf *s)
{
	*gate = (struct gate){ .open = false };
	mutex_init(&gate->m);
	cond_init(&gate->moved);
	EXPECT_OK(library_submit(s->lib, shelf_batch(), BATCH_URGENT, wait_at_gate, gate));
	mutex_lock(&gate->m);
	while (!gate->reached)
		cond_wait(&gate->moved, &gate->m);
	mutex_unlock(&gate->m);
}

static void gate_open(struct gate *gate)
{
	mutex_lock(&gate->m);
	gate->open = true;
	cond_broadcast(&gate->moved);
	mutex_unlock(&gate->m);
}

/* Files, then a playlist: that needs a second commit. */
static struct batch *two_commits(void)
{
	struct batch *b = one_song("/m/b.mp3");
	struct playlist_new list = { .name = SPAN("list") };
	EXPECT_OK(batch_playlist_create(b, &list, NULL));
	return b;
}

struct trap {
	struct shelf *s;
	enum { TRAP_HURRY, TRAP_FULL } kind;
};

static void spring(void *ctx, const struct library_change *change)
{
	struct trap *t = ctx;
	struct library_stats stats;
	(void)change;
	library_stats_get(t->s->lib, &stats);
	if (stats.audio_n == 0)
		return;
	if (t->kind == TRAP_HURRY)
		library_hurry(t->s->lib);
	else
		allow_files_of(4096);
}

static void open_trapped(struct shelf *s, struct trap *t)
{
	struct library_options options = { .database_dir = s->dir, .on_commit = spring, .ctx = t };
	library_close(s->lib);
	EXPECT_OK(library_open(&options, &s->lib, NULL));
}

TEST(writer, closing_in_the_middle_of_a_group_fails_only_what_is_not_committed)
{
	struct shelf s;
	struct given a, b;
	struct gate gate;
	struct trap trap = { .s = &s, .kind = TRAP_HURRY };
	given_init(&a);
	given_init(&b);
	shelf_init(&s);
	open_trapped(&s, &trap);
	gate_close(&gate, &s);
	give(&s, &a, one_song("/m/a.mp3"), BATCH_URGENT);
	give(&s, &b, two_commits(), BATCH_URGENT);
	gate_open(&gate);
	wait_done(&b, 1);
	EXPECT_U64(1, a.done_n);
	EXPECT_OK(a.last.err);
	EXPECT_U64(1, a.put_n);
	EXPECT(a.last.commit != 0);
	EXPECT_ERR(ERR_CLOSED, b.last.err);
	EXPECT_U64(1, b.put_n); /* its song was stored before closing */
	library_close(s.lib);
	shelf_open(&s);
	EXPECT_U64(2, shelf_audio_n(&s));
	shelf_fini(&s);
}

TEST(writer, what_was_committed_before_a_failure_is_counted)
{
	struct shelf s;
	struct given a, b;
	struct gate gate;
	struct trap trap = { .s = &s, .kind = TRAP_FULL };
	given_init(&a);
	given_init(&b);
	shelf_init(&s);
	open_trapped(&s, &trap);
	gate_close(&gate, &s);
	give(&s, &a, one_song("/m/a.mp3"), BATCH_URGENT);
	give(&s, &b, two_commits(), BATCH_URGENT);
	gate_open(&gate);
	wait_done(&b, 1);
	allow_files_of(RLIM_INFINITY);
	EXPECT_OK(a.last.err);
	EXPECT_U64(1, a.put_n);
	EXPECT_ERR(ERR_NOSPACE, b.last.err);
	EXPECT_U64(1, b.put_n);
	EXPECT_U64(2, shelf_audio_n(&s));
	shelf_fini(&s);
}
