/* SPDX-License-Identifier: MIT */
/* DLNA media format profiles. The conditions are those of gupnp-dlna's profile descriptions. */
#include "dlna/profile.h"

#include "base/media_type.h"
#include "schema/media_fb.h"

/* OP=01: seek by byte range, not by time. CI=0: the file as it is. FLAGS: streaming or interactive
 * mode, background mode, stalling of the connection, DLNA 1.5. */
#define FEATURES_AV "DLNA.ORG_OP=01;DLNA.ORG_CI=0;DLNA.ORG_FLAGS=01700000000000000000000000000000"
#define FEATURES_IMAGE                                                                             \
	"DLNA.ORG_OP=01;DLNA.ORG_CI=0;DLNA.ORG_FLAGS=00D00000000000000000000000000000"

/* OP=00: a thumbnail is small, it is sent whole. CI=1: it is not the original. */
#define FEATURES_THUMB                                                                             \
	"DLNA.ORG_OP=00;DLNA.ORG_CI=1;DLNA.ORG_FLAGS=00D00000000000000000000000000000"

struct range {
	uint32_t min, max;
};

enum { NAMES_MAX = 3, RASTERS_MAX = 7 };

/* A size, and at how many pictures in 1,000 seconds it is allowed. */
struct raster {
	uint32_t width, height;
	uint32_t rates[2];
	uint32_t progressive_rates[4]; /* not if the pictures are interlaced, or may be */
};

/* One profile; an empty field says nothing about the fact. Every number must be known. */
struct profile {
	const char *name;
	const char *mime;
	const char *audio_codecs[NAMES_MAX];
	const char *audio_profiles[NAMES_MAX]; /* "": not known */
	const char *video_codec;
	const char *video_profiles[NAMES_MAX];
	struct range sample_rate, channels, bitrate, level, frame_rate;
	uint32_t width_max, height_max;
	const struct raster *rasters; /* RASTERS_MAX; ends at a width of 0 */
	enum mpeg_stream stream;      /* where it is set, it stands for the type of the file */
};

/* ---- MPEG-2: sizes that belong to a rate of pictures, by region ------------------------------ */

#define FILM_AND_DOUBLE                                                                            \
	{                                                                                          \
		23976, 24000, 59940, 60000                                                         \
	}
#define FILM                                                                                       \
	{                                                                                          \
		23976, 24000                                                                       \
	}

/* 29.97 frames a second, and with square or nearly square pixels also film and double rates */
static const struct raster rasters_ts_na[RASTERS_MAX] = {
	{ 720, 480, { 29970 }, { 0 } },
	{ 704, 480, { 29970, 30000 }, FILM_AND_DOUBLE },
	{ 640, 480, { 29970, 30000 }, FILM_AND_DOUBLE },
	{ 544, 480, { 29970 }, { 0 } },
	{ 480, 480, { 29970 }, { 0 } },
	{ 352, 480, { 29970 }, { 0 } },
};
static const struct raster rasters_ts_eu[RASTERS_MAX] = {
	{ 720, 576, { 25000 }, { 0 } }, { 544, 576, { 25000 }, { 0 } },
	{ 480, 576, { 25000 }, { 0 } }, { 352, 576, { 25000 }, { 0 } },
	{ 352, 288, { 25000 }, { 0 } },
};
static const struct raster rasters_ts_hd_na[RASTERS_MAX] = {
	{ 1920, 1080, { 29970, 30000 }, FILM },
	{ 1280, 720, { 29970, 30000 }, FILM },
	{ 1440, 1080, { 29970, 30000 }, FILM },
	{ 1280, 1080, { 29970, 30000 }, FILM },
};
static const struct raster rasters_ps_ntsc[RASTERS_MAX] = {
	{ 720, 480, { 29970 }, { 0 } }, { 704, 480, { 29970, 30000 }, FILM_AND_DOUBLE },
	{ 544, 480, { 29970 }, { 0 } }, { 480, 480, { 29970 }, { 0 } },
	{ 352, 480, { 29970 }, { 0 } }, { 352, 240, { 29970 }, { 0 } },
};
static const struct raster rasters_ps_pal[RASTERS_MAX] = {
	{ 720, 576, { 25000 }, { 0 } }, { 704, 576, { 25000 }, { 0 } },
	{ 544, 576, { 25000 }, { 0 } }, { 480, 576, { 25000 }, { 0 } },
	{ 352, 576, { 25000 }, { 0 } }, { 352, 288, { 25000 }, { 0 } },
};

