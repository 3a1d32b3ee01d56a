/* SPDX-License-Identifier: MIT */
/* DIDL-Lite and DLNA profiles: from records that the generated writer made. */
#include "base/media_type.h"
#include "dlna/client.h"
#include "dlna/didl.h"
#include "dlna/dlna.h"
#include "dlna/filter.h"
#include "dlna/profile.h"
#include "dlna/property.h"
#include "dlna/sort.h"
#include "doc.h"
#include "harness.h"
#include "library/library.h"
#include "schema/media_fb.h"

static uint8_t record[64 << 10];

static struct fb_table record_of(const struct media_file_in *in)
{
	struct fb_table t;
	uint32_t n;

	EXPECT_OK(media_file_build(record, sizeof record, in, &n));
	EXPECT_OK(media_file_verify(span_of(record, n), &t));
	return t;
}

static struct media_file_in song(void)
{
	return (struct media_file_in){ .path = SPAN("/m/a.mp3"),
				       .filename = SPAN("a.mp3"),
				       .mime_type = SPAN("audio/mpeg"),
				       .kind = MEDIA_KIND_AUDIO,
				       .audio_codec = SPAN("mp3"),
				       .sample_rate = 44100,
				       .channels = 2,
				       .bitrate = 320000,
				       .size = 7404800,
				       .duration_ms = 185120 };
}

static struct object item_of(struct fb_table m, enum object_kind kind, struct span title)
{
	return (struct object){ .kind = kind,
				.id = "AT/i5",
				.parent_id = "AT",
				.ref_id = "i5",
				.title = title,
				.media_id = 5,
				.media = m };
}

/** What a control point sees: the document after both layers of escaping are gone. */
static void didl_for(const struct client_headers *headers, const struct object *o,
		     const char *filter, struct doc *out)
{
	struct buf b;
	struct doc outer;

	buf_init(&b, 1 << 20);
	struct didl w = { .out = &b,
			  .filter = filter_parse(span_str(filter)),
			  .host = SPAN("10.0.0.2:8250"),
			  .client = client_of(headers) };
	buf_add_str(&b, "<Result>");
	didl_begin(&w);
	didl_object(&w, o);
	didl_end(&w);
	buf_add_str(&b, "</Result>");
	EXPECT_OK(buf_err(&b));
	doc_parse(buf_span(&b), &outer);
	EXPECT(outer.well_formed);
	doc_parse(doc_text(&outer, "Result", 0), out);
	EXPECT(out->well_formed);
	doc_fini(&outer);
	buf_fini(&b);
}

static void didl_of(const struct object *o, const char *filter, struct doc *out)
{
	didl_for(&(struct client_headers){ 0 }, o, filter, out);
}

