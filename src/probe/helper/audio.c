/* SPDX-License-Identifier: MIT */
/* Facts of audio files: TagLib, and the three formats that Debian's TagLib does not know. */
#include "probe/helper/audio.h"

#include "base/num.h"
#include "base/sniff.h"
#include "probe/helper/legacy.h"
#include "probe/helper/mp4_config.h"
#include "probe/helper/raw_audio.h"
#include "probe/helper/tag_shim.h"

/* One property on its way from the shim into the facts. */
struct value {
	struct facts *f;
	bool may_be_legacy; /* the format has text that is labelled Latin-1 */
	struct span text;   /* clean, of the first value that is not empty */
	void (*add)(struct facts *f, struct span s); /* NULL: keep the first in `text` */
	struct span separator; /* between values that taggers put into one; where add is set */
};

static enum text_encoding tag_encoding; /* set once, before the first file */

void audio_init(enum text_encoding encoding)
{
	tag_encoding = encoding;
	/* The default keeps all strings in one unlocked list. */
	taglib_set_string_management_enabled(0);
	taglib_set_strings_unicode(1);
}

static void add_values(const struct value *v, struct span s)
{
	while (s.n > 0) {
		const char *at = memmem(s.p, s.n, v->separator.p, v->separator.n);
		size_t end = at ? (size_t)(at - s.p) : s.n;

		v->add(v->f, span_first(s, end));
		s = span_skip(s, end + v->separator.n);
	}
}

static void value_take(void *ctx, const char *utf8, size_t n)
{
	struct value *v = ctx;
	struct span s = span_first(span_of(utf8, n), FACTS_TEXT_MAX_BYTES);
	char repaired[3 * FACTS_TEXT_MAX_BYTES];
	size_t repaired_n =
		v->may_be_legacy ? legacy_repair(s, tag_encoding, repaired, sizeof repaired) : 0;

	if (repaired_n > 0)
		s = span_of(repaired, repaired_n);
	if (v->add)
		add_values(v, s);
	else if (v->text.n == 0)
		v->text = facts_text(v->f, s);
}

static struct span text_of(struct value *v, struct tag_file *t, const char *key)
{
	v->add = NULL;
	v->text = (struct span){ NULL, 0 };
	tag_property(t, key, value_take, v);
	return v->text;
}

/* Where the property map is silent the C bindings look at every tag that the file has. */
static struct span text_or(struct value *v, struct tag_file *t, const char *key,
			   char *(*fallback)(const TagLib_Tag *))
{
	struct span s = text_of(v, t, key);
	TagLib_Tag *tag = s.n > 0 ? NULL : taglib_file_tag(tag_c_file(t));
	char *text = tag ? fallback(tag) : NULL;

	if (!text)
		return s;
	value_take(v, text, strlen(text));
	taglib_free(text);
	return v->text;
}

static void values_into(struct value *v, struct tag_file *t, const char *key,
			void (*add)(struct facts *f, struct span s), struct span separator)
{
	v->add = add;
	v->separator = separator;
	tag_property(t, key, value_take, v);
}

static void read_tags(struct facts *f, struct tag_file *t, bool may_be_legacy)
{
	struct value v = { .f = f, .may_be_legacy = may_be_legacy };
	struct probe_reply_in *r = &f->reply;

	r->title = text_or(&v, t, "TITLE", taglib_tag_title);
	r->album = text_or(&v, t, "ALBUM", taglib_tag_album);
	/* ID3v2.3 has no place for several values. Semicolons are what Windows, foobar2000 and
	 * MusicBee write then; a slash or a comma is part of many names. */
	values_into(&v, t, "ARTIST", facts_add_artist, SPAN("; "));
	if (r->artists_n == 0)
		facts_add_artist(f, text_or(&v, t, "ARTIST", taglib_tag_artist));
	values_into(&v, t, "GENRE", facts_add_genre, SPAN(";"));
	r->album_artist = text_of(&v, t, "ALBUMARTIST");
	if (r->album_artist.n == 0)
		r->album_artist = text_of(&v, t, "ALBUM ARTIST");
	r->composer = text_of(&v, t, "COMPOSER");
	r->track = facts_number(text_of(&v, t, "TRACKNUMBER"));
	r->disc = facts_number(text_of(&v, t, "DISCNUMBER"));
	r->year = facts_year(text_of(&v, t, "DATE"));
	if (r->year == 0)
		r->year = facts_year(text_of(&v, t, "YEAR"));
	if (r->year == 0)
		r->year = facts_year(text_of(&v, t, "ORIGINALDATE"));
	struct span compilation = text_of(&v, t, "COMPILATION");
	r->compilation =
		span_eq(compilation, SPAN("1")) || span_eq_nocase(compilation, SPAN("true"));
	const char *picture = NULL;
	size_t picture_n = 0;
	if (tag_picture(t, &picture, &picture_n))
		facts_art(f, span_of(picture, picture_n));
}

