/* SPDX-License-Identifier: MIT */
/* Any bytes: what the verifier lets through is safe to read everywhere. */
#include <stdint.h>

#include "schema/media_fb.h"
#include "schema/probe_fb.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static uint64_t sum;

static void string_read(struct span s)
{
	for (size_t i = 0; i < s.n; i++)
		sum += (uint8_t)s.p[i];
}

static void strings_read(struct fb_vector v)
{
	for (uint32_t i = 0; i < v.n; i++)
		string_read(fb_vector_string(v, i));
}

static void media_read(struct fb_table t)
{
	sum += media_file_id(t) + media_file_probe_error(t) + media_file_track(t);
	string_read(media_file_path(t));
	string_read(media_file_canonical_path(t));
	string_read(media_file_title(t));
	string_read(media_file_art_path(t));
	strings_read(media_file_artists(t));
	for (uint32_t i = 0; i < media_file_artist_ids(t).n; i++)
		sum += fb_vector_u32(media_file_artist_ids(t), i);
	for (uint32_t i = 0; i < media_file_subtitles(t).n; i++)
		string_read(subtitle_path(fb_vector_table(media_file_subtitles(t), i)));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct fb_table root;

	if (media_file_batch_verify(span_of(data, n), &root) == ERR_OK)
		for (uint32_t i = 0; i < media_file_batch_files(root).n; i++)
			media_read(fb_vector_table(media_file_batch_files(root), i));
	if (probe_reply_verify(span_of(data, n), &root) == ERR_OK) {
		string_read(probe_reply_art(root));
		string_read(probe_reply_error(root));
		strings_read(probe_reply_genres(root));
		for (uint32_t i = 0; i < probe_reply_audio_tracks(root).n; i++)
			string_read(probe_stream_codec(
				fb_vector_table(probe_reply_audio_tracks(root), i)));
	}
	return 0;
}
