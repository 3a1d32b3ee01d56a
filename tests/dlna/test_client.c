/* SPDX-License-Identifier: MIT */
/* The table of devices, by the headers that they send, and what it changes in an answer. */
#include "base/attr.h"
#include "dlna/client.h"
#include "fixture.h"

#define SAMSUNG_AGENT "DLNADOC/1.50 SEC_HHP_[TV] Samsung 7 Series (55)/1.0"
#define BRAVIA_INFO "av=5.0; cn=\"Sony Corporation\"; mn=\"BRAVIA KDL-40NX700\"; mv=\"1.7\";"
#define BLU_RAY_INFO "av=5.0; cn=\"Sony Corporation\"; mn=\"Blu-ray Disc Player\"; mv=\"2.0\";"
#define LG_AGENT "Linux/2.6.35 UPnP/1.0 DLNADOC/1.50 LGE_DLNA_SDK/1.5.0"

TEST(client, devices_are_known_by_what_they_send)
{
	static const struct {
		const char *user_agent, *av_client_info, *name;
	} cases[] = {
		{ NULL, NULL, "any other" },
		{ "", "", "any other" },
		{ "UPnP/1.0 DLNADOC/1.50", NULL, "any other" },
		{ "Xbox/2.0.17559.0 UPnP/1.0 Xbox/2.0.17559.0", NULL, "Xbox" },
		{ "PLAYSTATION 3", NULL, "PlayStation" },
		{ "UPnP/1.0 DLNADOC/1.50",
		  "av=5.0; cn=\"Sony Computer Entertainment Inc.\"; mn=\"PLAYSTATION 3\"; "
		  "mv=\"1.0\";",
		  "PlayStation" },
		{ NULL, BRAVIA_INFO, "Sony Bravia" },
		{ NULL, BLU_RAY_INFO, "Sony Blu-ray player" },
		{ "DLNADOC/1.50 SEC_HHP_[PC]LPC001/1.0", NULL, "AllShare on a PC" },
		{ SAMSUNG_AGENT, NULL, "Samsung" },
		{ "SamsungWiselinkPro/1.0", NULL, "Samsung of 2009" },
		{ LG_AGENT, NULL, "LG" },
		{ "Panasonic MIL DLNA CP UPnP/1.0 DLNADOC/1.50", NULL, "Panasonic" },
		{ "IPI/1.0 UPnP/1.0 DLNADOC/1.50", NULL, "Philips" },
		{ "UPnP/1.0 DLNADOC/1.50 Platinum/1.0.5.13", NULL, "Kodi" },
		{ "Kodi/20.1 (X11; Linux x86_64) App_Bitness/64 Version/20.1", NULL, "Kodi" },
		{ "BubbleUPnP UPnP/1.1", NULL, "BubbleUPnP" },
		{ "FDSSDP", NULL, "Windows" },
	};
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct client_headers h = { span_str(cases[i].user_agent),
					    span_str(cases[i].av_client_info) };
		EXPECT_STR(cases[i].name, client_of(&h)->name);
	}
}

TEST(client, a_type_is_renamed_only_for_whom_it_is_meant)
{
	static const struct {
		const char *user_agent, *av_client_info, *mime, *want;
	} cases[] = {
		{ NULL, NULL, "video/x-matroska", "video/x-matroska" },
		{ SAMSUNG_AGENT, NULL, "video/x-matroska", "video/x-mkv" },
		{ SAMSUNG_AGENT, NULL, "video/x-msvideo", "video/x-msvideo" },
		{ "SamsungWiselinkPro/1.0", NULL, "video/x-msvideo", "video/mpeg" },
		{ NULL, BLU_RAY_INFO, "video/x-matroska", "video/divx" },
		{ NULL, BLU_RAY_INFO, "video/mpeg", "video/divx" },
		{ NULL, BLU_RAY_INFO, "video/mp4", "video/mp4" },
		{ "Xbox/2.0.17559.0", NULL, "video/x-msvideo", "video/avi" },
	};
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct client_headers h = { span_str(cases[i].user_agent),
					    span_str(cases[i].av_client_info) };
		EXPECT_SPAN(span_str(cases[i].want),
			    client_mime(client_of(&h), span_str(cases[i].mime)));
	}
}

static void put_film(struct fixture *fx)
{
	const struct subtitle_in subtitles[] = { { .path = SPAN("/m/Film.ass") },
						 { .path = SPAN("/m/Film.en.SRT") } };
	struct media_file_in film = { .path = SPAN("/m/Film.mkv"),
				      .title = SPAN("Film"),
				      .mime_type = SPAN("video/x-matroska"),
				      .size = 1000,
				      .subtitles = subtitles,
				      .subtitles_n = ARRAY_LEN(subtitles),
				      .inode = 1,
				      .kind = MEDIA_KIND_VIDEO };
	fixture_put(fx, &film, 1);
}

