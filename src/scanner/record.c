/* SPDX-License-Identifier: MIT */
/* Probe reply and stat -> MediaFile. */
#include "scanner/record.h"

#include "base/media_type.h"
#include "schema/probe_fb.h"

_Static_assert((int)MEDIA_CLASS_AUDIO == (int)MEDIA_KIND_AUDIO &&
		       (int)MEDIA_CLASS_VIDEO == (int)MEDIA_KIND_VIDEO &&
		       (int)MEDIA_CLASS_IMAGE == (int)MEDIA_KIND_IMAGE,
	       "media_type.h and media.fbs count alike");

bool record_has_art(uint8_t media_class, uint8_t kind)
{
	return media_class != MEDIA_CLASS_IMAGE && kind != MEDIA_KIND_IMAGE;
}

bool record_has_subtitles(uint8_t media_class, uint8_t kind)
{
	bool by_name = media_class == MEDIA_CLASS_VIDEO || media_class == MEDIA_CLASS_OTHER;

	return by_name && (kind == MEDIA_KIND_VIDEO || kind == MEDIA_KIND_OTHER);
}

/* A tag as it is stored: bounded, never cut inside a character. */
static struct span text(struct span s)
{
	size_t n = RECORD_TEXT_MAX;

	if (s.n <= RECORD_TEXT_MAX)
		return s;
	while (n > RECORD_TEXT_MAX - 4 && ((unsigned char)s.p[n] & 0xc0) == 0x80)
		n--;
	return span_first(s, n);
}

static uint32_t texts(struct fb_vector v, struct span *out)
{
	uint32_t n = 0;

	for (uint32_t i = 0; i < v.n && n < RECORD_LIST_MAX; i++) {
		struct span s = text(fb_vector_string(v, i));

		if (s.n > 0)
			out[n++] = s;
	}
	return n;
}

/* The first for display; the list only where there is more than one. */
static void set_list(struct span *list, uint32_t n, struct span *out_first,
		     const struct span **out_list, uint32_t *out_n)
{
	if (n > 0)
		*out_first = list[0];
	if (n > 1) {
		*out_list = list;
		*out_n = n;
	}
}

static void set_tags(struct fb_table reply, struct record_lists *lists, struct media_file_in *out)
{
	struct span title = text(probe_reply_title(reply));

	if (title.n > 0)
		out->title = title;
	set_list(lists->artists, texts(probe_reply_artists(reply), lists->artists), &out->artist,
		 &out->artists, &out->artists_n);
	set_list(lists->genres, texts(probe_reply_genres(reply), lists->genres), &out->genre,
		 &out->genres, &out->genres_n);
	out->album = text(probe_reply_album(reply));
	out->album_artist = text(probe_reply_album_artist(reply));
	out->composer = text(probe_reply_composer(reply));
	out->track = probe_reply_track(reply);
	out->disc = probe_reply_disc(reply);
	out->year = probe_reply_year(reply);
	out->compilation = probe_reply_compilation(reply);
}

static void set_technical(struct fb_table reply, struct record_lists *lists,
			  struct media_file_in *out)
{
	struct fb_vector tracks = probe_reply_audio_tracks(reply);

	out->duration_ms = probe_reply_duration_ms(reply);
	out->bitrate = probe_reply_bitrate(reply);
	out->sample_rate = probe_reply_sample_rate(reply);
	out->channels = probe_reply_channels(reply);
	out->bits_per_sample = probe_reply_bits_per_sample(reply);
	out->width = probe_reply_width(reply);
	out->height = probe_reply_height(reply);
	out->container = text(probe_reply_container(reply));
	out->audio_codec = text(probe_reply_audio_codec(reply));
	out->video_codec = text(probe_reply_video_codec(reply));
	out->video_profile = text(probe_reply_video_profile(reply));
	out->audio_profile = text(probe_reply_audio_profile(reply));
	out->mpeg_stream = probe_reply_mpeg_stream(reply);
	out->video_scan = probe_reply_video_scan(reply);
	out->video_level = probe_reply_video_level(reply);
	out->frame_rate_milli = probe_reply_frame_rate_milli(reply);
	out->date_taken = probe_reply_date_taken(reply);
	out->orientation = probe_reply_orientation(reply);
	out->camera = text(probe_reply_camera(reply));
	out->art_embedded = probe_reply_art_embedded(reply);
	for (uint32_t i = 0; i < tracks.n && i < RECORD_LIST_MAX; i++) {
		struct fb_table t = fb_vector_table(tracks, i);

		lists->tracks[i] = (struct stream_in){ .codec = text(probe_stream_codec(t)),
						       .language = text(probe_stream_language(t)),
						       .channels = probe_stream_channels(t) };
		out->audio_tracks = lists->tracks;
		out->audio_tracks_n = i + 1;
	}
}

/* What lies beside the file. */
static void set_sides(const struct record_seen *seen, struct media_file_in *f)
{
	if (record_has_art(seen->media_class, f->kind))
		f->art_path = seen->art_path;
	if (record_has_subtitles(seen->media_class, f->kind)) {
		f->subtitles = seen->subtitles;
		f->subtitles_n = seen->subtitles_n;
	}
}

