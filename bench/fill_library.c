/* SPDX-License-Identifier: MIT */
/* fill_library DIR N [SEED [ROOT]]: fills the database directory DIR with N generated records
 * through the library's own interface, as a scan would, and prints one JSON line. For benches and
 * for trying a large library without a large disk: the files do not exist. Serve it with ROOT
 * (/generated) as an empty directory: the scanner then takes it for a disk that is not mounted and
 * keeps the records, while those of a root that is none any more would be removed. */
#include <inttypes.h>
#include <stdio.h>

#include "base/clock.h"
#include "base/num.h"
#include "base/thread.h"
#include "library/library.h"
#include "schema/media_fb.h"

#define TRACKS_PER_ALBUM 12
#define ALBUMS_PER_ARTIST 8

static const char *const genres[] = { "Rock",  "Jazz",	"Classical", "Electronic", "Folk",   "Pop",
				      "Blues", "Metal", "Hip Hop",   "Soundtrack", "Ambient" };
static const char *const words[16] = { "Blue",	"Night",  "Été",      "River", "Gold",	"Straße",
				       "Moon",	"Fire",	  "Ångström", "Dream", "Stone", "Light",
				       "Жизнь", "Winter", "Road",     "Glass" };

static uint64_t mix(uint64_t v)
{
	v ^= v >> 33;
	v *= 0xff51afd7ed558ccdull;
	v ^= v >> 33;
	v *= 0xc4ceb9fe1a85ec53ull;
	return v ^ v >> 33;
}

struct names {
	char path[512], title[64], artist[64], album[64];
};

/* File k of the library: an album per folder, eight albums per artist. */
static struct media_file_in file_of(const char *root, uint64_t k, uint64_t seed, struct names *n)
{
	uint64_t album = k / TRACKS_PER_ALBUM, artist = album / ALBUMS_PER_ARTIST;
	uint64_t r = mix(k ^ seed), ra = mix(album ^ seed << 8);
	unsigned track = (unsigned)(k % TRACKS_PER_ALBUM) + 1;
	snprintf(n->artist, sizeof n->artist, "%s %s %u", words[artist % 16],
		 words[mix(artist) % 16], (unsigned)artist);
	snprintf(n->album, sizeof n->album, "%s of %s (%u)", words[ra % 16], words[ra >> 8 & 15],
		 (unsigned)(1 + album % ALBUMS_PER_ARTIST));
	snprintf(n->title, sizeof n->title, "%s %s %u", words[r & 15], words[r >> 4 & 15],
		 (unsigned)(r >> 8) % 1000);
	snprintf(n->path, sizeof n->path, "%s/music/%s/%s/%02u %s.mp3", root, n->artist, n->album,
		 track, n->title);
	return (struct media_file_in){
		.path = span_str(n->path),
		.title = span_str(n->title),
		.artist = span_str(n->artist),
		.album = span_str(n->album),
		.genre = span_str(genres[ra % ARRAY_LEN(genres)]),
		.mime_type = SPAN("audio/mpeg"),
		.container = SPAN("mp3"),
		.audio_codec = SPAN("mp3"),
		.kind = MEDIA_KIND_AUDIO,
		.size = 3000000 + r % 9000000,
		.modified = 1600000000000000000ll + (int64_t)(r % 100000000) * 1000000000ll,
		.duration_ms = 120000 + (uint32_t)(r % 240000),
		.track = (uint16_t)track,
		.disc = 1,
		.year = (uint16_t)(1960 + ra % 64),
		.bitrate = 320000,
		.sample_rate = 44100,
		.channels = 2,
		.device = 4711,
		.inode = 1000000 + k,
		.art_embedded = true,
	};
}

struct outcome {
	struct mutex m;
	struct cond one_done;
	uint64_t batches_left, put_n, failed_n;
};

static void batch_done(void *ctx, const struct batch_result *r)
{
	struct outcome *o = ctx;
	mutex_lock(&o->m);
	o->put_n += r->put_n;
	o->failed_n += r->failed_n + (r->err != ERR_OK);
	o->batches_left--;
	cond_signal(&o->one_done);
	mutex_unlock(&o->m);
}

static enum err submit(struct library *lib, struct batch **b, struct outcome *o)
{
	mutex_lock(&o->m);
	o->batches_left++;
	mutex_unlock(&o->m);
	enum err e = library_submit(lib, *b, BATCH_SCAN, batch_done, o);
	if (e != ERR_OK)
		return e;
	*b = NULL; /* the library's now */
	return batch_new(b);
}

static enum err fill(struct library *lib, const char *root, uint64_t n, uint64_t seed,
		     struct outcome *o)
{
	struct batch *b = NULL;
	enum err e = batch_new(&b);
	if (e == ERR_OK)
		e = batch_root(b, span_str(root), SPAN("Generated"));
	for (uint64_t k = 0; k < n && e == ERR_OK;) {
		struct names names;
		struct media_file_in in = file_of(root, k, seed, &names);
		e = batch_put(b, &in);
		k += e == ERR_OK;
		if (e == ERR_LIMIT || k == n)
			e = submit(lib, &b, o);
	}
	batch_free(b);
	mutex_lock(&o->m);
	while (e == ERR_OK && o->batches_left)
		cond_wait(&o->one_done, &o->m);
	mutex_unlock(&o->m);
	return e;
}

int main(int argc, char **argv)
{
	uint64_t n = 0, seed = 1;
	if (argc < 3 || num_parse_u64(span_str(argv[2]), 1, 100000000, &n) != ERR_OK ||
	    (argc > 3 && num_parse_u64(span_str(argv[3]), 0, UINT64_MAX, &seed) != ERR_OK)) {
		fprintf(stderr, "usage: fill_library DIR N [SEED [ROOT]]\n");
		return 2;
	}
	const char *root = argc > 4 ? argv[4] : "/generated";
	struct library_options options = { .database_dir = argv[1] };
	struct library *lib = NULL;
	struct err_info info = { 0 };
	if (library_open(&options, &lib, &info) != ERR_OK) {
		fprintf(stderr, "%s\n", info.text);
		return 1;
	}
	struct outcome o = { .put_n = 0 };
	mutex_init(&o.m);
	cond_init(&o.one_done);
	struct library_stats stats;
	uint64_t start = clock_now_ms();
	enum err e = fill(lib, root, n, seed, &o);
	uint64_t ms = clock_now_ms() - start;
	library_stats_get(lib, &stats);
	library_close(lib);
	printf("{\"bench\":\"fill_library\",\"records\":%" PRIu64 ",\"put\":%" PRIu64
	       ",\"failed\":%" PRIu64 ",\"ms\":%" PRIu64 ",\"per_second\":%" PRIu64
	       ",\"close_ms\":%" PRIu64 ",\"log_bytes\":%" PRIu64 ",\"index_bytes\":%" PRIu64
	       ",\"memory_peak_bytes\":%" PRIu64 "}\n",
	       n, o.put_n, o.failed_n, ms, o.put_n * 1000 / MAX(ms, (uint64_t)1),
	       clock_now_ms() - start - ms, stats.log_bytes, stats.index_bytes,
	       stats.memory_peak_bytes);
	return e == ERR_OK && o.failed_n == 0 ? 0 : 1;
}