TEST(didl, a_song_with_everything)
{
	struct media_file_in in = song();
	const struct span artists[] = { SPAN("A"), SPAN("B & C") };
	const struct span genres[] = { SPAN("Rock"), SPAN("Pop") };
	in.artist = artists[0];
	in.artists = artists;
	in.artists_n = 2;
	in.genres = genres;
	in.genres_n = 2;
	in.album_artist = SPAN("Various");
	in.album = SPAN("<Best>");
	in.track = 3;
	in.year = 1999;
	in.art_embedded = true;
	struct object o = item_of(record_of(&in), OBJECT_AUDIO, SPAN("R&B \"x\" <y> 'z'"));
	struct doc d;
	didl_of(&o, "*", &d);

	const struct doc_node *item = doc_find(&d, "item", 0);
	EXPECT_STR(" id=\"AT/i5\" parentID=\"AT\" restricted=\"1\" refID=\"i5\"", item->attributes);
	EXPECT_STR("dc:title", d.nodes[2].name);
	EXPECT_STR("upnp:class", d.nodes[3].name);
	EXPECT_SPAN(SPAN("R&B \"x\" <y> 'z'"), doc_text(&d, "dc:title", 0));
	EXPECT_SPAN(SPAN("object.item.audioItem.musicTrack"), doc_text(&d, "upnp:class", 0));
	EXPECT_SPAN(SPAN("A"), doc_text(&d, "dc:creator", 0));
	EXPECT_SPAN(SPAN("A"), doc_text(&d, "upnp:artist", 0));
	EXPECT_SPAN(SPAN("B & C"), doc_text(&d, "upnp:artist", 1));
	EXPECT_SPAN(SPAN("Various"), doc_text(&d, "upnp:artist", 2));
	EXPECT_STR("AlbumArtist", doc_attribute(doc_find(&d, "upnp:artist", 2), "role"));
	EXPECT_SPAN(SPAN("<Best>"), doc_text(&d, "upnp:album", 0));
	EXPECT_SPAN(SPAN("Rock"), doc_text(&d, "upnp:genre", 0));
	EXPECT_SPAN(SPAN("Pop"), doc_text(&d, "upnp:genre", 1));
	EXPECT_SPAN(SPAN("3"), doc_text(&d, "upnp:originalTrackNumber", 0));
	EXPECT_SPAN(SPAN("1999-01-01"), doc_text(&d, "dc:date", 0));
	EXPECT_SPAN(SPAN("http://10.0.0.2:8250/thumb/5.tn.jpg"),
		    doc_text(&d, "upnp:albumArtURI", 0));
	EXPECT_STR("JPEG_TN", doc_attribute(doc_find(&d, "upnp:albumArtURI", 0), "dlna:profileID"));
	EXPECT_SPAN(SPAN("http://10.0.0.2:8250/thumb/5.sm.jpg"),
		    doc_text(&d, "upnp:albumArtURI", 1));
	EXPECT_STR("JPEG_SM", doc_attribute(doc_find(&d, "upnp:albumArtURI", 1), "dlna:profileID"));
	EXPECT_U64(1, doc_count(&d, "res"));
	EXPECT_STR(" size=\"7404800\" duration=\"0:03:05.120\" bitrate=\"40000\""
		   " sampleFrequency=\"44100\" nrAudioChannels=\"2\""
		   " protocolInfo=\"http-get:*:audio/mpeg:DLNA.ORG_PN=MP3;DLNA.ORG_OP=01;"
		   "DLNA.ORG_CI=0;DLNA.ORG_FLAGS=01700000000000000000000000000000\"",
		   doc_find(&d, "res", 0)->attributes);
	EXPECT_SPAN(SPAN("http://10.0.0.2:8250/media/5.mp3"), doc_text(&d, "res", 0));
	doc_fini(&d);
}

TEST(didl, an_image_with_its_date_and_resolution)
{
	struct media_file_in in = { .path = SPAN("/m/p.JPEG"),
				    .filename = SPAN("p.JPEG"),
				    .mime_type = SPAN("image/jpeg"),
				    .kind = MEDIA_KIND_IMAGE,
				    .width = 480,
				    .height = 640,
				    .orientation = 6,
				    .date_taken = 1577934245 };
	struct object o = item_of(record_of(&in), OBJECT_IMAGE, SPAN(""));
	struct doc d;
	o.ref_id[0] = '\0';
	didl_of(&o, "*", &d);
	EXPECT_STR("", doc_attribute(doc_find(&d, "item", 0), "refID"));
	EXPECT_SPAN(SPAN("-"), doc_text(&d, "dc:title", 0));
	EXPECT_SPAN(SPAN("object.item.imageItem.photo"), doc_text(&d, "upnp:class", 0));
	EXPECT_SPAN(SPAN("2020-01-02T03:04:05"), doc_text(&d, "dc:date", 0));
	EXPECT_STR("480x640", doc_attribute(doc_find(&d, "res", 0), "resolution"));
	EXPECT_STR("http-get:*:image/jpeg:DLNA.ORG_PN=JPEG_SM;DLNA.ORG_OP=01;DLNA.ORG_CI=0;"
		   "DLNA.ORG_FLAGS=00D00000000000000000000000000000",
		   doc_attribute(doc_find(&d, "res", 0), "protocolInfo"));
	EXPECT_SPAN(SPAN("http://10.0.0.2:8250/media/5.jpeg"), doc_text(&d, "res", 0));
	EXPECT_U64(0, doc_count(&d, "upnp:albumArtURI"));
	doc_fini(&d);
}

