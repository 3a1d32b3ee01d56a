/* SPDX-License-Identifier: MIT */
/* salver-probe-av.so: one file for libavformat, read from an open descriptor, never another. */
#include "probe/helper/av_input.h"

#include <errno.h>
#include <unistd.h>

#include "base/clock.h"

#define AV_IO_BYTES 32768
/* Streams without a header (ts, mpg) are read this far to find out what is in them. */
#define AV_PROBE_BYTES (5 << 20)
#define AV_ANALYZE_US 2000000
/* In gigabytes of nothing it would look for a packet until the time is over. */
#define AV_READ_MAX_BYTES (128u << 20)

static int input_is_late(void *opaque)
{
	const struct av_input *in = opaque;

	return clock_now_ms() >= in->deadline_ms;
}

/* Looks at the clock itself: libavformat asks only between packets, and headers can be endless. */
static int input_read(void *opaque, uint8_t *p, int n)
{
	struct av_input *in = opaque;

	if (input_is_late(in))
		return AVERROR_EXIT;
	if (in->read_n >= AV_READ_MAX_BYTES)
		return AVERROR_EOF;
	ssize_t got = pread(in->request->fd, p, (size_t)n, in->at);

	if (got < 0)
		return AVERROR(errno);
	in->at += got;
	in->read_n += (uint64_t)got;
	return got == 0 ? AVERROR_EOF : (int)got;
}

static int64_t input_seek(void *opaque, int64_t off, int whence)
{
	struct av_input *in = opaque;
	int64_t base = 0;
	int64_t at;

	whence &= ~AVSEEK_FORCE;
	if (whence == AVSEEK_SIZE)
		return (int64_t)in->request->size;
	if (whence == SEEK_CUR)
		base = in->at;
	else if (whence == SEEK_END)
		base = (int64_t)in->request->size;
	if (__builtin_add_overflow(base, off, &at) || at < 0)
		return AVERROR(EINVAL);
	in->at = at;
	return at;
}

/* A file may ask for others (playlists, external tracks): never. */
static int refuse_open(AVFormatContext *ctx, AVIOContext **io, const char *url, int flags,
		       AVDictionary **options)
{
	(void)ctx, (void)io, (void)url, (void)flags, (void)options;
	return AVERROR(EPERM);
}

void av_input_close(struct av_input *in)
{
	avformat_close_input(&in->ctx);
	if (in->io)
		av_freep(&in->io->buffer);
	avio_context_free(&in->io);
}

int av_input_status(const struct av_input *in, int averror)
{
	if (averror >= 0)
		return AV_STATUS_OK;
	if (averror == AVERROR(ENOMEM))
		return AV_STATUS_NO_MEMORY;
	return averror == AVERROR_EXIT || input_is_late((void *)(uintptr_t)in) ? AV_STATUS_TIMEOUT
									       : AV_STATUS_BROKEN;
}

int av_input_open(struct av_input *in)
{
	const AVInputFormat *format = av_find_input_format(in->request->format);
	uint8_t *buffer = av_malloc(AV_IO_BYTES);

	if (!format || !buffer) {
		av_free(buffer);
		return format ? AVERROR(ENOMEM) : AVERROR_DEMUXER_NOT_FOUND;
	}
	in->io = avio_alloc_context(buffer, AV_IO_BYTES, 0, in, input_read, NULL, input_seek);
	if (!in->io) {
		av_free(buffer);
		return AVERROR(ENOMEM);
	}
	in->ctx = avformat_alloc_context();
	if (!in->ctx)
		return AVERROR(ENOMEM);
	in->ctx->pb = in->io;
	in->ctx->io_open = refuse_open;
	in->ctx->interrupt_callback = (AVIOInterruptCB){ input_is_late, in };
	in->ctx->probesize = AV_PROBE_BYTES;
	in->ctx->max_analyze_duration = AV_ANALYZE_US;
	/* MP4: we play nothing, so that frames need not be cut to the edit list. */
	AVDictionary *options = NULL;
	(void)av_dict_set(&options, "advanced_editlist", "0", 0);
	/* On failure this frees the context, but not our reader. */
	int e = avformat_open_input(&in->ctx, NULL, format, &options);
	av_dict_free(&options);
	return e;
}

bool av_stream_is_film(const AVStream *st)
{
	return st->codecpar->codec_type == AVMEDIA_TYPE_VIDEO &&
	       !(st->disposition & (AV_DISPOSITION_ATTACHED_PIC | AV_DISPOSITION_TIMED_THUMBNAILS));
}
