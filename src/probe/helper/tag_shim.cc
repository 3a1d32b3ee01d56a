/* SPDX-License-Identifier: MIT */
/* What TagLib's C bindings lack: see tag_shim.h. */
#include "probe/helper/tag_shim.h"
#include "probe/helper/tag_picture.hh"

#include <sys/types.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>
#include <memory>
#include <string>

#include <aifffile.h>
#include <apefile.h>
#include <asffile.h>
#include <fileref.h>
#include <flacfile.h>
#include <id3v2framefactory.h>
#include <itfile.h>
#include <modfile.h>
#include <mp4file.h>
#include <mpcfile.h>
#include <mpegfile.h>
#include <oggflacfile.h>
#include <opusfile.h>
#include <s3mfile.h>
#include <speexfile.h>
#include <taglib.h>
#include <tpropertymap.h>
#include <trueaudiofile.h>
#include <vorbisfile.h>
#include <wavfile.h>
#include <wavpackfile.h>
#include <xmfile.h>

#if TAGLIB_MAJOR_VERSION >= 2
typedef TagLib::offset_t stream_off;
typedef size_t stream_n;
#else
typedef long stream_off;
typedef unsigned long stream_n;
#endif

namespace {

constexpr uint64_t READ_MAX_BYTES = 64u << 20; /* no tag needs more; a broken length asks for it */
constexpr uint64_t SEARCH_MAX_BYTES = 32u << 20; /* in gigabytes of nothing TagLib looks to the end */
constexpr size_t WINDOW_BYTES = 16384;
constexpr size_t WINDOW_ALIGN = 4096; /* searching backwards hits the window as well */

/* Read-only view of part of a descriptor through one small window. */
class Stream final : public TagLib::IOStream {
      public:
	Stream(int fd, uint64_t offset, uint64_t size) : fd_(fd), offset_(offset), size_(size)
	{
	}

	TagLib::FileName name() const override
	{
		return "";
	}

	TagLib::ByteVector readBlock(stream_n length) override
	{
		uint64_t left = pos_ < size_ ? size_ - pos_ : 0;
		size_t n =
			static_cast<size_t>(std::min({ uint64_t{ length }, left, READ_MAX_BYTES }));

		if (n == 0)
			return TagLib::ByteVector();
		if (n > WINDOW_BYTES - WINDOW_ALIGN) {
			TagLib::ByteVector v(static_cast<unsigned>(n), 0);
			v.resize(static_cast<unsigned>(fetch(pos_, v.data(), n)));
			pos_ += v.size();
			return v;
		}
		if (pos_ < window_at_ || pos_ + n > window_at_ + window_n_) {
			uint64_t at = pos_ / WINDOW_ALIGN * WINDOW_ALIGN;
			uint64_t step = at > window_at_ ? at - window_at_ : window_at_ - at;
			searched_n_ = step <= WINDOW_BYTES ? searched_n_ + step : 0;
			if (searched_n_ > SEARCH_MAX_BYTES)
				return TagLib::ByteVector();
			window_at_ = at;
			window_n_ = fetch(window_at_, window_, sizeof window_);
		}
		size_t skip = static_cast<size_t>(pos_ - window_at_);
		size_t got = window_n_ > skip ? std::min(n, window_n_ - skip) : 0;
		TagLib::ByteVector v(window_ + skip, static_cast<unsigned>(got));
		pos_ += got;
		return v;
	}

	void writeBlock(const TagLib::ByteVector &) override
	{
	}
#if TAGLIB_MAJOR_VERSION >= 2
	void insert(const TagLib::ByteVector &, stream_off, stream_n) override
	{
	}
	void removeBlock(stream_off, stream_n) override
	{
	}
#else
	void insert(const TagLib::ByteVector &, unsigned long, unsigned long) override
	{
	}
	void removeBlock(unsigned long, unsigned long) override
	{
	}
#endif
	bool readOnly() const override
	{
		return true;
	}
	bool isOpen() const override
	{
		return true;
	}

