/* SPDX-License-Identifier: MIT */
/* The embedded picture of every format that TagLib reads. */
#include "probe/helper/tag_picture.hh"

#include <aifffile.h>
#include <apefile.h>
#include <apetag.h>
#include <asffile.h>
#include <attachedpictureframe.h>
#include <flacfile.h>
#include <id3v2tag.h>
#include <mp4file.h>
#include <mpcfile.h>
#include <mpegfile.h>
#include <trueaudiofile.h>
#include <wavfile.h>
#include <wavpackfile.h>
#include <xiphcomment.h>

namespace {

/* Each returns the bytes of the front cover, else of the first picture; null where there is none.
 * ByteVector shares its bytes, so that these are no copies. */
TagLib::ByteVector id3_picture(const TagLib::ID3v2::Tag *tag)
{
	TagLib::ByteVector first;

	if (!tag)
		return first;
	for (auto *frame : tag->frameList("APIC")) {
		auto *pic = dynamic_cast<TagLib::ID3v2::AttachedPictureFrame *>(frame);

		if (pic && pic->type() == TagLib::ID3v2::AttachedPictureFrame::FrontCover)
			return pic->picture();
		if (pic && first.isEmpty())
			first = pic->picture();
	}
	return first;
}

TagLib::ByteVector flac_picture(const TagLib::List<TagLib::FLAC::Picture *> &list)
{
	TagLib::ByteVector first;

	for (auto *pic : list) {
		if (pic->type() == TagLib::FLAC::Picture::FrontCover)
			return pic->data();
		if (first.isEmpty())
			first = pic->data();
	}
	return first;
}

TagLib::ByteVector mp4_picture(const TagLib::MP4::Tag *tag)
{
	if (!tag || !tag->contains("covr"))
		return TagLib::ByteVector();
	TagLib::MP4::CoverArtList list = tag->item("covr").toCoverArtList();
	return list.isEmpty() ? TagLib::ByteVector() : list.front().data();
}

TagLib::ByteVector asf_picture(const TagLib::ASF::Tag *tag)
{
	TagLib::ByteVector first;

	if (!tag)
		return first;
	for (const auto &attribute : tag->attribute("WM/Picture")) {
		TagLib::ASF::Picture pic = attribute.toPicture();

		if (pic.isValid() && pic.type() == TagLib::ASF::Picture::FrontCover)
			return pic.picture();
		if (pic.isValid() && first.isEmpty())
			first = pic.picture();
	}
	return first;
}

/* A binary item: file name, NUL, picture. */
TagLib::ByteVector ape_picture(const TagLib::APE::Tag *tag)
{
	if (!tag)
		return TagLib::ByteVector();
	const TagLib::APE::ItemListMap &items = tag->itemListMap();
	auto it = items.find("COVER ART (FRONT)");
	if (it == items.end())
		return TagLib::ByteVector();
	TagLib::ByteVector data = it->second.binaryData();
	int nul = data.find('\0');
	return nul < 0 ? TagLib::ByteVector() : data.mid(static_cast<unsigned>(nul) + 1);
}

} // namespace

TagLib::ByteVector tag_picture_of(TagLib::File *file)
{
	using namespace TagLib;
	ByteVector v;

	if (auto *mpeg = dynamic_cast<MPEG::File *>(file)) {
		v = id3_picture(mpeg->ID3v2Tag());
		return v.isEmpty() ? ape_picture(mpeg->APETag()) : v;
	}
	if (auto *flac = dynamic_cast<FLAC::File *>(file)) {
		v = flac_picture(flac->pictureList());
		return v.isEmpty() ? id3_picture(flac->ID3v2Tag()) : v;
	}
	if (auto *mp4 = dynamic_cast<MP4::File *>(file))
		return mp4_picture(mp4->tag());
	if (auto *asf = dynamic_cast<ASF::File *>(file))
		return asf_picture(asf->tag());
	if (auto *wav = dynamic_cast<RIFF::WAV::File *>(file))
		return id3_picture(wav->ID3v2Tag());
	if (auto *aiff = dynamic_cast<RIFF::AIFF::File *>(file))
		return id3_picture(aiff->tag());
	if (auto *tta = dynamic_cast<TrueAudio::File *>(file))
		return id3_picture(tta->ID3v2Tag());
	if (auto *wv = dynamic_cast<WavPack::File *>(file))
		return ape_picture(wv->APETag());
	if (auto *ape = dynamic_cast<APE::File *>(file))
		return ape_picture(ape->APETag());
	if (auto *mpc = dynamic_cast<MPC::File *>(file))
		return ape_picture(mpc->APETag());
	if (auto *xiph = dynamic_cast<Ogg::XiphComment *>(file->tag()))
		return flac_picture(xiph->pictureList());
	return v;
}
