/* SPDX-License-Identifier: MIT */
/* The DIDL-Lite writer: whatever bytes are in names and tags, whoever asks, and whatever the filter
 * says, what a control point gets is a well-formed document, inside a well-formed answer. */
#include <expat.h>
#include <stdlib.h>

#include "dlna/client.h"
#include "dlna/didl.h"
#include "library/library.h"
#include "schema/media_fb.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

#define OUT_MAX_BYTES (4u << 20)
#define RECORD_MAX_BYTES (256u << 10)

/* The input, cut up as it comes. */
struct input {
	struct span rest;
};

static uint32_t take_number(struct input *in)
{
	uint32_t v = 0;

	for (unsigned i = 0; i < 4 && in->rest.n > 0; i++) {
		v = v << 8 | (uint8_t)in->rest.p[0];
		in->rest = span_skip(in->rest, 1);
	}
	return v;
}

/* Up to the next 0xff byte. */
static struct span take_text(struct input *in)
{
	return span_cut(&in->rest, '\xff');
}

static struct media_file_in take_file(struct input *in, struct subtitle_in *subtitle)
{
	struct media_file_in f = {
		.kind = (uint8_t)(take_number(in) % 4),
		.duration_ms = take_number(in),
		.size = take_number(in),
		.bitrate = take_number(in),
		.width = take_number(in),
		.height = take_number(in),
		.track = (uint16_t)take_number(in),
		.year = (uint16_t)take_number(in),
		.date_taken = take_number(in),
		.orientation = (uint8_t)take_number(in),
		.art_embedded = take_number(in) & 1,
		.path = take_text(in),
		.filename = take_text(in),
		.mime_type = take_text(in),
		.title = take_text(in),
		.artist = take_text(in),
		.album = take_text(in),
		.album_artist = take_text(in),
		.genre = take_text(in),
		.audio_codec = take_text(in),
		.video_codec = take_text(in),
		.video_profile = take_text(in),
		.audio_profile = take_text(in),
		.mpeg_stream = (uint8_t)take_number(in),
		.video_scan = (uint8_t)take_number(in),
	};

	*subtitle = (struct subtitle_in){ .path = take_text(in), .language = take_text(in) };
	f.subtitles = subtitle;
	f.subtitles_n = subtitle->path.n > 0;
	return f;
}

static void XMLCALL on_text(void *ctx, const XML_Char *s, int n)
{
	buf_add(ctx, span_of(s, (size_t)n));
}

/* Parses the document; its text goes to `text`. */
static void expect_well_formed(struct span xml, struct buf *text)
{
	XML_Parser p = XML_ParserCreateNS(NULL, '\n');

	if (!p)
		abort();
	XML_SetUserData(p, text);
	XML_SetCharacterDataHandler(p, on_text);
	if (XML_Parse(p, xml.p, (int)xml.n, 1) != XML_STATUS_OK)
		abort();
	XML_ParserFree(p);
}

static void write_object(const struct object *o, uint32_t filter, const struct client *client)
{
	struct buf out, text, ignored;

	buf_init(&out, OUT_MAX_BYTES);
	buf_init(&text, OUT_MAX_BYTES);
	buf_init(&ignored, OUT_MAX_BYTES);
	struct didl w = {
		.out = &out, .filter = filter, .host = SPAN("10.0.0.2:8250"), .client = client
	};
	buf_add_str(&out, "<Result>");
	didl_begin(&w);
	didl_object(&w, o);
	didl_end(&w);
	buf_add_str(&out, "</Result>");
	ASSERT(buf_err(&out) == ERR_OK);
	expect_well_formed(buf_span(&out), &text);
	expect_well_formed(buf_span(&text), &ignored);
	buf_fini(&ignored);
	buf_fini(&text);
	buf_fini(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	static uint8_t record[RECORD_MAX_BYTES];
	struct input in = { span_of(data, n) };
	uint32_t filter = take_number(&in);
	struct client_headers headers = { take_text(&in), take_text(&in) };
	struct subtitle_in subtitle;
	struct media_file_in file = take_file(&in, &subtitle);
	struct object o = { .kind = (enum object_kind)(take_number(&in) % 4),
			    .id = "AT/i5",
			    .parent_id = "AT",
			    .ref_id = "i5",
			    .media_id = 5,
			    .container_class =
				    (enum container_class)(take_number(&in) % CONTAINER_CLASSES_N),
			    .child_count = take_number(&in),
			    .art_media_id = take_number(&in) & 1 };
	uint32_t record_n;

	if (media_file_build(record, sizeof record, &file, &record_n) != ERR_OK ||
	    media_file_verify(span_of(record, record_n), &o.media) != ERR_OK)
		return 0;
	o.title = media_file_title(o.media);
	o.artist = media_file_artist(o.media);
	write_object(&o, filter, client_of(&headers));
	return 0;
}
