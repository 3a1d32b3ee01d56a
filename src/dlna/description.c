/* SPDX-License-Identifier: MIT */
/* The device description document (UDA 1.0 section 2.1). All URLs in it are relative, so it is the
 * same on every interface. */
#include "dlna/description.h"

#include "base/utf8.h"
#include "base/version.h"
#include "base/xml.h"
#include "dlna/actions.h"

#define FRIENDLY_NAME_MAX 63 /* characters: "less than 64" */
#define MODEL_DESCRIPTION "Media server"
/* What Samsung TVs look for before they ask for subtitles and lengths. */
#define SAMSUNG_CAPS "smi,DCM10,getMediaInfo.sec,getCaptionInfo.sec"

void description_uuid_add(const uint8_t uuid[16], struct buf *out)
{
	for (size_t i = 0; i < 16; i++)
		buf_addf(out, "%s%02x", i == 4 || i == 6 || i == 8 || i == 10 ? "-" : "", uuid[i]);
}

static void friendly_name_add(const char *name, struct buf *out)
{
	struct span all = span_trim(span_str(name));
	struct span rest = all;

	for (size_t i = 0; i < FRIENDLY_NAME_MAX && rest.n > 0; i++)
		(void)utf8_next(&rest);
	if (all.n == 0)
		all = SPAN("salver");
	else
		all.n -= rest.n;
	xml_add_text(out, all, 1);
}

static void device_add(const struct description_options *options, struct buf *out)
{
	buf_add_str(out, "<deviceType>urn:schemas-upnp-org:device:MediaServer:1</deviceType>\n"
			 "<friendlyName>");
	friendly_name_add(options->friendly_name, out);
	buf_add_str(out, "</friendlyName>\n"
			 "<manufacturer>salver</manufacturer>\n"
			 "<modelDescription>" MODEL_DESCRIPTION "</modelDescription>\n"
			 "<modelName>salver</modelName>\n"
			 "<modelNumber>" SALVER_VERSION "</modelNumber>\n"
			 "<serialNumber>");
	description_uuid_add(options->uuid, out);
	buf_add_str(out, "</serialNumber>\n<UDN>uuid:");
	description_uuid_add(options->uuid, out);
	buf_add_str(out, "</UDN>\n"
			 "<dlna:X_DLNADOC>DMS-1.50</dlna:X_DLNADOC>\n"
			 "<dlna:X_DLNADOC>M-DMS-1.50</dlna:X_DLNADOC>\n" /* Samsung */
			 "<dlna:X_DLNACAP></dlna:X_DLNACAP>\n"
			 "<sec:ProductCap>" SAMSUNG_CAPS "</sec:ProductCap>\n"
			 "<sec:X_ProductCap>" SAMSUNG_CAPS "</sec:X_ProductCap>\n");
}

static void icons_add(struct buf *out)
{
	buf_add_str(out, "<iconList>\n");
	for (size_t i = 0; i < ICONS_N; i++) {
		struct icon icon = icon_at(i);

		buf_addf(out,
			 "<icon><mimetype>%s</mimetype><width>%u</width><height>%u</height>"
			 "<depth>24</depth><url>/icons/%s</url></icon>\n",
			 icon.mime, icon.size, icon.size, icon.name);
	}
	buf_add_str(out, "</iconList>\n");
}

static void services_add(struct buf *out)
{
	buf_add_str(out, "<serviceList>\n");
	for (size_t i = 0; i < SERVICES_N; i++) {
		const struct service *s = &services[i];

		buf_addf(out,
			 "<service><serviceType>%s:" SERVICE_VERSION "</serviceType>"
			 "<serviceId>%s</serviceId><SCPDURL>/scpd/%s.xml</SCPDURL>"
			 "<controlURL>/control/%s</controlURL>"
			 "<eventSubURL>/event/%s</eventSubURL></service>\n",
			 s->type, s->id, s->name, s->name, s->name);
	}
	buf_add_str(out, "</serviceList>\n");
}

void description_add(const struct description_options *options, struct buf *out)
{
	buf_add_str(out, "<?xml version=\"1.0\" encoding=\"utf-8\"?>\n"
			 "<root xmlns=\"urn:schemas-upnp-org:device-1-0\""
			 " xmlns:dlna=\"urn:schemas-dlna-org:device-1-0\""
			 " xmlns:sec=\"http://www.sec.co.kr/dlna\">\n"
			 "<specVersion><major>1</major><minor>0</minor></specVersion>\n"
			 "<device>\n");
	device_add(options, out);
	icons_add(out);
	services_add(out);
	buf_add_str(out, "<presentationURL>/</presentationURL>\n</device>\n</root>\n");
}
