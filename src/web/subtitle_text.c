/* SPDX-License-Identifier: MIT */
/* Subtitle files as players want them: in UTF-8, SubRip as WebVTT. */
#include "web/subtitle_text.h"

#include "base/utf8.h"

static bool is_wide(enum text_encoding e)
{
	return e == TEXT_UTF16LE || e == TEXT_UTF16BE;
}

bool subtitle_text_is_fine(struct span bytes, enum text_encoding wanted,
			   enum text_encoding *out_encoding)
{
	enum text_encoding e = text_encoding_choose(wanted, bytes);

	if (utf8_valid(bytes))
		return true;
	if (!is_wide(e) && memchr(bytes.p, 0, bytes.n))
		return true;
	if (e == TEXT_LATIN1 && !text_encoding_suits(e, bytes))
		return true;
	*out_encoding = e;
	return false;
}

enum err subtitle_text_add(enum text_encoding encoding, struct span bytes, struct buf *out)
{
	size_t cap = 3 * bytes.n;
	size_t n = 0;
	char *to = buf_room(out, cap);

	if (!to)
		return buf_err(out);
	enum err e = text_encoding_to_utf8(encoding, bytes, to, cap, &n);
	if (e == ERR_OK)
		out->n += n;
	return e;
}

/* "00:01:02,500 --> 00:01:04,000": WebVTT has a point where SubRip has a comma. */
static void add_times(struct span line, struct buf *out)
{
	while (line.n > 0) {
		size_t comma = span_find(line, ',');

		buf_add(out, span_first(line, comma));
		if (comma < line.n)
			buf_add_char(out, '.');
		line = span_skip(line, comma + 1);
	}
}

void subtitle_text_add_webvtt(struct span srt, struct buf *out)
{
	if (span_starts(srt, SPAN("\xef\xbb\xbf")))
		srt = span_skip(srt, 3);
	buf_add(out, SPAN("WEBVTT\n\n"));
	while (srt.n > 0) {
		struct span line = span_cut(&srt, '\n');

		if (line.n > 0 && line.p[line.n - 1] == '\r')
			line = span_first(line, line.n - 1);
		if (span_contains(line, SPAN(" --> ")))
			add_times(line, out);
		else
			buf_add(out, line);
		buf_add_char(out, '\n');
	}
}
