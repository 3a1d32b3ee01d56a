/* SPDX-License-Identifier: MIT */
/* SSDP as bytes, without sockets. */
#include "discovery/helper/ssdp.h"

#include <stdio.h>

#include "base/clock.h"
#include "base/num.h"

#define SERVER_TEXT "Linux/6 UPnP/1.0 salver/0.1"

/* The next line without its end; false behind the last. */
static bool line_next(struct span *rest, struct span *out)
{
	if (rest->n == 0)
		return false;
	*out = span_trim(span_cut(rest, '\n'));
	return true;
}

bool ssdp_search_parse(struct span datagram, struct ssdp_search *out)
{
	struct span rest = datagram, line = { NULL, 0 }, st = { NULL, 0 };
	bool has_man = false, has_mx = false;
	uint64_t mx = 0;

	if (!line_next(&rest, &line) || !span_eq(line, SPAN("M-SEARCH * HTTP/1.1")))
		return false;
	while (line_next(&rest, &line) && line.n > 0) {
		struct span value = line;
		struct span name = span_trim(span_cut(&value, ':'));
		value = span_trim(value);
		if (span_eq_nocase(name, SPAN("MAN")))
			has_man = span_eq(value, SPAN("\"ssdp:discover\""));
		else if (span_eq_nocase(name, SPAN("MX")))
			has_mx = num_parse_u64(value, 0, 1000000, &mx) == ERR_OK;
		else if (span_eq_nocase(name, SPAN("ST")))
			st = value;
	}
	if (!has_man || !has_mx || st.n == 0 || st.n >= SSDP_TEXT_MAX)
		return false;
	*out = (struct ssdp_search){ st, (unsigned)MIN(mx, SSDP_MX_MAX) };
	return true;
}

/* "urn:...:MediaServer:1" asked for, "urn:...:MediaServer:2" offered: fits. */
static bool type_fits(struct span asked, struct span ours)
{
	size_t a = span_rfind(asked, ':'), o = span_rfind(ours, ':');
	uint64_t asked_version, our_version;

	if (a != o || a == asked.n || !span_eq(span_first(asked, a), span_first(ours, o)))
		return false;
	if (num_parse_u64(span_skip(asked, a + 1), 1, 1000, &asked_version) != ERR_OK ||
	    num_parse_u64(span_skip(ours, o + 1), 1, 1000, &our_version) != ERR_OK)
		return false;
	return asked_version <= our_version;
}

static void answer_set(const struct ssdp_device *d, struct span st, struct ssdp_answer *out)
{
	bool is_udn = span_eq(st, span_str(d->udn));

	snprintf(out->st, sizeof out->st, "%.*s", SPAN_ARG(st));
	snprintf(out->usn, sizeof out->usn, "%s%s%s", d->udn,
		 is_udn ? "" : "::", is_udn ? "" : out->st);
}

unsigned ssdp_match(const struct ssdp_device *d, struct span st,
		    struct ssdp_answer out[SSDP_ANSWERS_MAX])
{
	bool all = span_eq(st, SPAN("ssdp:all"));
	unsigned n = 0;

	if (all || span_eq(st, SPAN("upnp:rootdevice")))
		answer_set(d, SPAN("upnp:rootdevice"), &out[n++]);
	if (all || span_eq(st, span_str(d->udn)))
		answer_set(d, span_str(d->udn), &out[n++]);
	for (unsigned i = 0; i < d->types_n; i++) {
		if (all)
			answer_set(d, span_str(d->types[i]), &out[n++]);
		else if (type_fits(st, span_str(d->types[i])))
			answer_set(d, st, &out[n++]);
	}
	return n;
}

size_t ssdp_answer_format(const struct ssdp_device *d, const struct ssdp_answer *a, int64_t wall_s,
			  char out[SSDP_MESSAGE_MAX])
{
	char date[CLOCK_HTTP_MAX];
	int n = snprintf(out, SSDP_MESSAGE_MAX,
			 "HTTP/1.1 200 OK\r\nCACHE-CONTROL: max-age=%u\r\nDATE: %s\r\nEXT:\r\n"
			 "LOCATION: %s\r\nSERVER: " SERVER_TEXT "\r\nST: %s\r\nUSN: %s\r\n"
			 "CONTENT-LENGTH: 0\r\n\r\n",
			 d->max_age_s, clock_http_date(wall_s, date), d->location, a->st, a->usn);
	return n > 0 && n < SSDP_MESSAGE_MAX ? (size_t)n : 0;
}

bool ssdp_on_link(uint32_t source, uint32_t address, uint32_t mask)
{
	if ((source & mask) != (address & mask))
		return false;
	bool has_broadcast = mask < 0xfffffffe; /* not in a /31 or /32 (RFC 3021) */
	return !has_broadcast || ((source & ~mask) != 0 && (source & ~mask) != ~mask);
}

unsigned ssdp_delay_ms(unsigned mx_s, uint64_t random)
{
	/* a tenth is left for the way back; MX 0 still spreads a little */
	unsigned span_ms = mx_s ? mx_s * 900 : 50;
	return (unsigned)(random % span_ms);
}
