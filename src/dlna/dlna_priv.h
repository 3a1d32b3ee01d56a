/* SPDX-License-Identifier: MIT */
/* The device's insides, for src/dlna only. */
#pragma once

#include "base/counter.h"
#include "dlna/actions.h"
#include "dlna/dlna.h"

#define DLNA_XML_TYPE "text/xml; charset=\"utf-8\"" /* as UDA 1.0 spells it */
#define DLNA_DOCUMENT_MAX_BYTES (32u << 10)	    /* description, SCPD */
#define DLNA_UUID_MAX 37			    /* its text with the NUL */

struct cache;
struct gena;

/** What a route's handler gets: the device, and which of the services it is. */
struct dlna_endpoint {
	struct dlna *dlna;
	enum upnp_service service;
};

struct dlna {
	struct library *library;
	struct gena *gena;
	struct cache *pages; /* of Browse and Search; NULL: none */
	struct buf description;
	struct buf scpds[SERVICES_N];
	struct dlna_endpoint endpoints[SERVICES_N];
	struct counter browses_n, faults_n;
};