	void seek(stream_off off, Position whence) override
	{
		int64_t base = whence == Current ? static_cast<int64_t>(pos_)
			       : whence == End	 ? static_cast<int64_t>(size_)
						 : 0;
		int64_t at = 0;

		pos_ = __builtin_add_overflow(base, int64_t{ off }, &at) || at < 0
			       ? 0
			       : static_cast<uint64_t>(at);
	}
	stream_off tell() const override
	{
		return static_cast<stream_off>(pos_);
	}
	stream_off length() override
	{
		return static_cast<stream_off>(size_);
	}
	void truncate(stream_off) override
	{
	}

      private:
	size_t fetch(uint64_t at, char *p, size_t n)
	{
		n = static_cast<size_t>(std::min(uint64_t{ n }, size_ > at ? size_ - at : 0));
		ssize_t got = n > 0 ? pread(fd_, p, n, static_cast<off_t>(offset_ + at)) : 0;
		return got > 0 ? static_cast<size_t>(got) : 0;
	}

	int fd_;
	uint64_t offset_;
	uint64_t size_;
	uint64_t pos_ = 0;
	uint64_t searched_n_ = 0;
	uint64_t window_at_ = 0;
	size_t window_n_ = 0;
	char window_[WINDOW_BYTES];
};

TagLib::File *file_new(TagLib::IOStream *s, enum tag_type type)
{
	using namespace TagLib;
	constexpr auto style = AudioProperties::Average;
	auto *factory = ID3v2::FrameFactory::instance();

	(void)factory; /* TagLib 2 has defaults */
	switch (type) {
#if TAGLIB_MAJOR_VERSION >= 2
	case TAG_TYPE_MPEG:
		return new MPEG::File(s, true, style);
	case TAG_TYPE_FLAC:
		return new FLAC::File(s, true, style);
#else
	case TAG_TYPE_MPEG:
		return new MPEG::File(s, factory, true, style);
	case TAG_TYPE_FLAC:
		return new FLAC::File(s, factory, true, style);
#endif
	case TAG_TYPE_OGG_VORBIS:
		return new Ogg::Vorbis::File(s, true, style);
	case TAG_TYPE_OGG_OPUS:
		return new Ogg::Opus::File(s, true, style);
	case TAG_TYPE_OGG_FLAC:
		return new Ogg::FLAC::File(s, true, style);
	case TAG_TYPE_OGG_SPEEX:
		return new Ogg::Speex::File(s, true, style);
	case TAG_TYPE_MP4:
		return new MP4::File(s, true, style);
	case TAG_TYPE_ASF:
		return new ASF::File(s, true, style);
	case TAG_TYPE_WAV:
		return new RIFF::WAV::File(s, true, style);
	case TAG_TYPE_AIFF:
		return new RIFF::AIFF::File(s, true, style);
	case TAG_TYPE_WAVPACK:
		return new WavPack::File(s, true, style);
	case TAG_TYPE_APE:
		return new APE::File(s, true, style);
	case TAG_TYPE_MUSEPACK:
		return new MPC::File(s, true, style);
	case TAG_TYPE_TTA:
		return new TrueAudio::File(s, true, style);
	case TAG_TYPE_MOD:
		return new Mod::File(s, true, style);
	case TAG_TYPE_S3M:
		return new S3M::File(s, true, style);
	case TAG_TYPE_IT:
		return new IT::File(s, true, style);
	case TAG_TYPE_XM:
		return new XM::File(s, true, style);
	}
	return nullptr;
}

const char *pcm_name(int bits, bool is_float, bool big)
{
	if (is_float)
		return bits == 64 ? (big ? "pcm_f64be" : "pcm_f64le")
				  : (big ? "pcm_f32be" : "pcm_f32le");
	switch (bits) {
	case 8:
		return big ? "pcm_s8" : "pcm_u8";
	case 24:
		return big ? "pcm_s24be" : "pcm_s24le";
	case 32:
		return big ? "pcm_s32be" : "pcm_s32le";
	default:
		return big ? "pcm_s16be" : "pcm_s16le";
	}
}

const char *wav_codec(const TagLib::RIFF::WAV::Properties &p)
{
	switch (p.format()) {
	case 1:
	case 0xfffe: /* WAVE_FORMAT_EXTENSIBLE that was not resolved: almost always PCM */
		return pcm_name(p.bitsPerSample(), false, false);
	case 3:
		return pcm_name(p.bitsPerSample(), true, false);
	case 2:
		return "adpcm_ms";
	case 6:
		return "pcm_alaw";
	case 7:
		return "pcm_mulaw";
	case 0x11:
		return "adpcm_ima_wav";
	case 0x50:
		return "mp2";
	case 0x55:
		return "mp3";
	case 0x2000:
		return "ac3";
	case 0x2001:
		return "dts";
	default:
		return nullptr;
	}
}

const char *aiff_codec(const TagLib::RIFF::AIFF::Properties &p)
{
	TagLib::ByteVector c = p.compressionType();

	if (c == "sowt")
		return pcm_name(p.bitsPerSample(), false, false);
	if (c == "fl32" || c == "FL32" || c == "fl64" || c == "FL64")
		return pcm_name(p.bitsPerSample(), true, true);
	return pcm_name(p.bitsPerSample(), false, true);
}

const char *asf_codec(const TagLib::ASF::Properties &p)
{
	switch (p.codec()) {
	case TagLib::ASF::Properties::WMA1:
		return "wmav1";
	case TagLib::ASF::Properties::WMA2:
		return "wmav2";
	case TagLib::ASF::Properties::WMA9Pro:
		return "wmapro";
	case TagLib::ASF::Properties::WMA9Lossless:
		return "wmalossless";
	default:
		return nullptr;
	}
}

/* Codec and sample size live in a class of their own for every format. */
void describe(const TagLib::AudioProperties *ap, struct tag_properties *out)
{
	using namespace TagLib;
	int bits = 0;

	if (auto *mpeg = dynamic_cast<const MPEG::Properties *>(ap)) {
		out->codec = mpeg->layer() == 1 ? "mp1" : mpeg->layer() == 2 ? "mp2" : "mp3";
	} else if (auto *flac = dynamic_cast<const FLAC::Properties *>(ap)) {
		out->codec = "flac";
		bits = flac->bitsPerSample();
	} else if (dynamic_cast<const Vorbis::Properties *>(ap)) {
		out->codec = "vorbis";
	} else if (dynamic_cast<const Ogg::Opus::Properties *>(ap)) {
		out->codec = "opus";
	} else if (dynamic_cast<const Ogg::Speex::Properties *>(ap)) {
		out->codec = "speex";
	} else if (auto *mp4 = dynamic_cast<const MP4::Properties *>(ap)) {
		out->codec = mp4->codec() == MP4::Properties::AAC    ? "aac"
			     : mp4->codec() == MP4::Properties::ALAC ? "alac"
								     : nullptr;
		bits = mp4->codec() == MP4::Properties::ALAC ? mp4->bitsPerSample() : 0;
	} else if (auto *asf = dynamic_cast<const ASF::Properties *>(ap)) {
		out->codec = asf_codec(*asf);
		bits = asf->codec() == ASF::Properties::WMA9Lossless ? asf->bitsPerSample() : 0;
	} else if (auto *wav = dynamic_cast<const RIFF::WAV::Properties *>(ap)) {
		out->codec = wav_codec(*wav);
		bits = wav->bitsPerSample();
	} else if (auto *aiff = dynamic_cast<const RIFF::AIFF::Properties *>(ap)) {
		out->codec = aiff_codec(*aiff);
		bits = aiff->bitsPerSample();
	} else if (auto *wv = dynamic_cast<const WavPack::Properties *>(ap)) {
		out->codec = "wavpack";
		bits = wv->bitsPerSample();
	} else if (auto *ape = dynamic_cast<const APE::Properties *>(ap)) {
		out->codec = "ape";
		bits = ape->bitsPerSample();
	} else if (auto *mpc = dynamic_cast<const MPC::Properties *>(ap)) {
		out->codec = mpc->mpcVersion() >= 8 ? "musepack8" : "musepack7";
	} else if (auto *tta = dynamic_cast<const TrueAudio::Properties *>(ap)) {
		out->codec = "tta";
		bits = tta->bitsPerSample();
	} else if (dynamic_cast<const Mod::Properties *>(ap)) {
		out->codec = "mod";
	} else if (dynamic_cast<const S3M::Properties *>(ap)) {
		out->codec = "s3m";
	} else if (dynamic_cast<const IT::Properties *>(ap)) {
		out->codec = "it";
	} else if (dynamic_cast<const XM::Properties *>(ap)) {
		out->codec = "xm";
	}
	out->bits_per_sample = bits > 0 && bits <= 64 ? static_cast<uint16_t>(bits) : uint16_t{ 0 };
}

} // namespace