static void films(struct fixture *fx, const char *user_agent, const char *av_client_info,
		  const char *filter, struct doc *out)
{
	struct doc answer;
	struct browse_args args = { .id = "VT", .filter = filter };
	fx->client = (struct client_headers){ span_str(user_agent), span_str(av_client_info) };
	EXPECT_U64(200, fixture_browse(fx, &args, &answer));
	fixture_didl(&answer, out);
	EXPECT_U64(1, doc_count(out, "item"));
	doc_fini(&answer);
}

/* Also what one device was answered is not what the next one gets from the pages that are kept. */
TEST(client, each_device_hears_of_subtitles_in_its_own_way)
{
	struct fixture fx;
	struct doc d;
	fixture_init(&fx);
	put_film(&fx);
	for (int round = 0; round < 2; round++) {
		films(&fx, NULL, NULL, "*", &d);
		EXPECT_U64(1, doc_count(&d, "res"));
		EXPECT_U64(0, doc_count(&d, "sec:CaptionInfoEx"));
		EXPECT_STR("", doc_attribute(doc_find(&d, "res", 0), "pv:subtitleFileUri"));
		EXPECT_STR("", doc_attribute(doc_find(&d, "DIDL-Lite", 0), "xmlns:sec"));
		doc_fini(&d);

		films(&fx, SAMSUNG_AGENT, NULL, "*", &d);
		EXPECT_U64(1, doc_count(&d, "res"));
		EXPECT_STR("http://www.sec.co.kr/dlna",
			   doc_attribute(doc_find(&d, "DIDL-Lite", 0), "xmlns:sec"));
		EXPECT_STR("srt", doc_attribute(doc_find(&d, "sec:CaptionInfoEx", 0), "sec:type"));
		const char *url = "http://10.0.0.2:8250/subtitle/";
		EXPECT(span_starts(doc_text(&d, "sec:CaptionInfoEx", 0), span_str(url)));
		EXPECT(span_starts(span_str(doc_attribute(doc_find(&d, "res", 0), "protocolInfo")),
				   SPAN("http-get:*:video/x-mkv:")));
		doc_fini(&d);

		films(&fx, LG_AGENT, NULL, "*", &d);
		EXPECT_U64(2, doc_count(&d, "res"));
		EXPECT_STR("http-get:*:text/srt:*",
			   doc_attribute(doc_find(&d, "res", 1), "protocolInfo"));
		EXPECT_STR("http://www.pv.com/pvns/",
			   doc_attribute(doc_find(&d, "DIDL-Lite", 0), "xmlns:pv"));
		EXPECT_STR("SRT", doc_attribute(doc_find(&d, "res", 0), "pv:subtitleFileType"));
		EXPECT_SPAN(doc_text(&d, "res", 1),
			    span_str(doc_attribute(doc_find(&d, "res", 0), "pv:subtitleFileUri")));
		doc_fini(&d);
	}
	fixture_fini(&fx);
}

TEST(client, what_the_filter_does_not_name_is_not_said)
{
	struct fixture fx;
	struct doc d;
	fixture_init(&fx);
	put_film(&fx);
	films(&fx, SAMSUNG_AGENT, NULL, "dc:title,res", &d);
	EXPECT_U64(0, doc_count(&d, "sec:CaptionInfoEx"));
	doc_fini(&d);
	films(&fx, SAMSUNG_AGENT, NULL, "sec:CaptionInfoEx", &d);
	EXPECT_U64(1, doc_count(&d, "sec:CaptionInfoEx"));
	EXPECT_U64(0, doc_count(&d, "res"));
	doc_fini(&d);
	films(&fx, NULL, BRAVIA_INFO, "res", &d);
	EXPECT_U64(0, doc_count(&d, "av:mediaClass"));
	doc_fini(&d);
	fixture_fini(&fx);
}

TEST(client, sonys_devices_are_told_what_an_item_is_for)
{
	struct fixture fx;
	struct doc d;
	fixture_init(&fx);
	put_film(&fx);
	films(&fx, NULL, BRAVIA_INFO, "*", &d);
	EXPECT_SPAN(SPAN("V"), doc_text(&d, "av:mediaClass", 0));
	doc_fini(&d);
	films(&fx, NULL, NULL, "*", &d);
	EXPECT_U64(0, doc_count(&d, "av:mediaClass"));
	doc_fini(&d);
	fixture_fini(&fx);
}
