/* SPDX-License-Identifier: MIT */
/* Reading playlist files line by line. */
#include "scanner/playlist_file.h"

#include <stdlib.h>

#include "base/num.h"
#include "base/utf8.h"

#define NUMBER_MAX UINT32_MAX
#define SECONDS_MAX (UINT32_MAX / 1000)
#define LINES_FIRST 64
#define PLS_LINES_MAX (3u * PLAYLIST_ENTRIES_MAX)

struct reader {
	struct span rest; /* of the file */
	struct arena *arena;
	struct playlist_file *out;
	size_t cap; /* of out->lines */
	enum err err;
};

enum playlist_format playlist_format_of(struct span name)
{
	size_t dot = span_rfind(name, '.');
	struct span extension = span_skip(name, dot + 1);

	if (dot == 0 || dot == name.n)
		return PLAYLIST_FORMAT_NONE;
	if (span_eq_nocase(extension, SPAN("m3u")) || span_eq_nocase(extension, SPAN("m3u8")))
		return PLAYLIST_FORMAT_M3U;
	if (span_eq_nocase(extension, SPAN("pls")))
		return PLAYLIST_FORMAT_PLS;
	return span_eq_nocase(extension, SPAN("cue")) ? PLAYLIST_FORMAT_CUE : PLAYLIST_FORMAT_NONE;
}

/* ---- lines ----------------------------------------------------------------------------------- */

/* Ends in LF, CR or both. */
static bool next_raw(struct span *rest, struct span *out)
{
	size_t n = 0;

	if (rest->n == 0)
		return false;
	while (n < rest->n && rest->p[n] != '\n' && rest->p[n] != '\r')
		n++;
	*out = span_first(*rest, n);
	bool both = n + 1 < rest->n && rest->p[n] == '\r' && rest->p[n + 1] == '\n';
	*rest = span_skip(*rest, n + 1 + both);
	return true;
}

/* The next line that says something, trimmed. */
static bool next_line(struct reader *r, struct span *out)
{
	struct span line;

	while (r->err == ERR_OK && next_raw(&r->rest, &line)) {
		if (line.n > PLAYLIST_LINE_MAX || (line.n > 0 && memchr(line.p, '\0', line.n))) {
			r->out->left_out_n++;
			continue;
		}
		*out = span_trim(line);
		if (out->n > 0)
			return true;
	}
	return false;
}

static void *take_memory(struct reader *r, size_t n)
{
	void *p = arena_alloc(r->arena, n);

	if (!p)
		r->err = r->arena->used_bytes + n > r->arena->max_bytes / 2 ? ERR_LIMIT : ERR_NOMEM;
	return p;
}

/* As text for people: in UTF-8, without control characters. */
static struct span display(struct reader *r, struct span raw)
{
	struct buf b;
	struct span s = { NULL, 0 };

	raw = span_trim(raw);
	buf_init(&b, 3 * PLAYLIST_LINE_MAX);
	char *room = utf8_valid(raw) ? NULL : buf_room(&b, 3 * raw.n);
	if (!room || text_encoding_to_utf8(r->out->encoding, raw, room, 3 * raw.n, &b.n) != ERR_OK)
		utf8_add_clean(&b, raw);
	for (size_t i = 0; i < b.n; i++)
		if ((unsigned char)b.p[i] < ' ' || b.p[i] == 0x7f)
			b.p[i] = ' ';
	if (b.n > 0 && buf_err(&b) == ERR_OK) {
		s = arena_dup(r->arena, span_trim(buf_span(&b)));
		if (!s.p)
			r->err = ERR_NOMEM;
	}
	buf_fini(&b);
	return s;
}

static void add_line(struct reader *r, struct playlist_line line)
{
	struct playlist_file *f = r->out;

	if (f->lines_n == PLAYLIST_ENTRIES_MAX) {
		f->left_out_n++;
		return;
	}
	if (f->lines_n == r->cap) {
		size_t cap = r->cap ? 2 * r->cap : LINES_FIRST;
		struct playlist_line *grown = take_memory(r, cap * sizeof *grown);

		if (!grown)
			return;
		if (f->lines_n > 0)
			memcpy(grown, f->lines, f->lines_n * sizeof *grown);
		f->lines = grown;
		r->cap = cap;
	}
	f->lines[f->lines_n++] = line;
}

