/* SPDX-License-Identifier: MIT */
/* How the server is: /api/v1/status for the page, /healthz and /readyz for supervisors, /metrics
 * for Prometheus. All O(1). */
#include <stdio.h>

#include "base/cache.h"
#include "base/json.h"
#include "base/version.h"
#include "web/web_priv.h"

static uint64_t uptime_s(const struct web *w)
{
	return (clock_now_ms() - w->started_ms) / 1000;
}

static void add_number(struct json *j, const char *name, uint64_t v)
{
	json_key(j, name);
	json_u64(j, v);
}

static void add_library(struct json *j, struct library *library)
{
	struct library_stats s;
	library_stats_get(library, &s);
	json_key(j, "library");
	json_object(j);
	add_number(j, "commit", s.commit);
	add_number(j, "audio", s.audio_n);
	add_number(j, "videos", s.video_n);
	add_number(j, "images", s.images_n);
	add_number(j, "folders", s.directories_n);
	add_number(j, "artists", s.artists_n);
	add_number(j, "albums", s.albums_n);
	add_number(j, "genres", s.genres_n);
	json_key(j, "readOnlyAfterFault");
	json_bool(j, s.poisoned);
	json_object_end(j);
}

/* The scanner's part is written by the application, as an object of its own: hence the seam. */
void api_status_serve(void *ctx, const struct http_req *req, struct http_reply *reply)
{
	const struct web *w = ctx;
	struct buf body;
	struct json j;
	(void)req;
	buf_init(&body, WEB_JSON_MAX_BYTES);
	buf_add_str(&body, "{\"scan\":");
	if (w->options.progress_json)
		w->options.progress_json(w->options.ctx, &body);
	else
		buf_add_str(&body, "null");
	buf_add_str(&body, ",\"server\":");
	json_init(&j, &body);
	json_object(&j);
	json_key(&j, "name");
	json_text(&j, span_str(w->options.friendly_name));
	json_key(&j, "version");
	json_text(&j, SPAN(SALVER_VERSION));
	add_number(&j, "uptimeSeconds", uptime_s(w));
	add_library(&j, w->options.library);
	json_object_end(&j);
	buf_add_char(&body, '}');
	http_reply_status(reply, 200);
	http_reply_header(reply, "Cache-Control", SPAN("no-store"));
	http_reply_body(reply, "application/json", &body);
	buf_fini(&body);
}

static void say(struct http_reply *reply, unsigned status, struct span text)
{
	http_reply_status(reply, status);
	http_reply_header(reply, "Cache-Control", SPAN("no-store"));
	http_reply_static(reply, "text/plain; charset=utf-8", text);
}

void health_serve(void *ctx, const struct http_req *req, struct http_reply *reply)
{
	const struct web *w = ctx;
	struct library_stats s;
	(void)req;
	library_stats_get(w->options.library, &s);
	if (s.poisoned)
		say(reply, 503,
		    SPAN("the library is read-only after a fault; see the log and restart "
			 "salver\n"));
	else
		say(reply, 200, SPAN("ok\n"));
}

/* Routes are served only once the library is open: who gets an answer may come. */
void ready_serve(void *ctx, const struct http_req *req, struct http_reply *reply)
{
	(void)ctx, (void)req;
	say(reply, 200, SPAN("ready\n"));
}

static void metric(struct buf *b, const char *name, const char *type, uint64_t v)
{
	buf_addf(b, "# TYPE salver_%s %s\nsalver_%s %llu\n", name, type, name,
		 (unsigned long long)v);
}

/* Buckets double; Prometheus wants them added up. */
static void add_write_metrics(struct buf *b, const struct write_figures *w)
{
	uint64_t below = 0;
	metric(b, "store_commits_failed_total", "counter", w->failed_n);
	metric(b, "store_commits_bulk_total", "counter", w->bulk_n);
	metric(b, "store_batch_changes_max", "gauge", w->batch_max);
	metric(b, "store_changes_per_second", "gauge", w->per_s);
	metric(b, "store_changes_per_second_peak", "gauge", w->per_s_peak);
	metric(b, "store_changes_per_second_average", "gauge", w->per_s_average);
	buf_add_str(b, "# TYPE salver_store_commit_seconds histogram\n");
	for (unsigned i = 0; i < WRITE_LATENCY_BUCKETS - 1; i++) {
		below += w->commit_us[i];
		buf_addf(b, "salver_store_commit_seconds_bucket{le=\"%g\"} %llu\n",
			 (double)(1u << i) / 1e6, (unsigned long long)below);
	}
	buf_addf(b,
		 "salver_store_commit_seconds_bucket{le=\"+Inf\"} %llu\n"
		 "salver_store_commit_seconds_sum %g\nsalver_store_commit_seconds_count %llu\n",
		 (unsigned long long)w->commits_n, (double)w->commit_us_sum / 1e6,
		 (unsigned long long)w->commits_n);
	buf_add_str(b, "# TYPE salver_store_errors_total counter\n");
	for (unsigned i = 1; i < WRITE_ERRS_N; i++)
		buf_addf(b, "salver_store_errors_total{kind=\"%s\"} %llu\n", err_name((enum err)i),
			 (unsigned long long)w->errors_n[i]);
}

