/* SPDX-License-Identifier: MIT */
/* Which searches are answered, and with what. */
#include "discovery/helper/ssdp.h"
#include "discovery/helper_process.h"
#include "discovery/links.h"
#include "harness.h"

#define SEARCH(line, man, mx, st) SPAN(line "\r\nHOST: 239.255.255.250:1900\r\n" man mx st "\r\n")
#define LINE "M-SEARCH * HTTP/1.1"
#define MAN "MAN: \"ssdp:discover\"\r\n"
#define MX "MX: 3\r\n"
#define ST "ST: ssdp:all\r\n"

static const struct ssdp_device device = {
	.udn = "uuid:1-2",
	.types = { "urn:schemas-upnp-org:device:MediaServer:2",
		   "urn:schemas-upnp-org:service:ContentDirectory:1" },
	.types_n = 2,
	.location = "http://10.77.0.1:8250/description.xml",
	.max_age_s = 1800,
};

TEST(ssdp_search_parse, takes_a_good_search)
{
	struct ssdp_search s;
	EXPECT(ssdp_search_parse(SEARCH(LINE, MAN, MX, ST), &s));
	EXPECT_SPAN(SPAN("ssdp:all"), s.st);
	EXPECT_U64(3, s.mx_s);
	EXPECT(ssdp_search_parse(SEARCH(LINE, "man:\"ssdp:discover\" \r\n", "mx:120\r\n",
					"St:\tupnp:rootdevice\r\n"),
				 &s));
	EXPECT_U64(SSDP_MX_MAX, s.mx_s);
	EXPECT_SPAN(SPAN("upnp:rootdevice"), s.st);
	EXPECT(ssdp_search_parse(SPAN(LINE "\n" MAN MX "ST: a"),
				 &s)); /* no empty line at the end */
}

TEST(ssdp_search_parse, is_silent_to_malformed_searches)
{
	const struct span bad[] = {
		SPAN(""),
		SPAN("\r\n\r\n"),
		SEARCH("M-SEARCH * HTTP/1.0", MAN, MX, ST),
		SEARCH("M-SEARCH *", MAN, MX, ST),
		SEARCH("M-SEARCH /x HTTP/1.1", MAN, MX, ST),
		SEARCH("NOTIFY * HTTP/1.1", MAN, MX, ST),
		SEARCH("HTTP/1.1 200 OK", MAN, MX, ST),
		SEARCH(LINE, "", MX, ST),
		SEARCH(LINE, "MAN: ssdp:discover\r\n", MX, ST),
		SEARCH(LINE, "MAN: \"ssdp:other\"\r\n", MX, ST),
		SEARCH(LINE, MAN, "", ST),
		SEARCH(LINE, MAN, "MX:\r\n", ST),
		SEARCH(LINE, MAN, "MX: -1\r\n", ST),
		SEARCH(LINE, MAN, "MX: 1.5\r\n", ST),
		SEARCH(LINE, MAN, "MX: soon\r\n", ST),
		SEARCH(LINE, MAN, "MX: 99999999999999999999\r\n", ST),
		SEARCH(LINE, MAN, MX, ""),
		SEARCH(LINE, MAN, MX, "ST: \r\n"),
	};
	for (unsigned i = 0; i < ARRAY_LEN(bad); i++) {
		struct ssdp_search s;
		if (ssdp_search_parse(bad[i], &s))
			EXPECT_SPAN(SPAN("silence"), bad[i]);
	}
}

TEST(ssdp_search_parse, survives_any_bytes)
{
	char bytes[300];
	struct ssdp_search s;
	for (unsigned i = 0; i < 20000; i++) {
		struct span good = SEARCH(LINE, MAN, MX, ST);
		memcpy(bytes, good.p, good.n);
		for (unsigned k = 0; k < 3; k++)
			bytes[test_random() % good.n] = (char)test_random();
		if (ssdp_search_parse(span_of(bytes, test_random() % good.n), &s))
			EXPECT(s.st.n > 0 && s.st.n < SSDP_TEXT_MAX && s.mx_s <= SSDP_MX_MAX);
	}
}

TEST(ssdp_match, answers_all_one_or_none)
{
	struct ssdp_answer a[SSDP_ANSWERS_MAX];
	EXPECT_U64(4, ssdp_match(&device, SPAN("ssdp:all"), a));
	EXPECT_STR("uuid:1-2::upnp:rootdevice", a[0].usn);
	EXPECT_STR("uuid:1-2", a[1].usn);
	EXPECT_STR("uuid:1-2::urn:schemas-upnp-org:service:ContentDirectory:1", a[3].usn);
	EXPECT_U64(1, ssdp_match(&device, SPAN("upnp:rootdevice"), a));
	EXPECT_U64(1, ssdp_match(&device, SPAN("uuid:1-2"), a));
	EXPECT_STR("uuid:1-2", a[0].st);
	EXPECT_U64(0, ssdp_match(&device, SPAN("uuid:1-3"), a));
	EXPECT_U64(0, ssdp_match(&device, SPAN("urn:x:device:Other:1"), a));
	EXPECT_U64(0, ssdp_match(&device, SPAN("nonsense"), a));
}