void record_make(const struct record_seen *seen, uint8_t status, struct fb_table reply,
		 struct record_lists *lists, struct media_file_in *out)
{
	struct media_file_in f = { .path = seen->path,
				   .canonical_path = seen->canonical_path,
				   .filename = seen->name,
				   .size = seen->size,
				   .modified = seen->mtime_ns,
				   .device = seen->device,
				   .inode = seen->inode,
				   .kind = seen->type ? seen->type->media_class : seen->media_class,
				   .title = sidecar_stem(seen->name),
				   .probe_error = status };

	if (status == PROBE_STATUS_OK) {
		set_tags(reply, lists, &f);
		set_technical(reply, lists, &f);
		f.mime_type = text(probe_reply_mime_type(reply));
		if (probe_reply_kind(reply) != MEDIA_KIND_OTHER)
			f.kind = probe_reply_kind(reply);
	}
	if (f.mime_type.n == 0 && seen->type)
		f.mime_type = span_str(seen->type->mime);
	set_sides(seen, &f);
	*out = f;
}

bool record_is_unexamined(struct fb_table row)
{
	return media_file_probe_error(row) == PROBE_STATUS_UNAVAILABLE;
}

bool record_is_quarantined(struct fb_table row)
{
	unsigned status = media_file_probe_error(row);

	return status == PROBE_STATUS_CRASHED || status == PROBE_STATUS_TIMEOUT;
}

/* The title is the name's, for want of another. */
static bool has_title_of_name(struct fb_table row)
{
	return span_eq(media_file_title(row), sidecar_stem(media_file_filename(row)));
}

bool record_can_restate(struct fb_table row, struct span name)
{
	struct span old = media_file_filename(row);

	if (record_is_unexamined(row))
		return false;
	if (span_eq(old, name))
		return true;
	return media_type_by_name(old) == media_type_by_name(name) &&
	       (record_is_quarantined(row) || !has_title_of_name(row));
}

static uint32_t stored_texts(struct fb_vector v, struct span *out)
{
	uint32_t n = MIN(v.n, (uint32_t)RECORD_LIST_MAX);

	for (uint32_t i = 0; i < n; i++)
		out[i] = fb_vector_string(v, i);
	return n;
}

static void restate_lists(struct fb_table row, struct record_lists *lists,
			  struct media_file_in *out)
{
	struct fb_vector tracks = media_file_audio_tracks(row);

	out->artists = lists->artists;
	out->artists_n = stored_texts(media_file_artists(row), lists->artists);
	out->genres = lists->genres;
	out->genres_n = stored_texts(media_file_genres(row), lists->genres);
	out->audio_tracks = lists->tracks;
	out->audio_tracks_n = MIN(tracks.n, (uint32_t)RECORD_LIST_MAX);
	for (uint32_t i = 0; i < out->audio_tracks_n; i++) {
		struct fb_table t = fb_vector_table(tracks, i);

		lists->tracks[i] = (struct stream_in){ .codec = stream_codec(t),
						       .language = stream_language(t),
						       .channels = stream_channels(t) };
	}
}

void record_restate(const struct record_seen *seen, struct fb_table row, struct record_lists *lists,
		    struct media_file_in *out)
{
	struct media_file_in f = {
		.path = seen->path,
		.canonical_path = seen->canonical_path,
		.filename = seen->name,
		.size = seen->size,
		.modified = seen->mtime_ns,
		.device = seen->device,
		.inode = seen->inode,
		.mime_type = media_file_mime_type(row),
		.duration_ms = media_file_duration_ms(row),
		.title = has_title_of_name(row) ? sidecar_stem(seen->name) : media_file_title(row),
		.artist = media_file_artist(row),
		.album = media_file_album(row),
		.genre = media_file_genre(row),
		.track = media_file_track(row),
		.year = media_file_year(row),
		.album_artist = media_file_album_artist(row),
		.disc = media_file_disc(row),
		.composer = media_file_composer(row),
		.bitrate = media_file_bitrate(row),
		.sample_rate = media_file_sample_rate(row),
		.channels = media_file_channels(row),
		.bits_per_sample = media_file_bits_per_sample(row),
		.width = media_file_width(row),
		.height = media_file_height(row),
		.container = media_file_container(row),
		.audio_codec = media_file_audio_codec(row),
		.video_codec = media_file_video_codec(row),
		.video_profile = media_file_video_profile(row),
		.audio_profile = media_file_audio_profile(row),
		.mpeg_stream = (uint8_t)media_file_mpeg_stream(row),
		.video_scan = (uint8_t)media_file_video_scan(row),
		.video_level = media_file_video_level(row),
		.frame_rate_milli = media_file_frame_rate_milli(row),
		.date_taken = media_file_date_taken(row),
		.orientation = media_file_orientation(row),
		.camera = media_file_camera(row),
		.art_embedded = media_file_art_embedded(row),
		.kind = (uint8_t)media_file_kind(row),
		.compilation = media_file_compilation(row),
		.probe_error = media_file_probe_error(row),
	};

	restate_lists(row, lists, &f);
	set_sides(seen, &f);
	*out = f;
}
