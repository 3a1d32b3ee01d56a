/* SPDX-License-Identifier: MIT */
/* The one table of media types: which names are media, what clients call them, who reads them. */
#include "base/media_type.h"

#include "base/attr.h"

#define EXTENSION_MAX 8

#define ROW(extension, mime, media_class, format, av_format)                                       \
	{                                                                                          \
		extension, mime, MEDIA_CLASS_##media_class, MEDIA_FORMAT_##format, av_format       \
	}

/* Sorted by extension: media_type_by_name() searches it. */
static const struct media_type types[] = {
	/* clang-format off */
	ROW("3g2", "video/3gpp2", VIDEO, MP4, "mov"),
	ROW("3gp", "video/3gpp", VIDEO, MP4, "mov"),
	ROW("aac", "audio/aac", AUDIO, ADTS, "aac"),
	ROW("aif", "audio/aiff", AUDIO, AIFF, "aiff"),
	ROW("aifc", "audio/aiff", AUDIO, AIFF, "aiff"),
	ROW("aiff", "audio/aiff", AUDIO, AIFF, "aiff"),
	ROW("ape", "audio/x-ape", AUDIO, APE, "ape"),
	ROW("asf", "video/x-ms-asf", VIDEO, ASF, "asf"),
	ROW("avi", "video/x-msvideo", VIDEO, AVI, "avi"),
	ROW("avif", "image/avif", IMAGE, HEIF, NULL),
	ROW("bmp", "image/bmp", IMAGE, BMP, NULL),
	ROW("dff", "audio/x-dff", AUDIO, DSDIFF, "iff"),
	ROW("divx", "video/x-msvideo", VIDEO, AVI, "avi"),
	ROW("dsf", "audio/x-dsf", AUDIO, DSF, "dsf"),
	ROW("flac", "audio/flac", AUDIO, FLAC, "flac"),
	ROW("flv", "video/x-flv", VIDEO, FLV, "flv"),
	ROW("gif", "image/gif", IMAGE, GIF, NULL),
	ROW("heic", "image/heic", IMAGE, HEIF, NULL),
	ROW("heif", "image/heif", IMAGE, HEIF, NULL),
	ROW("it", "audio/x-mod", AUDIO, TRACKER, NULL),
	ROW("jpe", "image/jpeg", IMAGE, JPEG, NULL),
	ROW("jpeg", "image/jpeg", IMAGE, JPEG, NULL),
	ROW("jpg", "image/jpeg", IMAGE, JPEG, NULL),
	ROW("m2t", MEDIA_TYPE_TS, VIDEO, MPEG_TS, "mpegts"),
	ROW("m2ts", MEDIA_TYPE_STAMPED_TS, VIDEO, MPEG_TS, "mpegts"),
	ROW("m4a", "audio/mp4", AUDIO, MP4, "mov"),
	ROW("m4b", "audio/mp4", AUDIO, MP4, "mov"),
	ROW("m4r", "audio/mp4", AUDIO, MP4, "mov"),
	ROW("m4v", "video/mp4", VIDEO, MP4, "mov"),
	ROW("mka", "audio/x-matroska", AUDIO, MATROSKA, "matroska"),
	ROW("mkv", "video/x-matroska", VIDEO, MATROSKA, "matroska"),
	ROW("mod", "audio/x-mod", AUDIO, TRACKER, NULL),
	ROW("mov", "video/quicktime", VIDEO, MP4, "mov"),
	ROW("mp2", "audio/mpeg", AUDIO, MP3, "mp3"),
	ROW("mp3", "audio/mpeg", AUDIO, MP3, "mp3"),
	ROW("mp4", "video/mp4", VIDEO, MP4, "mov"),
	ROW("mpc", "audio/x-musepack", AUDIO, MUSEPACK, "mpc"),
	ROW("mpeg", "video/mpeg", VIDEO, MPEG_PS, "mpeg"),
	ROW("mpg", "video/mpeg", VIDEO, MPEG_PS, "mpeg"),
	ROW("mpga", "audio/mpeg", AUDIO, MP3, "mp3"),
	ROW("mts", MEDIA_TYPE_STAMPED_TS, VIDEO, MPEG_TS, "mpegts"),
	ROW("oga", "audio/ogg", AUDIO, OGG, "ogg"),
	ROW("ogg", "audio/ogg", AUDIO, OGG, "ogg"),
	ROW("ogv", "video/ogg", VIDEO, OGG, "ogg"),
	ROW("opus", "audio/ogg", AUDIO, OGG, "ogg"),
	ROW("png", "image/png", IMAGE, PNG, NULL),
	ROW("qt", "video/quicktime", VIDEO, MP4, "mov"),
	ROW("s3m", "audio/x-mod", AUDIO, TRACKER, NULL),
	ROW("spx", "audio/ogg", AUDIO, OGG, "ogg"),
	ROW("tif", "image/tiff", IMAGE, TIFF, NULL),
	ROW("tiff", "image/tiff", IMAGE, TIFF, NULL),
	ROW("ts", MEDIA_TYPE_TS, VIDEO, MPEG_TS, "mpegts"),
	ROW("tta", "audio/x-tta", AUDIO, TTA, "tta"),
	ROW("vob", "video/mpeg", VIDEO, MPEG_PS, "mpeg"),
	ROW("wav", "audio/wav", AUDIO, WAV, "wav"),
	ROW("webm", "video/webm", VIDEO, MATROSKA, "matroska"),
	ROW("webp", "image/webp", IMAGE, WEBP, NULL),
	ROW("wma", "audio/x-ms-wma", AUDIO, ASF, "asf"),
	ROW("wmv", "video/x-ms-wmv", VIDEO, ASF, "asf"),
	ROW("wv", "audio/x-wavpack", AUDIO, WAVPACK, "wv"),
	ROW("xm", "audio/x-mod", AUDIO, TRACKER, NULL),
	/* clang-format on */
};

