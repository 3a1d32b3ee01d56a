/* SPDX-License-Identifier: MIT */
/* The properties of an object as control points name them. */
#include "dlna/property.h"

#include <stdio.h>
#include <time.h>

#include "base/attr.h"
#include "library/library.h"
#include "schema/media_fb.h"

/* ---- names ----------------------------------------------------------------------------------- */

static const struct {
	const char *name;
	enum property property;
} names[] = {
	/* what can be searched by, advertised in this order */
	{ "@id", PROPERTY_ID },
	{ "@parentID", PROPERTY_PARENT_ID },
	{ "@refID", PROPERTY_REF_ID },
	{ "dc:title", PROPERTY_TITLE },
	{ "upnp:class", PROPERTY_CLASS },
	{ "dc:creator", PROPERTY_CREATOR },
	{ "dc:date", PROPERTY_DATE },
	{ "upnp:artist", PROPERTY_ARTIST },
	{ "upnp:artist@role", PROPERTY_ARTIST_ROLE },
	{ "upnp:album", PROPERTY_ALBUM },
	{ "upnp:genre", PROPERTY_GENRE },
	{ "upnp:originalTrackNumber", PROPERTY_TRACK },
	{ "res@size", PROPERTY_RES_SIZE },
	{ "res@duration", PROPERTY_RES_DURATION },
	{ "res@bitrate", PROPERTY_RES_BITRATE },
	{ "res@sampleFrequency", PROPERTY_RES_SAMPLE_RATE },
	{ "res@bitsPerSample", PROPERTY_RES_BITS },
	{ "res@nrAudioChannels", PROPERTY_RES_CHANNELS },
	{ "res@resolution", PROPERTY_RES_RESOLUTION },
};

/* Not the standard's names: understood, not advertised. */
static const struct {
	const char *name;
	enum property property;
} aliases[] = {
	{ "upnp:albumArtist", PROPERTY_ALBUM_ARTIST },
	{ "upnp:artist[@role=\"AlbumArtist\"]", PROPERTY_ALBUM_ARTIST },
};

enum property property_find(struct span name)
{
	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		if (span_eq_nocase(span_str(names[i].name), name))
			return names[i].property;
	for (size_t i = 0; i < ARRAY_LEN(aliases); i++)
		if (span_eq_nocase(span_str(aliases[i].name), name))
			return aliases[i].property;
	return PROPERTY_UNKNOWN;
}

const char *property_name(size_t n)
{
	return n < ARRAY_LEN(names) ? names[n].name : NULL;
}

/* ---- texts ----------------------------------------------------------------------------------- */

static struct span item_class(enum object_kind kind)
{
	switch (kind) {
	case OBJECT_AUDIO:
		return SPAN("object.item.audioItem.musicTrack");
	case OBJECT_VIDEO:
		return SPAN("object.item.videoItem");
	case OBJECT_IMAGE:
		return SPAN("object.item.imageItem.photo");
	case OBJECT_CONTAINER:
		break;
	}
	return SPAN("object.item");
}

struct span property_class(const struct object *o)
{
	if (o->kind != OBJECT_CONTAINER)
		return item_class(o->kind);
	switch (o->container_class) {
	case CONTAINER_FOLDER:
	case CONTAINER_PLAIN: /* Samsung TVs do not show a bare object.container */
		return SPAN("object.container.storageFolder");
	case CONTAINER_ARTIST:
		return SPAN("object.container.person.musicArtist");
	case CONTAINER_ALBUM:
		return SPAN("object.container.album.musicAlbum");
	case CONTAINER_GENRE:
		return SPAN("object.container.genre.musicGenre");
	case CONTAINER_PLAYLIST:
		return SPAN("object.container.playlistContainer");
	case CONTAINER_CLASSES_N:
		break;
	}
	return SPAN("object.container");
}

static char *put_padded(char *p, uint32_t v, unsigned width)
{
	for (unsigned i = width; i-- > 0; v /= 10)
		p[i] = (char)('0' + v % 10);
	return p + width;
}

static char *put_number(char *p, uint64_t v)
{
	unsigned width = 1;
	for (uint64_t rest = v; rest >= 10; rest /= 10)
		width++;
	for (unsigned i = width; i-- > 0; v /= 10)
		p[i] = (char)('0' + v % 10);
	return p + width;
}

static struct span span_between(const char *begin, const char *end)
{
	return span_of(begin, (size_t)(end - begin));
}

struct span property_duration(uint32_t ms, char scratch[PROPERTY_SCRATCH])
{
	uint32_t s = ms / 1000;
	char *p = put_number(scratch, s / 3600);

	*p++ = ':';
	p = put_padded(p, s / 60 % 60, 2);
	*p++ = ':';
	p = put_padded(p, s % 60, 2);
	*p++ = '.';
	p = put_padded(p, ms % 1000, 3);
	return span_between(scratch, p);
}

static struct span day(int year, int month, int of_month, char scratch[PROPERTY_SCRATCH])
{
	char *p = put_padded(scratch, (uint32_t)year, 4);

	*p++ = '-';
	p = put_padded(p, (uint32_t)month, 2);
	*p++ = '-';
	p = put_padded(p, (uint32_t)of_month, 2);
	return span_between(scratch, p);
}