TEST(didl, a_picture_has_its_thumbnails_beside_it)
{
	static const struct {
		uint32_t width, height;
		const char *mime, *original, *thumbs[2];
	} rows[] = {
		{ 4000, 3000, "image/jpeg", "JPEG_LRG", { "JPEG_SM 640x480", "JPEG_TN 160x120" } },
		{ 3000, 4000, "image/jpeg", "JPEG_LRG", { "JPEG_SM 360x480", "JPEG_TN 120x160" } },
		{ 640, 480, "image/jpeg", "JPEG_SM", { "JPEG_TN 160x120", NULL } },
		{ 100, 75, "image/jpeg", "JPEG_TN", { NULL, NULL } },
		{ 100, 75, "image/heic", "", { "JPEG_SM 100x75", "JPEG_TN 100x75" } },
		{ 0, 0, "image/jpeg", "", { "JPEG_SM ", "JPEG_TN " } },
	};
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct media_file_in in = { .path = SPAN("/m/p.jpg"),
					    .filename = SPAN("p.jpg"),
					    .mime_type = span_str(rows[i].mime),
					    .kind = MEDIA_KIND_IMAGE,
					    .width = rows[i].width,
					    .height = rows[i].height };
		struct object o = item_of(record_of(&in), OBJECT_IMAGE, SPAN("p"));
		struct doc d;
		unsigned n = rows[i].thumbs[1] ? 2 : rows[i].thumbs[0] ? 1 : 0;
		didl_of(&o, "*", &d);
		EXPECT_U64(1 + n, doc_count(&d, "res"));
		for (unsigned k = 0; k < n; k++) {
			const struct doc_node *res = doc_find(&d, "res", k + 1);
			char have[300], want[300], url[80];
			struct span name = span_str(rows[i].thumbs[k]);
			struct span profile = span_first(name, 7), size = span_skip(name, 8);
			snprintf(want, sizeof want,
				 "http-get:*:image/"
				 "jpeg:DLNA.ORG_PN=%.*s;DLNA.ORG_OP=00;DLNA.ORG_CI=1;"
				 "DLNA.ORG_FLAGS=00D00000000000000000000000000000 %.*s",
				 SPAN_ARG(profile), SPAN_ARG(size));
			snprintf(have, sizeof have, "%s ", doc_attribute(res, "protocolInfo"));
			snprintf(have + strlen(have), sizeof have - strlen(have), "%s",
				 doc_attribute(res, "resolution"));
			EXPECT_STR(want, have);
			snprintf(url, sizeof url, "http://10.0.0.2:8250/thumb/5.%s.jpg",
				 span_eq(profile, SPAN("JPEG_TN")) ? "tn" : "sm");
			EXPECT_SPAN(span_str(url), doc_text(&d, "res", k + 1));
		}
		doc_fini(&d);
		didl_of(&o, "dc:date", &d);
		EXPECT_U64(0, doc_count(&d, "res"));
		doc_fini(&d);
	}
}

TEST(didl, a_film_always_has_something_to_show)
{
	struct media_file_in in = { .path = SPAN("/m/f.mkv"),
				    .filename = SPAN("f.mkv"),
				    .mime_type = SPAN("video/x-matroska"),
				    .kind = MEDIA_KIND_VIDEO,
				    .width = 1920,
				    .height = 1080 };
	struct doc d;
	struct object o = item_of(record_of(&in), OBJECT_VIDEO, SPAN("f"));
	didl_of(&o, "*", &d);
	EXPECT_U64(2, doc_count(&d, "upnp:albumArtURI"));
	EXPECT_U64(1, doc_count(&d, "res"));
	doc_fini(&d);
	in.width = 0; /* nobody knows whether there are moving pictures in it */
	o = item_of(record_of(&in), OBJECT_VIDEO, SPAN("f"));
	didl_of(&o, "*", &d);
	EXPECT_U64(0, doc_count(&d, "upnp:albumArtURI"));
	doc_fini(&d);
}

