/* SPDX-License-Identifier: MIT */
/* The one DIDL-Lite writer (ContentDirectory:1 section 2.8.3, appendix on DIDL-Lite).
 *
 * Our own markup stands here already escaped (&lt; for <), because this is where most of a Browse's
 * time goes; quotes need no escape within an element's text. Text from outside is escaped twice. */
#include "dlna/didl.h"

#include "base/picture.h"
#include "base/utf8.h"
#include "base/xml.h"
#include "dlna/client.h"
#include "dlna/filter.h"
#include "dlna/profile.h"
#include "dlna/property.h"
#include "library/bookmarks.h"
#include "library/library.h"
#include "schema/media_fb.h"

#define DEPTH 2

#define TAG(name) SPAN("&lt;" name "&gt;")
#define TAG_END(name) SPAN("&lt;/" name "&gt;")

static void add_text(struct buf *b, struct span text)
{
	if (text.n > PROPERTY_TEXT_MAX) {
		text = span_first(text, PROPERTY_TEXT_MAX);
		while (text.n > 0 && ((unsigned char)text.p[text.n - 1] & 0xC0) == 0x80)
			text.n--;
		if (text.n > 0 && (unsigned char)text.p[text.n - 1] >= 0xC0)
			text.n--;
	}
	xml_add_text(b, text, DEPTH);
}

static void add_element(struct buf *b, struct span tag, struct span text, struct span tag_end)
{
	if (text.n == 0)
		return;
	buf_add(b, tag);
	add_text(b, text);
	buf_add(b, tag_end);
}

#define ELEMENT(b, name, text) add_element(b, TAG(name), text, TAG_END(name))

static void add_number_attribute(struct buf *b, struct span name_equals_quote, uint64_t v)
{
	if (v == 0)
		return;
	buf_add(b, name_equals_quote);
	buf_add_u64(b, v);
	buf_add_char(b, '"');
}

/* ---- parts of an item ------------------------------------------------------------------------ */

static void add_host(struct didl *w)
{
	buf_add(w->out, SPAN("http://"));
	buf_add(w->out, w->host);
}

static void add_duration(struct buf *b, uint32_t ms)
{
	char scratch[PROPERTY_SCRATCH];

	buf_add(b, SPAN(" duration=\""));
	buf_add(b, property_duration(ms, scratch));
	buf_add_char(b, '"');
}

static void add_resolution(struct buf *b, struct picture_size size)
{
	buf_add(b, SPAN(" resolution=\""));
	buf_add_u64(b, size.width);
	buf_add_char(b, 'x');
	buf_add_u64(b, size.height);
	buf_add_char(b, '"');
}

static void add_res_attributes(struct didl *w, struct fb_table m)
{
	struct buf *b = w->out;
	uint32_t f = w->filter;

	if (f & FILTER_RES_SIZE) {
		buf_add(b, SPAN(" size=\""));
		buf_add_u64(b, media_file_size(m));
		buf_add_char(b, '"');
	}
	if ((f & FILTER_RES_DURATION) && media_file_duration_ms(m) > 0)
		add_duration(b, media_file_duration_ms(m));
	if (f & FILTER_RES_BITRATE) /* bytes per second, whatever the attribute is called */
		add_number_attribute(b, SPAN(" bitrate=\""), media_file_bitrate(m) / 8);
	if (f & FILTER_RES_SAMPLE_RATE)
		add_number_attribute(b, SPAN(" sampleFrequency=\""), media_file_sample_rate(m));
	if (f & FILTER_RES_BITS)
		add_number_attribute(b, SPAN(" bitsPerSample=\""), media_file_bits_per_sample(m));
	if (f & FILTER_RES_CHANNELS)
		add_number_attribute(b, SPAN(" nrAudioChannels=\""), media_file_channels(m));
	if ((f & FILTER_RES_RESOLUTION) && media_file_width(m) > 0 && media_file_height(m) > 0)
		add_resolution(b,
			       (struct picture_size){ media_file_width(m), media_file_height(m) });
}

/** What /subtitle/ID.srt serves; the other kinds are nothing for televisions. */
static bool has_srt(struct fb_table m)
{
	struct fb_vector all = media_file_subtitles(m);

	for (uint32_t i = 0; i < all.n; i++) {
		struct span path = subtitle_path(fb_vector_table(all, i));
		if (path.n > 4 && span_eq_nocase(span_skip(path, path.n - 4), SPAN(".srt")))
			return true;
	}
	return false;
}

/** Whether the file has subtitles, and this client hears of them in this way. */
static bool has_caption(const struct didl *w, struct fb_table m, enum client_quirk way)
{
	return (w->client->quirks & way) && has_srt(m);
}

