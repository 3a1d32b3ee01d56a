/* SPDX-License-Identifier: MIT */
/* What was found in one file, on its way into a ProbeReply. */
#include "probe/helper/facts.h"

#include <time.h>

#include "base/num.h"
#include "base/utf8.h"

void facts_init(struct facts *f)
{
	memset(f, 0, sizeof *f);
	arena_init(&f->arena, FACTS_ARENA_MAX_BYTES);
}

void facts_fini(struct facts *f)
{
	arena_fini(&f->arena);
}

void facts_reset(struct facts *f)
{
	arena_reset(&f->arena);
	memset(&f->reply, 0, sizeof f->reply);
	f->reply.artists = f->artists;
	f->reply.genres = f->genres;
	f->reply.audio_tracks = f->tracks;
}

/* C0, DEL, C1, and what reorders or breaks lines on a screen. */
static bool is_space_or_control(uint32_t c)
{
	return c <= 0x20 || (c >= 0x7f && c <= 0xa0) || c == 0x2028 || c == 0x2029 || c == 0xfeff ||
	       (c >= 0x202a && c <= 0x202e) || (c >= 0xfff9 && c <= 0xfffb) || c == 0xfffe ||
	       c == 0xffff;
}

struct span facts_text(struct facts *f, struct span s)
{
	char bytes[FACTS_TEXT_MAX_BYTES];
	struct buf b = { .p = bytes, .cap = sizeof bytes, .max = sizeof bytes };
	bool space_due = false;

	while (s.n > 0 && sizeof bytes - b.n >= 5) {
		uint32_t c = utf8_next(&s);

		if (is_space_or_control(c)) {
			space_due = b.n > 0;
			continue;
		}
		if (space_due)
			b.p[b.n++] = ' ';
		space_due = false;
		utf8_put(&b, c);
	}
	return b.n > 0 ? arena_dup(&f->arena, span_of(bytes, b.n)) : (struct span){ NULL, 0 };
}

static void add_value(struct facts *f, struct span *values, uint32_t *n, struct span s)
{
	struct span clean = facts_text(f, s);

	if (clean.n == 0 || *n >= FACTS_VALUES_MAX)
		return;
	for (uint32_t i = 0; i < *n; i++)
		if (span_eq(values[i], clean))
			return;
	values[(*n)++] = clean;
}

void facts_add_artist(struct facts *f, struct span s)
{
	add_value(f, f->artists, &f->reply.artists_n, s);
}

void facts_add_genre(struct facts *f, struct span s)
{
	add_value(f, f->genres, &f->reply.genres_n, s);
}

/* By its bytes: what tags claim about their pictures is often wrong. */
static const char *picture_mime(struct span p)
{
	if (span_starts(p, SPAN("\xff\xd8\xff")))
		return "image/jpeg";
	if (span_starts(p, SPAN("\x89PNG\r\n\x1a\n")))
		return "image/png";
	if (span_starts(p, SPAN("GIF8")))
		return "image/gif";
	if (span_starts(p, SPAN("RIFF")) && span_starts(span_skip(p, 8), SPAN("WEBP")))
		return "image/webp";
	if (span_starts(p, SPAN("BM")))
		return "image/bmp";
	return NULL;
}

uint32_t facts_art_max(const struct facts *f)
{
	return f->art_max_n > 0 ? f->art_max_n : FACTS_ART_MAX_BYTES;
}

void facts_art(struct facts *f, struct span picture)
{
	const char *mime = picture_mime(picture);

	if (!mime)
		return;
	f->reply.art_embedded = true;
	if (!f->want_art)
		return;
	if (picture.n > facts_art_max(f)) {
		facts_fail(f, PROBE_STATUS_TOO_LARGE, "the embedded picture is too large");
		return;
	}
	f->reply.art = arena_dup(&f->arena, picture);
	if (f->reply.art.n > 0)
		f->reply.art_mime_type = span_str(mime);
}

void facts_fail(struct facts *f, uint8_t status, const char *why)
{
	f->reply.status = status;
	f->reply.error = span_str(why);
}

/* The digits at the start of *s, cut off; at most `digits_max` of them, 0 where there are none. */
static uint64_t leading_number(struct span *s, size_t digits_max)
{
	size_t n = 0;
	uint64_t v = 0;

	while (n < s->n && n < digits_max && s->p[n] >= '0' && s->p[n] <= '9')
		v = v * 10 + (uint64_t)(s->p[n++] - '0');
	*s = span_skip(*s, n);
	return v;
}

uint16_t facts_year(struct span date)
{
	while (date.n > 0) {
		size_t before = date.n;
		uint64_t year = leading_number(&date, 9);

		if (before - date.n == 4 && year > 0)
			return (uint16_t)year;
		if (before - date.n == 8) /* 20040506 */
			return (uint16_t)(year / 10000);
		if (before == date.n)
			date = span_skip(date, 1);
	}
	return 0;
}

uint16_t facts_number(struct span s)
{
	s = span_trim(s);
	uint64_t v = leading_number(&s, 6);

	return v <= UINT16_MAX ? (uint16_t)v : 0;
}

int64_t facts_time(struct span s)
{
	unsigned part[6] = { 0 }; /* year month day hour minute second */

	s = span_trim(s);
	for (size_t i = 0; i < ARRAY_LEN(part); i++) {
		size_t digits = i == 0 ? 4 : 2;
		size_t before = s.n;

		part[i] = (unsigned)leading_number(&s, digits);
		if (before - s.n != digits)
			return 0;
		s = span_skip(s, 1); /* the separator, whatever it is */
	}
	if (part[0] < 1900 || part[1] < 1 || part[1] > 12 || part[2] < 1 || part[2] > 31 ||
	    part[3] > 23 || part[4] > 59 || part[5] > 60)
		return 0;
	struct tm tm = { .tm_year = (int)part[0] - 1900,
			 .tm_mon = (int)part[1] - 1,
			 .tm_mday = (int)part[2],
			 .tm_hour = (int)part[3],
			 .tm_min = (int)part[4],
			 .tm_sec = (int)part[5] };
	return (int64_t)timegm(&tm);
}
