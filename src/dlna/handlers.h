/* SPDX-License-Identifier: MIT */
/* What the action table points at: one function per action, one getter per state variable. */
#pragma once

#include "dlna/actions.h"

/* content_directory.c */
void content_directory_search_caps(struct dlna *d, struct buf *out);
void content_directory_sort_caps(struct dlna *d, struct buf *out);
void content_directory_system_update_id(struct dlna *d, struct buf *out);
void content_directory_container_update_ids(struct dlna *d, struct buf *out);
enum upnp_code content_directory_get_search_caps(struct soap_call *call);
enum upnp_code content_directory_get_sort_caps(struct soap_call *call);
enum upnp_code content_directory_get_system_update_id(struct soap_call *call);
enum upnp_code content_directory_get_feature_list(struct soap_call *call);
enum upnp_code content_directory_browse(struct soap_call *call);

/* content_search.c */
enum upnp_code content_directory_search(struct soap_call *call);

/* content_update.c */
enum upnp_code content_directory_update_object(struct soap_call *call);
enum upnp_code content_directory_set_bookmark(struct soap_call *call);

/* connection_manager.c */
void connection_manager_source(struct dlna *d, struct buf *out);
void connection_manager_sink(struct dlna *d, struct buf *out);
void connection_manager_ids(struct dlna *d, struct buf *out);
enum upnp_code connection_manager_get_protocol_info(struct soap_call *call);
enum upnp_code connection_manager_get_ids(struct soap_call *call);
enum upnp_code connection_manager_get_info(struct soap_call *call);

/* registrar.c */
void registrar_update_id(struct dlna *d, struct buf *out);
enum upnp_code registrar_allow(struct soap_call *call);
enum upnp_code registrar_register(struct soap_call *call);