TEST(didl, bytes_that_xml_cannot_carry_are_replaced)
{
	struct media_file_in in = song();
	struct object o = item_of(record_of(&in), OBJECT_AUDIO,
				  span_of("a\x01"
					  "b\xff"
					  "c\xed\xa0\x80"
					  "d\xef\xbf\xbe\0e",
					  15));
	struct doc d;
	didl_of(&o, "", &d);
	EXPECT(span_starts(doc_text(&d, "dc:title", 0), SPAN("a\xef\xbf\xbd"
							     "b\xef\xbf\xbd"
							     "c")));
	doc_fini(&d);
}

TEST(didl, a_long_title_is_cut_between_characters)
{
	static char title[5000];
	struct media_file_in in = song();
	struct doc d;
	for (size_t i = 0; i + 3 <= sizeof title; i += 3)
		memcpy(title + i, "\xe2\x82\xac", 3);
	struct object o = item_of(record_of(&in), OBJECT_AUDIO, span_of(title, sizeof title));
	didl_of(&o, "", &d);
	struct span got = doc_text(&d, "dc:title", 0);
	EXPECT(got.n > PROPERTY_TEXT_MAX - 8 && got.n <= PROPERTY_TEXT_MAX && got.n % 3 == 0);
	doc_fini(&d);
}

TEST(didl, containers_of_each_class)
{
	static const struct {
		enum container_class class;
		const char *want;
	} rows[] = {
		{ CONTAINER_FOLDER, "object.container.storageFolder" },
		{ CONTAINER_PLAIN, "object.container.storageFolder" },
		{ CONTAINER_ARTIST, "object.container.person.musicArtist" },
		{ CONTAINER_ALBUM, "object.container.album.musicAlbum" },
		{ CONTAINER_GENRE, "object.container.genre.musicGenre" },
		{ CONTAINER_PLAYLIST, "object.container.playlistContainer" },
	};
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct object o = { .kind = OBJECT_CONTAINER,
				    .id = "al3",
				    .parent_id = "AL",
				    .title = SPAN("T"),
				    .container_class = rows[i].class,
				    .child_count = 12,
				    .artist = SPAN("Someone"),
				    .art_media_id = 77 };
		struct doc d;
		didl_of(&o, "*", &d);
		EXPECT_STR(" id=\"al3\" parentID=\"AL\" restricted=\"1\" childCount=\"12\""
			   " searchable=\"1\"",
			   doc_find(&d, "container", 0)->attributes);
		EXPECT_STR("dc:title", d.nodes[2].name);
		EXPECT_SPAN(span_str(rows[i].want), doc_text(&d, "upnp:class", 0));
		EXPECT_SPAN(SPAN("Someone"), doc_text(&d, "upnp:artist", 0));
		EXPECT_SPAN(SPAN("http://10.0.0.2:8250/thumb/77.tn.jpg"),
			    doc_text(&d, "upnp:albumArtURI", 0));
		EXPECT_U64(strstr(rows[i].want, "storageFolder") != NULL,
			   doc_count(&d, "upnp:storageUsed"));
		doc_fini(&d);
	}
}

/* ---- filter ---------------------------------------------------------------------------------- */

TEST(filter, names_and_nothing_else)
{
	static const struct {
		const char *filter;
		uint32_t want;
	} rows[] = {
		{ "", 0 },
		{ "*", FILTER_ALL },
		{ "dc:title,upnp:class", 0 },
		{ "res", FILTER_RES },
		{ "res@size", FILTER_RES | FILTER_RES_SIZE },
		{ " res@duration , upnp:artist", FILTER_RES | FILTER_RES_DURATION | FILTER_ARTIST },
		{ "nothing,of,ours,xbmc:rating", 0 },
		{ "@childCount", FILTER_CHILD_COUNT },
		{ "container@childCount", FILTER_CHILD_COUNT },
		{ "upnp:albumArtURI@dlna:profileID", FILTER_ART },
		{ "@refID,@searchable", FILTER_REF_ID | FILTER_SEARCHABLE },
		{ ",,dc:date,", FILTER_DATE },
		{ "upnp:genre,*", FILTER_ALL },
		{ "RES", 0 },
	};
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		EXPECT_U64(rows[i].want, filter_parse(span_str(rows[i].filter)));
}

