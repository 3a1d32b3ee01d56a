/* SPDX-License-Identifier: MIT */
/* Our writer, accessors and verifier against the C++ FlatBuffers library. */
#include <stdlib.h>

#include "harness.h"
#include "media_fields.h"
#include "oracle.h"
#include "rows.h"
#include "schema/probe_fb.h"

#define ROWS 40

static struct random_row rows[ROWS];
static uint8_t buf[1 << 20];

/* Ends the batch and moves it to the beginning of buf; its bytes. */
static uint32_t batch_end(struct fb_writer *w)
{
	struct span batch = fb_batch_finish(w);
	memmove(buf, batch.p, batch.n);
	return (uint32_t)batch.n;
}

static uint32_t batch_random(uint32_t rows_n)
{
	struct fb_writer w;
	memset(buf, 0xAA, sizeof buf); /* whatever is not written would show */
	media_file_batch_begin(&w, buf, sizeof buf, test_random() % 3,
			       (int64_t)(test_random() % 3) - 1, (uint8_t)(test_random() % 2));
	for (uint32_t i = 0; i < rows_n; i++) {
		row_random(&rows[i]);
		media_file_batch_add(&w, &rows[i].in);
	}
	EXPECT_OK(w.err);
	return batch_end(&w);
}

#define ORACLE_NUM(name) EXPECT_U64((uint64_t)in->name, oracle_number(buf, i, #name, 0));
#define ORACLE_STR(name)                                                                           \
	s.p = oracle_string(buf, i, #name, 0, &s.n);                                               \
	EXPECT_SPAN(in->name, s);
#define ORACLE_STRS(name)                                                                          \
	EXPECT_U64(in->name##_n, oracle_count(buf, i, #name));                                     \
	for (uint32_t k = 0; k < in->name##_n; k++) {                                              \
		s.p = oracle_string(buf, i, #name, k, &s.n);                                       \
		EXPECT_SPAN(in->name[k], s);                                                       \
	}
#define ORACLE_NUMS(name)                                                                          \
	EXPECT_U64(in->name##_n, oracle_count(buf, i, #name));                                     \
	for (uint32_t k = 0; k < in->name##_n; k++)                                                \
		EXPECT_U64(in->name[k], oracle_number(buf, i, #name, k));
#define ORACLE(kind, name) ORACLE_##kind(name)

static void oracle_expect(uint32_t i)
{
	const struct media_file_in *in = &rows[i].in;
	struct span s = { NULL, 0 };
	MEDIA_FIELDS(ORACLE)
	EXPECT_U64(in->subtitles_n, oracle_count(buf, i, "subtitles"));
	for (uint32_t k = 0; k < in->subtitles_n; k++) {
		s.p = oracle_string(buf, i, "subtitles.path", k, &s.n);
		EXPECT_SPAN(in->subtitles[k].path, s);
	}
	EXPECT_U64(in->audio_tracks_n, oracle_count(buf, i, "audio_tracks"));
	for (uint32_t k = 0; k < in->audio_tracks_n; k++)
		EXPECT_U64(in->audio_tracks[k].channels,
			   oracle_number(buf, i, "audio_tracks.channels", k));
}

TEST(oracle, every_random_row_reads_the_same_in_cpp_and_in_c)
{
	for (unsigned round = 0; round < 100; round++) {
		uint32_t n = batch_random(ROWS);
		struct fb_table root;
		EXPECT(oracle_verify_media(buf, n));
		EXPECT_OK(media_file_batch_verify(span_of(buf, n), &root));
		EXPECT_U64(ROWS, oracle_rows_n(buf));
		for (uint32_t i = 0; i < ROWS; i++) {
			oracle_expect(i);
			row_expect(&rows[i].in, fb_vector_table(media_file_batch_files(root), i));
		}
	}
}

TEST(oracle, what_cpp_builds_is_verified_and_read_here)
{
	static uint8_t rebuilt[1 << 20];
	for (unsigned round = 0; round < 50; round++) {
		batch_random(ROWS);
		size_t n = oracle_rebuild(buf, rebuilt, sizeof rebuilt);
		struct fb_table root;
		EXPECT(n > 0);
		EXPECT_OK(media_file_batch_verify(span_of(rebuilt, n), &root));
		EXPECT_U64(ROWS, media_file_batch_files(root).n);
		for (uint32_t i = 0; i < ROWS; i++)
			row_expect(&rows[i].in, fb_vector_table(media_file_batch_files(root), i));
	}
}

TEST(oracle, a_batch_of_any_number_of_rows_is_valid)
{
	for (uint32_t rows_n = 0; rows_n < ROWS; rows_n++) {
		uint32_t n = batch_random(rows_n);
		struct fb_table root;
		EXPECT_U64(0, n % 8);
		EXPECT(oracle_verify_media(buf, n));
		EXPECT_OK(media_file_batch_verify(span_of(buf, n), &root));
		EXPECT_U64(rows_n, media_file_batch_files(root).n);
	}
}

/* As files come: album by album. Texts that rows have in common are there once. */
TEST(oracle, rows_that_share_texts_read_the_same_in_cpp_and_in_c)
{
	uint64_t apart = 0, together = 0;
	for (unsigned round = 0; round < 30; round++) {
		struct fb_writer w;
		struct fb_table root;
		for (uint32_t i = 0; i < ROWS; i++) {
			row_random(&rows[i]);
			if (i % 8 && test_random() % 4)
				row_repeat(&rows[i], &rows[i - 1]);
			media_file_batch_begin(&w, buf, sizeof buf, 1, 1, 0);
			media_file_batch_add(&w, &rows[i].in);
			apart += fb_used(&w);
		}
		media_file_batch_begin(&w, buf, sizeof buf, 1, 1, 0);
		for (uint32_t i = 0; i < ROWS; i++)
			media_file_batch_add(&w, &rows[i].in);
		EXPECT_OK(w.err);
		together += fb_used(&w);
		uint32_t n = batch_end(&w);
		EXPECT(oracle_verify_media(buf, n));
		EXPECT_OK(media_file_batch_verify(span_of(buf, n), &root));
		for (uint32_t i = 0; i < ROWS; i++) {
			oracle_expect(i);
			row_expect(&rows[i].in, fb_vector_table(media_file_batch_files(root), i));
		}
	}
	EXPECT(together < apart / 10 * 9);
}

/* Flips 1 to 3 bits of an exact copy; counts verdicts; walks what we accept, for the sanitizers. */
static void mutate(uint32_t n, bool (*oracle)(const void *, size_t), bool media, unsigned times,
		   unsigned *stricter)
{
	uint8_t *copy = malloc(n);
	EXPECT(copy != NULL);
	for (unsigned i = 0; i < times; i++) {
		memcpy(copy, buf, n);
		for (uint64_t k = test_random() % 3 + 1; k; k--)
			copy[test_random() % n] ^= (uint8_t)(1u << test_random() % 8);
		struct fb_table root;
		enum err e = media ? media_file_batch_verify(span_of(copy, n), &root)
				   : probe_reply_verify(span_of(copy, n), &root);
		bool theirs = oracle(copy, n);
		EXPECT(theirs || e != ERR_OK);
		*stricter += theirs && e != ERR_OK;
		if (e == ERR_OK && media)
			batch_walk(root);
	}
	free(copy);
}

TEST_LIMIT(oracle, no_mutation_passes_here_that_cpp_refuses, 240)
{
	unsigned stricter = 0;
	for (unsigned round = 0; round < 220; round++) {
		uint32_t n = batch_random(1 + round % 4);
		mutate(n, oracle_verify_media, true, 1000, &stricter);
	}
	/* the same verdict nearly always: stricter on alignment and on fields outside their table
	 */
	EXPECT(stricter < 220 * 1000 / 20);
}

TEST_LIMIT(oracle, no_mutation_of_the_head_passes_here_that_cpp_refuses, 240)
{
	unsigned stricter = 0;
	for (unsigned round = 0; round < 50; round++) {
		struct fb_writer w;
		media_file_batch_begin(&w, buf, sizeof buf, 1, 1, 1);
		struct media_file_in in = { .id = 1, .path = SPAN("p"), .filename = SPAN("f") };
		media_file_batch_add(&w, &in);
		mutate(batch_end(&w), oracle_verify_media, true, 1000, &stricter);
	}
}

TEST(oracle, probe_replies_agree_and_survive_mutation)
{
	const struct span artists[] = { SPAN("a"), SPAN(""), SPAN("ccc") };
	const struct probe_stream_in tracks[] = { { SPAN("aac"), SPAN("eng"), 2 },
						  { .channels = 0 } };
	struct probe_reply_in in = {
		.status = PROBE_STATUS_BROKEN,
		.artists = artists,
		.artists_n = 3,
		.audio_tracks = tracks,
		.audio_tracks_n = 2,
		.art = SPAN("\xff\0\xd8 picture"),
		.date_taken = -5,
	};
	uint32_t n = 0;
	struct fb_table root;
	unsigned stricter = 0;
	EXPECT_OK(probe_reply_build(buf, sizeof buf, &in, &n));
	EXPECT(oracle_verify_probe(buf, n));
	EXPECT_OK(probe_reply_verify(span_of(buf, n), &root));
	EXPECT_U64(PROBE_STATUS_BROKEN, probe_reply_status(root));
	EXPECT_SPAN(in.art, probe_reply_art(root));
	EXPECT_SPAN(artists[2], fb_vector_string(probe_reply_artists(root), 2));
	EXPECT_I64(-5, probe_reply_date_taken(root));
	EXPECT_U64(2, probe_stream_channels(fb_vector_table(probe_reply_audio_tracks(root), 0)));
	mutate(n, oracle_verify_probe, false, 30000, &stricter);
}
