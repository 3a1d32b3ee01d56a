/* SPDX-License-Identifier: MIT */
/* One file, from descriptor to facts: what it is, and who reads it. */
#include "probe/helper/examine.h"

#include "base/sniff.h"
#include "probe/helper/audio.h"
#include "probe/helper/image.h"
#include "probe/helper/magic_type.h"
#include "probe/helper/video.h"

_Static_assert((int)MEDIA_CLASS_AUDIO == (int)MEDIA_KIND_AUDIO &&
		       (int)MEDIA_CLASS_VIDEO == (int)MEDIA_KIND_VIDEO &&
		       (int)MEDIA_CLASS_IMAGE == (int)MEDIA_KIND_IMAGE,
	       "the table of types speaks the schema's language");
_Static_assert((int)SNIFF_STREAM_TRANSPORT == (int)MPEG_STREAM_TRANSPORT &&
		       (int)SNIFF_STREAM_TRANSPORT_ZERO == (int)MPEG_STREAM_TRANSPORT_ZERO &&
		       (int)SNIFF_STREAM_TRANSPORT_STAMPED == (int)MPEG_STREAM_TRANSPORT_STAMPED &&
		       (int)SNIFF_STREAM_SYSTEM == (int)MPEG_STREAM_SYSTEM &&
		       (int)SNIFF_STREAM_PROGRAM == (int)MPEG_STREAM_PROGRAM,
	       "and so does the sniffer");

/* The layout by content. An ID3 tag may stand before other audio: look behind it. */
static enum media_format sniff_source(const struct source *s)
{
	struct span head = span_of(s->head, s->head_n);
	uint64_t tag_bytes = audio_id3_bytes(head);
	uint8_t behind[SOURCE_HEAD_BYTES];

	if (tag_bytes == 0)
		return sniff_format(head);
	head = tag_bytes + 1024 < s->head_n
		       ? span_skip(head, (size_t)tag_bytes)
		       : span_of(behind, source_read(s, tag_bytes, behind, sizeof behind));
	enum media_format format = sniff_format(head);
	/* Only these are ever tagged so; anything else is chance. */
	return format == MEDIA_FORMAT_FLAC || format == MEDIA_FORMAT_ADTS ||
			       format == MEDIA_FORMAT_TTA || format == MEDIA_FORMAT_APE ||
			       format == MEDIA_FORMAT_MUSEPACK || format == MEDIA_FORMAT_WAVPACK
		       ? format
		       : MEDIA_FORMAT_MP3;
}

/* Name and content disagree, or the content says nothing to us: libmagic decides. Where it does
 * not know either, a name that is media is worth a try; readable text is not. */
static enum media_format arbitrate(const struct source *s, enum media_format by_name,
				   enum media_format by_content)
{
	const char *mime = magic_type_of(s);
	struct span m = span_str(mime);
	const struct media_type *t = mime ? media_type_by_mime(m) : NULL;

	if (t && (t->format == by_name || t->format == by_content))
		return (enum media_format)t->format;
	if (by_content != MEDIA_FORMAT_UNKNOWN)
		return by_content;
	if (t)
		return (enum media_format)t->format;
	bool may_be_media = !mime || span_eq(m, SPAN("application/octet-stream")) ||
			    span_starts(m, SPAN("audio/")) || span_starts(m, SPAN("video/")) ||
			    span_starts(m, SPAN("image/"));
	return may_be_media ? by_name : MEDIA_FORMAT_UNKNOWN;
}

/* The first page of an Ogg stream names its codec; films begin with these. */
static bool ogg_is_video(const struct source *s)
{
	static const struct span starts[] = { SPAN("\x80theora"), SPAN("fishead"), SPAN("OVP80"),
					      SPAN("BBCD") };
	size_t at = s->head_n > 27 ? 27 + (size_t)s->head[26] : s->head_n;
	struct span packet = span_skip(span_of(s->head, s->head_n), at);

	for (size_t i = 0; i < ARRAY_LEN(starts); i++)
		if (span_starts(packet, starts[i]))
			return true;
	return false;
}

/* Which reader: containers for both sound and films go by the name, or where a look is cheap by
 * the content. libavformat finds out in the end, but costs 26 MB of memory. */
static enum media_class reader_of(const struct source *s, enum media_format format,
				  const struct media_type *by_name)
{
	if (format >= MEDIA_FORMAT_JPEG)
		return MEDIA_CLASS_IMAGE;
	if (format == MEDIA_FORMAT_OGG)
		return ogg_is_video(s) ? MEDIA_CLASS_VIDEO : MEDIA_CLASS_AUDIO;
	if (format == MEDIA_FORMAT_MP4) {
		bool named_audio = by_name && by_name->format == format &&
				   by_name->media_class == MEDIA_CLASS_AUDIO;
		bool branded_audio = span_starts(span_of(s->head + 4, 8), SPAN("ftypM4A ")) ||
				     span_starts(span_of(s->head + 4, 8), SPAN("ftypM4B "));

		return named_audio || branded_audio ? MEDIA_CLASS_AUDIO : MEDIA_CLASS_VIDEO;
	}
	if (format == MEDIA_FORMAT_ASF)
		return by_name && by_name->format == format ? (enum media_class)by_name->media_class
							    : MEDIA_CLASS_VIDEO;
	return format >= MEDIA_FORMAT_MATROSKA ? MEDIA_CLASS_VIDEO : MEDIA_CLASS_AUDIO;
}

