/* SPDX-License-Identifier: MIT */
/* Views of FlatBuffers records: the fields that each digest takes, and no others. */
#pragma once

#include "digest.h"
#include "schema/media_fb.h"

static inline struct row_view media_view_record(struct fb_table m)
{
	return (struct row_view){
		.id = media_file_id(m),
		.size = media_file_size(m),
		.modified = media_file_modified(m),
		.duration_ms = media_file_duration_ms(m),
		.track = media_file_track(m),
		.year = media_file_year(m),
		.path = media_file_path(m),
		.filename = media_file_filename(m),
		.mime_type = media_file_mime_type(m),
		.title = media_file_title(m),
		.artist = media_file_artist(m),
		.album = media_file_album(m),
		.genre = media_file_genre(m),
		.album_artist = media_file_album_artist(m),
	};
}

static inline struct row_view media_view_entry(struct fb_table m)
{
	return (struct row_view){ .id = media_file_id(m),
				  .size = media_file_size(m),
				  .filename = media_file_filename(m),
				  .title = media_file_title(m) };
}

static inline struct row_view media_view_track(struct fb_table m)
{
	return (struct row_view){ .id = media_file_id(m),
				  .duration_ms = media_file_duration_ms(m),
				  .track = media_file_track(m),
				  .title = media_file_title(m),
				  .album = media_file_album(m) };
}
