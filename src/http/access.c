/* SPDX-License-Identifier: MIT */
/* Who may ask: host names (against DNS rebinding) and interfaces. */
#include <arpa/inet.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <stdio.h>

#include "base/clock.h"
#include "base/num.h"
#include "http/http_priv.h"

void http_address_unmap(struct sockaddr_storage *ss)
{
	struct sockaddr_in6 v6;
	if (ss->ss_family != AF_INET6)
		return;
	memcpy(&v6, ss, sizeof v6);
	if (!IN6_IS_ADDR_V4MAPPED(&v6.sin6_addr))
		return;
	struct sockaddr_in v4 = { .sin_family = AF_INET, .sin_port = v6.sin6_port };
	memcpy(&v4.sin_addr, v6.sin6_addr.s6_addr + 12, 4);
	memset(ss, 0, sizeof *ss);
	memcpy(ss, &v4, sizeof v4);
}

bool http_address_is_loopback(const struct sockaddr_storage *ss)
{
	if (ss->ss_family == AF_INET) {
		const struct sockaddr_in *v4 = (const struct sockaddr_in *)ss;
		return (ntohl(v4->sin_addr.s_addr) >> 24) == 127;
	}
	if (ss->ss_family == AF_INET6)
		return IN6_IS_ADDR_LOOPBACK(&((const struct sockaddr_in6 *)ss)->sin6_addr);
	return false;
}

void http_address_text(const struct sockaddr_storage *ss, uint16_t port, char *out, size_t out_n)
{
	char ip[INET6_ADDRSTRLEN] = "0.0.0.0";
	bool v6 = ss->ss_family == AF_INET6;
	if (v6)
		inet_ntop(AF_INET6, &((const struct sockaddr_in6 *)ss)->sin6_addr, ip, sizeof ip);
	else if (ss->ss_family == AF_INET)
		inet_ntop(AF_INET, &((const struct sockaddr_in *)ss)->sin_addr, ip, sizeof ip);
	if (port == 0)
		snprintf(out, out_n, "%s", ip);
	else
		snprintf(out, out_n, v6 ? "[%s]:%u" : "%s:%u", ip, (unsigned)port);
}

static bool same_address(const struct sockaddr *a, const struct sockaddr *b)
{
	if (!a || a->sa_family != b->sa_family)
		return false;
	if (a->sa_family == AF_INET)
		return ((const struct sockaddr_in *)a)->sin_addr.s_addr ==
		       ((const struct sockaddr_in *)b)->sin_addr.s_addr;
	return a->sa_family == AF_INET6 &&
	       memcmp(&((const struct sockaddr_in6 *)a)->sin6_addr,
		      &((const struct sockaddr_in6 *)b)->sin6_addr, sizeof(struct in6_addr)) == 0;
}

bool http_address_same(const struct sockaddr_storage *a, const struct sockaddr_storage *b)
{
	return same_address((const struct sockaddr *)a, (const struct sockaddr *)b);
}

/** Whether one of the configured interfaces has the address now. */
static bool interface_has(const struct http *h, const struct sockaddr_storage *local)
{
	struct ifaddrs *all = NULL;
	if (getifaddrs(&all) != 0)
		return false;
	bool found = false;
	for (struct ifaddrs *i = all; i && !found; i = i->ifa_next) {
		if (!same_address(i->ifa_addr, (const struct sockaddr *)local))
			continue;
		for (size_t k = 0; k < h->interfaces_n && !found; k++)
			found = strcmp(h->interfaces[k], i->ifa_name) == 0;
	}
	freeifaddrs(all);
	return found;
}

/* Addresses come and go while we run, but to ask the system takes longer than to serve a page. */
bool http_interface_allowed(struct http *h, const struct sockaddr_storage *local)
{
	if (h->interfaces_n == 0 || http_address_is_loopback(local))
		return true;
	uint64_t now_ms = clock_now_ms();
	mutex_lock(&h->lock);
	bool known = h->interface.checked_ms > 0 &&
		     now_ms - h->interface.checked_ms < HTTP_INTERFACE_CHECK_MS &&
		     http_address_same(&h->interface.local, local);
	bool allowed = known && h->interface.allowed;
	mutex_unlock(&h->lock);
	if (known)
		return allowed;
	allowed = interface_has(h, local);
	mutex_lock(&h->lock);
	h->interface.local = *local;
	h->interface.checked_ms = now_ms;
	h->interface.allowed = allowed;
	mutex_unlock(&h->lock);
	return allowed;
}

static bool is_ip_literal(struct span host)
{
	char text[INET6_ADDRSTRLEN];
	struct in6_addr any;
	bool v6 = host.n >= 2 && host.p[0] == '[' && host.p[host.n - 1] == ']';
	if (v6)
		host = span_of(host.p + 1, host.n - 2);
	if (host.n == 0 || host.n >= sizeof text)
		return false;
	memcpy(text, host.p, host.n);
	text[host.n] = '\0';
	return inet_pton(v6 ? AF_INET6 : AF_INET, text, &any) == 1;
}

/** Host and port apart; false where the port is not a number. */
static bool split_port(struct span value, struct span *out_host)
{
	size_t colon = span_rfind(value, ':');
	size_t bracket = span_rfind(value, ']');
	bool v6 = value.n > 0 && value.p[0] == '[';
	if (colon == value.n || (v6 && bracket < value.n && colon < bracket)) {
		*out_host = value;
		return true;
	}
	uint64_t port;
	struct span digits = span_skip(value, colon + 1);
	*out_host = span_first(value, colon);
	return digits.n == 0 || num_parse_u64(digits, 0, 65535, &port) == ERR_OK;
}

bool http_host_allowed(const struct http *h, struct span value)
{
	/* Suffixes that no name server of the internet answers for. */
	static const struct span local_suffixes[] = {
		{ "", 0 }, { ".local", 6 }, { ".lan", 4 }, { ".home.arpa", 10 }
	};
	struct span host;
	if (!split_port(span_trim(value), &host) || host.n == 0)
		return false;
	if (is_ip_literal(host))
		return true;
	if (host.p[host.n - 1] == '.')
		host.n--;
	for (size_t i = 0; i < h->host_names_n; i++) {
		struct span name = span_str(h->host_names[i]);
		if (name.n == 0 || !span_starts_nocase(host, name))
			continue;
		for (size_t k = 0; k < ARRAY_LEN(local_suffixes); k++)
			if (span_eq_nocase(span_skip(host, name.n), local_suffixes[k]))
				return true;
	}
	return false;
}