static void add_caption_url(struct didl *w, uint64_t media_id)
{
	add_host(w);
	buf_add(w->out, SPAN("/subtitle/"));
	buf_add_u64(w->out, media_id);
	buf_add(w->out, SPAN(".srt"));
}

static void add_caption_attributes(struct didl *w, const struct object *o)
{
	if (!(w->filter & FILTER_CAPTION) || !has_caption(w, o->media, CLIENT_CAPTION_PV))
		return;
	buf_add(w->out, SPAN(" pv:subtitleFileType=\"SRT\" pv:subtitleFileUri=\""));
	add_caption_url(w, o->media_id);
	buf_add_char(w->out, '"');
}

static void add_caption_res(struct didl *w, const struct object *o)
{
	if (!has_caption(w, o->media, CLIENT_CAPTION_RES))
		return;
	buf_add(w->out, SPAN("&lt;res protocolInfo=\"http-get:*:text/srt:*\"&gt;"));
	add_caption_url(w, o->media_id);
	buf_add(w->out, TAG_END("res"));
}

static void add_caption_element(struct didl *w, const struct object *o)
{
	if (!(w->filter & FILTER_CAPTION) || !has_caption(w, o->media, CLIENT_CAPTION_SEC))
		return;
	buf_add(w->out, SPAN("&lt;sec:CaptionInfoEx sec:type=\"srt\"&gt;"));
	add_caption_url(w, o->media_id);
	buf_add(w->out, TAG_END("sec:CaptionInfoEx"));
}

/** What somebody's player has told of the file, by UpdateObject or X_SetBookmark. */
static void add_played(struct didl *w, struct fb_table bookmark)
{
	char scratch[PROPERTY_SCRATCH];
	struct buf *b = w->out;

	if ((w->filter & FILTER_PLAYBACK_COUNT) && bookmark_play_count(bookmark) > 0) {
		buf_add(b, TAG("upnp:playbackCount"));
		buf_add_u64(b, bookmark_play_count(bookmark));
		buf_add(b, TAG_END("upnp:playbackCount"));
	}
	if ((w->filter & FILTER_PLAYBACK_TIME) && bookmark_last_played(bookmark) > 0) {
		buf_add(b, TAG("upnp:lastPlaybackTime"));
		buf_add(b, property_time(bookmark_last_played(bookmark), scratch));
		buf_add(b, SPAN("Z&lt;/upnp:lastPlaybackTime&gt;"));
	}
	if ((w->filter & FILTER_PLAYBACK_POSITION) && bookmark_position_ms(bookmark) > 0)
		ELEMENT(b, "upnp:lastPlaybackPosition",
			property_duration(bookmark_position_ms(bookmark), scratch));
}

static void add_dcm_info(struct didl *w, const struct object *o, uint32_t position_ms)
{
	struct buf *b = w->out;
	bool ms = w->client->quirks & CLIENT_BOOKMARK_MS;

	buf_add(b, SPAN("&lt;sec:dcmInfo&gt;CREATIONDATE=0,FOLDER="));
	add_text(b, o->title);
	buf_add(b, SPAN(",BM="));
	buf_add_u64(b, ms ? position_ms : position_ms / 1000);
	buf_add(b, TAG_END("sec:dcmInfo"));
}

static void add_bookmark(struct didl *w, const struct object *o)
{
	struct fb_table bookmark;
	bool stored = w->bookmarks &&
		      library_bookmark_get(w->bookmarks, o->media_id, &bookmark) == ERR_OK;

	if (stored)
		add_played(w, bookmark);
	if ((w->filter & FILTER_DCM_INFO) && (w->client->quirks & CLIENT_BOOKMARK_DCM) &&
	    o->kind == OBJECT_VIDEO)
		add_dcm_info(w, o, stored ? bookmark_position_ms(bookmark) : 0);
}

/** A for what is heard, V for what is seen, P for what is looked at. */
static void add_media_class(struct didl *w, enum object_kind kind)
{
	if (!(w->filter & FILTER_MEDIA_CLASS) || !(w->client->quirks & CLIENT_MEDIA_CLASS))
		return;
	buf_add(w->out, SPAN("&lt;av:mediaClass xmlns:av=\"urn:schemas-sony-com:av\"&gt;"));
	buf_add_char(w->out, kind == OBJECT_AUDIO ? 'A' : kind == OBJECT_VIDEO ? 'V' : 'P');
	buf_add(w->out, TAG_END("av:mediaClass"));
}