TEST(ssdp_match, answers_older_versions_as_asked)
{
	struct ssdp_answer a[SSDP_ANSWERS_MAX];
	EXPECT_U64(1, ssdp_match(&device, SPAN("urn:schemas-upnp-org:device:MediaServer:1"), a));
	EXPECT_STR("urn:schemas-upnp-org:device:MediaServer:1", a[0].st);
	EXPECT_STR("uuid:1-2::urn:schemas-upnp-org:device:MediaServer:1", a[0].usn);
	EXPECT_U64(0, ssdp_match(&device, SPAN("urn:schemas-upnp-org:device:MediaServer:3"), a));
	EXPECT_U64(0, ssdp_match(&device, SPAN("urn:schemas-upnp-org:device:MediaServer:x"), a));
}

TEST(ssdp_answer_format, has_every_header)
{
	struct ssdp_answer a[SSDP_ANSWERS_MAX];
	char out[SSDP_MESSAGE_MAX];
	ssdp_match(&device, SPAN("upnp:rootdevice"), a);
	size_t n = ssdp_answer_format(&device, &a[0], 784111777, out);
	EXPECT_SPAN(SPAN("HTTP/1.1 200 OK\r\nCACHE-CONTROL: max-age=1800\r\n"
			 "DATE: Sun, 06 Nov 1994 08:49:37 GMT\r\nEXT:\r\n"
			 "LOCATION: http://10.77.0.1:8250/description.xml\r\n"
			 "SERVER: Linux/6 UPnP/1.0 salver/0.1\r\nST: upnp:rootdevice\r\n"
			 "USN: uuid:1-2::upnp:rootdevice\r\nCONTENT-LENGTH: 0\r\n\r\n"),
		    span_of(out, n));
}

TEST(ssdp_on_link, knows_its_subnet)
{
	EXPECT(ssdp_on_link(0x0a4d0002, 0x0a4d0001, 0xffffff00));
	EXPECT(ssdp_on_link(0x0a4d0001, 0x0a4d0001, 0xffffff00)); /* this very host */
	EXPECT(!ssdp_on_link(0x0a4d0102, 0x0a4d0001, 0xffffff00));
	EXPECT(!ssdp_on_link(0x0a4d00ff, 0x0a4d0001, 0xffffff00)); /* broadcast */
	EXPECT(!ssdp_on_link(0x0a4d0000, 0x0a4d0001, 0xffffff00));
	EXPECT(ssdp_on_link(0x0a4d0000, 0x0a4d0001, 0xfffffffe)); /* /31 has none */
	EXPECT(!ssdp_on_link(0x7f000001, 0x0a4d0001, 0xffffff00));
}

TEST(ssdp_delay_ms, spreads_over_mx_and_ends_before_it)
{
	double sum = 0, squares = 0;
	for (unsigned i = 0; i < 1000; i++) {
		unsigned ms = ssdp_delay_ms(10, test_random());
		EXPECT(ms < 10000);
		sum += ms;
		squares += (double)ms * ms;
	}
	double mean = sum / 1000;
	EXPECT(mean > 4000 && mean < 5000);
	EXPECT(squares / 1000 - mean * mean > 2000.0 * 2000.0);
	EXPECT(ssdp_delay_ms(0, test_random()) < 100);
}

TEST(helper_next_pause_ms, doubles_to_a_minute_and_starts_anew_after_a_steady_run)
{
	unsigned pause = HELPER_PAUSE_MIN_MS, steps = 0;
	while (pause < HELPER_PAUSE_MAX_MS && steps++ < 20)
		pause = helper_next_pause_ms(pause, 10);
	EXPECT_U64(HELPER_PAUSE_MAX_MS, pause);
	EXPECT_U64(6, steps);
	EXPECT_U64(HELPER_PAUSE_MIN_MS, helper_next_pause_ms(pause, HELPER_STEADY_MS));
}

TEST(link_is_ready, wants_multicast_up_and_an_address)
{
	struct link_info l = { .flags = IFF_UP | IFF_RUNNING | IFF_MULTICAST, .address.s_addr = 1 };
	EXPECT(link_is_ready(&l));
	l.flags &= ~(unsigned)IFF_RUNNING; /* no cable */
	EXPECT(!link_is_ready(&l));
	l.flags |= IFF_LOOPBACK;
	EXPECT(!link_can_multicast(&l));
	l.flags = IFF_UP;
	EXPECT(!link_can_multicast(&l));
	l.flags = IFF_MULTICAST;
	EXPECT(link_can_multicast(&l) && !link_is_ready(&l));
}
