/* SPDX-License-Identifier: MIT */
/* Any datagram: what counts as a search is answered within bounds. */
#include <stdlib.h>

#include "discovery/helper/ssdp.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	static const struct ssdp_device device = { .udn = "uuid:1",
						   .types = { "urn:a:device:B:2",
							      "urn:a:service:C:1" },
						   .types_n = 2,
						   .location = "http://10.0.0.1:1/",
						   .max_age_s = 1800 };
	struct ssdp_answer answers[SSDP_ANSWERS_MAX];
	char message[SSDP_MESSAGE_MAX];
	struct ssdp_search search;

	if (!ssdp_search_parse(span_of(data, n), &search))
		return 0;
	if (search.mx_s > SSDP_MX_MAX || search.st.n == 0 || search.st.n >= SSDP_TEXT_MAX)
		abort();
	unsigned answers_n = ssdp_match(&device, search.st, answers);
	for (unsigned i = 0; i < answers_n; i++)
		if (ssdp_answer_format(&device, &answers[i], 0, message) == 0)
			abort();
	return 0;
}
