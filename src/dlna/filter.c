/* SPDX-License-Identifier: MIT */
/* The Filter argument of Browse: which properties a control point wants to see. */
#include "dlna/filter.h"

#include "base/attr.h"

/* An attribute of res or of an element brings its element along. */
static const struct {
	const char *name;
	uint32_t bits;
} names[] = {
	{ "*", FILTER_ALL },
	{ "res", FILTER_RES },
	{ "res@protocolInfo", FILTER_RES },
	{ "res@size", FILTER_RES | FILTER_RES_SIZE },
	{ "res@duration", FILTER_RES | FILTER_RES_DURATION },
	{ "res@bitrate", FILTER_RES | FILTER_RES_BITRATE },
	{ "res@sampleFrequency", FILTER_RES | FILTER_RES_SAMPLE_RATE },
	{ "res@bitsPerSample", FILTER_RES | FILTER_RES_BITS },
	{ "res@nrAudioChannels", FILTER_RES | FILTER_RES_CHANNELS },
	{ "res@resolution", FILTER_RES | FILTER_RES_RESOLUTION },
	{ "upnp:albumArtURI", FILTER_ART },
	{ "upnp:albumArtURI@dlna:profileID", FILTER_ART },
	{ "sec:CaptionInfoEx", FILTER_CAPTION },
	{ "res@pv:subtitleFileUri", FILTER_RES | FILTER_CAPTION },
	{ "res@pv:subtitleFileType", FILTER_RES | FILTER_CAPTION },
	{ "av:mediaClass", FILTER_MEDIA_CLASS },
	{ "sec:dcmInfo", FILTER_DCM_INFO },
	{ "upnp:playbackCount", FILTER_PLAYBACK_COUNT },
	{ "upnp:lastPlaybackTime", FILTER_PLAYBACK_TIME },
	{ "upnp:lastPlaybackPosition", FILTER_PLAYBACK_POSITION },
	{ "upnp:artist", FILTER_ARTIST },
	{ "upnp:artist@role", FILTER_ARTIST },
	{ "dc:creator", FILTER_CREATOR },
	{ "upnp:album", FILTER_ALBUM },
	{ "upnp:genre", FILTER_GENRE },
	{ "upnp:originalTrackNumber", FILTER_TRACK },
	{ "dc:date", FILTER_DATE },
	{ "upnp:storageUsed", FILTER_STORAGE_USED },
	{ "@refID", FILTER_REF_ID },
	{ "item@refID", FILTER_REF_ID },
	{ "@childCount", FILTER_CHILD_COUNT },
	{ "container@childCount", FILTER_CHILD_COUNT },
	{ "childCount", FILTER_CHILD_COUNT }, /* Kodi */
	{ "@searchable", FILTER_SEARCHABLE },
	{ "container@searchable", FILTER_SEARCHABLE },
	{ "searchable", FILTER_SEARCHABLE }, /* Kodi */
};

static uint32_t bits_of(struct span name)
{
	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		if (span_eq(span_str(names[i].name), name))
			return names[i].bits;
	return 0;
}

uint32_t filter_parse(struct span filter)
{
	uint32_t bits = 0;

	while (filter.n > 0)
		bits |= bits_of(span_trim(span_cut(&filter, ',')));
	return bits;
}
