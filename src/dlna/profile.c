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

/* One profile; an empty field says nothing about the fact. Every number must be known. */
struct profile {
	const char *name;
	const char *mime;
	const char *audio_codec;
	const char *video_codec;
	const char *video_profiles[3];
	struct range sample_rate, channels, bitrate;
	uint32_t level_max, width_max, height_max;
};

/* The first that fits counts, so the narrower stand first. */
static const struct profile profiles[] = {
	{ .name = "MP3",
	  .mime = "audio/mpeg",
	  .audio_codec = "mp3",
	  .sample_rate = { 32000, 48000 },
	  .channels = { 1, 2 },
	  .bitrate = { 32000, 320999 } },
	/* Below 96 kbit/s it may as well be HE-AAC, which is another profile. */
	{ .name = "AAC_ISO_320",
	  .mime = "audio/mp4",
	  .audio_codec = "aac",
	  .sample_rate = { 8000, 48000 },
	  .channels = { 1, 2 },
	  .bitrate = { 96000, 320999 } },
	{ .name = "AAC_ISO",
	  .mime = "audio/mp4",
	  .audio_codec = "aac",
	  .sample_rate = { 8000, 48000 },
	  .channels = { 1, 2 },
	  .bitrate = { 321000, 576000 } },
	{ .name = "WMABASE",
	  .mime = "audio/x-ms-wma",
	  .audio_codec = "wmav2",
	  .sample_rate = { 8000, 48000 },
	  .channels = { 1, 2 },
	  .bitrate = { 1, 192999 } },
	{ .name = "WMAFULL",
	  .mime = "audio/x-ms-wma",
	  .audio_codec = "wmav2",
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
	  .audio_codec = "aac",
	  .video_codec = "h264",
	  .video_profiles = { "Constrained Baseline" },
	  .sample_rate = { 8000, 48000 },
	  .channels = { 1, 2 },
	  .bitrate = { 1, 4500000 },
	  .level_max = 30,
	  .width_max = 720,
	  .height_max = 576 },
	{ .name = "AVC_MP4_MP_SD_AAC_MULT5",
	  .mime = "video/mp4",
	  .audio_codec = "aac",
	  .video_codec = "h264",
	  .video_profiles = { "Main", "Constrained Baseline" },
	  .sample_rate = { 8000, 48000 },
	  .channels = { 1, 6 },
	  .bitrate = { 1, 10000000 },
	  .level_max = 30,
	  .width_max = 720,
	  .height_max = 576 },
	{ .name = "AVC_MP4_HP_HD_AAC",
	  .mime = "video/mp4",
	  .audio_codec = "aac",
	  .video_codec = "h264",
	  .video_profiles = { "High", "Main", "Constrained Baseline" },
	  .sample_rate = { 8000, 48000 },
	  .channels = { 1, 2 },
	  .bitrate = { 1, 20000000 },
	  .level_max = 40,
	  .width_max = 1920,
	  .height_max = 1152 },
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

static bool one_of(const char *const names[3], struct span have)
{
	if (!names[0])
		return true;
	for (size_t i = 0; i < 3 && names[i]; i++)
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

static bool matches(const struct profile *p, struct fb_table m, struct span mime)
{
	return same(p->mime, mime) && same(p->audio_codec, media_file_audio_codec(m)) &&
	       same(p->video_codec, media_file_video_codec(m)) &&
	       one_of(p->video_profiles, media_file_video_profile(m)) &&
	       within(p->sample_rate, media_file_sample_rate(m)) &&
	       within(p->channels, media_file_channels(m)) &&
	       within(p->bitrate, media_file_bitrate(m)) &&
	       up_to(p->level_max, media_file_video_level(m)) && fits(p, m);
}

const char *profile_name(struct fb_table m)
{
	struct span mime = profile_mime(m);

	for (size_t i = 0; i < ARRAY_LEN(profiles); i++)
		if (matches(&profiles[i], m, mime))
			return profiles[i].name;
	return NULL;
}

struct span profile_mime(struct fb_table m)
{
	struct span mime = media_file_mime_type(m);

	if (mime.n > 0)
		return mime;
	const struct media_type *type = media_type_by_name(media_file_filename(m));
	return type ? span_str(type->mime) : SPAN("application/octet-stream");
}

struct span profile_extension(struct fb_table m)
{
	struct span mime = profile_mime(m);
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
	return matches(thumb_profile(box), m, profile_mime(m));
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