TEST(filter, an_empty_one_leaves_the_required_alone)
{
	struct media_file_in in = song();
	struct object o = item_of(record_of(&in), OBJECT_AUDIO, SPAN("T"));
	struct doc d;
	didl_of(&o, "", &d);
	EXPECT_U64(4, d.nodes_n); /* DIDL-Lite, item, title, class */
	EXPECT_STR(" id=\"AT/i5\" parentID=\"AT\" restricted=\"1\"", d.nodes[1].attributes);
	doc_fini(&d);

	didl_of(&o, "res", &d);
	EXPECT_U64(5, d.nodes_n);
	EXPECT(strncmp(d.nodes[4].attributes, " protocolInfo=", 14) == 0);
	doc_fini(&d);
}

TEST(sort, only_ascending_keys_of_the_default_order)
{
	EXPECT(sort_is_default(SPAN("")));
	EXPECT(sort_is_default(SPAN("+dc:title")));
	EXPECT(sort_is_default(SPAN("dc:title")));
	EXPECT(sort_is_default(SPAN("+upnp:class, +dc:title")));
	EXPECT(!sort_is_default(SPAN("-dc:title")));
	EXPECT(!sort_is_default(SPAN("+dc:date")));
	EXPECT(!sort_is_default(SPAN("+nonsense")));
	EXPECT(!sort_is_default(SPAN("+")));
	EXPECT(!sort_is_default(SPAN(",")));
}

/* ---- profiles -------------------------------------------------------------------------------- */

static const char *name_of(const struct media_file_in *in)
{
	const char *name = profile_name(record_of(in));

	return name ? name : "none";
}

TEST(profile, mp3_only_with_all_facts)
{
	struct media_file_in in = song();
	EXPECT_STR("MP3", name_of(&in));
	in.sample_rate = 22050;
	EXPECT_STR("none", name_of(&in));
	in = song();
	in.bitrate = 0;
	EXPECT_STR("none", name_of(&in));
	in = song();
	in.audio_codec = SPAN("mp2");
	EXPECT_STR("none", name_of(&in));
}

TEST(profile, jpeg_by_size)
{
	struct media_file_in in = { .path = SPAN("/a.jpg"),
				    .filename = SPAN("a.jpg"),
				    .mime_type = SPAN("image/jpeg"),
				    .kind = MEDIA_KIND_IMAGE };
	static const struct {
		uint32_t width, height;
		const char *want;
	} rows[] = {
		{ 160, 160, "JPEG_TN" },    { 161, 160, "JPEG_SM" },   { 640, 480, "JPEG_SM" },
		{ 480, 640, "JPEG_MED" },   { 1024, 768, "JPEG_MED" }, { 1025, 768, "JPEG_LRG" },
		{ 4096, 4096, "JPEG_LRG" }, { 4097, 1, "none" },       { 0, 0, "none" }
	};
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		in.width = rows[i].width;
		in.height = rows[i].height;
		EXPECT_STR(rows[i].want, name_of(&in));
	}
}