/* `plays_notes`: there is no sample rate, and nobody knows how long it plays. */
static bool read_properties(struct facts *f, struct tag_file *t, bool plays_notes)
{
	const TagLib_AudioProperties *ap = taglib_file_audioproperties(tag_c_file(t));
	struct tag_properties more = { 0 };
	struct probe_reply_in *r = &f->reply;

	if (!ap)
		return false;
	int kbps = taglib_audioproperties_bitrate(ap);
	int rate = taglib_audioproperties_samplerate(ap);
	int channels = taglib_audioproperties_channels(ap);
	tag_describe(t, &more);
	r->bitrate = kbps > 0 && kbps < 4000000 ? (uint32_t)kbps * 1000 : 0;
	r->sample_rate = rate > 0 ? (uint32_t)rate : 0;
	r->channels = channels > 0 && channels <= 256 ? (uint16_t)channels : 0;
	r->duration_ms = more.duration_ms;
	r->bits_per_sample = more.bits_per_sample;
	r->audio_codec = span_str(more.codec);
	return rate > 0 || (plays_notes && channels > 0);
}

static bool ogg_has(const struct source *s, struct span codec_start)
{
	/* The first packet follows the header of the first page: 27 bytes and its segment table. */
	size_t at = s->head_n > 27 ? 27 + (size_t)s->head[26] : s->head_n;

	return span_starts(span_skip(span_of(s->head, s->head_n), at), codec_start);
}

static enum tag_type ogg_type(const struct source *s)
{
	if (ogg_has(s, SPAN("OpusHead")))
		return TAG_TYPE_OGG_OPUS;
	if (ogg_has(s, SPAN("\x7f"
			    "FLAC")))
		return TAG_TYPE_OGG_FLAC;
	if (ogg_has(s, SPAN("Speex")))
		return TAG_TYPE_OGG_SPEEX;
	return TAG_TYPE_OGG_VORBIS;
}

static enum tag_type tracker_type(const struct source *s)
{
	struct span kind = span_str(sniff_tracker(span_of(s->head, s->head_n)));

	if (span_eq(kind, SPAN("xm")))
		return TAG_TYPE_XM;
	if (span_eq(kind, SPAN("it")))
		return TAG_TYPE_IT;
	return span_eq(kind, SPAN("s3m")) ? TAG_TYPE_S3M : TAG_TYPE_MOD;
}

/* Which of TagLib's classes; false where it has none. */
static bool tag_type_of(const struct source *s, enum media_format format, enum tag_type *out)
{
	static const struct {
		uint8_t format;
		uint8_t type;
	} map[] = {
		{ MEDIA_FORMAT_MP3, TAG_TYPE_MPEG },	      { MEDIA_FORMAT_FLAC, TAG_TYPE_FLAC },
		{ MEDIA_FORMAT_MP4, TAG_TYPE_MP4 },	      { MEDIA_FORMAT_ASF, TAG_TYPE_ASF },
		{ MEDIA_FORMAT_WAV, TAG_TYPE_WAV },	      { MEDIA_FORMAT_AIFF, TAG_TYPE_AIFF },
		{ MEDIA_FORMAT_WAVPACK, TAG_TYPE_WAVPACK },   { MEDIA_FORMAT_APE, TAG_TYPE_APE },
		{ MEDIA_FORMAT_MUSEPACK, TAG_TYPE_MUSEPACK }, { MEDIA_FORMAT_TTA, TAG_TYPE_TTA },
	};

	if (format == MEDIA_FORMAT_OGG) {
		*out = ogg_type(s);
		return true;
	}
	if (format == MEDIA_FORMAT_TRACKER) {
		*out = tracker_type(s);
		return true;
	}
	for (size_t i = 0; i < ARRAY_LEN(map); i++) {
		if (map[i].format == format) {
			*out = (enum tag_type)map[i].type;
			return true;
		}
	}
	return false;
}

