/* SPDX-License-Identifier: MIT */
/* What TagLib's C bindings lack: opening from a descriptor, every value of a property (as TagLib
 * 2's taglib_property_get(), but with one property map per file instead of one per call), exact
 * properties and pictures. C++ ends here: no exception and no C++ type crosses this header. */
#pragma once

#include <stddef.h>
#include <stdint.h>
#include <tag_c.h>

#ifdef __cplusplus
extern "C" {
#endif

enum tag_type {
	TAG_TYPE_MPEG,
	TAG_TYPE_FLAC,
	TAG_TYPE_OGG_VORBIS,
	TAG_TYPE_OGG_OPUS,
	TAG_TYPE_OGG_FLAC,
	TAG_TYPE_OGG_SPEEX,
	TAG_TYPE_MP4,
	TAG_TYPE_ASF,
	TAG_TYPE_WAV,
	TAG_TYPE_AIFF,
	TAG_TYPE_WAVPACK,
	TAG_TYPE_APE,
	TAG_TYPE_MUSEPACK,
	TAG_TYPE_TTA,
	TAG_TYPE_MOD,
	TAG_TYPE_S3M,
	TAG_TYPE_IT,
	TAG_TYPE_XM
};

struct tag_file;

/** Read the tags of the `size` bytes at `offset` of `fd`, and the audio properties (a tag_type of
 * TAG_TYPE_MPEG at an offset reads an ID3v2 tag wherever it is). NULL: memory.
 * Lifetime: fd is borrowed until tag_close(). */
struct tag_file *tag_open(int fd, uint64_t offset, uint64_t size, enum tag_type type);
void tag_close(struct tag_file *t);
/** The same file for taglib_file_is_valid(), taglib_file_tag(), taglib_file_audioproperties(). */
TagLib_File *tag_c_file(struct tag_file *t);

typedef void (*tag_value_fn)(void *ctx, const char *utf8, size_t n);
/** Call fn for every value of `key` ("ALBUMARTIST"); how many there were. */
unsigned tag_property(struct tag_file *t, const char *key, tag_value_fn fn, void *ctx);

struct tag_properties {
	uint32_t duration_ms;
	uint16_t bits_per_sample; /* 0: lossy or unknown */
	const char *codec;	  /* libavcodec's name, static; NULL: unknown */
};
void tag_describe(struct tag_file *t, struct tag_properties *out);

/** The front cover, else the first picture. Lifetime: the file's; 0: there is none. */
int tag_picture(struct tag_file *t, const char **out_p, size_t *out_n);

#ifdef __cplusplus
}
#endif