static void add_library_metrics(struct buf *b, struct library *library)
{
	struct library_stats s;
	library_stats_get(library, &s);
	buf_addf(b,
		 "# TYPE salver_media_files gauge\n"
		 "salver_media_files{kind=\"audio\"} %llu\n"
		 "salver_media_files{kind=\"video\"} %llu\n"
		 "salver_media_files{kind=\"image\"} %llu\n",
		 (unsigned long long)s.audio_n, (unsigned long long)s.video_n,
		 (unsigned long long)s.images_n);
	metric(b, "directories", "gauge", s.directories_n);
	metric(b, "store_log_bytes", "gauge", s.log_bytes);
	metric(b, "store_index_bytes", "gauge", s.index_bytes);
	metric(b, "store_memory_bytes", "gauge", s.memory_bytes);
	metric(b, "store_commits_total", "counter", s.commits_n);
	metric(b, "store_rows_put_total", "counter", s.rows_put_n);
	metric(b, "store_rows_removed_total", "counter", s.rows_removed_n);
	metric(b, "store_damaged_records", "gauge", s.damaged_n);
	metric(b, "store_read_only", "gauge", s.poisoned);
	metric(b, "library_queue_batches", "gauge", s.queue_n);
	metric(b, "store_memory_peak_bytes", "gauge", s.memory_peak_bytes);
	metric(b, "store_retries_total", "counter", s.retries_n);
	metric(b, "store_upkeep_due", "gauge", s.upkeep_due);
	add_write_metrics(b, &s.writes);
	metric(b, "search_index_commit", "gauge", s.text_commit);
	metric(b, "search_index_bytes", "gauge", s.text_bytes);
	metric(b, "search_index_memory_bytes", "gauge", s.text_memory_bytes);
	metric(b, "search_index_builds_total", "counter", s.text_builds_n);
	metric(b, "search_index_failures_total", "counter", s.text_failures_n);
	metric(b, "searches_without_index_total", "counter", s.text_refused_n);
}

static void add_cache_metrics(struct buf *b, struct cache *pages)
{
	struct cache_stats s;
	cache_stats_get(pages, &s);
	metric(b, "page_cache_hits_total", "counter", s.hits_n);
	metric(b, "page_cache_misses_total", "counter", s.misses_n);
	metric(b, "page_cache_stale_total", "counter", s.stale_n);
	metric(b, "page_cache_busy_total", "counter", s.busy_n);
	metric(b, "page_cache_evictions_total", "counter", s.evictions_n);
	metric(b, "page_cache_entries", "gauge", s.entries_n);
	metric(b, "page_cache_bytes", "gauge", s.bytes);
	metric(b, "page_cache_max_bytes", "gauge", s.bytes_max);
}

static void add_picture_metrics(struct buf *b, struct pictures *pictures)
{
	struct pictures_stats s;
	pictures_stats_get(pictures, &s);
	metric(b, "thumbnails_made_total", "counter", s.made_n);
	metric(b, "thumbnails_failed_total", "counter", s.failed_n);
	metric(b, "thumbnail_cache_files", "gauge", s.disk.files_n);
	metric(b, "thumbnail_cache_bytes", "gauge", s.disk.bytes);
	metric(b, "thumbnail_cache_max_bytes", "gauge", s.disk.bytes_max);
	metric(b, "thumbnail_cache_evictions_total", "counter", s.disk.evictions_n);
	metric(b, "thumbnail_cache_damaged_total", "counter", s.disk.damaged_n);
	metric(b, "thumbnail_cache_failures_total", "counter", s.disk.failures_n);
}

void metrics_serve(void *ctx, const struct http_req *req, struct http_reply *reply)
{
	const struct web *w = ctx;
	struct http_stats s;
	struct buf body;
	(void)req;
	buf_init(&body, WEB_JSON_MAX_BYTES);
	buf_addf(&body, "# TYPE salver_info gauge\nsalver_info{version=\"%s\"} 1\n",
		 SALVER_VERSION);
	metric(&body, "uptime_seconds", "gauge", uptime_s(w));
	add_library_metrics(&body, w->options.library);
	if (w->options.pages)
		add_cache_metrics(&body, w->options.pages);
	add_picture_metrics(&body, w->pictures);
	http_stats_get(w->options.http, &s);
	metric(&body, "http_requests_total", "counter", s.requests_n);
	metric(&body, "http_connections_total", "counter", s.connections_n);
	metric(&body, "http_sent_bytes_total", "counter", s.bytes_sent);
	metric(&body, "http_errors_total", "counter", s.errors_n);
	metric(&body, "http_refused_total", "counter", s.refused_n);
	http_reply_status(reply, 200);
	http_reply_header(reply, "Cache-Control", SPAN("no-store"));
	http_reply_body(reply, "text/plain; version=0.0.4; charset=utf-8", &body);
	buf_fini(&body);
}