/* Where several extensions share a layout and a class, the one that stands for them. The others
 * have one row only, or rows that say the same. */
static const char *const preferred[] = {
	"mp3", "ogg", "m4a", "mp4", "wma", "wmv", "aiff", "mkv", "avi", "ts", "mpg", "jpg", "heic",
};

static const struct media_type *type_by_extension(struct span extension)
{
	size_t low = 0;
	size_t high = ARRAY_LEN(types);

	while (low < high) {
		size_t mid = low + (high - low) / 2;
		int order = span_cmp(span_str(types[mid].extension), extension);

		if (order == 0)
			return &types[mid];
		if (order < 0)
			low = mid + 1;
		else
			high = mid;
	}
	return NULL;
}

const struct media_type *media_type_by_name(struct span name)
{
	size_t dot = span_rfind(name, '.');
	struct span extension = span_skip(name, dot + 1);
	char lower[EXTENSION_MAX];

	if (dot >= name.n || extension.n == 0 || extension.n > sizeof lower)
		return NULL;
	for (size_t i = 0; i < extension.n; i++) {
		char c = extension.p[i];

		lower[i] = c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
	}
	return type_by_extension(span_of(lower, extension.n));
}

const struct media_type *media_type_by_format(enum media_format format,
					      enum media_class media_class)
{
	for (size_t i = 0; i < ARRAY_LEN(preferred); i++) {
		const struct media_type *t = type_by_extension(span_str(preferred[i]));

		if (t && t->format == format && t->media_class == media_class)
			return t;
	}
	for (size_t i = 0; i < ARRAY_LEN(types); i++)
		if (types[i].format == format && types[i].media_class == media_class)
			return &types[i];
	return NULL;
}

const struct media_type *media_type_by_mime(struct span mime)
{
	for (size_t i = 0; i < ARRAY_LEN(types); i++)
		if (span_eq_nocase(span_str(types[i].mime), mime))
			return &types[i];
	return NULL;
}

const struct media_type *media_type_table(size_t *out_n)
{
	*out_n = ARRAY_LEN(types);
	return types;
}