struct tag_file {
	Stream stream;
	std::unique_ptr<TagLib::File> file;
	TagLib::PropertyMap map;
	TagLib::ByteVector picture;
	bool map_read = false;
#if TAGLIB_MAJOR_VERSION >= 2
	std::unique_ptr<TagLib::FileRef> ref; /* what the C bindings of TagLib 2 mean by a file */
#endif

	tag_file(int fd, uint64_t offset, uint64_t size) : stream(fd, offset, size)
	{
	}
};

/* An exception here is std::bad_alloc, met by RLIMIT_AS: an answer like any other. */
struct tag_file *tag_open(int fd, uint64_t offset, uint64_t size, enum tag_type type)
try {
	auto t = std::make_unique<tag_file>(fd, offset, size);

	t->file.reset(file_new(&t->stream, type));
#if TAGLIB_MAJOR_VERSION >= 2
	t->ref = std::make_unique<TagLib::FileRef>(t->file.release());
#endif
	return t.release();
} catch (...) {
	return nullptr;
}

void tag_close(struct tag_file *t)
{
	delete t;
}

static TagLib::File *cpp_file(struct tag_file *t)
{
#if TAGLIB_MAJOR_VERSION >= 2
	return t->ref->file();
#else
	return t->file.get();
#endif
}

