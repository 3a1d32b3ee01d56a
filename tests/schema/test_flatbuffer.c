/* SPDX-License-Identifier: MIT */
/* The writer at its limits, sharing, defaults, older and newer schemas, hostile buffers. */
#include <stdlib.h>

#include "harness.h"
#include "rows.h"
#include "schema/evolve_v1_fb.h"
#include "schema/evolve_v2_fb.h"

static uint8_t buf[64 << 10];

static struct media_file_in song(void)
{
	return (struct media_file_in){
		.id = 1,
		.path = SPAN("/music/a song.flac"),
		.filename = SPAN("a song.flac"),
		.title = SPAN("a song"),
	};
}

TEST(fb_writer, an_absent_table_gives_defaults)
{
	struct fb_table absent = { 0 };
	EXPECT_U64(0, media_file_id(absent));
	EXPECT(media_file_path(absent).p == NULL);
	EXPECT_U64(0, media_file_artists(absent).n);
	EXPECT_U64(5, old_row_weight(absent));
	EXPECT_I64(COLOUR_GREEN, new_row_colour(absent));
	EXPECT(new_row_flag(absent));
}

TEST(fb_writer, a_canonical_path_that_is_the_path_shares_its_bytes)
{
	char text[2][16] = { "/music/x", "/music/x" };
	struct media_file_in in = { .path = span_str(text[0]), .filename = span_str(text[1]) };
	in.canonical_path = in.filename;   /* another pointer */
	in.title = span_first(in.path, 6); /* the same pointer, another length */
	uint32_t n = 0;
	struct fb_table t;

	EXPECT_OK(media_file_build(buf, sizeof buf, &in, &n));
	EXPECT_OK(media_file_verify(span_of(buf, n), &t));
	EXPECT(media_file_path(t).p == media_file_canonical_path(t).p);
	EXPECT(media_file_path(t).p != media_file_filename(t).p);
	EXPECT_SPAN(SPAN("/music"), media_file_title(t));
	EXPECT_U64(0, (uint8_t)media_file_title(t).p[6]);
}

TEST(fb_writer, a_canonical_path_of_the_same_length_is_its_own)
{
	struct media_file_in in = song();
	uint32_t n = 0;
	struct fb_table t;
	in.canonical_path = SPAN("/music/a sonG.flac");
	EXPECT_OK(media_file_build(buf, sizeof buf, &in, &n));
	EXPECT_OK(media_file_verify(span_of(buf, n), &t));
	EXPECT_SPAN(SPAN("/music/a song.flac"), media_file_path(t));
	EXPECT_SPAN(SPAN("/music/a sonG.flac"), media_file_canonical_path(t));
}

/* An album's rows, then one of another, then the album again. */
TEST(fb_writer, texts_that_repeat_are_stored_once)
{
	const uint32_t ids[] = { 4, 5 };
	struct media_file_in in = song(), other = song();
	struct fb_writer w;
	struct fb_table root, t[4];
	in.artist = in.album_artist = SPAN("an artist");
	in.album = SPAN("an album");
	in.artist_ids = ids;
	in.artist_ids_n = 2;
	other.artist = SPAN("another one");
	other.album = SPAN("an albun");
	other.artist_ids = ids + 1;
	other.artist_ids_n = 1;
	media_file_batch_begin(&w, buf, sizeof buf, 1, 1, 0);
	media_file_batch_add(&w, &in);
	uint32_t first = fb_used(&w);
	media_file_batch_add(&w, &in);
	uint32_t second = fb_used(&w) - first;
	media_file_batch_add(&w, &other);
	media_file_batch_add(&w, &in);
	EXPECT_OK(w.err);
	struct span batch = fb_batch_finish(&w);
	EXPECT_OK(media_file_batch_verify(batch, &root));
	for (unsigned i = 0; i < 4; i++)
		t[i] = fb_vector_table(media_file_batch_files(root), i);
	for (unsigned i = 0; i < 4; i++) {
		const struct media_file_in *want = i == 2 ? &other : &in;
		EXPECT_SPAN(want->artist, media_file_artist(t[i]));
		EXPECT_SPAN(want->album, media_file_album(t[i]));
		EXPECT_SPAN(want->album_artist, media_file_album_artist(t[i]));
		EXPECT_U64(want->artist_ids_n, media_file_artist_ids(t[i]).n);
		EXPECT_U64(i == 2 ? 5 : 4, fb_vector_u32(media_file_artist_ids(t[i]), 0));
		EXPECT(i == 2 || media_file_artist(t[i]).p == media_file_artist(t[0]).p);
		EXPECT(i == 2 || media_file_album(t[i]).p == media_file_album(t[0]).p);
	}
	EXPECT(media_file_album_artist(t[0]).p == media_file_artist(t[0]).p);
	EXPECT_U64(media_file_artist_ids(t[0]).pos, media_file_artist_ids(t[1]).pos);
	EXPECT(media_file_title(t[0]).p != media_file_title(t[1]).p);
	/* three strings, a vector and a vtable less */
	EXPECT(second + 4 + 10 + 4 + 9 + 12 + 4 <= first);
}

