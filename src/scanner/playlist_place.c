/* SPDX-License-Identifier: MIT */
/* From what a playlist file says to a path of the library. */
#include "scanner/playlist_place.h"

#include "base/path.h"
#include "base/url.h"
#include "base/utf8.h"
#include "scanner/playlist_file.h"

/* One reading of a location. */
struct reading {
	struct span text;  /* without a drive; with slashes */
	struct span drive; /* "C:", before the text; empty: none */
	bool foreign;	   /* of another machine, whatever the roots are */
};

void playlist_places_init(struct playlist_places *p, struct span directory,
			  const struct span *roots, size_t roots_n)
{
	*p = (struct playlist_places){ .directory = directory, .roots = roots, .roots_n = roots_n };
	buf_init(&p->path, PATH_MAX_BYTES);
	for (size_t i = 0; i < roots_n && p->anchors_n < PLAYLIST_ANCHORS_MAX / 2; i++)
		p->anchors[p->anchors_n++] = roots[i];
	for (size_t i = 0; i < roots_n; i++) {
		struct span d = directory;

		if (!path_is_within(d, roots[i]))
			continue;
		for (; d.n > roots[i].n && p->anchors_n < PLAYLIST_ANCHORS_MAX;
		     d = path_directory(d))
			p->anchors[p->anchors_n++] = d;
	}
}

void playlist_places_fini(struct playlist_places *p)
{
	buf_fini(&p->path);
}

/* ---- paths ----------------------------------------------------------------------------------- */

/* p->path = `text` seen from `base`, without empty and dot components; false: it names no file. */
static bool make_path(struct playlist_places *p, struct span base, struct span text)
{
	bool named = false;

	buf_clear(&p->path);
	if (base.n > 1)
		buf_add(&p->path, base);
	while (text.n > 0) {
		struct span part = span_cut(&text, '/');

		if (part.n == 0)
			continue;
		named = !span_eq(part, SPAN(".")) && !span_eq(part, SPAN(".."));
		if (span_eq(part, SPAN(".")))
			continue;
		if (named) {
			buf_add_char(&p->path, '/');
			buf_add(&p->path, part);
		} else if (buf_err(&p->path) == ERR_OK && p->path.n > 0) {
			p->path.n = span_rfind(buf_span(&p->path), '/');
		} else {
			return false;
		}
	}
	return named && buf_err(&p->path) == ERR_OK && path_is_sound(buf_span(&p->path));
}

/* Is there a file at p->path? */
static bool look(struct playlist_places *p)
{
	p->looks_n += 1 + (uint32_t)p->path.n / PLAYLIST_LOOK_BYTES;
	return p->is_there(p->ctx, buf_span(&p->path));
}

static bool is_absolute(struct span text)
{
	return text.n > 0 && text.p[0] == '/';
}

static bool is_in_roots(const struct playlist_places *p, struct span path)
{
	for (size_t i = 0; i < p->roots_n; i++)
		if (path_is_within(path, p->roots[i]))
			return true;
	return false;
}

/* ---- paths of other machines ----------------------------------------------------------------- */

/* Files that end so below an anchor: 0, 1, or more. The first stays in *out_anchor. */
static unsigned count_ends(struct playlist_places *p, struct span end, struct span *out_anchor)
{
	unsigned n = 0;

	for (uint32_t i = 0; i < p->anchors_n && n < 2; i++)
		if (make_path(p, p->anchors[i], end) && look(p) && n++ == 0)
			*out_anchor = p->anchors[i];
	return n;
}

/* `text` is absolute, `whole` with its drive. What was found for the entry before is tried first.
 */
static bool find_by_end(struct playlist_places *p, struct span whole, struct span text,
			struct arena *arena)
{
	struct span end = text, anchor;

	if (p->foreign.p && span_starts(whole, p->foreign) &&
	    make_path(p, p->anchor, span_skip(whole, p->foreign.n)) && look(p))
		return true;
	for (unsigned parts = 0; parts < PLAYLIST_PARTS_MAX && p->looks_n < PLAYLIST_LOOKS_MAX;
	     parts++) {
		while (end.n > 0 && end.p[0] == '/')
			end = span_skip(end, 1);
		if (end.n == 0)
			return false;
		unsigned n = count_ends(p, end, &anchor);
		if (n > 1)
			return false; /* nobody can say which */
		if (n == 1) {
			p->foreign = arena_dup(arena, span_first(whole, whole.n - end.n));
			p->anchor = anchor;
			return make_path(p, anchor, end);
		}
		end = span_skip(end, span_find(end, '/'));
	}
	return false;
}