static void add_res(struct didl *w, const struct object *o)
{
	struct buf *b = w->out;

	buf_add(b, SPAN("&lt;res"));
	add_res_attributes(w, o->media);
	add_caption_attributes(w, o);
	buf_add(b, SPAN(" protocolInfo=\"http-get:*:"));
	add_text(b, client_mime(w->client, profile_mime(o->media)));
	buf_add_char(b, ':');
	profile_features_add(o->media, b);
	buf_add(b, SPAN("\"&gt;"));
	add_host(w);
	buf_add(b, SPAN("/media/"));
	buf_add_u64(b, o->media_id);
	buf_add_char(b, '.');
	buf_add(b, profile_extension(o->media));
	buf_add(b, TAG_END("res"));
}

/** How the address of a thumbnail ends, and what its profile is called. */
struct thumb {
	struct picture_size box;
	struct span ending, profile;
};

static const struct thumb thumbs[] = {
	{ PICTURE_TN, { ".tn.jpg", 7 }, { "JPEG_TN", 7 } },
	{ PICTURE_SM, { ".sm.jpg", 7 }, { "JPEG_SM", 7 } },
};

static void add_thumb_url(struct didl *w, uint64_t media_id, const struct thumb *t)
{
	add_host(w);
	buf_add(w->out, SPAN("/thumb/"));
	buf_add_u64(w->out, media_id);
	buf_add(w->out, t->ending);
}

/** The small one first, as DLNA has it; who takes the last, or JPEG_SM by its name (Samsung since
 * 2019), has the larger. */
static void add_art(struct didl *w, uint64_t media_id)
{
	for (size_t i = 0; i < ARRAY_LEN(thumbs); i++) {
		buf_add(w->out, SPAN("&lt;upnp:albumArtURI dlna:profileID=\""));
		buf_add(w->out, thumbs[i].profile);
		buf_add(w->out, SPAN("\"&gt;"));
		add_thumb_url(w, media_id, &thumbs[i]);
		buf_add(w->out, TAG_END("upnp:albumArtURI"));
	}
}

static void add_thumb_res(struct didl *w, const struct object *o, const struct thumb *t)
{
	struct picture_size size = picture_fit(
		(struct picture_size){ media_file_width(o->media), media_file_height(o->media) },
		t->box);
	struct buf *b = w->out;

	buf_add(b, SPAN("&lt;res"));
	if ((w->filter & FILTER_RES_RESOLUTION) && size.width > 0)
		add_resolution(b, size);
	buf_add(b, SPAN(" protocolInfo=\"http-get:*:image/jpeg:"));
	profile_thumb_features_add(t->box, b);
	buf_add(b, SPAN("\"&gt;"));
	add_thumb_url(w, o->media_id, t);
	buf_add(b, TAG_END("res"));
}

/** A picture's small versions, the larger first; none that would be as large as the original. */
static void add_thumbs(struct didl *w, const struct object *o)
{
	for (size_t i = ARRAY_LEN(thumbs); i-- > 0 && o->kind == OBJECT_IMAGE;)
		if (!profile_is_thumb(o->media, thumbs[i].box))
			add_thumb_res(w, o, &thumbs[i]);
}

/** The several values where there are several, else the one. */
static void add_values(struct buf *b, struct fb_vector several, struct span one, struct span tag,
		       struct span tag_end)
{
	if (several.n == 0)
		add_element(b, tag, one, tag_end);
	for (uint32_t i = 0; i < several.n && i < PROPERTY_VALUES_MAX; i++)
		add_element(b, tag, fb_vector_string(several, i), tag_end);
}

static void add_date(struct buf *b, struct fb_table m)
{
	char scratch[PROPERTY_SCRATCH];

	ELEMENT(b, "dc:date", property_date(m, scratch));
}

static void add_people(struct didl *w, struct fb_table m)
{
	struct buf *b = w->out;

	if (w->filter & FILTER_CREATOR)
		ELEMENT(b, "dc:creator", media_file_artist(m));
	if (w->filter & FILTER_DATE)
		add_date(b, m);
	if (w->filter & FILTER_ARTIST) {
		add_values(b, media_file_artists(m), media_file_artist(m), TAG("upnp:artist"),
			   TAG_END("upnp:artist"));
		add_element(b, TAG("upnp:artist role=\"AlbumArtist\""), media_file_album_artist(m),
			    TAG_END("upnp:artist"));
	}
}

static void add_properties(struct didl *w, struct fb_table m)
{
	struct buf *b = w->out;

	add_people(w, m);
	if (w->filter & FILTER_ALBUM)
		ELEMENT(b, "upnp:album", media_file_album(m));
	if (w->filter & FILTER_GENRE)
		add_values(b, media_file_genres(m), media_file_genre(m), TAG("upnp:genre"),
			   TAG_END("upnp:genre"));
	if ((w->filter & FILTER_TRACK) && media_file_track(m) > 0) {
		buf_add(b, TAG("upnp:originalTrackNumber"));
		buf_add_u64(b, media_file_track(m));
		buf_add(b, TAG_END("upnp:originalTrackNumber"));
	}
}

