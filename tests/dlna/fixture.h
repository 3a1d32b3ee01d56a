/* SPDX-License-Identifier: MIT */
/* A device over a real library, asked by SOAP without HTTP. */
#pragma once

#include "dlna/dlna_priv.h"
#include "dlna/soap.h"
#include "doc.h"
#include "harness.h"
#include "library/library.h"
#include "schema/media_fb.h"

struct fixture {
	struct dlna dlna;
	struct client_headers client; /* who asks; nobody in particular unless set */
	struct buf reply;
};

/** An empty library in a fresh directory. */
void fixture_init(struct fixture *fx);
void fixture_fini(struct fixture *fx);
/** Put files below the root "/m" (title "Test"), one commit. */
void fixture_put(struct fixture *fx, const struct media_file_in *files, size_t n);
/** n songs "/m/Song 1.mp3", ... */
void fixture_put_songs(struct fixture *fx, unsigned n);

/** POST a body; the status, with the answer in fx->reply. */
unsigned fixture_post(struct fixture *fx, enum upnp_service service, const char *soap_action,
		      struct span body);
/** A Browse; the answer in `out` (doc_fini()), well-formed. Returns the status. */
struct browse_args {
	const char *id;
	bool metadata;
	const char *filter; /* NULL: "*" */
	unsigned start, count;
	const char *sort;
};
unsigned fixture_browse(struct fixture *fx, const struct browse_args *args, struct doc *out);
/** A Search, the same way. */
struct search_args {
	const char *id;
	const char *criteria; /* as in the SOAP text after XML's escapes */
	unsigned start, count;
	const char *sort;
};
unsigned fixture_search(struct fixture *fx, const struct search_args *args, struct doc *out);
/** The number that a Browse answered: "NumberReturned", ... */
uint64_t fixture_number(const struct doc *answer, const char *name);
/** The DIDL-Lite inside an answer, well-formed. */
void fixture_didl(const struct doc *answer, struct doc *out);
/** The errorCode of a fault. */
uint64_t fixture_fault(const struct doc *answer);