/* libavcodec's numbers of MPEG-2's levels: the greater, the lower. */
#define MPEG2_UP_TO_MAIN                                                                           \
	{                                                                                          \
		8, 10                                                                              \
	}
#define MPEG2_UP_TO_HIGH                                                                           \
	{                                                                                          \
		4, 10                                                                              \
	}

/* ---- the table ------------------------------------------------------------------------------- */

#define MPEG_MIME "video/mpeg"

/* A film in a transport stream: three profiles, by its packets. */
#define IN_TS(name_, ...)                                                                          \
	{ .name = name_ "_ISO", .mime = MPEG_MIME, .stream = MPEG_STREAM_TRANSPORT, __VA_ARGS__ }, \
		{ .name = name_,                                                                   \
		  .mime = MEDIA_TYPE_STAMPED_TS,                                                   \
		  .stream = MPEG_STREAM_TRANSPORT_ZERO,                                            \
		  __VA_ARGS__ },                                                                   \
	{                                                                                          \
		.name = name_ "_T", .mime = MEDIA_TYPE_STAMPED_TS,                                 \
		.stream = MPEG_STREAM_TRANSPORT_STAMPED, __VA_ARGS__                               \
	}

/* MPEG-2. gupnp-dlna and ATSC limit the whole to 19.4 Mbit/s, DVD to 10.08. */
#define MPEG2_TS                                                                                   \
	.video_codec = "mpeg2video", .video_profiles = { "Main", "Simple" },                       \
	.level = MPEG2_UP_TO_HIGH, .bitrate = { 1, 19392700 }, .channels = { 1, 6 }
#define MPEG2_PS                                                                                   \
	.mime = MPEG_MIME, .stream = MPEG_STREAM_PROGRAM, .video_codec = "mpeg2video",             \
	.video_profiles = { "Main", "Simple" }, .level = MPEG2_UP_TO_MAIN,                         \
	.bitrate = { 1, 10080000 }, .sample_rate = { 48000, 48000 }, .channels = { 1, 6 },         \
	.audio_codecs = { "ac3", "mp2" }

/* H.264: level 3 at 10 Mbit/s, level 4 at 20, High profile at 30. */
#define AVC_SD                                                                                     \
	.video_codec = "h264", .video_profiles = { "Main", "Constrained Baseline" },               \
	.level = { 1, 30 }, .bitrate = { 1, 10000000 }, .frame_rate = { 1, 30000 },                \
	.width_max = 720, .height_max = 576
#define AVC_HD                                                                                     \
	.video_codec = "h264", .video_profiles = { "Main", "Constrained Baseline" },               \
	.level = { 1, 40 }, .bitrate = { 1, 20000000 }, .frame_rate = { 1, 60000 },                \
	.width_max = 1920, .height_max = 1152
#define AVC_HIGH_HD                                                                                \
	.video_codec = "h264", .video_profiles = { "High" }, .level = { 1, 40 },                   \
	.bitrate = { 1, 30000000 }, .frame_rate = { 1, 60000 }, .width_max = 1920,                 \
	.height_max = 1152

#define WITH_AC3 .audio_codecs = { "ac3" }, .sample_rate = { 32000, 48000 }, .channels = { 1, 6 }
#define WITH_AAC_MULT5                                                                             \
	.audio_codecs = { "aac" }, .audio_profiles = { "LC" }, .sample_rate = { 8000, 48000 },     \
	.channels = { 1, 6 }
#define WITH_MP3 .audio_codecs = { "mp3" }, .sample_rate = { 32000, 48000 }, .channels = { 1, 2 }