TEST(profile, h264_in_mp4)
{
	struct media_file_in in = { .path = SPAN("/a.mp4"),
				    .filename = SPAN("a.mp4"),
				    .mime_type = SPAN("video/mp4"),
				    .kind = MEDIA_KIND_VIDEO,
				    .video_codec = SPAN("h264"),
				    .audio_codec = SPAN("aac"),
				    .video_profile = SPAN("High"),
				    .video_level = 40,
				    .width = 1920,
				    .height = 1080,
				    .bitrate = 8000000,
				    .sample_rate = 48000,
				    .channels = 2 };
	EXPECT_STR("AVC_MP4_HP_HD_AAC", name_of(&in));
	in.video_level = 51;
	EXPECT_STR("none", name_of(&in));
	in.video_profile = SPAN("Constrained Baseline");
	in.video_level = 30;
	in.width = 640;
	in.height = 360;
	in.bitrate = 900000;
	EXPECT_STR("AVC_MP4_BL_L3L_SD_AAC", name_of(&in));
	in.audio_codec = SPAN("");
	EXPECT_STR("none", name_of(&in));
}

static struct media_file_in stream_film(const char *name)
{
	return (struct media_file_in){ .path = SPAN("/a"),
				       .filename = span_str(name),
				       .kind = MEDIA_KIND_VIDEO,
				       .video_codec = SPAN("mpeg2video"),
				       .video_profile = SPAN("Main"),
				       .video_level = 8,
				       .video_scan = VIDEO_SCAN_INTERLACED,
				       .audio_codec = SPAN("mp2"),
				       .width = 720,
				       .height = 576,
				       .frame_rate_milli = 25000,
				       .bitrate = 5000000,
				       .sample_rate = 48000,
				       .channels = 2 };
}

TEST(profile, mpeg_2_in_a_program_stream)
{
	struct media_file_in in = stream_film("a.vob");

	in.mime_type = SPAN("video/mpeg");
	in.mpeg_stream = MPEG_STREAM_PROGRAM;
	EXPECT_STR("MPEG_PS_PAL", name_of(&in));
	in.audio_codec = SPAN("ac3");
	in.channels = 6;
	EXPECT_STR("MPEG_PS_PAL", name_of(&in));
	in.audio_codec = SPAN("dts");
	EXPECT_STR("none", name_of(&in));
	in.audio_codec = SPAN("ac3");
	in.height = 480;
	EXPECT_STR("none", name_of(&in)); /* NTSC's lines at PAL's rate */
	in.frame_rate_milli = 29970;
	EXPECT_STR("MPEG_PS_NTSC", name_of(&in));
	in.bitrate = 12000000;
	EXPECT_STR("none", name_of(&in));
	in.bitrate = 5000000;
	in.video_level = 4; /* High */
	EXPECT_STR("none", name_of(&in));
	in.video_level = 0;
	EXPECT_STR("none", name_of(&in));
	in.video_level = 8;
	in.sample_rate = 44100;
	EXPECT_STR("none", name_of(&in));
	in.sample_rate = 48000;
	in.mpeg_stream = MPEG_STREAM_SYSTEM;
	EXPECT_STR("none", name_of(&in));
	in.mpeg_stream = MPEG_STREAM_NONE; /* read by a version before */
	EXPECT_STR("none", name_of(&in));
}

TEST(profile, transport_streams_by_their_packets)
{
	static const struct {
		uint8_t stream;
		const char *mime;
		const char *want, *want_mime;
	} rows[] = {
		{ MPEG_STREAM_TRANSPORT, "video/mp2t", "MPEG_TS_SD_EU_ISO", "video/mpeg" },
		{ MPEG_STREAM_TRANSPORT_ZERO, "video/vnd.dlna.mpeg-tts", "MPEG_TS_SD_EU",
		  "video/vnd.dlna.mpeg-tts" },
		{ MPEG_STREAM_TRANSPORT_STAMPED, "video/vnd.dlna.mpeg-tts", "MPEG_TS_SD_EU_T",
		  "video/vnd.dlna.mpeg-tts" },
		{ MPEG_STREAM_NONE, "video/mp2t", "none", "video/mp2t" },
		{ 77, "video/mp2t", "none", "video/mp2t" }, /* of a version to come */
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct media_file_in in = stream_film("a.ts");

		in.mime_type = span_str(rows[i].mime);
		in.mpeg_stream = rows[i].stream;
		EXPECT_STR(rows[i].want, name_of(&in));
		EXPECT_SPAN(span_str(rows[i].want_mime), profile_mime(record_of(&in)));
		EXPECT_SPAN(SPAN("ts"), profile_extension(record_of(&in)));
		/* Content-Type says what protocolInfo said. */
		bool interactive;
		EXPECT_SPAN(span_str(rows[i].want_mime),
			    dlna_client_type((struct span){ NULL, 0 }, (struct span){ NULL, 0 },
					     record_of(&in), &interactive));
	}
}

