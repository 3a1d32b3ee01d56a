/* SPDX-License-Identifier: MIT */
/* Every field of MediaFile once, for C and C++: X(kind of value, name). */
#pragma once

/* clang-format off */
#define MEDIA_FIELDS(X)                                                                            \
	X(NUM, id) X(STR, path) X(STR, canonical_path) X(STR, filename) X(NUM, size)               \
	X(NUM, modified) X(STR, mime_type) X(NUM, duration_ms) X(STR, title) X(STR, artist)        \
	X(STR, album) X(STR, genre) X(NUM, track) X(NUM, year) X(STR, album_artist)                \
	X(NUM, created_at) X(NUM, updated_at) X(NUM, disc) X(STR, composer) X(NUM, bitrate)        \
	X(NUM, sample_rate) X(NUM, channels) X(NUM, bits_per_sample) X(NUM, width) X(NUM, height)  \
	X(STR, container) X(STR, audio_codec) X(STR, video_codec) X(STR, video_profile)            \
	X(NUM, video_level) X(NUM, frame_rate_milli) X(NUM, date_taken) X(NUM, orientation)        \
	X(STR, camera) X(STR, art_path) X(NUM, art_embedded) X(NUM, device) X(NUM, inode)          \
	X(NUM, kind) X(NUM, directory_id) X(STRS, artists) X(STRS, genres) X(NUMS, artist_ids)     \
	X(NUM, album_artist_id) X(NUMS, genre_ids) X(NUM, composer_id) X(NUM, year_id)             \
	X(NUM, album_id) X(NUM, compilation) X(NUM, probe_error)                              \
	X(STR, audio_profile) X(NUM, mpeg_stream) X(NUM, video_scan)
/* clang-format on */
/* beside subtitles {path, language} and audio_tracks {codec, language, channels} */
