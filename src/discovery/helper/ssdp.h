/* SPDX-License-Identifier: MIT */
/* SSDP as bytes, without sockets: which searches deserve an answer, and what the answers say. */
#pragma once

#include "base/err.h"
#include "base/span.h"

#define SSDP_PORT 1900
#define SSDP_GROUP "239.255.255.250"
#define SSDP_TYPES_MAX 8
#define SSDP_ANSWERS_MAX (SSDP_TYPES_MAX + 2)
#define SSDP_TEXT_MAX 192
#define SSDP_MESSAGE_MAX 1024
/* UDA 1.1 advises devices to cap MX at 5, UDA 1.0 at 120; control points that ask for 10 rely on
 * answers being spread over it, and nobody sends more. */
#define SSDP_MX_MAX 10

/** What is announced: a root device and its services. */
struct ssdp_device {
	char udn[SSDP_TEXT_MAX]; /* "uuid:..." */
	char types[SSDP_TYPES_MAX]
		  [SSDP_TEXT_MAX]; /* "urn:...:device:MediaServer:1", then services */
	unsigned types_n;
	char location[SSDP_TEXT_MAX];
	unsigned max_age_s;
};

/** A well-formed M-SEARCH. */
struct ssdp_search {
	struct span st; /* borrowed from the datagram */
	unsigned mx_s;	/* 0..SSDP_MX_MAX */
};

struct ssdp_answer {
	char st[SSDP_TEXT_MAX];
	char usn[2 * SSDP_TEXT_MAX + 2];
};

/** False where the datagram must stay without an answer: another method, a URI other than "*",
 * HTTP/1.0, MAN other than "ssdp:discover" in quotes, MX missing or no number, ST missing or empty.
 */
bool ssdp_search_parse(struct span datagram, struct ssdp_search *out);

/** The answers to a search target: all of them, one, or (0) none. A device or service type is
 * answered up to our version, with the version that was asked for. */
unsigned ssdp_match(const struct ssdp_device *d, struct span st,
		    struct ssdp_answer out[SSDP_ANSWERS_MAX]);

/** One "HTTP/1.1 200 OK"; its length, or 0 where it does not fit. */
size_t ssdp_answer_format(const struct ssdp_device *d, const struct ssdp_answer *a, int64_t wall_s,
			  char out[SSDP_MESSAGE_MAX]);

/** Whether `source` is in the subnet of our address and no broadcast (all in host byte order). */
bool ssdp_on_link(uint32_t source, uint32_t address, uint32_t mask);

/** Up to MX seconds, evenly spread, from a random number; ends before the asker stops listening. */
unsigned ssdp_delay_ms(unsigned mx_s, uint64_t random);