TEST(profile, rates_of_films_are_for_progressive_pictures)
{
	static const struct {
		uint32_t width, height, rate;
		uint8_t scan;
		const char *want;
	} rows[] = {
		{ 720, 480, 29970, VIDEO_SCAN_INTERLACED, "MPEG_TS_SD_NA_ISO" },
		{ 720, 480, 23976, VIDEO_SCAN_PROGRESSIVE, "none" },
		{ 704, 480, 23976, VIDEO_SCAN_PROGRESSIVE, "MPEG_TS_SD_NA_ISO" },
		{ 704, 480, 23976, VIDEO_SCAN_INTERLACED, "none" },
		{ 704, 480, 23976, VIDEO_SCAN_UNKNOWN, "none" },
		{ 704, 480, 59940, VIDEO_SCAN_PROGRESSIVE, "MPEG_TS_SD_NA_ISO" },
		{ 704, 480, 0, VIDEO_SCAN_PROGRESSIVE, "none" },
		{ 1920, 1080, 29970, VIDEO_SCAN_INTERLACED, "MPEG_TS_HD_NA_ISO" },
		{ 1920, 1080, 24000, VIDEO_SCAN_PROGRESSIVE, "MPEG_TS_HD_NA_ISO" },
		{ 1920, 1080, 25000, VIDEO_SCAN_INTERLACED, "none" },
		{ 1920, 1088, 29970, VIDEO_SCAN_INTERLACED, "none" },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct media_file_in in = stream_film("a.ts");

		in.mpeg_stream = MPEG_STREAM_TRANSPORT;
		in.audio_codec = SPAN("ac3");
		in.video_level = 4;
		in.width = rows[i].width;
		in.height = rows[i].height;
		in.frame_rate_milli = rows[i].rate;
		in.video_scan = rows[i].scan;
		EXPECT_STR(rows[i].want, name_of(&in));
	}
}

TEST(profile, h264_in_a_transport_stream)
{
	static const struct {
		const char *profile, *audio, *audio_profile;
		uint16_t level, channels;
		uint32_t width, height;
		const char *want;
	} rows[] = {
		{ "Main", "ac3", "", 30, 6, 720, 576, "AVC_TS_MP_SD_AC3_T" },
		{ "Main", "aac", "LC", 30, 2, 720, 576, "AVC_TS_MP_SD_AAC_MULT5_T" },
		{ "Main", "mp3", "", 30, 2, 720, 576, "AVC_TS_MP_SD_MPEG1_L3_T" },
		{ "Main", "aac", "HE-AAC", 30, 2, 720, 576, "none" },
		{ "Main", "aac", "", 30, 2, 720, 576, "none" },
		{ "Main", "mp3", "", 30, 6, 720, 576, "none" },
		{ "Main", "ac3", "", 40, 6, 1920, 1080, "AVC_TS_MP_HD_AC3_T" },
		{ "Main", "aac", "LC", 40, 6, 1920, 1080, "AVC_TS_MP_HD_AAC_MULT5_T" },
		{ "High", "ac3", "", 40, 6, 1920, 1080, "AVC_TS_HP_HD_AC3_T" },
		{ "High", "ac3", "", 41, 6, 1920, 1080, "none" },
		{ "High", "aac", "LC", 40, 2, 1920, 1080, "none" },
		{ "High 10", "ac3", "", 40, 6, 1920, 1080, "none" },
		{ "Main", "ac3", "", 40, 6, 3840, 2160, "none" },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct media_file_in in = stream_film("a.m2ts");

		in.mpeg_stream = MPEG_STREAM_TRANSPORT_STAMPED;
		in.video_codec = SPAN("h264");
		in.video_profile = span_str(rows[i].profile);
		in.video_level = rows[i].level;
		in.audio_codec = span_str(rows[i].audio);
		in.audio_profile = span_str(rows[i].audio_profile);
		in.channels = rows[i].channels;
		in.width = rows[i].width;
		in.height = rows[i].height;
		printf("row %zu\n", i);
		EXPECT_STR(rows[i].want, name_of(&in));
	}
}

