/* SPDX-License-Identifier: MIT */
/* A result as one line of JSON, for people and scripts. */
#include "probe/helper/facts_json.h"

#include "base/json.h"
#include "schema/media_fb.h"
#include "schema/probe_fb.h"

#define FACTS_JSON_MAX_BYTES (1u << 20)

static const char *const status_names[] = { "ok",      "not media", "broken",	  "timeout",
					    "crashed", "too large", "unreadable", "not examined" };
static const char *const kind_names[] = { "other", "audio", "video", "image" };

/* Absent facts are left out. */
static void text_member(struct json *j, const char *name, struct span s)
{
	if (s.n == 0)
		return;
	json_key(j, name);
	json_text(j, s);
}

static void number_member(struct json *j, const char *name, uint64_t v)
{
	if (v == 0)
		return;
	json_key(j, name);
	json_u64(j, v);
}

static void list_member(struct json *j, const char *name, struct fb_vector v)
{
	if (v.n == 0)
		return;
	json_key(j, name);
	json_array(j);
	for (uint32_t i = 0; i < v.n; i++)
		json_text(j, fb_vector_string(v, i));
	json_array_end(j);
}

static void tag_members(struct json *j, struct fb_table t)
{
	text_member(j, "title", probe_reply_title(t));
	list_member(j, "artists", probe_reply_artists(t));
	text_member(j, "album", probe_reply_album(t));
	text_member(j, "album_artist", probe_reply_album_artist(t));
	list_member(j, "genres", probe_reply_genres(t));
	text_member(j, "composer", probe_reply_composer(t));
	number_member(j, "track", probe_reply_track(t));
	number_member(j, "disc", probe_reply_disc(t));
	number_member(j, "year", probe_reply_year(t));
	number_member(j, "compilation", probe_reply_compilation(t));
	number_member(j, "art_embedded", probe_reply_art_embedded(t));
}

static void stream_members(struct json *j, struct fb_table t)
{
	number_member(j, "duration_ms", probe_reply_duration_ms(t));
	number_member(j, "bitrate", probe_reply_bitrate(t));
	number_member(j, "sample_rate", probe_reply_sample_rate(t));
	number_member(j, "channels", probe_reply_channels(t));
	number_member(j, "bits_per_sample", probe_reply_bits_per_sample(t));
	text_member(j, "container", probe_reply_container(t));
	text_member(j, "audio_codec", probe_reply_audio_codec(t));
	text_member(j, "video_codec", probe_reply_video_codec(t));
	text_member(j, "video_profile", probe_reply_video_profile(t));
	text_member(j, "audio_profile", probe_reply_audio_profile(t));
	number_member(j, "mpeg_stream", probe_reply_mpeg_stream(t));
	number_member(j, "video_scan", probe_reply_video_scan(t));
	number_member(j, "video_level", probe_reply_video_level(t));
	number_member(j, "frame_rate_milli", probe_reply_frame_rate_milli(t));
	number_member(j, "width", probe_reply_width(t));
	number_member(j, "height", probe_reply_height(t));
	number_member(j, "orientation", probe_reply_orientation(t));
	text_member(j, "camera", probe_reply_camera(t));
	if (probe_reply_date_taken(t) != 0) {
		json_key(j, "date_taken");
		json_i64(j, probe_reply_date_taken(t));
	}
}

static void track_members(struct json *j, struct fb_vector tracks)
{
	if (tracks.n == 0)
		return;
	json_key(j, "audio_tracks");
	json_array(j);
	for (uint32_t i = 0; i < tracks.n; i++) {
		struct fb_table t = fb_vector_table(tracks, i);

		json_object(j);
		text_member(j, "codec", probe_stream_codec(t));
		text_member(j, "language", probe_stream_language(t));
		number_member(j, "channels", probe_stream_channels(t));
		json_object_end(j);
	}
	json_array_end(j);
}

bool facts_json_print(FILE *out, struct span path, const struct probe_result *result)
{
	CLEANUP(buf_fini) struct buf b;
	struct json j;
	struct fb_table t = result->facts;

	buf_init(&b, FACTS_JSON_MAX_BYTES);
	json_init(&j, &b);
	json_object(&j);
	json_key(&j, "path");
	json_text(&j, path);
	json_key(&j, "status");
	json_text(&j,
		  span_str(result->status < ARRAY_LEN(status_names) ? status_names[result->status]
								    : "unknown"));
	if (t.pos != 0) {
		uint8_t kind = (uint8_t)probe_reply_kind(t);

		text_member(&j, "error", probe_reply_error(t));
		text_member(&j, "kind",
			    span_str(kind < ARRAY_LEN(kind_names) ? kind_names[kind] : ""));
		text_member(&j, "mime_type", probe_reply_mime_type(t));
		tag_members(&j, t);
		stream_members(&j, t);
		track_members(&j, probe_reply_audio_tracks(t));
	}
	json_object_end(&j);
	buf_add_char(&b, '\n');
	return buf_err(&b) == ERR_OK && fwrite(b.p, 1, b.n, out) == b.n && fflush(out) == 0;
}