/* What a row that found no room has written is gone, and nothing refers to it. */
TEST(fb_writer, a_failed_row_leaves_nothing_to_share)
{
	struct media_file_in in = song(), large = song();
	struct fb_writer w;
	struct fb_table root;
	static char text[700];
	memset(text, 'x', sizeof text);
	media_file_batch_begin(&w, buf, 1400, 1, 1, 0);
	media_file_batch_add(&w, &in);
	large.artist = SPAN("an artist");
	large.year = 7;
	large.composer = span_of(text, sizeof text);
	large.camera = large.composer;
	media_file_batch_add(&w, &large);
	EXPECT_ERR(ERR_LIMIT, w.err);
	w.err = ERR_OK;
	in.artist = large.artist;
	in.title = SPAN("what is written over the failed row's texts, all of them");
	in.year = 8;
	media_file_batch_add(&w, &in);
	EXPECT_OK(w.err);
	EXPECT_OK(media_file_batch_verify(fb_batch_finish(&w), &root));
	EXPECT_U64(2, media_file_batch_files(root).n);
	struct fb_table t = fb_vector_table(media_file_batch_files(root), 1);
	EXPECT_SPAN(SPAN("an artist"), media_file_artist(t));
	EXPECT_SPAN(in.title, media_file_title(t));
	EXPECT_U64(8, media_file_year(t));
}

TEST(fb_writer, rows_with_the_same_fields_share_a_vtable)
{
	struct fb_writer w;
	struct media_file_in in = song();
	media_file_batch_begin(&w, buf, sizeof buf, 1, 1, 0);
	media_file_batch_add(&w, &in);
	uint32_t first = fb_used(&w);
	media_file_batch_add(&w, &in);
	uint32_t second = fb_used(&w) - first;
	EXPECT_U64(1, w.layouts_n);
	in.year = 1;
	media_file_batch_add(&w, &in);
	EXPECT_U64(2, w.layouts_n);
	EXPECT(fb_used(&w) - first - second > second + 4 + 2 * 12);
}

TEST(fb_writer, more_layouts_than_are_kept_still_verify)
{
	struct fb_writer w;
	struct fb_table root;
	media_file_batch_begin(&w, buf, sizeof buf, 1, 1, 0);
	for (uint32_t i = 0; i < 256; i++) {
		struct media_file_in in = song();
		in.year = i & 1, in.track = i >> 1 & 1, in.disc = i >> 2 & 1;
		in.width = i >> 3 & 1, in.height = i >> 4 & 1, in.bitrate = i >> 5 & 1;
		in.kind = i >> 6 & 1, in.inode = i >> 7 & 1;
		media_file_batch_add(&w, &in);
	}
	EXPECT_OK(w.err);
	EXPECT_OK(media_file_batch_verify(fb_batch_finish(&w), &root));
	for (uint32_t i = 0; i < 256; i++) {
		struct fb_table t = fb_vector_table(media_file_batch_files(root), i);
		EXPECT_U64(i & 1, media_file_year(t));
		EXPECT_U64(i >> 7 & 1, media_file_inode(t));
		EXPECT_SPAN(SPAN("a song"), media_file_title(t));
	}
}

