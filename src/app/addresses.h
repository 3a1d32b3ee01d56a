/* SPDX-License-Identifier: MIT */
/* Where people find the web page: the addresses of the interfaces that we serve on. */
#pragma once

#include <stddef.h>
#include <stdint.h>

/** "http://192.168.1.5:8250/ http://10.0.0.2:8250/" of the given interfaces, or of every one that
 * is not loopback; http://127.0.0.1:PORT/ where there is none. Cut where it does not fit. */
void addresses_web_urls(const char *const *interfaces, size_t interfaces_n, uint16_t port,
			char *out, size_t out_n);
