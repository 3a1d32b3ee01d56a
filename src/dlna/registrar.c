/* SPDX-License-Identifier: MIT */
/* X_MS_MediaReceiverRegistrar:1: Xbox 360 and Windows Media Player ask it before they browse.
 * Everyone on the network may browse, so everyone is authorised, also with an empty DeviceID. */
#include "dlna/handlers.h"
#include "dlna/soap.h"

void registrar_update_id(struct dlna *d, struct buf *out)
{
	(void)d; /* nobody's standing ever changes */
	buf_add_char(out, '0');
}

enum upnp_code registrar_allow(struct soap_call *call)
{
	soap_out_text(call, "Result", SPAN("1"));
	return UPNP_OK;
}

enum upnp_code registrar_register(struct soap_call *call)
{
	/* Valid bin.base64 of no bytes: there is no registration protocol to speak. */
	soap_out_text(call, "RegistrationRespMsg", SPAN(""));
	return UPNP_OK;
}