/* The first that fits counts, so the narrower stand first. */
static const struct profile profiles[] = {
	{ .name = "MP3",
	  .mime = "audio/mpeg",
	  .audio_codecs = { "mp3" },
	  .sample_rate = { 32000, 48000 },
	  .channels = { 1, 2 },
	  .bitrate = { 32000, 320999 } },
	{ .name = "HEAAC_L2_ISO",
	  .mime = "audio/mp4",
	  .audio_codecs = { "aac" },
	  .audio_profiles = { "HE-AAC" },
	  .sample_rate = { 8000, 48000 },
	  .channels = { 1, 2 },
	  .bitrate = { 1, 320000 } },
	{ .name = "AAC_ISO_320",
	  .mime = "audio/mp4",
	  .audio_codecs = { "aac" },
	  .audio_profiles = { "LC" },
	  .sample_rate = { 8000, 48000 },
	  .channels = { 1, 2 },
	  .bitrate = { 1, 320999 } },
	/* Below 96 kbit/s it may as well be HE-AAC, where that is not known. */
	{ .name = "AAC_ISO_320",
	  .mime = "audio/mp4",
	  .audio_codecs = { "aac" },
	  .audio_profiles = { "" },
	  .sample_rate = { 8000, 48000 },
	  .channels = { 1, 2 },
	  .bitrate = { 96000, 320999 } },
	{ .name = "AAC_ISO",
	  .mime = "audio/mp4",
	  .audio_codecs = { "aac" },
	  .audio_profiles = { "LC", "" },
	  .sample_rate = { 8000, 48000 },
	  .channels = { 1, 2 },
	  .bitrate = { 321000, 576000 } },
	{ .name = "WMABASE",
	  .mime = "audio/x-ms-wma",
	  .audio_codecs = { "wmav2" },
	  .sample_rate = { 8000, 48000 },
	  .channels = { 1, 2 },
	  .bitrate = { 1, 192999 } },
	{ .name = "WMAFULL",
	  .mime = "audio/x-ms-wma",
	  .audio_codecs = { "wmav2" },
	  .sample_rate = { 8000, 48000 },
	  .channels = { 1, 2 },
	  .bitrate = { 193000, 385000 } },
	{ .name = "JPEG_TN", .mime = "image/jpeg", .width_max = 160, .height_max = 160 },
	{ .name = "JPEG_SM", .mime = "image/jpeg", .width_max = 640, .height_max = 480 },
	{ .name = "JPEG_MED", .mime = "image/jpeg", .width_max = 1024, .height_max = 768 },
	{ .name = "JPEG_LRG", .mime = "image/jpeg", .width_max = 4096, .height_max = 4096 },
	{ .name = "PNG_LRG", .mime = "image/png", .width_max = 4096, .height_max = 4096 },
	{ .name = "AVC_MP4_BL_L3L_SD_AAC",
	  .mime = "video/mp4",
	  .audio_codecs = { "aac" },
	  .audio_profiles = { "LC", "" },
	  .video_codec = "h264",
	  .video_profiles = { "Constrained Baseline" },
	  .sample_rate = { 8000, 48000 },
	  .channels = { 1, 2 },
	  .bitrate = { 1, 4500000 },
	  .level = { 1, 30 },
	  .width_max = 720,
	  .height_max = 576 },
	{ .name = "AVC_MP4_MP_SD_AAC_MULT5",
	  .mime = "video/mp4",
	  .audio_codecs = { "aac" },
	  .audio_profiles = { "LC", "" },
	  .video_codec = "h264",
	  .video_profiles = { "Main", "Constrained Baseline" },
	  .sample_rate = { 8000, 48000 },
	  .channels = { 1, 6 },
	  .bitrate = { 1, 10000000 },
	  .level = { 1, 30 },
	  .width_max = 720,
	  .height_max = 576 },
	{ .name = "AVC_MP4_HP_HD_AAC",
	  .mime = "video/mp4",
	  .audio_codecs = { "aac" },
	  .audio_profiles = { "LC", "" },
	  .video_codec = "h264",
	  .video_profiles = { "High", "Main", "Constrained Baseline" },
	  .sample_rate = { 8000, 48000 },
	  .channels = { 1, 2 },
	  .bitrate = { 1, 20000000 },
	  .level = { 1, 40 },
	  .width_max = 1920,
	  .height_max = 1152 },
	{ .name = "MPEG_PS_NTSC", .rasters = rasters_ps_ntsc, MPEG2_PS },
	{ .name = "MPEG_PS_PAL", .rasters = rasters_ps_pal, MPEG2_PS },
	IN_TS("MPEG_TS_SD_NA", .rasters = rasters_ts_na, MPEG2_TS, .audio_codecs = { "ac3" },
	      .sample_rate = { 48000, 48000 }),
	IN_TS("MPEG_TS_SD_EU", .rasters = rasters_ts_eu, MPEG2_TS, .audio_codecs = { "ac3", "mp2" },
	      .sample_rate = { 32000, 48000 }),
	IN_TS("MPEG_TS_HD_NA", .rasters = rasters_ts_hd_na, MPEG2_TS, .audio_codecs = { "ac3" },
	      .sample_rate = { 48000, 48000 }),
	IN_TS("AVC_TS_MP_SD_AC3", AVC_SD, WITH_AC3),
	IN_TS("AVC_TS_MP_SD_AAC_MULT5", AVC_SD, WITH_AAC_MULT5),
	IN_TS("AVC_TS_MP_SD_MPEG1_L3", AVC_SD, WITH_MP3),
	IN_TS("AVC_TS_MP_HD_AC3", AVC_HD, WITH_AC3),
	IN_TS("AVC_TS_MP_HD_AAC_MULT5", AVC_HD, WITH_AAC_MULT5),
	IN_TS("AVC_TS_MP_HD_MPEG1_L3", AVC_HD, WITH_MP3),
	IN_TS("AVC_TS_HP_HD_AC3", AVC_HIGH_HD, WITH_AC3),
};