/* "217", "217.4", "-1": milliseconds; 0 where it says nothing. */
static uint32_t seconds_ms(struct span s)
{
	uint64_t seconds;
	struct span whole = span_first(span_trim(s), span_find(span_trim(s), '.'));

	return num_parse_u64(whole, 0, SECONDS_MAX, &seconds) == ERR_OK ? (uint32_t)seconds * 1000
									: 0;
}

/* ---- M3U ------------------------------------------------------------------------------------- */

/* "217 logo="a,b",Artist - Title": the comma that ends the attributes is in no quotes. */
static void parse_extinf(struct reader *r, struct span s, struct playlist_line *next)
{
	bool quoted = false;
	size_t comma = 0;

	while (comma < s.n && (quoted || s.p[comma] != ',')) {
		quoted ^= s.p[comma] == '"';
		comma++;
	}
	if (comma == s.n) /* a quote that never ends */
		comma = span_find(s, ',');
	struct span head = span_trim(span_first(s, comma));
	next->duration_ms = seconds_ms(span_first(head, span_find(head, ' ')));
	next->title = display(r, span_skip(s, comma + 1));
}

static void parse_m3u(struct reader *r)
{
	struct playlist_line next = { 0 };
	struct span line;

	while (next_line(r, &line)) {
		if (span_starts_nocase(line, SPAN("#EXTINF:"))) {
			parse_extinf(r, span_skip(line, 8), &next);
		} else if (span_starts_nocase(line, SPAN("#PLAYLIST:"))) {
			r->out->name = display(r, span_skip(line, 10));
		} else if (span_starts_nocase(line, SPAN("#EXT-X-"))) {
			r->out->foreign = true;
			return;
		} else if (line.p[0] != '#') {
			next.location = line;
			add_line(r, next);
			next = (struct playlist_line){ 0 };
		}
	}
}

/* ---- PLS ------------------------------------------------------------------------------------- */

struct pls_line {
	enum pls_what { PLS_FILE, PLS_TITLE, PLS_LENGTH } what;
	uint32_t number, at; /* N of FileN; place in the file */
	struct span value;
};

static bool pls_key(struct span key, struct pls_line *out)
{
	static const struct {
		struct span name;
		enum pls_what what;
	} keys[] = { { SPAN("File"), PLS_FILE },
		     { SPAN("Title"), PLS_TITLE },
		     { SPAN("Length"), PLS_LENGTH } };
	uint64_t number;

	for (size_t i = 0; i < ARRAY_LEN(keys); i++) {
		if (!span_starts_nocase(key, keys[i].name) ||
		    num_parse_u64(span_skip(key, keys[i].name.n), 0, NUMBER_MAX, &number) != ERR_OK)
			continue;
		out->what = keys[i].what;
		out->number = (uint32_t)number;
		return true;
	}
	return false;
}

static bool next_pls(struct reader *r, struct pls_line *out)
{
	struct span line;

	while (next_line(r, &line)) {
		struct span key = span_trim(span_cut(&line, '='));

		out->value = span_trim(line);
		if (span_eq_nocase(key, SPAN("X-GNOME-Title")))
			r->out->name = display(r, out->value);
		else if (out->value.n > 0 && pls_key(key, out))
			return true;
	}
	return false;
}

static int compare_pls(const void *a, const void *b)
{
	const struct pls_line *x = a, *y = b;

	if (x->number != y->number)
		return x->number < y->number ? -1 : 1;
	return x->at < y->at ? -1 : x->at > y->at;
}