/* Whatever the size of the memory: rows are whole or absent, nothing is written outside. */
TEST(fb_writer, a_full_buffer_keeps_its_rows_and_takes_no_more)
{
	struct media_file_in in = song();
	const struct span artists[] = { SPAN("one"), SPAN("two") };
	in.artists = artists;
	in.artists_n = 2;
	for (uint32_t cap = 0; cap < 1200; cap++) {
		uint8_t *mem = malloc(cap + 1);
		struct fb_writer w;
		struct fb_table root;
		EXPECT(mem != NULL);
		mem[cap] = 0x5A;
		media_file_batch_begin(&w, mem, cap, 1, 1, 0);
		uint32_t rows_n = 0;
		while (w.err == ERR_OK) {
			uint32_t before_n = fb_used(&w), bound = media_file_in_bytes_max(&in);
			media_file_batch_add(&w, &in);
			if (w.err == ERR_OK) {
				rows_n++;
				EXPECT(fb_used(&w) - before_n <= bound);
			} else {
				EXPECT_U64(before_n, fb_used(&w));
			}
		}
		EXPECT_ERR(ERR_LIMIT, w.err);
		EXPECT_U64(0x5A, mem[cap]);
		struct span batch = fb_batch_finish(&w);
		EXPECT(batch.n <= cap && (batch.n || cap < 256));
		if (batch.n) {
			EXPECT((const uint8_t *)batch.p >= mem);
			EXPECT((const uint8_t *)batch.p + batch.n <= mem + cap);
			EXPECT_OK(media_file_batch_verify(batch, &root));
			EXPECT_U64(rows_n, media_file_batch_files(root).n);
		}
		EXPECT_U64(0x5A, mem[cap]);
		free(mem);
	}
}

TEST(fb_writer, a_failed_row_changes_no_byte_of_those_before)
{
	static uint8_t before[sizeof buf];
	struct fb_writer w;
	struct media_file_in in = song();
	media_file_batch_begin(&w, buf, 700, 1, 1, 0);
	media_file_batch_add(&w, &in);
	EXPECT_OK(w.err);
	memcpy(before, buf, sizeof buf);
	uint32_t n = fb_used(&w);
	in.title = span_of(before, 600);
	media_file_batch_add(&w, &in);
	EXPECT_ERR(ERR_LIMIT, w.err);
	EXPECT_U64(n, fb_used(&w));
	EXPECT(memcmp(before + 700 - n, buf + 700 - n, sizeof buf - 700 + n) == 0);
	in = song();
	media_file_batch_add(&w, &in); /* errors stick */
	EXPECT_U64(n, fb_used(&w));
}

TEST(fb_writer, a_string_too_long_for_any_buffer_is_refused)
{
	struct media_file_in in = song();
	uint32_t n = 77;
	in.title = (struct span){ "x", (size_t)UINT32_MAX + 10 };
	EXPECT_U64(UINT32_MAX, media_file_in_bytes_max(&in));
	EXPECT_ERR(ERR_LIMIT, media_file_build(buf, sizeof buf, &in, &n));
	EXPECT_U64(77, n);
}

TEST(fb_writer, the_bound_holds_for_random_rows)
{
	static struct random_row r;
	for (unsigned i = 0; i < 3000; i++) {
		uint32_t n = 0, bound;
		row_random(&r);
		bound = media_file_in_bytes_max(&r.in);
		uint8_t *mem = malloc(8 + bound);
		EXPECT(mem != NULL);
		EXPECT_OK(media_file_build(mem, 8 + bound, &r.in, &n));
		EXPECT(n <= 8 + bound);
		free(mem);
	}
}