static bool same(const char *want, struct span have)
{
	return !want || span_eq(span_str(want), have);
}

static bool within(struct range want, uint32_t have)
{
	return want.max == 0 || (have >= want.min && have <= want.max);
}

static bool up_to(uint32_t max, uint32_t have)
{
	return max == 0 || (have > 0 && have <= max);
}

static bool one_of(const char *const names[NAMES_MAX], struct span have)
{
	if (!names[0])
		return true;
	for (size_t i = 0; i < NAMES_MAX && names[i]; i++)
		if (span_eq(span_str(names[i]), have))
			return true;
	return false;
}

/** Width and height as the file has them; the record has them as shown. */
static bool fits(const struct profile *p, struct fb_table m)
{
	bool turned = media_file_orientation(m) >= 5;
	uint32_t width = turned ? media_file_height(m) : media_file_width(m);
	uint32_t height = turned ? media_file_width(m) : media_file_height(m);

	return up_to(p->width_max, width) && up_to(p->height_max, height);
}

static bool has_rate(const uint32_t *rates, size_t n, uint32_t have)
{
	for (size_t i = 0; i < n && rates[i] > 0; i++)
		if (rates[i] == have)
			return true;
	return false;
}

/** On one of the rasters; MPEG-2 has no orientation. */
static bool on_raster(const struct raster *r, struct fb_table m)
{
	uint32_t rate = media_file_frame_rate_milli(m);
	bool progressive = media_file_video_scan(m) == VIDEO_SCAN_PROGRESSIVE;

	if (!r)
		return true;
	for (size_t i = 0; i < RASTERS_MAX && r[i].width > 0; i++)
		if (r[i].width == media_file_width(m) && r[i].height == media_file_height(m))
			return has_rate(r[i].rates, ARRAY_LEN(r[i].rates), rate) ||
			       (progressive && has_rate(r[i].progressive_rates,
							ARRAY_LEN(r[i].progressive_rates), rate));
	return false;
}

/** The layout where the profile is about one, else the type. */
static bool is_packed(const struct profile *p, struct fb_table m, struct span mime)
{
	return p->stream == MPEG_STREAM_NONE ? same(p->mime, mime)
					     : p->stream == media_file_mpeg_stream(m);
}