struct span property_time(int64_t wall_s, char scratch[PROPERTY_SCRATCH])
{
	time_t t = (time_t)wall_s;
	struct tm tm;

	if (t == 0 || !gmtime_r(&t, &tm) || tm.tm_year < -1900 || tm.tm_year >= 8100)
		return span_of(NULL, 0);
	struct span date = day(tm.tm_year + 1900, tm.tm_mon + 1, tm.tm_mday, scratch);
	char *p = scratch + date.n;
	*p++ = 'T';
	p = put_padded(p, (uint32_t)tm.tm_hour, 2);
	*p++ = ':';
	p = put_padded(p, (uint32_t)tm.tm_min, 2);
	*p++ = ':';
	p = put_padded(p, (uint32_t)tm.tm_sec, 2);
	return span_between(scratch, p);
}

struct span property_date(struct fb_table media, char scratch[PROPERTY_SCRATCH])
{
	struct span taken = property_time(media_file_date_taken(media), scratch);

	if (taken.n > 0)
		return taken;
	if (media_file_year(media) > 0 && media_file_year(media) < 10000)
		return day(media_file_year(media), 1, 1, scratch);
	return span_of(NULL, 0);
}

/* ---- values ---------------------------------------------------------------------------------- */

static struct span one(unsigned k, struct span value)
{
	return k == 0 ? value : span_of(NULL, 0);
}

static struct span number(unsigned k, uint64_t v, char scratch[PROPERTY_SCRATCH])
{
	return k == 0 && v != 0 ? span_between(scratch, put_number(scratch, v)) : span_of(NULL, 0);
}

static struct span resolution(unsigned k, struct fb_table m, char scratch[PROPERTY_SCRATCH])
{
	if (k > 0 || media_file_width(m) == 0 || media_file_height(m) == 0)
		return span_of(NULL, 0);
	char *p = put_number(scratch, media_file_width(m));
	*p++ = 'x';
	return span_between(scratch, put_number(p, media_file_height(m)));
}

/** Texts that can be searched are the library's to tell. */
static struct span text(const struct object *o, enum search_field field, unsigned k)
{
	struct span v = { NULL, 0 };

	(void)search_value(o, field, k, &v);
	return v;
}

/** Of an item's record. Empty: no such value. */
static struct span item_value(struct fb_table m, enum property p, unsigned k,
			      char scratch[PROPERTY_SCRATCH])
{
	switch (p) {
	case PROPERTY_DATE:
		return one(k, property_date(m, scratch));
	case PROPERTY_ARTIST_ROLE:
		return one(k,
			   media_file_album_artist(m).n ? SPAN("AlbumArtist") : span_of(NULL, 0));
	case PROPERTY_TRACK:
		return number(k, media_file_track(m), scratch);
	case PROPERTY_RES_SIZE: /* an empty file says so */
		return one(k, span_between(scratch, put_number(scratch, media_file_size(m))));
	case PROPERTY_RES_DURATION:
		return media_file_duration_ms(m)
			       ? one(k, property_duration(media_file_duration_ms(m), scratch))
			       : span_of(NULL, 0);
	case PROPERTY_RES_BITRATE: /* bytes per second */
		return number(k, media_file_bitrate(m) / 8, scratch);
	case PROPERTY_RES_SAMPLE_RATE:
		return number(k, media_file_sample_rate(m), scratch);
	case PROPERTY_RES_BITS:
		return number(k, media_file_bits_per_sample(m), scratch);
	case PROPERTY_RES_CHANNELS:
		return number(k, media_file_channels(m), scratch);
	case PROPERTY_RES_RESOLUTION:
		return resolution(k, m, scratch);
	default:
		return span_of(NULL, 0);
	}
}

bool property_value(const struct object *o, enum property p, unsigned k,
		    char scratch[PROPERTY_SCRATCH], struct span *out)
{
	struct span v = { NULL, 0 };

	switch (p) {
	case PROPERTY_UNKNOWN:
		break;
	case PROPERTY_ID:
		v = one(k, span_str(o->id));
		break;
	case PROPERTY_PARENT_ID:
		v = one(k, span_str(o->parent_id));
		break;
	case PROPERTY_REF_ID:
		v = one(k, span_str(o->ref_id));
		break;
	case PROPERTY_TITLE:
		v = text(o, SEARCH_TITLE, k);
		break;
	case PROPERTY_CLASS:
		v = one(k, property_class(o));
		break;
	case PROPERTY_CREATOR:
		v = text(o, SEARCH_CREATOR, k);
		break;
	case PROPERTY_ARTIST:
		v = text(o, SEARCH_ARTIST, k);
		break;
	case PROPERTY_ALBUM_ARTIST:
		v = text(o, SEARCH_ALBUM_ARTIST, k);
		break;
	case PROPERTY_ALBUM:
		v = text(o, SEARCH_ALBUM, k);
		break;
	case PROPERTY_GENRE:
		v = text(o, SEARCH_GENRE, k);
		break;
	default:
		if (o->kind != OBJECT_CONTAINER)
			v = item_value(o->media, p, k, scratch);
		break;
	}
	if (v.n == 0)
		return false;
	*out = span_first(v, PROPERTY_TEXT_MAX);
	return true;
}