TEST(profile, aac_by_what_is_known_of_it)
{
	static const struct {
		const char *profile;
		uint32_t bitrate;
		const char *want;
	} rows[] = {
		{ "LC", 48000, "AAC_ISO_320" },	      { "LC", 128000, "AAC_ISO_320" },
		{ "LC", 400000, "AAC_ISO" },	      { "", 48000, "none" },
		{ "", 128000, "AAC_ISO_320" },	      { "HE-AAC", 48000, "HEAAC_L2_ISO" },
		{ "HE-AAC", 128000, "HEAAC_L2_ISO" }, { "HE-AACv2", 48000, "none" },
		{ "Main", 128000, "none" },	      { "HE-AAC", 400000, "none" },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct media_file_in in = song();

		in.mime_type = SPAN("audio/mp4");
		in.audio_codec = SPAN("aac");
		in.audio_profile = span_str(rows[i].profile);
		in.bitrate = rows[i].bitrate;
		EXPECT_STR(rows[i].want, name_of(&in));
	}
}

TEST(profile, every_name_is_in_the_source_list_once)
{
	static const char *const names[] = { "video/mpeg:DLNA.ORG_PN=MPEG_TS_SD_EU_ISO,",
					     "audio/mp4:DLNA.ORG_PN=AAC_ISO_320,",
					     "video/mpeg:DLNA.ORG_PN=MPEG_PS_PAL," };
	struct buf b;

	buf_init(&b, 1 << 20);
	profile_source_list(&b);
	struct span list = buf_span(&b);
	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		const char *at = memmem(list.p, list.n, names[i], strlen(names[i]));

		EXPECT(at != NULL);
		EXPECT(!memmem(at + 1, list.n - (size_t)(at + 1 - list.p), names[i],
			       strlen(names[i])));
	}
	buf_fini(&b);
}

TEST(profile, the_source_list_has_every_type_once_and_needs_no_escape)
{
	struct buf b;
	size_t n;
	buf_init(&b, 1 << 20);
	profile_source_list(&b);
	EXPECT_OK(buf_err(&b));
	struct span list = buf_span(&b);
	EXPECT(span_find(list, '&') == list.n && span_find(list, '<') == list.n);
	EXPECT(list.p[0] != ',' && list.p[list.n - 1] != ',');
	const struct media_type *types = media_type_table(&n);
	for (size_t i = 0; i < n; i++) {
		char want[128];
		snprintf(want, sizeof want, "http-get:*:%s:*", types[i].mime);
		const char *at = memmem(list.p, list.n, want, strlen(want));
		EXPECT(at != NULL);
		EXPECT(!memmem(at + 1, list.n - (size_t)(at + 1 - list.p), want, strlen(want)));
	}
	buf_fini(&b);
}

TEST(profile, extension_is_true_and_harmless)
{
	struct media_file_in in = song();
	in.filename = SPAN("x.exe");
	EXPECT_SPAN(SPAN("mp3"), profile_extension(record_of(&in)));
	in.mime_type = SPAN("application/x-evil");
	EXPECT_SPAN(SPAN("bin"), profile_extension(record_of(&in)));
	in.filename = SPAN("x.FLAC");
	in.mime_type = SPAN("");
	EXPECT_SPAN(SPAN("flac"), profile_extension(record_of(&in)));
	EXPECT_SPAN(SPAN("audio/flac"), profile_mime(record_of(&in)));
}