TagLib_File *tag_c_file(struct tag_file *t)
{
#if TAGLIB_MAJOR_VERSION >= 2
	return reinterpret_cast<TagLib_File *>(t->ref.get());
#else
	return reinterpret_cast<TagLib_File *>(t->file.get());
#endif
}

static unsigned give_value(const TagLib::String &value, tag_value_fn fn, void *ctx)
{
	std::string utf8 = value.to8Bit(true);

	fn(ctx, utf8.data(), utf8.size());
	return 1;
}

unsigned tag_property(struct tag_file *t, const char *key, tag_value_fn fn, void *ctx)
try {
	if (!t->map_read) {
		t->map_read = true;
		t->map = cpp_file(t)->properties();
	}
	auto it = t->map.find(key);
	unsigned n = 0;

	if (it != t->map.end())
		for (const auto &value : it->second)
			n += give_value(value, fn, ctx);
	/* Of ASF the map has the first artist only, and no compilations. */
	auto *asf = dynamic_cast<TagLib::ASF::Tag *>(cpp_file(t)->tag());
	const char *name = !asf				     ? nullptr
			   : std::strcmp(key, "ARTIST") == 0 ? "Author"
			   : std::strcmp(key, "COMPILATION") == 0 && n == 0
				   ? "WM/IsCompilation"
				   : nullptr;
	if (name)
		for (const auto &attribute : asf->attribute(name))
			n += give_value(attribute.toString(), fn, ctx);
	return n;
} catch (...) {
	return 0;
}

void tag_describe(struct tag_file *t, struct tag_properties *out)
try {
	const TagLib::AudioProperties *ap = cpp_file(t)->audioProperties();

	*out = {};
	if (!ap)
		return;
	out->duration_ms = static_cast<uint32_t>(std::max(ap->lengthInMilliseconds(), 0));
	describe(ap, out);
} catch (...) {
}

int tag_picture(struct tag_file *t, const char **out_p, size_t *out_n)
try {
	t->picture = tag_picture_of(cpp_file(t));
	if (t->picture.isEmpty())
		return 0;
	*out_p = static_cast<const TagLib::ByteVector &>(t->picture).data();
	*out_n = t->picture.size();
	return 1;
} catch (...) {
	return 0;
}
