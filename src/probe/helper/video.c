/* SPDX-License-Identifier: MIT */
/* Facts of films: salver-probe-av.so is loaded, asked, and its answer cleaned. */
#include "probe/helper/video.h"

#include <dlfcn.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>

_Static_assert((int)AV_SCAN_PROGRESSIVE == (int)VIDEO_SCAN_PROGRESSIVE &&
		       (int)AV_SCAN_INTERLACED == (int)VIDEO_SCAN_INTERLACED,
	       "the module speaks the schema's language");

static char module_path[PATH_MAX];

void video_init(const char *library_dir)
{
	int n = snprintf(module_path, sizeof module_path, "%s/" AV_MODULE_FILE, library_dir);

	if (n < 0 || (size_t)n >= sizeof module_path)
		module_path[0] = '\0';
}

/* Loaded once; a failure is final as well. */
static void *module_symbol(const char *name)
{
	static void *so;
	static bool tried;

	if (!tried) {
		so = dlopen(module_path, RTLD_LAZY | RTLD_LOCAL);
		if (!so)
			fprintf(stderr, "salver-probe: %s\n", dlerror());
	}
	tried = true;
	return so ? dlsym(so, name) : NULL;
}

av_thumb_fn *video_thumb_function(void)
{
	return (av_thumb_fn *)module_symbol(AV_THUMB_SYMBOL);
}

static struct span take_text(struct facts *f, const char *s)
{
	return facts_text(f, span_str(s));
}

static void take_tracks(struct facts *f, const struct av_facts *av)
{
	uint32_t n = MIN(av->tracks_n, (uint32_t)FACTS_TRACKS_MAX);

	for (uint32_t i = 0; i < n; i++) {
		f->tracks[i] = (struct probe_stream_in){
			.codec = take_text(f, av->tracks[i].codec),
			.language = take_text(f, av->tracks[i].language),
			.channels = av->tracks[i].channels,
		};
	}
	f->reply.audio_tracks_n = n;
}

static void take_facts(struct facts *f, const struct av_facts *av)
{
	struct probe_reply_in *r = &f->reply;

	r->kind = av->has_video ? MEDIA_KIND_VIDEO : MEDIA_KIND_AUDIO;
	r->duration_ms = av->duration_ms > UINT32_MAX ? UINT32_MAX : (uint32_t)av->duration_ms;
	r->bitrate = av->bitrate > 0 && av->bitrate <= UINT32_MAX ? (uint32_t)av->bitrate : 0;
	r->width = av->width;
	r->height = av->height;
	r->frame_rate_milli = av->frame_rate_milli;
	r->video_level = av->level;
	r->container = take_text(f, av->container);
	r->video_codec = take_text(f, av->video_codec);
	r->video_profile = take_text(f, av->video_profile);
	r->audio_codec = take_text(f, av->audio_codec);
	r->audio_profile = take_text(f, av->audio_profile);
	r->video_scan = (uint8_t)av->scan;
	r->sample_rate = av->sample_rate;
	r->channels = av->channels;
	r->bits_per_sample = av->bits_per_sample;
	r->title = take_text(f, av->title);
	r->album = take_text(f, av->album);
	facts_add_artist(f, span_str(av->artist));
	facts_add_genre(f, span_str(av->genre));
	r->year = facts_year(span_first(span_str(av->date), 4));
	r->date_taken = av->has_video ? facts_time(span_str(av->created)) : 0;
	take_tracks(f, av);
}

static void take_art(struct facts *f, struct av_facts *av)
{
	if (av->art)
		facts_art(f, span_of(av->art, av->art_n));
	else if (av->art_found && f->want_art && av->art_n > facts_art_max(f))
		facts_fail(f, PROBE_STATUS_TOO_LARGE, "the embedded picture is too large");
	else if (av->art_found && !f->want_art)
		facts_art(f, span_of(av->art_head, sizeof av->art_head));
	free(TAKE(av->art));
}

static void fail(struct facts *f, int av_status)
{
	if (av_status == AV_STATUS_TIMEOUT)
		facts_fail(f, PROBE_STATUS_TIMEOUT, "reading it took too long");
	else if (av_status == AV_STATUS_NO_MEMORY)
		facts_fail(f, PROBE_STATUS_TOO_LARGE, "its headers need too much memory");
	else
		facts_fail(f, PROBE_STATUS_BROKEN, "no film or sound was found in it");
}

void video_probe(struct facts *f, const struct source *s, const char *av_format)
{
	static struct av_facts av; /* large; one worker, one thread */
	av_module_fn *fn = av_format ? (av_module_fn *)module_symbol(AV_MODULE_SYMBOL) : NULL;
	struct av_request request = { .fd = s->fd,
				      .size = s->size,
				      .format = av_format,
				      .art_max_n = f->want_art ? facts_art_max(f) : 0,
				      .time_max_ms = VIDEO_TIME_MAX_MS };

	if (!fn) {
		facts_fail(f, PROBE_STATUS_UNAVAILABLE, "salver-probe-av.so cannot be loaded");
		return;
	}
	int status = fn(&request, &av);
	if (status == AV_STATUS_OK && (av.has_video || av.audio_codec[0]))
		take_facts(f, &av);
	else
		fail(f, status);
	take_art(f, &av);
}
