/* SPDX-License-Identifier: MIT */
/* ConnectionManager:1. HTTP needs no prepared connections, so there is one, number 0, for ever. */
#include "dlna/handlers.h"
#include "dlna/profile.h"
#include "dlna/soap.h"

void connection_manager_source(struct dlna *d, struct buf *out)
{
	(void)d;
	profile_source_list(out);
}

void connection_manager_sink(struct dlna *d, struct buf *out)
{
	(void)d; /* we play nothing */
	(void)out;
}

void connection_manager_ids(struct dlna *d, struct buf *out)
{
	(void)d;
	buf_add_char(out, '0');
}

enum upnp_code connection_manager_get_protocol_info(struct soap_call *call)
{
	soap_out_variable(call, "Source", connection_manager_source);
	soap_out_variable(call, "Sink", connection_manager_sink);
	return UPNP_OK;
}

enum upnp_code connection_manager_get_ids(struct soap_call *call)
{
	soap_out_variable(call, "ConnectionIDs", connection_manager_ids);
	return UPNP_OK;
}

enum upnp_code connection_manager_get_info(struct soap_call *call)
{
	if (call->in[0].number != 0)
		return UPNP_INVALID_CONNECTION;

	soap_out_text(call, "RcsID", SPAN("-1"));
	soap_out_text(call, "AVTransportID", SPAN("-1"));
	soap_out_text(call, "ProtocolInfo", SPAN(""));
	soap_out_text(call, "PeerConnectionManager", SPAN(""));
	soap_out_text(call, "PeerConnectionID", SPAN("-1"));
	soap_out_text(call, "Direction", SPAN("Output"));
	soap_out_text(call, "Status", SPAN("OK"));
	return UPNP_OK;
}