/* All lines of one number; of several files the first counts. */
static void add_pls(struct reader *r, const struct pls_line *lines, size_t n)
{
	struct playlist_line line = { 0 };

	for (size_t i = 0; i < n; i++) {
		if (lines[i].what == PLS_LENGTH)
			line.duration_ms = seconds_ms(lines[i].value);
		else if (lines[i].what == PLS_TITLE)
			line.title = display(r, lines[i].value);
		else if (line.location.n == 0)
			line.location = lines[i].value;
	}
	if (line.location.n > 0)
		add_line(r, line);
}

static void parse_pls(struct reader *r)
{
	struct span everything = r->rest;
	struct pls_line item = { 0 };
	size_t n = 0, cap = 0;

	while (next_pls(r, &item))
		cap++;
	cap = MIN(cap, (size_t)PLS_LINES_MAX);
	struct pls_line *items = cap > 0 ? take_memory(r, cap * sizeof *items) : NULL;
	if (!items)
		return;
	r->rest = everything;
	r->out->left_out_n = 0; /* counted again */
	while (next_pls(r, &item)) {
		item.at = (uint32_t)n;
		if (n < cap)
			items[n++] = item;
		else
			r->out->left_out_n++;
	}
	if (n > 1)
		qsort(items, n, sizeof *items, compare_pls);
	for (size_t i = 0, end; i < n && r->err == ERR_OK; i = end) {
		for (end = i + 1; end < n && items[end].number == items[i].number;)
			end++;
		add_pls(r, &items[i], end - i);
	}
}

/* ---- CUE ------------------------------------------------------------------------------------- */

struct cue {
	struct span album, performer; /* before the first track */
	struct span title;	      /* of the track at hand */
	struct span file, first_title;
	uint32_t tracks_n; /* of the file */
	bool in_track, binary;
	struct buf list; /* of all tracks */
	uint32_t track;	 /* number of the one at hand */
};

/* A word, or what stands in quotes; the rest stays in *s. */
static struct span cue_word(struct span *s)
{
	*s = span_trim(*s);
	if (s->n > 0 && s->p[0] == '"') {
		*s = span_skip(*s, 1);
		return span_cut(s, '"');
	}
	size_t n = 0;
	while (n < s->n && s->p[n] != ' ' && s->p[n] != '\t')
		n++;
	struct span word = span_first(*s, n);
	*s = span_skip(*s, n);
	return word;
}

/* The value of TITLE or PERFORMER: quoted, or the rest of the line. */
static struct span cue_text(struct reader *r, struct span s)
{
	s = span_trim(s);
	return display(r, s.n > 0 && s.p[0] == '"' ? cue_word(&s) : s);
}

static void cue_file_ends(struct reader *r, struct cue *c)
{
	struct playlist_line line = { .location = c->file, .title = c->first_title };

	if (c->tracks_n > 1 && c->album.n > 0)
		line.title = c->album;
	if (c->file.n > 0 && c->tracks_n > 0 && !c->binary)
		add_line(r, line);
	c->file = (struct span){ NULL, 0 };
	c->tracks_n = 0;
}

/* FILE "name" TYPE; names in quotes may hold blanks, others sometimes do all the same. */
static void cue_file(struct reader *r, struct cue *c, struct span s)
{
	cue_file_ends(r, c);
	s = span_trim(s);
	size_t blank = span_rfind(s, ' ');
	struct span type = blank < s.n ? span_skip(s, blank + 1) : SPAN("");
	c->file = s.n > 0 && s.p[0] == '"' ? cue_word(&s) : span_trim(span_first(s, blank));
	c->binary = span_eq_nocase(type, SPAN("BINARY")) || span_eq_nocase(type, SPAN("MOTOROLA"));
	r->out->foreign |= c->binary;
}

/* A track lies in the file that its first sound is in: there is FILE between INDEX 00 and 01. */
static void cue_index(struct cue *c, struct span s)
{
	uint64_t number;

	if (!c->in_track || num_parse_u64(cue_word(&s), 1, 1, &number) != ERR_OK)
		return;
	if (c->tracks_n++ == 0)
		c->first_title = c->title;
	if (c->list.n > 0)
		buf_add_char(&c->list, '\n');
	buf_addf(&c->list, "%u. %.*s", c->track, SPAN_ARG(c->title));
}

