/* SPDX-License-Identifier: MIT */
/* The CALLBACK header: where events are to go, and where they may. */
#include "dlna/gena_callback.h"

#include <arpa/inet.h>
#include <ifaddrs.h>
#include <netinet/in.h>

#include "base/num.h"

#define HTTP_PORT_DEFAULT 80

/* An address as bytes: 4 or 16; 0 where it is neither kind. */
struct ip {
	uint8_t bytes[16];
	size_t n;
};

static struct ip ip_of(const struct sockaddr_storage *ss)
{
	static const uint8_t mapped[12] = { [10] = 0xFF, [11] = 0xFF };
	struct ip ip = { .n = 0 };

	if (ss->ss_family == AF_INET) {
		const struct sockaddr_in *in = (const struct sockaddr_in *)ss;
		ip.n = 4;
		memcpy(ip.bytes, &in->sin_addr, 4);
	} else if (ss->ss_family == AF_INET6) {
		const struct sockaddr_in6 *in6 = (const struct sockaddr_in6 *)ss;
		ip.n = 16;
		memcpy(ip.bytes, &in6->sin6_addr, 16);
		if (memcmp(ip.bytes, mapped, sizeof mapped) == 0) {
			ip.n = 4;
			memmove(ip.bytes, ip.bytes + 12, 4);
		}
	}
	return ip;
}

bool same_subnet(const struct sockaddr_storage *a, const struct sockaddr_storage *b,
		 const struct sockaddr_storage *mask)
{
	struct ip x = ip_of(a);
	struct ip y = ip_of(b);
	struct ip m = ip_of(mask);

	if (x.n == 0 || x.n != y.n || x.n != m.n)
		return false;
	for (size_t i = 0; i < x.n; i++)
		if ((x.bytes[i] & m.bytes[i]) != (y.bytes[i] & m.bytes[i]))
			return false;
	return true;
}

bool same_host(const struct sockaddr_storage *a, const struct sockaddr_storage *b)
{
	struct ip x = ip_of(a);
	struct ip y = ip_of(b);

	return x.n > 0 && x.n == y.n && memcmp(x.bytes, y.bytes, x.n) == 0;
}

static struct sockaddr_storage storage_of(const struct sockaddr *sa)
{
	struct sockaddr_storage ss = { .ss_family = sa->sa_family };

	if (sa->sa_family == AF_INET)
		memcpy(&ss, sa, sizeof(struct sockaddr_in));
	else if (sa->sa_family == AF_INET6)
		memcpy(&ss, sa, sizeof(struct sockaddr_in6));
	return ss;
}

static void ifaddrs_freep(struct ifaddrs **list)
{
	if (*list)
		freeifaddrs(*list);
}

bool address_is_near(const struct sockaddr_storage *address, const struct sockaddr_storage *local)
{
	CLEANUP(ifaddrs_freep) struct ifaddrs *list = NULL;

	if (getifaddrs(&list) != 0)
		return false;
	for (const struct ifaddrs *i = list; i; i = i->ifa_next) {
		if (!i->ifa_addr || !i->ifa_netmask)
			continue;
		struct sockaddr_storage own = storage_of(i->ifa_addr);
		struct sockaddr_storage mask = storage_of(i->ifa_netmask);

		/* glibc leaves the family of some masks unset */
		mask.ss_family = own.ss_family;
		if (same_host(&own, local) && same_subnet(address, &own, &mask))
			return true;
	}
	return false;
}

/* ---- parsing --------------------------------------------------------------------------------- */

/** Splits "HOST:PORT", "[HOST]:PORT" or without a port; the brackets go. */
static enum err split_host(struct span authority, struct span *out_host, uint64_t *out_port)
{
	struct span port = { NULL, 0 };

	*out_host = authority;
	if (authority.n > 0 && authority.p[0] == '[') {
		size_t end = span_find(authority, ']');

		if (end == authority.n)
			return ERR_INVALID;
		*out_host = span_of(authority.p + 1, end - 1);
		port = span_skip(authority, end + 1);
	} else {
		size_t colon = span_find(authority, ':');

		*out_host = span_first(authority, colon);
		port = span_skip(authority, colon);
	}
	*out_port = HTTP_PORT_DEFAULT;
	if (port.n == 0)
		return ERR_OK;
	return port.p[0] == ':' ? num_parse_u64(span_skip(port, 1), 1, 65535, out_port)
				: ERR_INVALID;
}

static enum err address_parse(struct span host, uint16_t port, struct callback *out)
{
	char text[INET6_ADDRSTRLEN];
	struct sockaddr_in *in = (struct sockaddr_in *)&out->address;
	struct sockaddr_in6 *in6 = (struct sockaddr_in6 *)&out->address;

	if (host.n == 0 || host.n >= sizeof text)
		return ERR_INVALID;
	memcpy(text, host.p, host.n);
	text[host.n] = '\0';
	if (inet_pton(AF_INET, text, &in->sin_addr) == 1) {
		in->sin_family = AF_INET;
		in->sin_port = htons(port);
		out->address_n = sizeof *in;
	} else if (inet_pton(AF_INET6, text, &in6->sin6_addr) == 1) {
		in6->sin6_family = AF_INET6;
		in6->sin6_port = htons(port);
		out->address_n = sizeof *in6;
	} else {
		return ERR_INVALID;
	}
	return ERR_OK;
}

/** Only what may stand in a request line and a header: no blanks, no controls. */
static bool is_visible(struct span s)
{
	for (size_t i = 0; i < s.n; i++)
		if (s.p[i] <= ' ' || s.p[i] >= 127)
			return false;
	return true;
}

static enum err url_parse(struct span url, struct callback *out)
{
	struct span host;
	uint64_t port;

	if (!span_starts_nocase(url, SPAN("http://")) || !is_visible(url))
		return ERR_INVALID;
	url = span_skip(url, sizeof "http://" - 1);
	size_t slash = span_find(url, '/');
	struct span authority = span_first(url, slash);
	struct span path = span_skip(url, slash);
	if (path.n == 0)
		path = SPAN("/");
	if (authority.n >= sizeof out->host || path.n >= sizeof out->path)
		return ERR_LIMIT;

	*out = (struct callback){ .address_n = 0 };
	enum err e = split_host(authority, &host, &port);
	if (e == ERR_OK)
		e = address_parse(host, (uint16_t)port, out);
	if (e != ERR_OK)
		return e;
	memcpy(out->host, authority.p, authority.n);
	memcpy(out->path, path.p, path.n);
	return ERR_OK;
}

enum err callbacks_parse(struct span header, struct callback out[CALLBACKS_MAX], size_t *out_n)
{
	size_t n = 0;

	while (n < CALLBACKS_MAX) {
		size_t open = span_find(header, '<');
		struct span rest = span_skip(header, open + 1);
		size_t close = span_find(rest, '>');

		if (open == header.n || close == rest.n)
			break;
		if (url_parse(span_first(rest, close), &out[n]) == ERR_OK)
			n++;
		header = span_skip(rest, close + 1);
	}
	if (n == 0)
		return ERR_INVALID;
	*out_n = n;
	return ERR_OK;
}
