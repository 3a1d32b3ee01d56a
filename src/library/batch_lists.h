/* SPDX-License-Identifier: MIT */
/* What the operations on playlists, bookmarks and settings carry from the batch to the writer. */
#pragma once

#include "library/bookmarks.h"
#include "library/playlists.h"
#include "library/settings.h"

struct playlist_args { /* OP_PLAYLIST_*: each uses its part */
	uint64_t playlist_id;
	struct span name, description, path;
	bool has_name, has_description;
	uint32_t at;
	const struct playlist_ref *refs;
	uint32_t refs_n;
	const uint64_t *entry_ids;
	uint32_t entry_ids_n;
	enum playlist_import_how how; /* IMPORT */
	struct playlist_source source;
};

struct setting_args { /* OP_SETTING_* */
	struct span name, value;
};

/* OP_BOOKMARK_*: struct bookmark_change */
