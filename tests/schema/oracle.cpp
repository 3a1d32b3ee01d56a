/* SPDX-License-Identifier: MIT */
/* The C++ FlatBuffers library behind plain C (tests only). */
#include "oracle.h"

#include <cstring>
#include <string>

#include "media_generated.h"
#include "probe_generated.h"

#include "media_fields.h"

using namespace salver;

static const MediaFile *row(const void *buf, uint32_t i)
{
	return GetMediaFileBatch(buf)->files()->Get(i);
}

bool oracle_verify_media(const void *buf, size_t n)
{
	flatbuffers::Verifier v(static_cast<const uint8_t *>(buf), n);
	return VerifyMediaFileBatchBuffer(v);
}

bool oracle_verify_probe(const void *buf, size_t n)
{
	flatbuffers::Verifier v(static_cast<const uint8_t *>(buf), n);
	return VerifyProbeReplyBuffer(v);
}

uint32_t oracle_rows_n(const void *buf)
{
	return GetMediaFileBatch(buf)->files()->size();
}

#define NUM_NUM(field)                                                                             \
	if (!strcmp(name, #field))                                                                 \
		return static_cast<uint64_t>(r->field());
#define NUM_NUMS(field)                                                                            \
	if (!strcmp(name, #field))                                                                 \
		return r->field()->Get(k);
#define NUM_STR(field)
#define NUM_STRS(field)
#define NUM(kind, field) NUM_##kind(field)

uint64_t oracle_number(const void *buf, uint32_t i, const char *name, uint32_t k)
{
	const MediaFile *r = row(buf, i);
	MEDIA_FIELDS(NUM)
	if (!strcmp(name, "audio_tracks.channels"))
		return r->audio_tracks()->Get(k)->channels();
	return 0;
}

#define STR_NUM(field)
#define STR_NUMS(field)
#define STR_STR(field)                                                                             \
	if (!strcmp(name, #field))                                                                 \
		s = r->field();
#define STR_STRS(field)                                                                            \
	if (!strcmp(name, #field))                                                                 \
		s = r->field()->Get(k);
#define STR(kind, field) STR_##kind(field)

const char *oracle_string(const void *buf, uint32_t i, const char *name, uint32_t k, size_t *out_n)
{
	const MediaFile *r = row(buf, i);
	const flatbuffers::String *s = nullptr;
	MEDIA_FIELDS(STR)
	if (!strcmp(name, "subtitles.path"))
		s = r->subtitles()->Get(k)->path();
	if (!strcmp(name, "subtitles.language"))
		s = r->subtitles()->Get(k)->language();
	*out_n = s ? s->size() : 0;
	return s ? s->c_str() : nullptr;
}

#define COUNT_NUM(field)
#define COUNT_STR(field)
#define COUNT_NUMS(field)                                                                          \
	if (!strcmp(name, #field))                                                                 \
		return r->field() ? r->field()->size() : 0;
#define COUNT_STRS(field) COUNT_NUMS(field)
#define COUNT(kind, field) COUNT_##kind(field)

uint32_t oracle_count(const void *buf, uint32_t i, const char *name)
{
	const MediaFile *r = row(buf, i);
	MEDIA_FIELDS(COUNT)
	COUNT_NUMS(subtitles)
	COUNT_NUMS(audio_tracks)
	return 0;
}

size_t oracle_rebuild(const void *buf, void *out, size_t cap)
{
	MediaFileBatchT batch;
	GetMediaFileBatch(buf)->UnPackTo(&batch);
	flatbuffers::FlatBufferBuilder b;
	b.ForceDefaults(false);
	FinishMediaFileBatchBuffer(b, MediaFileBatch::Pack(b, &batch));
	if (b.GetSize() > cap)
		return 0;
	memcpy(out, b.GetBufferPointer(), b.GetSize());
	return b.GetSize();
}