/* ---- readings -------------------------------------------------------------------------------- */

static bool has_drive(struct span s)
{
	return s.n > 2 && s.p[1] == ':' && (s.p[2] == '\\' || s.p[2] == '/') &&
	       ((s.p[0] >= 'A' && s.p[0] <= 'Z') || (s.p[0] >= 'a' && s.p[0] <= 'z'));
}

/* {NULL, 0}: no memory. */
static struct span with_slashes(struct span s, struct arena *arena)
{
	struct span copy = arena_dup(arena, s);

	for (size_t i = 0; i < copy.n; i++)
		if (copy.p[i] == '\\')
			((char *)copy.p)[i] = '/';
	return copy;
}

static bool read_as_windows(struct span text, struct arena *arena, struct reading *out)
{
	struct span s = with_slashes(text, arena);

	*out = (struct reading){ .text = s };
	if (!s.p)
		return false;
	if (has_drive(text)) {
		out->drive = span_first(s, 2);
		out->text = span_skip(s, 2);
	}
	out->foreign =
		out->drive.n > 0 || span_starts(text, SPAN("\\")) || span_starts(s, SPAN("//"));
	return true;
}

/* The file, in p->path. */
static bool find_reading(struct playlist_places *p, const struct reading *r, struct arena *arena)
{
	bool absolute = is_absolute(r->text);

	if (!r->foreign && make_path(p, absolute ? SPAN("/") : p->directory, r->text)) {
		if (look(p))
			return true;
		if (!absolute || is_in_roots(p, buf_span(&p->path)))
			return false;
	}
	struct span whole = span_of(r->text.p - r->drive.n, r->text.n + r->drive.n);
	return absolute && find_by_end(p, whole, r->text, arena);
}

static bool find_text(struct playlist_places *p, struct span text, struct arena *arena)
{
	struct reading r = { .text = text };
	bool windows = has_drive(text) || span_find(text, '\\') < text.n;

	if (!has_drive(text) && find_reading(p, &r, arena))
		return true;
	return windows && read_as_windows(text, arena, &r) && find_reading(p, &r, arena);
}

/* The text in another encoding: bytes that are no UTF-8 are decoded, UTF-8 is encoded. */
static bool find_encoded(struct playlist_places *p, enum text_encoding encoding, struct span text,
			 struct arena *arena)
{
	char other[4 * PATH_MAX_BYTES + 4];
	size_t n = 0;

	if (text.n > PATH_MAX_BYTES)
		return false;
	enum err e = utf8_valid(text)
			     ? text_encoding_from_utf8(encoding, text, other, sizeof other, &n)
			     : text_encoding_to_utf8(encoding, text, other, sizeof other, &n);
	return e == ERR_OK && n > 0 && find_text(p, span_of(other, n), arena);
}

static bool is_ascii(struct span s)
{
	for (size_t i = 0; i < s.n; i++)
		if ((unsigned char)s.p[i] >= 0x80)
			return false;
	return true;
}

static bool find_in_encodings(struct playlist_places *p, struct span text, struct arena *arena)
{
	if (find_text(p, text, arena))
		return true;
	if (is_ascii(text))
		return false;
	if (find_encoded(p, p->encoding, text, arena))
		return true;
	for (unsigned e = TEXT_LATIN1; e < TEXT_ENCODING_N && p->looks_n < PLAYLIST_LOOKS_MAX; e++)
		if (e != TEXT_UTF8 && e != TEXT_UTF16LE && e != TEXT_UTF16BE && e != p->encoding &&
		    find_encoded(p, e, text, arena))
			return true;
	return false;
}

/* ---- what is kept of an entry that was not found --------------------------------------------- */

/* "file:///C:/a/b.mp3", so that nobody takes it for a path of this machine. */
static bool foreign_url(struct playlist_places *p, const struct reading *r)
{
	struct span rest = r->text;

	buf_clear(&p->path);
	buf_add_str(&p->path, r->drive.n > 0 ? "file:///" : "file:");
	buf_add(&p->path, r->drive);
	while (rest.n > 0) {
		url_add_encoded(&p->path, span_cut(&rest, '/'));
		if (rest.n > 0)
			buf_add_char(&p->path, '/');
	}
	return buf_err(&p->path) == ERR_OK;
}

static bool likeliest(struct playlist_places *p, struct span text, struct arena *arena,
		      struct playlist_place *out)
{
	struct reading r = { .text = text };