/* Packets with a place for time stamps are a type of their own, whatever the name says. */
static const char *mpeg_mime(uint8_t stream)
{
	switch ((enum mpeg_stream)stream) {
	case MPEG_STREAM_TRANSPORT:
		return MEDIA_TYPE_TS;
	case MPEG_STREAM_TRANSPORT_ZERO:
	case MPEG_STREAM_TRANSPORT_STAMPED:
		return MEDIA_TYPE_STAMPED_TS;
	case MPEG_STREAM_NONE:
	case MPEG_STREAM_SYSTEM:
	case MPEG_STREAM_PROGRAM:
		break;
	}
	return NULL;
}

/* The mime type: the name's where it agrees with what was found, else the layout's own. */
static void set_type(struct facts *f, enum media_format format, const struct media_type *by_name)
{
	enum media_class found = (enum media_class)f->reply.kind;
	const struct media_type *t =
		by_name && by_name->format == format && by_name->media_class == found
			? by_name
			: media_type_by_format(format, found);

	if (!t)
		return;
	const char *mime = mpeg_mime(f->reply.mpeg_stream);
	f->reply.mime_type = span_str(mime ? mime : t->mime);
	if (f->reply.container.n == 0)
		f->reply.container = span_str(t->av_format);
}

/* Layouts of which libavformat reads more variants than TagLib does: RF64, fragmented MP4, ... */
static bool second_reader_may_help(const struct facts *f, enum media_format format)
{
	bool has_variants = format == MEDIA_FORMAT_WAV || format == MEDIA_FORMAT_AIFF ||
			    format == MEDIA_FORMAT_MP4 || format == MEDIA_FORMAT_ASF ||
			    format == MEDIA_FORMAT_WAVPACK || format == MEDIA_FORMAT_APE;

	return has_variants && (f->reply.status == PROBE_STATUS_BROKEN ||
				(f->reply.status == PROBE_STATUS_OK && f->reply.duration_ms == 0));
}

/* libavformat, and where it finds sound only, TagLib for the tags. */
static void examine_film(struct facts *f, const struct source *s, enum media_format format,
			 enum media_class media_class)
{
	const struct media_type *t = media_type_by_format(format, media_class);

	facts_reset(f);
	f->reply.kind = (uint8_t)media_class;
	video_probe(f, s, t ? t->av_format : NULL);
	if (f->reply.status == PROBE_STATUS_OK && f->reply.kind == MEDIA_KIND_AUDIO)
		audio_probe_tags(f, s, format);
}

static void examine_as(struct facts *f, const struct source *s, enum media_format format,
		       const struct media_type *by_name)
{
	enum media_class reader = reader_of(s, format, by_name);

	f->reply.kind = (uint8_t)reader;
	if (reader == MEDIA_CLASS_IMAGE)
		image_probe(f, s, format);
	else if (reader == MEDIA_CLASS_AUDIO)
		audio_probe(f, s, format);
	if (reader == MEDIA_CLASS_VIDEO ||
	    (reader == MEDIA_CLASS_AUDIO && second_reader_may_help(f, format)))
		examine_film(f, s, format, reader);
	if (f->reply.kind == MEDIA_KIND_VIDEO &&
	    (format == MEDIA_FORMAT_MPEG_TS || format == MEDIA_FORMAT_MPEG_PS))
		f->reply.mpeg_stream = (uint8_t)sniff_stream(span_of(s->head, s->head_n));
	set_type(f, format, by_name);
}

void examine_file(struct facts *f, int fd, struct span name)
{
	struct source s;
	enum err e = source_init(&s, fd);
	const struct media_type *by_name = media_type_by_name(name);

	if (e == ERR_INVALID) {
		facts_fail(f, PROBE_STATUS_NOT_MEDIA, "it is not a regular file");
		return;
	}
	if (e != ERR_OK) {
		facts_fail(f, PROBE_STATUS_UNREADABLE, "it cannot be read");
		return;
	}
	f->reply.kind = by_name ? by_name->media_class : (uint8_t)MEDIA_KIND_OTHER;
	f->reply.mime_type = span_str(by_name ? by_name->mime : NULL);
	if (s.size == 0) {
		facts_fail(f, PROBE_STATUS_BROKEN, "it is empty");
		return;
	}
	enum media_format format = sniff_source(&s);
	enum media_format named =
		by_name ? (enum media_format)by_name->format : MEDIA_FORMAT_UNKNOWN;
	/* Where the name says nothing, there is nobody to be right against what was recognised. */
	if (format == MEDIA_FORMAT_UNKNOWN || (by_name && format != named))
		format = arbitrate(&s, named, format);
	if (format == MEDIA_FORMAT_UNKNOWN) {
		f->reply.kind = MEDIA_KIND_OTHER;
		f->reply.mime_type = (struct span){ NULL, 0 };
		facts_fail(f, PROBE_STATUS_NOT_MEDIA, "its content is no media that is known");
		return;
	}
	examine_as(f, &s, format, by_name);
}