/* Into memory of every size up to what it takes: whole, verified, the same; or not at all. */
TEST(fb_writer, a_copied_row_is_the_same_row)
{
	static struct random_row r;
	static uint8_t to[sizeof buf];
	for (unsigned i = 0; i < 300; i++) {
		struct fb_writer w, copy;
		struct fb_table root, copied;
		row_random(&r);
		media_file_batch_begin(&w, buf, sizeof buf, 1, 1, 0);
		media_file_batch_add(&w, &r.in);
		EXPECT_OK(w.err);
		EXPECT_OK(media_file_batch_verify(fb_batch_finish(&w), &root));
		struct fb_table row = fb_vector_table(media_file_batch_files(root), 0);
		uint32_t cap = i % 2 ? (uint32_t)sizeof to : (uint32_t)(test_random() % 4096);
		media_file_batch_begin(&copy, to, cap, 1, 1, 0);
		for (unsigned k = 0; k < 2; k++)
			fb_row_copy(&copy, &media_file_type, row);
		EXPECT(copy.err == ERR_OK ? copy.rows_n == 2 : copy.rows_n < 2);
		EXPECT(i % 2 == 0 || copy.err == ERR_OK);
		struct span batch = fb_batch_finish(&copy);
		if (batch.n == 0)
			continue; /* not even room for the root */
		EXPECT_OK(media_file_batch_verify(batch, &copied));
		for (uint32_t k = 0; k < copy.rows_n; k++)
			row_expect(&r.in, fb_vector_table(media_file_batch_files(copied), k));
	}
}

/* Rows of three albums in any order: some say which, some say nothing, some are copies, and some
 * find no room. */
TEST(fb_writer, rows_that_say_they_are_alike_are_what_they_are)
{
	static struct random_row album[3];
	static uint8_t to[sizeof buf];
	static char text[FB_SHARED_BYTES_MAX + 1];
	memset(text, 'x', sizeof text);
	for (unsigned round = 0; round < 300; round++) {
		struct media_file_in row[60];
		uint32_t n = 0;
		struct fb_writer w;
		struct fb_table copied, root;
		for (unsigned k = 0; k < 3; k++)
			row_random(&album[k]);
		album[1].in.camera = span_of(text, sizeof text); /* too long to be shared */
		media_file_batch_begin(&w, to, sizeof to, 1, 1, 0);
		media_file_batch_add(&w, &album[2].in);
		EXPECT_OK(media_file_batch_verify(fb_batch_finish(&w), &copied));
		media_file_batch_begin(&w, buf, 2000 + (uint32_t)(test_random() % 40000), 1, 1, 0);
		for (unsigned i = 0; i < ARRAY_LEN(row); i++) {
			unsigned k = (unsigned)(test_random() % 3);
			row[n] = album[k].in;
			row[n].alike = test_random() % 4 ? k + 1 : 0;
			row[n].track = (uint16_t)i;
			if (k == 2 && test_random() % 2) {
				row[n].track = album[2].in.track;
				fb_row_copy(&w, &media_file_type,
					    fb_vector_table(media_file_batch_files(copied), 0));
			} else {
				media_file_batch_add(&w, &row[n]);
			}
			n += w.err == ERR_OK;
			w.err = ERR_OK;
		}
		EXPECT_OK(media_file_batch_verify(fb_batch_finish(&w), &root));
		EXPECT_U64(n, media_file_batch_files(root).n);
		for (uint32_t i = 0; i < n; i++)
			row_expect(&row[i], fb_vector_table(media_file_batch_files(root), i));
	}
}