	if ((has_drive(text) || span_find(text, '\\') < text.n) &&
	    !read_as_windows(text, arena, &r))
		return false;
	bool absolute = is_absolute(r.text);
	if (r.foreign ? !foreign_url(p, &r)
		      : !make_path(p, absolute ? SPAN("/") : p->directory, r.text))
		return false;
	out->unsettled |= r.foreign || (absolute && !is_in_roots(p, buf_span(&p->path)));
	return true;
}

static bool keep(struct playlist_places *p, struct span text, struct arena *arena,
		 struct playlist_place *out)
{
	char decoded[3 * PATH_MAX_BYTES];
	size_t n = 0;

	if (text.n > PATH_MAX_BYTES)
		return false;
	if (!utf8_valid(text)) {
		out->unsettled = true;
		if (text_encoding_to_utf8(p->encoding, text, decoded, sizeof decoded, &n) == ERR_OK)
			text = span_of(decoded, n);
	}
	return likeliest(p, text, arena, out);
}

/* ---- URLs ------------------------------------------------------------------------------------ */

static bool is_url(struct span s)
{
	size_t colon = span_find(s, ':');
	bool ok = colon > 1 && span_starts(span_skip(s, colon), SPAN("://"));

	for (size_t i = 0; i < colon && ok; i++)
		ok = (s.p[i] >= 'a' && s.p[i] <= 'z') || (s.p[i] >= 'A' && s.p[i] <= 'Z') ||
		     (i > 0 && ((s.p[i] >= '0' && s.p[i] <= '9') || memchr("+-.", s.p[i], 3)));
	return ok;
}

/* Valid as it is, or with what is not percent-encoded. */
static bool keep_url(struct playlist_places *p, struct span url)
{
	buf_clear(&p->path);
	for (size_t i = 0; i < url.n; i++) {
		unsigned char c = (unsigned char)url.p[i];

		if (c <= ' ' || c >= 0x7f)
			url_add_encoded(&p->path, span_of(&url.p[i], 1));
		else
			buf_add_char(&p->path, (char)c);
	}
	return buf_err(&p->path) == ERR_OK;
}

/* file:///a/b, file:/a/b, file://localhost/a, file://server/share/a; false: broken. */
static bool file_url_text(struct span url, struct buf *out)
{
	struct span rest = span_skip(url, 5);

	if (span_starts(rest, SPAN("//localhost/")))
		rest = span_skip(rest, 11);
	else if (span_starts(rest, SPAN("///")))
		rest = span_skip(rest, 2);
	if (rest.n > 2 && rest.p[0] == '/' && has_drive(span_skip(rest, 1)))
		rest = span_skip(rest, 1);
	return url_add_decoded(out, rest) == ERR_OK && out->n > 0 && buf_err(out) == ERR_OK;
}

/* ---- all ------------------------------------------------------------------------------------- */

static bool finish(struct playlist_places *p, struct arena *arena, struct playlist_place *out)
{
	out->uri = arena_dup(arena, buf_span(&p->path));
	return out->uri.p != NULL;
}

static bool find_file(struct playlist_places *p, struct span text, struct arena *arena,
		      struct playlist_place *out)
{
	struct buf b;

	/* A playlist in a playlist is not followed. */
	if (playlist_format_of(text) != PLAYLIST_FORMAT_NONE)
		return false;
	out->found = find_in_encodings(p, text, arena);
	if (!out->found && span_find(text, '%') < text.n) {
		buf_init(&b, PLAYLIST_LINE_MAX);
		out->found = url_add_decoded(&b, text) == ERR_OK && b.n > 0 &&
			     find_in_encodings(p, buf_span(&b), arena);
		buf_fini(&b);
	}
	return (out->found || keep(p, text, arena, out)) && finish(p, arena, out);
}

bool playlist_place_find(struct playlist_places *p, struct span location, struct arena *arena,
			 struct playlist_place *out)
{
	struct buf b;

	*out = (struct playlist_place){ 0 };
	if (location.n == 0 || location.n > PLAYLIST_LINE_MAX)
		return false;
	if (!span_starts_nocase(location, SPAN("file:/"))) {
		if (is_url(location))
			return keep_url(p, location) && finish(p, arena, out);
		return find_file(p, location, arena, out);
	}
	buf_init(&b, PLAYLIST_LINE_MAX);
	bool ok = file_url_text(location, &b) && find_file(p, buf_span(&b), arena, out);
	buf_fini(&b);
	return ok;
}
