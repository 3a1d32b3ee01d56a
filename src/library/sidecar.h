/* SPDX-License-Identifier: MIT */
/* Files that belong to a media file beside them: folder art and subtitles. Names only, no disk. */
#pragma once

#include "base/arena.h"
#include "base/err.h"
#include "base/span.h"

#define SIDECAR_SUBTITLES_MAX 32 /* of one film; more are left out */

struct sidecar {
	struct span name; /* below the directory: "film.en.srt", "Subs/film.en.srt" */
	struct span stem; /* what is compared with the media file's stem, and what follows it */
};

/** The side files of one directory. Zeroed: none. Names are borrowed. */
struct sidecars {
	struct sidecar *images, *subtitles; /* after sidecars_sort(): by stem, ASCII case ignored */
	size_t images_n, images_cap, subtitles_n, subtitles_cap;
	struct span loose[SIDECAR_SUBTITLES_MAX]; /* in Subs/, named after no film */
	size_t loose_n;
	struct span folder_art;
	unsigned folder_rank;
	size_t films_n; /* video files in the directory, by extension */
};

void sidecars_reset(struct sidecars *s); /* keeps the memory */
void sidecars_fini(struct sidecars *s);

/** Could this name be art (jpg, png) or a subtitle (srt, vtt, ass, ssa, sub, idx, smi)? */
bool sidecar_is_image(struct span name);
bool sidecar_is_subtitle(struct span name);
/** A name that players take for a folder's picture: cover.jpg, folder.jpg, AlbumArtSmall.jpg ... */
bool sidecar_is_folder_art(struct span name);
/** A directory that holds the subtitles of the films beside it: Subs, Subtitles. */
bool sidecar_is_subtitle_directory(struct span name);

NODISCARD enum err sidecars_add_image(struct sidecars *s, struct span name);
NODISCARD enum err sidecars_add_subtitle(struct sidecars *s, struct span name);
/** `name` with its directory in front: "Subs/film.en.srt", "Subs/film/2_English.srt". */
NODISCARD enum err sidecars_add_subtitle_below(struct sidecars *s, struct span name);
/** After the last add, before the first look-up. */
void sidecars_sort(struct sidecars *s);

/** The picture for the media file of this name: its own, else the folder's; empty: none. */
struct span sidecar_art(const struct sidecars *s, struct span media_name);

struct sidecar_subtitle {
	struct span name;     /* below the directory */
	struct span language; /* "en" of film.en.srt; may be empty */
};
/** The subtitles of the film of this name, in the order of their names; a pair of film.idx and
 * film.sub is one, the .idx. Returns how many. */
size_t sidecar_subtitles(const struct sidecars *s, struct span media_name,
			 struct sidecar_subtitle out[SIDECAR_SUBTITLES_MAX]);

/** The name without its extension; all of it where there is none. */
struct span sidecar_stem(struct span name);