TEST(fb_evolution, a_newer_program_reads_an_older_buffer)
{
	struct old_row_in in = { .id = 3, .name = SPAN("n"), .weight = 5, .note = SPAN("gone") };
	struct fb_writer w;
	struct fb_table root;
	old_row_batch_begin(&w, buf, sizeof buf, 4);
	old_row_batch_add(&w, &in);
	EXPECT_OK(new_row_batch_verify(fb_batch_finish(&w), &root));
	EXPECT_U64(4, new_row_batch_batch_id(root));
	EXPECT_U64(9, new_row_batch_added(root));
	struct fb_table t = fb_vector_table(new_row_batch_rows(root), 0);
	EXPECT_U64(3, new_row_id(t));
	EXPECT_SPAN(SPAN("n"), new_row_name(t));
	EXPECT_U64(5, new_row_weight(t));
	EXPECT_I64(1, new_row_colour(t));
	EXPECT_U64(0, new_row_parts(t).n);
	EXPECT_I64(-3, new_row_small(t));
	EXPECT(new_row_flag(t));
	EXPECT_I64(INT64_MIN, new_row_lowest(t));
	EXPECT_U64(INT64_MAX, new_row_highest(t));
}

TEST(fb_evolution, an_older_program_reads_a_newer_buffer)
{
	const struct part_in parts[] = { { -1 }, { 70 } };
	const struct span words[] = { SPAN(""), SPAN("two") };
	const uint64_t longs[] = { 1, UINT64_MAX, 3 };
	const int16_t shorts[] = { -1, 2, -3 };
	struct new_row_in in = {
		.id = 8,
		.name = SPAN("new"),
		.weight = 0,
		.colour = COLOUR_DARK_BLUE,
		.parts = parts,
		.parts_n = 2,
		.words = words,
		.words_n = 2,
		.longs = longs,
		.longs_n = 3,
		.shorts = shorts,
		.shorts_n = 3,
		.bytes = SPAN("\0\xff"),
		.small = -4,
		.medium = -5,
		.flag = false,
		.highest = 1,
	};
	struct fb_writer w;
	struct fb_table root, t;
	new_row_batch_begin(&w, buf, sizeof buf, 4, 6);
	new_row_batch_add(&w, &in);
	new_row_batch_add(&w, &in);
	EXPECT_OK(w.err);
	struct span batch = fb_batch_finish(&w);
	EXPECT_OK(old_row_batch_verify(batch, &root));
	t = fb_vector_table(old_row_batch_rows(root), 1);
	EXPECT_U64(8, old_row_id(t));
	EXPECT_SPAN(SPAN("new"), old_row_name(t));
	EXPECT_U64(0, old_row_weight(t));
	EXPECT_U64(0, old_row_note(t).n);

	EXPECT_OK(new_row_batch_verify(batch, &root));
	EXPECT_U64(6, new_row_batch_added(root));
	t = fb_vector_table(new_row_batch_rows(root), 1);
	EXPECT_I64(300, new_row_colour(t));
	EXPECT_I64(-1, part_size(fb_vector_table(new_row_parts(t), 0)));
	EXPECT_I64(70, part_size(fb_vector_table(new_row_parts(t), 1)));
	EXPECT_SPAN(SPAN("two"), fb_vector_string(new_row_words(t), 1));
	EXPECT_U64(UINT64_MAX, fb_vector_u64(new_row_longs(t), 1));
	EXPECT_I64(-3, (int16_t)fb_vector_u16(new_row_shorts(t), 2));
	EXPECT_SPAN(SPAN("\0\xff"), new_row_bytes(t));
	EXPECT_I64(-4, new_row_small(t));
	EXPECT_I64(-5, new_row_medium(t));
	EXPECT(!new_row_flag(t));
}

TEST(fb_verify, every_truncation_is_refused)
{
	struct media_file_in in = song();
	uint32_t n = 0;
	EXPECT_OK(media_file_build(buf, sizeof buf, &in, &n));
	/* a string lies last, with up to three bytes behind its NUL */
	for (uint32_t cut = 0; cut + 4 <= n; cut++) {
		struct fb_table t = { .pos = 99 };
		uint8_t *exact = malloc(cut ? cut : 1);
		EXPECT(exact != NULL);
		memcpy(exact, buf, cut);
		EXPECT_ERR(ERR_CORRUPT, media_file_verify(span_of(exact, cut), &t));
		EXPECT_U64(99, t.pos);
		free(exact);
	}
}

