/* SPDX-License-Identifier: MIT */
/* Parsing and formatting of object ids. */
#include <stdio.h>

#include "base/num.h"
#include "library/object_id.h"

static const char static_ids[STATIC_N][3] = {
	[STATIC_ROOT] = "0",	       [STATIC_MUSIC] = "A",	      [STATIC_ALL_MUSIC] = "AT",
	[STATIC_ARTISTS] = "AR",       [STATIC_ALBUMS] = "AL",	      [STATIC_GENRES] = "AG",
	[STATIC_ALBUM_ARTISTS] = "AA", [STATIC_COMPOSERS] = "AC",     [STATIC_NEW_MUSIC] = "AN",
	[STATIC_MUSIC_FOLDERS] = "AF", [STATIC_VIDEO_FOLDERS] = "VF", [STATIC_IMAGE_FOLDERS] = "IF",
	[STATIC_NEW_VIDEOS] = "VN",    [STATIC_NEW_IMAGES] = "IN",    [STATIC_DATES] = "ID",
	[STATIC_PLAYLISTS] = "P",      [STATIC_YEARS] = "AY",	      [STATIC_VIDEO] = "V",
	[STATIC_ALL_VIDEOS] = "VT",    [STATIC_PICTURES] = "I",	      [STATIC_ALL_IMAGES] = "IT",
	[STATIC_FOLDERS] = "F",
};

/* What televisions ask for without having been given it (Samsung, LG, Xbox). */
static const struct {
	char alias[3];
	uint8_t number;
} aliases[] = {
	{ "1", STATIC_MUSIC },
	{ "2", STATIC_VIDEO },
	{ "3", STATIC_PICTURES },
};

static const struct {
	enum id_kind kind;
	const char *prefix;
	uint32_t max;
} numbered[] = {
	{ ID_ARTIST, "ar", UINT32_MAX },
	{ ID_ALBUM, "al", UINT32_MAX },
	{ ID_DIRECTORY, "d", UINT32_MAX },
	{ ID_GENRE, "g", UINT32_MAX },
	{ ID_YEAR, "y", UINT16_MAX },
	{ ID_ALBUM_ARTIST, "aa", UINT32_MAX },
	{ ID_COMPOSER, "c", UINT32_MAX },
	{ ID_PLAYLIST, "pl", UINT32_MAX },
	{ ID_AUDIO_DIRECTORY, "da", UINT32_MAX },
	{ ID_VIDEO_DIRECTORY, "dv", UINT32_MAX },
	{ ID_IMAGE_DIRECTORY, "di", UINT32_MAX },
	{ ID_PHOTO_YEAR, "py", 9999 },
	{ ID_PHOTO_MONTH, "pm", 999999 },
};

const char *static_id(enum static_number number)
{
	ASSERT(number < STATIC_N);
	return static_ids[number];
}

static bool parse_number(struct span s, const char *prefix, uint32_t max, uint32_t *out)
{
	struct span p = span_str(prefix);
	if (!span_starts(s, p))
		return false;
	s = span_skip(s, p.n);
	uint64_t v = 0;
	if (s.n == 0 || s.p[0] == '0' || num_parse_u64(s, 1, max, &v) != ERR_OK)
		return false;
	*out = (uint32_t)v;
	return true;
}

/* A container's first part: everything but what an artist has below itself. */
static bool parse_top(struct span s, struct object_id *out)
{
	for (unsigned i = 0; i < STATIC_N; i++) {
		if (span_eq(s, span_str(static_ids[i]))) {
			*out = object_id_static((enum static_number)i);
			return true;
		}
	}
	for (size_t i = 0; i < ARRAY_LEN(numbered); i++) {
		uint32_t v;
		if (parse_number(s, numbered[i].prefix, numbered[i].max, &v)) {
			*out = object_id_container(numbered[i].kind, v);
			return true;
		}
	}
	return false;
}

static bool parse_below_artist(struct span s, struct object_id *id)
{
	uint32_t album;
	bool owner = id->container == ID_ALBUM_ARTIST;
	if (!owner && span_eq(s, SPAN("all"))) {
		id->container = ID_ARTIST_ALL;
	} else if (parse_number(s, "al", UINT32_MAX, &album)) {
		id->container = owner ? ID_ALBUM_ARTIST_ALBUM : ID_ARTIST_ALBUM;
		id->artist_id = id->number;
		id->number = album;
	} else {
		return false;
	}
	return true;
}

