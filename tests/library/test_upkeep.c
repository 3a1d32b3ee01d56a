/* SPDX-License-Identifier: MIT */
/* Compaction of a library that is in use. */
#include <unistd.h>

#include "library/upkeep.h"
#include "shelf.h"

#define FILES_N 6000u

static void put_files(struct shelf *s, const char *genre)
{
	char path[64], title[900];
	memset(title, 't', sizeof title);
	struct batch *b = shelf_batch();
	for (unsigned i = 0; i < FILES_N; i++) {
		snprintf(path, sizeof path, "/m/%u.mp3", i);
		snprintf(title, 8, "%07u", i); /* equal texts are kept once in a chunk */
		title[7] = 't';
		struct media_file_in in = { .path = span_str(path),
					    .title = span_of(title, sizeof title),
					    .kind = MEDIA_KIND_AUDIO,
					    .size = 1,
					    .genre = span_str(genre) };
		enum err e = batch_put(b, &in);
		if (e == ERR_LIMIT) {
			shelf_submit(s, b);
			b = shelf_batch();
			e = batch_put(b, &in);
		}
		EXPECT_OK(e);
	}
	shelf_submit(s, b);
}

struct watching {
	struct shelf *s;
	unsigned steps_n;
	unsigned stored_at; /* the step after which the change was stored; 0: not yet */
	bool ended;
};

static void note_stored(void *watching, const struct batch_result *r)
{
	struct watching *w = watching;
	EXPECT_OK(r->err);
	w->stored_at = w->steps_n;
	printf("a change is stored after step %u\n", w->steps_n);
}

/* On the writer thread: what is asked for now must not wait for the end. */
static void note_step(void *watching, uint64_t done, uint64_t all)
{
	struct watching *w = watching;
	if (w->steps_n++ == 0) {
		struct batch *b = shelf_batch();
		shelf_put(b, "/m/new.mp3");
		EXPECT_OK(library_submit(w->s->lib, b, BATCH_URGENT, note_stored, w));
	}
	w->ended = done == all;
	if (w->ended)
		printf("the end is step %u\n", w->steps_n);
}

TEST(upkeep, changes_are_stored_between_the_steps_of_a_compaction)
{
	struct shelf s;
	struct watching w = { .s = &s };
	struct db_follower follower = { .progress = note_step, .ctx = &w };
	uint64_t before, after;
	shelf_init(&s);
	put_files(&s, "One");
	put_files(&s, "Two");
	EXPECT_OK(library_compact(s.lib, &follower, &before, &after));
	EXPECT(w.ended);
	EXPECT(w.steps_n > 2);
	EXPECT_U64(1, w.stored_at);
	EXPECT(after < before);
	shelf_reopen(&s);
	EXPECT_U64(FILES_N + 1, shelf_audio_n(&s));
	shelf_fini(&s);
}

static void wait_for_rest(struct shelf *s, uint64_t builds_n)
{
	struct library_stats st;
	do {
		usleep(1000);
		library_stats_get(s->lib, &st);
	} while (st.text_builds_n < builds_n || st.index_bytes == 0 || st.upkeep_due);
	EXPECT_U64(builds_n, st.text_builds_n);
	EXPECT_U64(st.commit, st.text_commit);
}

/* Pauses are endless here, so that nothing but the end of the scan can have caused it. */
TEST(upkeep, what_follows_a_scan_is_done_at_its_end_without_a_pause)
{
	struct shelf s;
	struct library_stats st;
	shelf_init(&s);
	s.pause_ms = UINT32_MAX;
	shelf_reopen(&s);
	put_files(&s, "One");
	library_stats_get(s.lib, &st);
	EXPECT(st.upkeep_due);
	EXPECT_U64(0, st.text_builds_n);
	library_scan_ended(s.lib);
	wait_for_rest(&s, 1);
	put_files(&s, "Two"); /* from now on there are pauses again */
	library_stats_get(s.lib, &st);
	EXPECT(st.upkeep_due);
	EXPECT(st.text_commit < st.commit);
	library_scan_ended(s.lib);
	wait_for_rest(&s, 2);
	shelf_fini(&s);
}