TEST(fb_verify, another_file_identifier_or_a_missing_required_field_is_refused)
{
	struct fb_writer w;
	struct fb_table t;
	struct media_file_in in = song();
	uint32_t n = 0;
	EXPECT_OK(media_file_build(buf, sizeof buf, &in, &n));
	EXPECT_ERR(ERR_CORRUPT, old_row_verify(span_of(buf, n), &t));
	buf[5] ^= 1;
	EXPECT_ERR(ERR_CORRUPT, media_file_verify(span_of(buf, n), &t));

	fb_begin(&w, buf, sizeof buf, "SLVM");
	uint8_t *p = fb_table_begin(&w, 64);
	EXPECT_OK(fb_finish(&w, fb_table_end(&w, &media_file_type, p, 0), &n));
	EXPECT_ERR(ERR_CORRUPT, media_file_verify(span_of(buf, n), &t));
	EXPECT_OK(media_file_batch_verify(span_of(buf, n), &t)); /* which requires nothing */
}

/* Offsets are unsigned: one that would lead back to a text leads 4 GiB forward instead, also where
 * the row that was looked at before has that text. */
TEST(fb_verify, an_offset_back_to_the_text_of_the_row_before_is_refused)
{
	struct media_file_in in = song();
	struct fb_writer w;
	struct fb_table root;
	for (unsigned back = 0; back < 2; back++) {
		media_file_batch_begin(&w, buf, sizeof buf, 1, 1, 0);
		in.artist = SPAN("one artist");
		uint32_t behind = media_file_write(&w, &in);
		in.artist = SPAN("and another");
		uint32_t before = media_file_write(&w, &in);
		fb_row_end(&w, before); /* the one that is looked at first */
		fb_row_end(&w, behind);
		struct span batch = fb_batch_finish(&w);
		EXPECT_OK(media_file_batch_verify(batch, &root));
		struct fb_table t[2];
		for (unsigned i = 0; i < 2; i++)
			t[i] = fb_vector_table(media_file_batch_files(root), i);
		EXPECT(t[0].pos < t[1].pos);
		const uint8_t *text = (const uint8_t *)media_file_artist(t[0]).p - 4;
		uint8_t *field = (uint8_t *)(uintptr_t)fb_field(t[1], 4 + 2 * 9);
		EXPECT(text < field);
		if (back)
			memcpy(field, &(uint32_t){ (uint32_t)(text - field) }, 4);
		EXPECT_ERR(back ? ERR_CORRUPT : ERR_OK, media_file_batch_verify(batch, &root));
	}
}

/* Rows that all refer to one long vector would take quadratic time. */
TEST_LIMIT(fb_verify, a_buffer_that_blows_up_by_sharing_is_refused_in_time, 20)
{
	enum { N = 60000 };
	struct media_file_in in = song();
	struct span *artists = calloc(N, sizeof *artists);
	uint32_t cap = 4 << 20;
	uint8_t *mem = malloc(cap);
	struct fb_writer w;
	struct fb_table root;
	EXPECT(artists && mem);
	in.artists = artists;
	in.artists_n = N;
	media_file_batch_begin(&w, mem, cap, 1, 1, 0);
	media_file_batch_add(&w, &in);
	EXPECT_OK(w.err);
	uint32_t row = num_le32(w.floor - 4); /* its place */
	struct fb_writer one = w;
	EXPECT_OK(media_file_batch_verify(fb_batch_finish(&one), &root));
	for (uint32_t i = 1; i < N; i++)
		fb_row_end(&w, row);
	EXPECT_ERR(ERR_CORRUPT, media_file_batch_verify(fb_batch_finish(&w), &root));
	free(artists);
	free(mem);
}
