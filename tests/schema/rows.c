/* SPDX-License-Identifier: MIT */
/* Random MediaFile rows, and whether a table holds one. */
#include "rows.h"

#include "harness.h"
#include "media_fields.h"

static struct span text_random(struct random_row *r)
{
	static const char *const letters[] = { "a",  "B",  " ", "/",	    "0",
					       "\"", "\\", "&", "\xc3\xa9", "\xe2\x82\xac" };
	char *p = r->text[r->text_n++ % ARRAY_LEN(r->text)];
	size_t n = 0, want = test_random() % 44;
	while (n < want) {
		const char *l = letters[test_random() % ARRAY_LEN(letters)];
		memcpy(p + n, l, strlen(l));
		n += strlen(l);
	}
	return span_of(p, n);
}

static uint32_t list_random(void)
{
	return test_random() % 4 ? 0 : (uint32_t)(test_random() % ROWS_LIST_MAX + 1);
}

#define FILL_NUM(name)                                                                             \
	if (test_random() % density == 0)                                                          \
		r->in.name = (__typeof__(r->in.name))(test_random() >> test_random() % 64);
#define FILL_STR(name)                                                                             \
	if (test_random() % density == 0)                                                          \
		r->in.name = text_random(r);
#define FILL_STRS(name)                                                                            \
	r->in.name = r->name;                                                                      \
	r->in.name##_n = list_random();                                                            \
	for (uint32_t k = 0; k < r->in.name##_n; k++)                                              \
		r->name[k] = text_random(r);
#define FILL_NUMS(name)                                                                            \
	r->in.name = r->name;                                                                      \
	r->in.name##_n = list_random();                                                            \
	for (uint32_t k = 0; k < r->in.name##_n; k++)                                              \
		r->name[k] = (uint32_t)test_random();
#define FILL(kind, name) FILL_##kind(name)

void row_random(struct random_row *r)
{
	uint64_t density = test_random() % 6 + 1;
	memset(r, 0, sizeof *r);
	MEDIA_FIELDS(FILL)
	r->in.kind = (uint8_t)(r->in.kind % 4);
	if (test_random() % 2)
		r->in.canonical_path = r->in.path;
	if (test_random() % 2)
		r->in.album_artist = r->in.artist;
	r->in.subtitles = r->subtitles;
	r->in.subtitles_n = list_random();
	for (uint32_t k = 0; k < r->in.subtitles_n; k++)
		r->subtitles[k] = (struct subtitle_in){ text_random(r), text_random(r) };
	r->in.audio_tracks = r->audio_tracks;
	r->in.audio_tracks_n = list_random();
	for (uint32_t k = 0; k < r->in.audio_tracks_n; k++)
		r->audio_tracks[k] = (struct stream_in){ text_random(r), text_random(r),
							 (uint16_t)test_random() };
}

static struct span text_nearly(struct random_row *r, struct span s)
{
	char *p = r->text[r->text_n++ % ARRAY_LEN(r->text)];
	span_copy(p, s);
	size_t at = s.n ? test_random() % s.n : 0;
	at = test_random() % 3 == 0 ? 0 : test_random() % 2 && s.n ? s.n - 1 : at;
	if (s.n && (uint8_t)p[at] < 0x80) /* it stays UTF-8 */
		p[at] = p[at] == 'x' ? 'y' : 'x';
	return span_of(p, s.n);
}

#define REPEAT_NUM(name)
#define REPEAT_STR(name)                                                                           \
	if (test_random() % 4)                                                                     \
		r->in.name = test_random() % 4 ? before->in.name : text_nearly(r, before->in.name);
#define REPEAT_STRS(name) REPEAT_NUMS(name)
#define REPEAT_NUMS(name)                                                                          \
	if (test_random() % 4) {                                                                   \
		r->in.name = before->in.name;                                                      \
		r->in.name##_n = before->in.name##_n;                                              \
		if (r->in.name##_n > 1 && test_random() % 4 == 0)                                  \
			r->in.name##_n--;                                                          \
	}
#define REPEAT(kind, name) REPEAT_##kind(name)

void row_repeat(struct random_row *r, const struct random_row *before)
{
	MEDIA_FIELDS(REPEAT)
	if (test_random() % 2)
		r->in.canonical_path = r->in.path;
	r->in.audio_tracks = before->in.audio_tracks;
	r->in.audio_tracks_n = before->in.audio_tracks_n;
}

#define EXPECT_NUM(name) EXPECT_U64((uint64_t)in->name, (uint64_t)media_file_##name(t));
#define EXPECT_STR_(name) EXPECT_SPAN(in->name, media_file_##name(t));
#define EXPECT_STRS(name)                                                                          \
	EXPECT_U64(in->name##_n, media_file_##name(t).n);                                          \
	for (uint32_t k = 0; k < in->name##_n; k++)                                                \
		EXPECT_SPAN(in->name[k], fb_vector_string(media_file_##name(t), k));
#define EXPECT_NUMS(name)                                                                          \
	EXPECT_U64(in->name##_n, media_file_##name(t).n);                                          \
	for (uint32_t k = 0; k < in->name##_n; k++)                                                \
		EXPECT_U64(in->name[k], fb_vector_u32(media_file_##name(t), k));
#define FIELD_NUM(name) EXPECT_NUM(name)
#define FIELD_STR(name) EXPECT_STR_(name)
#define FIELD_STRS(name) EXPECT_STRS(name)
#define FIELD_NUMS(name) EXPECT_NUMS(name)
#define FIELD(kind, name) FIELD_##kind(name)

void row_expect(const struct media_file_in *in, struct fb_table t)
{
	MEDIA_FIELDS(FIELD)
	EXPECT_U64(in->subtitles_n, media_file_subtitles(t).n);
	for (uint32_t k = 0; k < in->subtitles_n; k++) {
		struct fb_table s = fb_vector_table(media_file_subtitles(t), k);
		EXPECT_SPAN(in->subtitles[k].path, subtitle_path(s));
		EXPECT_SPAN(in->subtitles[k].language, subtitle_language(s));
	}
	EXPECT_U64(in->audio_tracks_n, media_file_audio_tracks(t).n);
	for (uint32_t k = 0; k < in->audio_tracks_n; k++) {
		struct fb_table s = fb_vector_table(media_file_audio_tracks(t), k);
		EXPECT_SPAN(in->audio_tracks[k].codec, stream_codec(s));
		EXPECT_SPAN(in->audio_tracks[k].language, stream_language(s));
		EXPECT_U64(in->audio_tracks[k].channels, stream_channels(s));
	}
}

static uint64_t span_walk(struct span s)
{
	uint64_t sum = 0;
	for (size_t i = 0; i < s.n; i++)
		sum += (uint8_t)s.p[i];
	return s.p ? sum + (uint8_t)s.p[s.n] : 0; /* its NUL, too */
}

static uint64_t strings_walk(struct fb_vector v)
{
	uint64_t sum = 0;
	for (uint32_t i = 0; i < v.n; i++)
		sum += span_walk(fb_vector_string(v, i));
	return sum;
}

static uint64_t numbers_walk(struct fb_vector v)
{
	uint64_t sum = 0;
	for (uint32_t i = 0; i < v.n; i++)
		sum += fb_vector_u32(v, i);
	return sum;
}

#define WALK_NUM(name) sum += (uint64_t)media_file_##name(t);
#define WALK_STR(name) sum += span_walk(media_file_##name(t));
#define WALK_STRS(name) sum += strings_walk(media_file_##name(t));
#define WALK_NUMS(name) sum += numbers_walk(media_file_##name(t));
#define WALK(kind, name) WALK_##kind(name)

static uint64_t row_walk(struct fb_table t)
{
	uint64_t sum = 0;
	MEDIA_FIELDS(WALK)
	for (uint32_t i = 0; i < media_file_subtitles(t).n; i++) {
		struct fb_table s = fb_vector_table(media_file_subtitles(t), i);
		sum += span_walk(subtitle_path(s)) + span_walk(subtitle_language(s));
	}
	for (uint32_t i = 0; i < media_file_audio_tracks(t).n; i++) {
		struct fb_table s = fb_vector_table(media_file_audio_tracks(t), i);
		sum += span_walk(stream_codec(s)) + span_walk(stream_language(s));
		sum += stream_channels(s);
	}
	return sum;
}

uint64_t batch_walk(struct fb_table root)
{
	uint64_t sum = media_file_batch_batch_id(root) + media_file_batch_operation(root);
	sum += (uint64_t)media_file_batch_timestamp(root);
	for (uint32_t i = 0; i < media_file_batch_files(root).n; i++)
		sum += row_walk(fb_vector_table(media_file_batch_files(root), i));
	return sum;
}
