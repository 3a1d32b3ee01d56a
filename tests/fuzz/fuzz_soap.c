/* SPDX-License-Identifier: MIT */
/* SOAP bodies: reading and binding never reads outside; what is bound is what the table says. */
#include "dlna/gena_callback.h"
#include "dlna/soap.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static void check_bound(const struct service *service, const struct soap_request *r)
{
	struct soap_call call = { .service = service };

	if (soap_bind(service, r, &call) != UPNP_OK)
		return;
	for (size_t i = 0; call.action->arguments[i].direction == ARGUMENT_IN; i++)
		ASSERT(call.in[i].given && call.in[i].text.n <= 2 * SOAP_BODY_MAX_BYTES);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct soap_request r;
	struct callback callbacks[CALLBACKS_MAX];
	size_t callbacks_n;

	if (soap_request_parse(span_of(data, n), &r) == ERR_OK)
		for (size_t i = 0; i < SERVICES_N; i++)
			check_bound(&services[i], &r);
	soap_request_fini(&r);
	if (callbacks_parse(span_of(data, n), callbacks, &callbacks_n) == ERR_OK)
		ASSERT(callbacks_n > 0 && callbacks_n <= CALLBACKS_MAX);
	return 0;
}