static bool static_holds_references(uint32_t number)
{
	static const bool holds[STATIC_N] = {
		[STATIC_ALL_MUSIC] = true,     [STATIC_ALL_VIDEOS] = true,
		[STATIC_ALL_IMAGES] = true,    [STATIC_NEW_MUSIC] = true,
		[STATIC_NEW_VIDEOS] = true,    [STATIC_NEW_IMAGES] = true,
		[STATIC_MUSIC_FOLDERS] = true, [STATIC_VIDEO_FOLDERS] = true,
		[STATIC_IMAGE_FOLDERS] = true,
	};
	return number < STATIC_N && holds[number];
}

/* Containers that show items away from their home. */
static bool holds_references(const struct object_id *id)
{
	switch (id->container) {
	case ID_STATIC:
		return static_holds_references(id->number);
	case ID_ARTIST_ALL:
	case ID_ARTIST_ALBUM:
	case ID_ALBUM:
	case ID_ALBUM_ARTIST_ALBUM:
	case ID_GENRE:
	case ID_COMPOSER:
	case ID_YEAR:
	case ID_PHOTO_MONTH:
	case ID_AUDIO_DIRECTORY:
	case ID_VIDEO_DIRECTORY:
	case ID_IMAGE_DIRECTORY:
		return true;
	case ID_DIRECTORY:
	case ID_ARTIST:
	case ID_ALBUM_ARTIST:
	case ID_PHOTO_YEAR:
	case ID_PLAYLIST:
	case ID_HOME:
		break;
	}
	return false;
}

static struct span cut_part(struct span *s)
{
	size_t n = span_find(*s, '/');
	struct span part = span_first(*s, n);
	*s = span_skip(*s, n);
	return part;
}

enum err object_id_parse(struct span s, struct object_id *out)
{
	struct object_id id = { .container = ID_HOME };
	if (parse_number(s, "i", UINT32_MAX, &id.media_id)) {
		*out = id;
		return ERR_OK;
	}
	for (size_t i = 0; i < ARRAY_LEN(aliases); i++) {
		if (span_eq(s, span_str(aliases[i].alias))) {
			*out = object_id_static((enum static_number)aliases[i].number);
			return ERR_OK;
		}
	}
	if (!parse_top(cut_part(&s), &id))
		return ERR_NOTFOUND;
	if (s.n && (id.container == ID_ARTIST || id.container == ID_ALBUM_ARTIST)) {
		s = span_skip(s, 1);
		if (!parse_below_artist(cut_part(&s), &id))
			return ERR_NOTFOUND;
	}
	if (s.n && id.container == ID_PLAYLIST) {
		if (!parse_number(span_skip(s, 1), "e", UINT32_MAX, &id.entry_id))
			return ERR_NOTFOUND;
	} else if (s.n) {
		if (!holds_references(&id) ||
		    !parse_number(span_skip(s, 1), "i", UINT32_MAX, &id.media_id))
			return ERR_NOTFOUND;
	}
	*out = id;
	return ERR_OK;
}

static int format_container(const struct object_id *id, char out[LIBRARY_ID_MAX])
{
	switch (id->container) {
	case ID_STATIC:
		return snprintf(out, LIBRARY_ID_MAX, "%s", static_id(id->number));
	case ID_ARTIST_ALL:
		return snprintf(out, LIBRARY_ID_MAX, "ar%u/all", id->number);
	case ID_ARTIST_ALBUM:
		return snprintf(out, LIBRARY_ID_MAX, "ar%u/al%u", id->artist_id, id->number);
	case ID_ALBUM_ARTIST_ALBUM:
		return snprintf(out, LIBRARY_ID_MAX, "aa%u/al%u", id->artist_id, id->number);
	case ID_HOME:
		out[0] = '\0';
		return 0;
	default:
		break;
	}
	for (size_t i = 0; i < ARRAY_LEN(numbered); i++)
		if (numbered[i].kind == id->container)
			return snprintf(out, LIBRARY_ID_MAX, "%s%u", numbered[i].prefix,
					id->number);
	assert_failed(__FILE__, __LINE__, "a container kind without a form");
}

void object_id_format(const struct object_id *id, char out[LIBRARY_ID_MAX])
{
	int n = format_container(id, out);
	if (id->media_id)
		snprintf(out + n, (size_t)(LIBRARY_ID_MAX - n), n ? "/i%u" : "i%u", id->media_id);
	else if (id->entry_id)
		snprintf(out + n, (size_t)(LIBRARY_ID_MAX - n), "/e%u", id->entry_id);
}
