/* SPDX-License-Identifier: MIT */
/* IPv4 addresses of the interfaces that serve, as URLs for people. */
#include "app/addresses.h"

#include <arpa/inet.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

static bool is_served(const struct ifaddrs *a, const char *const *interfaces, size_t interfaces_n)
{
	if (!a->ifa_addr || a->ifa_addr->sa_family != AF_INET || !(a->ifa_flags & IFF_UP))
		return false;
	if (!interfaces_n)
		return !(a->ifa_flags & IFF_LOOPBACK);
	for (size_t i = 0; i < interfaces_n; i++)
		if (strcmp(interfaces[i], a->ifa_name) == 0)
			return true;
	return false;
}

void addresses_web_urls(const char *const *interfaces, size_t interfaces_n, uint16_t port,
			char *out, size_t out_n)
{
	struct ifaddrs *all = NULL;
	size_t n = 0;

	out[0] = '\0';
	if (getifaddrs(&all) == 0) {
		for (const struct ifaddrs *a = all; a && n < out_n; a = a->ifa_next) {
			char ip[INET_ADDRSTRLEN];

			if (!is_served(a, interfaces, interfaces_n))
				continue;
			inet_ntop(
				AF_INET,
				&((const struct sockaddr_in *)(const void *)a->ifa_addr)->sin_addr,
				ip, sizeof ip);
			n += (size_t)snprintf(out + n, out_n - n, "%shttp://%s:%u/", n ? "  " : "",
					      ip, port);
		}
		freeifaddrs(all);
	}
	if (!n)
		snprintf(out, out_n, "http://127.0.0.1:%u/", port);
}