static bool matches(const struct profile *p, struct fb_table m, struct span mime)
{
	return is_packed(p, m, mime) && one_of(p->audio_codecs, media_file_audio_codec(m)) &&
	       one_of(p->audio_profiles, media_file_audio_profile(m)) &&
	       same(p->video_codec, media_file_video_codec(m)) &&
	       one_of(p->video_profiles, media_file_video_profile(m)) &&
	       within(p->sample_rate, media_file_sample_rate(m)) &&
	       within(p->channels, media_file_channels(m)) &&
	       within(p->bitrate, media_file_bitrate(m)) &&
	       within(p->level, media_file_video_level(m)) &&
	       within(p->frame_rate, media_file_frame_rate_milli(m)) && fits(p, m) &&
	       on_raster(p->rasters, m);
}

/** The type of the file itself. */
static struct span own_mime(struct fb_table m)
{
	struct span mime = media_file_mime_type(m);

	if (mime.n > 0)
		return mime;
	const struct media_type *type = media_type_by_name(media_file_filename(m));
	return type ? span_str(type->mime) : SPAN("application/octet-stream");
}

static const struct profile *profile_of(struct fb_table m)
{
	struct span mime = own_mime(m);

	for (size_t i = 0; i < ARRAY_LEN(profiles); i++)
		if (matches(&profiles[i], m, mime))
			return &profiles[i];
	return NULL;
}

const char *profile_name(struct fb_table m)
{
	const struct profile *p = profile_of(m);

	return p ? p->name : NULL;
}

struct span profile_mime(struct fb_table m)
{
	const struct profile *p =
		media_file_mpeg_stream(m) == MPEG_STREAM_NONE ? NULL : profile_of(m);

	return p ? span_str(p->mime) : own_mime(m);
}

struct span profile_extension(struct fb_table m)
{
	struct span mime = own_mime(m);
	/* The file's own where it is true: "jpeg" stays "jpeg". */
	const struct media_type *type = media_type_by_name(media_file_filename(m));

	if (!type || !span_eq(span_str(type->mime), mime)) {
		type = media_type_by_mime(mime);
		if (type) /* "mp3", not "mp2" */
			type = media_type_by_format((enum media_format)type->format,
						    (enum media_class)type->media_class);
	}
	return type ? span_str(type->extension) : SPAN("bin");
}

void profile_features_add(struct fb_table m, struct buf *out)
{
	const char *name = profile_name(m);

	if (name) {
		buf_add(out, SPAN("DLNA.ORG_PN="));
		buf_add_str(out, name);
		buf_add_char(out, ';');
	}
	buf_add(out,
		media_file_kind(m) == MEDIA_KIND_IMAGE ? SPAN(FEATURES_IMAGE) : SPAN(FEATURES_AV));
}

/** The row of the box. */
static const struct profile *thumb_profile(struct picture_size box)
{
	const struct profile *p = profiles;

	while (p->width_max != box.width || p->height_max != box.height)
		p++;
	return p;
}

void profile_thumb_features_add(struct picture_size box, struct buf *out)
{
	buf_add(out, SPAN("DLNA.ORG_PN="));
	buf_add_str(out, thumb_profile(box)->name);
	buf_add(out, SPAN(";" FEATURES_THUMB));
}

bool profile_is_thumb(struct fb_table m, struct picture_size box)
{
	return matches(thumb_profile(box), m, own_mime(m));
}

/* ---- GetProtocolInfo ------------------------------------------------------------------------- */

static void entry_add(struct buf *out, const char *mime, const char *name)
{
	buf_addf(out, "http-get:*:%s:%s%s", mime, name ? "DLNA.ORG_PN=" : "*", name ? name : "");
}

void profile_source_list(struct buf *out)
{
	size_t types_n;
	const struct media_type *types = media_type_table(&types_n);

	for (size_t i = 0; i < ARRAY_LEN(profiles); i++) {
		if (i > 0 && strcmp(profiles[i].name, profiles[i - 1].name) == 0)
			continue; /* a second way to be it */
		if (i > 0)
			buf_add_char(out, ',');
		entry_add(out, profiles[i].mime, profiles[i].name);
	}
	for (size_t i = 0; i < types_n; i++) {
		if (media_type_by_mime(span_str(types[i].mime)) != &types[i]) /* once each */
			continue;
		buf_add_char(out, ',');
		entry_add(out, types[i].mime, NULL);
	}
}
