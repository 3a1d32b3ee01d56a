/* SPDX-License-Identifier: MIT */
/* Figures of every module, gathered into one JSON object. */
#include "app/status.h"

#include "base/clock.h"
#include "base/json.h"
#include "dlna/dlna.h"
#include "http/http.h"
#include "library/library.h"
#include "scanner/scanner.h"
#include "base/version.h"

static void add_u64(struct json *j, const char *name, uint64_t value)
{
	json_key(j, name);
	json_u64(j, value);
}

/* null where it is `unknown` */
static void add_known(struct json *j, const char *name, uint64_t value, uint64_t unknown)
{
	json_key(j, name);
	if (value == unknown)
		json_null(j);
	else
		json_u64(j, value);
}

void status_add_progress(struct json *j, const struct scanner_progress *p)
{
	uint64_t end_ms = p->ended_ms ? p->ended_ms : clock_now_ms();
	uint64_t elapsed_ms = p->started_ms ? end_ms - p->started_ms : 0;

	json_object(j);
	json_key(j, "scanning");
	json_bool(j, p->scanning);
	add_u64(j, "elapsedMs", elapsed_ms);
	add_u64(j, "directories", p->directories_n);
	add_u64(j, "found", p->found_n);
	add_u64(j, "unchanged", p->unchanged_n);
	add_u64(j, "probed", p->probed_n);
	add_u64(j, "stored", p->stored_n);
	add_u64(j, "removed", p->removed_n);
	add_u64(j, "failed", p->failed_n);
	add_u64(j, "quarantined", p->quarantined_n);
	add_u64(j, "watches", p->watches_n);
	add_u64(j, "filesPerSecond", elapsed_ms ? p->done_n * 1000 / elapsed_ms : 0);
	add_known(j, "expected", p->expected_n, 0);
	add_known(j, "leftMs", scanner_left_ms(p, clock_now_ms()), UINT64_MAX);
	json_object_end(j);
}

static void add_writes(struct json *j, const struct write_figures *w, uint64_t retries_n)
{
	json_key(j, "writes");
	json_object(j);
	add_u64(j, "commits", w->commits_n);
	add_u64(j, "failed", w->failed_n);
	add_u64(j, "dropped", w->aborts_n);
	add_u64(j, "bulk", w->bulk_n);
	add_u64(j, "changes", w->changes_n);
	add_u64(j, "largest", w->batch_max);
	add_u64(j, "perSecond", w->per_s);
	add_u64(j, "perSecondPeak", w->per_s_peak);
	add_u64(j, "perSecondAverage", w->per_s_average);
	add_u64(j, "commitMicrosAverage", w->commits_n ? w->commit_us_sum / w->commits_n : 0);
	add_u64(j, "commitMicrosMax", w->commit_us_max);
	json_key(j, "commitsByMicros"); /* [i]: less than 2^i */
	json_array(j);
	for (unsigned i = 0; i < WRITE_LATENCY_BUCKETS; i++)
		json_u64(j, w->commit_us[i]);
	json_array_end(j);
	add_u64(j, "retries", retries_n);
	json_key(j, "errors");
	json_object(j);
	for (unsigned i = 1; i < WRITE_ERRS_N; i++)
		if (w->errors_n[i])
			add_u64(j, err_name((enum err)i), w->errors_n[i]);
	json_object_end(j);
	json_object_end(j);
}

static void add_library(struct json *j, struct library *library)
{
	struct library_stats s;

	library_stats_get(library, &s);
	json_object(j);
	add_u64(j, "commit", s.commit);
	add_u64(j, "audio", s.audio_n);
	add_u64(j, "videos", s.video_n);
	add_u64(j, "images", s.images_n);
	add_u64(j, "directories", s.directories_n);
	add_u64(j, "artists", s.artists_n);
	add_u64(j, "albums", s.albums_n);
	add_u64(j, "genres", s.genres_n);
	add_u64(j, "logBytes", s.log_bytes);
	add_u64(j, "indexBytes", s.index_bytes);
	add_u64(j, "memoryBytes", s.memory_bytes);
	add_u64(j, "memoryPeakBytes", s.memory_peak_bytes);
	add_u64(j, "commits", s.commits_n);
	add_u64(j, "rowsPut", s.rows_put_n);
	add_u64(j, "rowsRemoved", s.rows_removed_n);
	add_u64(j, "damaged", s.damaged_n);
	add_u64(j, "searchIndexCommit", s.text_commit);
	add_u64(j, "searchIndexBytes", s.text_bytes);
	add_u64(j, "searchIndexMemoryBytes", s.text_memory_bytes);
	add_u64(j, "searchIndexBuilds", s.text_builds_n);
	add_u64(j, "searchIndexBuildMs", s.text_build_ms);
	add_u64(j, "searchIndexFailures", s.text_failures_n);
	add_u64(j, "searchesWithoutIndex", s.text_refused_n);
	json_key(j, "readOnlyAfterFault");
	json_bool(j, s.poisoned);
	add_writes(j, &s.writes, s.retries_n);
	json_object_end(j);
}

static void add_http(struct json *j, struct http *http)
{
	struct http_stats s;

	http_stats_get(http, &s);
	json_object(j);
	add_u64(j, "requests", s.requests_n);
	add_u64(j, "connections", s.connections_n);
	add_u64(j, "bytesSent", s.bytes_sent);
	add_u64(j, "errors", s.errors_n);
	add_u64(j, "refused", s.refused_n);
	json_object_end(j);
}

static void add_cache(struct json *j, const struct cache_stats *s)
{
	json_object(j);
	add_u64(j, "hits", s->hits_n);
	add_u64(j, "misses", s->misses_n);
	add_u64(j, "stale", s->stale_n);
	add_u64(j, "busy", s->busy_n);
	add_u64(j, "evictions", s->evictions_n);
	add_u64(j, "entries", s->entries_n);
	add_u64(j, "bytes", s->bytes);
	add_u64(j, "maxBytes", s->bytes_max);
	json_object_end(j);
}

static void add_dlna(struct json *j, struct dlna *dlna)
{
	struct dlna_stats s;

	dlna_stats_get(dlna, &s);
	json_object(j);
	add_u64(j, "browses", s.browses_n);
	add_u64(j, "faults", s.faults_n);
	add_u64(j, "subscriptions", s.subscriptions_n);
	add_u64(j, "events", s.events_n);
	json_key(j, "pages");
	add_cache(j, &s.pages);
	json_object_end(j);
}

void status_json(struct library *library, struct http *http, struct dlna *dlna,
		 const struct scanner_progress *progress, struct buf *out)
{
	struct json j;

	json_init(&j, out);
	json_object(&j);
	json_key(&j, "version");
	json_text(&j, SPAN(SALVER_VERSION));
	json_key(&j, "library");
	add_library(&j, library);
	if (http) {
		json_key(&j, "http");
		add_http(&j, http);
	}
	if (dlna) {
		json_key(&j, "dlna");
		add_dlna(&j, dlna);
	}
	if (progress) {
		json_key(&j, "scan");
		status_add_progress(&j, progress);
	}
	json_object_end(&j);
}