static void tag_closep(struct tag_file **t)
{
	if (*t)
		tag_close(*t);
}

uint64_t audio_id3_bytes(struct span head)
{
	const uint8_t *h = (const uint8_t *)head.p;

	if (head.n < 10 || !span_starts(head, SPAN("ID3")))
		return 0;
	uint64_t n = 0;
	for (size_t i = 6; i < 10; i++)
		n = n << 7 | (h[i] & 0x7f);
	return n + 10 + (h[5] & 0x10 ? 10 : 0);
}

static void probe_raw(struct facts *f, const struct source *s, enum media_format format)
{
	struct probe_reply_in *r = &f->reply;
	struct raw_audio raw = { 0 };
	bool ok;

	if (format == MEDIA_FORMAT_DSF) {
		ok = raw_audio_dsf(s, &raw);
	} else if (format == MEDIA_FORMAT_DSDIFF) {
		ok = raw_audio_dsdiff(s, &raw);
	} else {
		raw.id3_bytes = audio_id3_bytes(span_of(s->head, s->head_n));
		ok = raw_audio_adts(s, raw.id3_bytes, &raw);
	}
	if (!ok) {
		facts_fail(f, PROBE_STATUS_BROKEN, "no sound was found in it");
		return;
	}
	r->duration_ms = raw.duration_ms;
	r->bitrate = raw.bitrate;
	r->sample_rate = raw.sample_rate;
	r->channels = raw.channels;
	r->bits_per_sample = raw.bits_per_sample;
	r->audio_codec = span_str(raw.codec);
	CLEANUP(tag_closep)
	struct tag_file *t = raw.id3_bytes > 0
				     ? tag_open(s->fd, raw.id3_offset, raw.id3_bytes, TAG_TYPE_MPEG)
				     : NULL;
	if (t)
		read_tags(f, t, true);
}

/* Formats whose tags have (ID3) or may have (RIFF INFO) text labelled Latin-1. */
static bool has_latin1(enum media_format format)
{
	return format == MEDIA_FORMAT_MP3 || format == MEDIA_FORMAT_WAV ||
	       format == MEDIA_FORMAT_AIFF || format == MEDIA_FORMAT_TTA ||
	       format == MEDIA_FORMAT_APE || format == MEDIA_FORMAT_MUSEPACK;
}

void audio_probe(struct facts *f, const struct source *s, enum media_format format)
{
	enum tag_type type;

	f->reply.kind = MEDIA_KIND_AUDIO;
	if (!tag_type_of(s, format, &type)) {
		probe_raw(f, s, format);
		return;
	}
	CLEANUP(tag_closep) struct tag_file *t = tag_open(s->fd, 0, s->size, type);
	if (!t) {
		facts_fail(f, PROBE_STATUS_TOO_LARGE, "its tags need too much memory");
		return;
	}
	if (!taglib_file_is_valid(tag_c_file(t)) ||
	    !read_properties(f, t, format == MEDIA_FORMAT_TRACKER)) {
		facts_fail(f, PROBE_STATUS_BROKEN, "no sound was found in it");
		return;
	}
	if (format == MEDIA_FORMAT_MP4 && span_eq(f->reply.audio_codec, SPAN("aac")))
		f->reply.audio_profile = span_str(mp4_aac_profile(s));
	/* FLAC in Ogg is mostly written as a stream, without its length in the header. */
	if (f->reply.duration_ms == 0 && format == MEDIA_FORMAT_OGG)
		f->reply.duration_ms = raw_audio_ogg_ms(s, f->reply.sample_rate);
	read_tags(f, t, has_latin1(format));
}

void audio_probe_tags(struct facts *f, const struct source *s, enum media_format format)
{
	enum tag_type type;
	CLEANUP(tag_closep)
	struct tag_file *t =
		tag_type_of(s, format, &type) ? tag_open(s->fd, 0, s->size, type) : NULL;

	if (t && taglib_file_is_valid(tag_c_file(t)))
		read_tags(f, t, has_latin1(format));
}