static void cue_line(struct reader *r, struct cue *c, struct span line)
{
	struct span word = cue_word(&line);
	uint64_t number = 0;

	if (span_eq_nocase(word, SPAN("FILE"))) {
		cue_file(r, c, line);
	} else if (span_eq_nocase(word, SPAN("TRACK"))) {
		c->in_track = true;
		c->title = (struct span){ NULL, 0 };
		c->track = num_parse_u64(cue_word(&line), 0, 999, &number) == ERR_OK
				   ? (uint32_t)number
				   : 0;
	} else if (span_eq_nocase(word, SPAN("INDEX"))) {
		cue_index(c, line);
	} else if (span_eq_nocase(word, SPAN("TITLE"))) {
		*(c->in_track ? &c->title : &c->album) = cue_text(r, line);
	} else if (span_eq_nocase(word, SPAN("PERFORMER")) && !c->in_track) {
		c->performer = cue_text(r, line);
	}
}

static struct span joined(struct reader *r, struct span a, struct span b)
{
	struct buf text;

	if (a.n == 0 || b.n == 0)
		return a.n > 0 ? a : b;
	buf_init(&text, 32 * PLAYLIST_LINE_MAX);
	buf_add(&text, a);
	buf_add_str(&text, " - ");
	buf_add(&text, b);
	struct span s = arena_dup(r->arena, buf_span(&text));
	buf_fini(&text);
	if (!s.p)
		r->err = ERR_NOMEM;
	return s;
}

static void parse_cue(struct reader *r)
{
	struct cue c = { 0 };
	struct span line;

	buf_init(&c.list, PLAYLIST_DESCRIPTION_MAX);
	while (next_line(r, &line))
		cue_line(r, &c, line);
	cue_file_ends(r, &c);
	if (r->err == ERR_OK)
		r->out->name = joined(r, c.performer, c.album);
	if (r->err == ERR_OK && c.list.n > 0) {
		r->out->description = arena_dup(r->arena, buf_span(&c.list));
		if (!r->out->description.p)
			r->err = ERR_NOMEM;
	}
	buf_fini(&c.list);
}

/* ---- a file ---------------------------------------------------------------------------------- */

/* Without its byte order mark; UTF-16 becomes UTF-8. */
static void open_text(struct reader *r, struct span bytes)
{
	bool little = span_starts(bytes, SPAN("\xff\xfe"));

	r->rest = span_starts(bytes, SPAN("\xef\xbb\xbf")) ? span_skip(bytes, 3) : bytes;
	if (!little && !span_starts(bytes, SPAN("\xfe\xff")))
		return;
	size_t n = 0, room = 3 * bytes.n;
	char *p = arena_alloc(r->arena, room);
	bytes = span_first(bytes, bytes.n & ~(size_t)1); /* cut in the middle of a character */
	r->rest = (struct span){ NULL, 0 };
	if (!p)
		r->err = ERR_NOMEM;
	else if (text_encoding_to_utf8(little ? TEXT_UTF16LE : TEXT_UTF16BE, bytes, p, room, &n) ==
		 ERR_OK)
		r->rest = span_of(p, n);
	else
		r->out->left_out_n = 1;
}

enum err playlist_file_parse(enum playlist_format format, struct span bytes, struct arena *arena,
			     struct playlist_file *out)
{
	struct reader r = { .arena = arena, .out = out };

	*out = (struct playlist_file){ 0 };
	open_text(&r, bytes);
	out->encoding = text_encoding_guess(r.rest);
	if (format == PLAYLIST_FORMAT_M3U)
		parse_m3u(&r);
	else if (format == PLAYLIST_FORMAT_PLS)
		parse_pls(&r);
	else if (format == PLAYLIST_FORMAT_CUE)
		parse_cue(&r);
	if (out->foreign)
		out->lines_n = 0;
	return r.err;
}
