/* SPDX-License-Identifier: MIT */
/* The table of devices. */
#include "dlna/client.h"

#include "base/attr.h"

#define MATROSKA "video/x-matroska"
#define AVI "video/x-msvideo"
#define MPEG "video/mpeg"
#define SAMSUNG (CLIENT_CAPTION_SEC | CLIENT_INTERACTIVE_AV | CLIENT_BOOKMARK_DCM)

/* The first that fits counts, so the narrower stand first; the last fits all. */
static const struct client clients[] = {
	{ "Xbox", "Xbox/", NULL, 0, { { AVI, "video/avi" } } },
	{ "PlayStation", NULL, "PLAYSTATION", CLIENT_MEDIA_CLASS, { { AVI, "video/divx" } } },
	{ "PlayStation", "PLAYSTATION", NULL, CLIENT_MEDIA_CLASS, { { AVI, "video/divx" } } },
	{ "Sony Bravia", NULL, "BRAVIA", CLIENT_MEDIA_CLASS, { { 0 } } },
	{ "Sony Blu-ray player",
	  NULL,
	  "mv=\"2.0\"",
	  CLIENT_MEDIA_CLASS,
	  { { MATROSKA, "video/divx" }, { MPEG, "video/divx" } } },
	{ "AllShare on a PC", "SEC_HHP_[PC]", NULL, CLIENT_INTERACTIVE_AV, { { 0 } } },
	{ "Samsung Q",
	  "SEC_HHP_[TV] Samsung Q",
	  NULL,
	  SAMSUNG | CLIENT_BOOKMARK_MS,
	  { { MATROSKA, "video/x-mkv" } } },
	{ "Samsung", "SEC_HHP_", NULL, SAMSUNG, { { MATROSKA, "video/x-mkv" } } },
	{ "Samsung of 2009",
	  "SamsungWiselinkPro",
	  NULL,
	  SAMSUNG,
	  { { MATROSKA, "video/x-mkv" }, { AVI, MPEG } } },
	{ "Samsung", "Samsung", NULL, SAMSUNG, { { MATROSKA, "video/x-mkv" } } },
	{ "LG", "LGE_DLNA_SDK", NULL, CLIENT_CAPTION_RES | CLIENT_CAPTION_PV, { { 0 } } },
	{ "LG", "LG-TV", NULL, CLIENT_CAPTION_RES | CLIENT_CAPTION_PV, { { 0 } } },
	{ "Panasonic", "Panasonic", NULL, CLIENT_CAPTION_PV, { { 0 } } },
	{ "Philips", "IPI/1", NULL, CLIENT_CAPTION_RES, { { AVI, "video/avi" } } },
	{ "Asus O!Play", "O!Play", NULL, CLIENT_CAPTION_RES, { { AVI, "video/avi" } } },
	{ "BubbleUPnP", "BubbleUPnP", NULL, CLIENT_CAPTION_RES, { { 0 } } },
	{ "Movian", "Movian", NULL, CLIENT_CAPTION_RES, { { 0 } } },
	{ "Kodi", "Platinum/", NULL, CLIENT_CAPTION_RES, { { 0 } } }, /* as it browses */
	{ "Kodi", "Kodi", NULL, CLIENT_CAPTION_RES, { { 0 } } },      /* as it plays */
	{ "Windows", "FDSSDP", NULL, 0, { { AVI, "video/avi" } } },
	{ "any other", NULL, NULL, 0, { { 0 } } },
};

static bool says(const char *mark, struct span header)
{
	return !mark || span_contains(header, span_str(mark));
}

const struct client *client_of(const struct client_headers *headers)
{
	const struct client *c = clients;

	while (!says(c->user_agent, headers->user_agent) ||
	       !says(c->av_client_info, headers->av_client_info))
		c++;
	return c;
}

uint32_t client_number(const struct client *c)
{
	return (uint32_t)(c - clients);
}

struct span client_mime(const struct client *c, struct span mime)
{
	for (size_t i = 0; i < CLIENT_TYPES_MAX && c->types[i].ours; i++)
		if (span_eq(span_str(c->types[i].ours), mime))
			return span_str(c->types[i].its);
	return mime;
}