/* ---- objects --------------------------------------------------------------------------------- */

static bool is_folder(enum container_class class)
{
	return class == CONTAINER_FOLDER || class == CONTAINER_PLAIN;
}

/** Ids are ours: letters, digits and '/'. */
static void add_ids(struct buf *b, const struct object *o)
{
	buf_add(b, SPAN(" id=\""));
	buf_add_str(b, o->id);
	buf_add(b, SPAN("\" parentID=\""));
	buf_add_str(b, o->parent_id);
	buf_add(b, SPAN("\" restricted=\"1\""));
}

/** dc:title comes first, and is never empty: some TVs drop an object without one. */
static void add_title_and_class(struct buf *b, struct span title, struct span class)
{
	buf_add(b, TAG("dc:title"));
	add_text(b, title.n > 0 ? title : SPAN("-"));
	buf_add(b, SPAN("&lt;/dc:title&gt;&lt;upnp:class&gt;"));
	buf_add(b, class);
	buf_add(b, TAG_END("upnp:class"));
}

/** A picture in it or beside it; a film always shows something. */
static bool has_art(const struct object *o)
{
	return media_file_art_embedded(o->media) || media_file_art_path(o->media).n > 0 ||
	       (o->kind == OBJECT_VIDEO && media_file_width(o->media) > 0);
}

static void add_item(struct didl *w, const struct object *o)
{
	struct buf *b = w->out;
	buf_add(b, SPAN("&lt;item"));
	add_ids(b, o);
	if ((w->filter & FILTER_REF_ID) && o->ref_id[0] != '\0') {
		buf_add(b, SPAN(" refID=\""));
		buf_add_str(b, o->ref_id);
		buf_add_char(b, '"');
	}
	buf_add(b, SPAN("&gt;"));
	add_title_and_class(b, o->title, property_class(o));
	add_properties(w, o->media);
	if ((w->filter & FILTER_ART) && has_art(o))
		add_art(w, o->media_id);
	add_bookmark(w, o);
	add_media_class(w, o->kind);
	add_caption_element(w, o);
	if (w->filter & FILTER_RES) {
		add_res(w, o);
		add_thumbs(w, o);
		add_caption_res(w, o);
	}
	buf_add(b, TAG_END("item"));
}

static void add_container(struct didl *w, const struct object *o)
{
	struct buf *b = w->out;

	buf_add(b, SPAN("&lt;container"));
	add_ids(b, o);
	if (w->filter & FILTER_CHILD_COUNT) {
		buf_add(b, SPAN(" childCount=\""));
		buf_add_u64(b, o->child_count);
		buf_add_char(b, '"');
	}
	if (w->filter & FILTER_SEARCHABLE)
		buf_add(b, SPAN(" searchable=\"1\""));
	buf_add(b, SPAN("&gt;"));
	add_title_and_class(b, o->title, property_class(o));
	if (w->filter & FILTER_CREATOR)
		ELEMENT(b, "dc:creator", o->artist);
	if (w->filter & FILTER_ARTIST)
		ELEMENT(b, "upnp:artist", o->artist);
	if ((w->filter & FILTER_ART) && o->art_media_id != 0)
		add_art(w, o->art_media_id);
	/* storageFolder must have it; -1: unknown */
	if ((w->filter & FILTER_STORAGE_USED) && is_folder(o->container_class))
		buf_add(b, SPAN("&lt;upnp:storageUsed&gt;-1&lt;/upnp:storageUsed&gt;"));
	buf_add(b, TAG_END("container"));
}

void didl_begin(struct didl *w)
{
	buf_add(w->out, SPAN("&lt;DIDL-Lite xmlns=\"urn:schemas-upnp-org:metadata-1-0/DIDL-Lite/\""
			     " xmlns:dc=\"http://purl.org/dc/elements/1.1/\""
			     " xmlns:upnp=\"urn:schemas-upnp-org:metadata-1-0/upnp/\""
			     " xmlns:dlna=\"urn:schemas-dlna-org:metadata-1-0/\""));
	if (w->client->quirks & (CLIENT_CAPTION_SEC | CLIENT_BOOKMARK_DCM))
		buf_add(w->out, SPAN(" xmlns:sec=\"http://www.sec.co.kr/dlna\""));
	if (w->client->quirks & CLIENT_CAPTION_PV)
		buf_add(w->out, SPAN(" xmlns:pv=\"http://www.pv.com/pvns/\""));
	buf_add(w->out, SPAN("&gt;"));
}

void didl_object(struct didl *w, const struct object *o)
{
	if (o->kind == OBJECT_CONTAINER)
		add_container(w, o);
	else
		add_item(w, o);
}

void didl_end(struct didl *w)
{
	buf_add(w->out, TAG_END("DIDL-Lite"));
}
