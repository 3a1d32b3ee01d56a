/* SPDX-License-Identifier: MIT */
/* ContentDirectory's actions that change something: where to go on with a film, how often it was
 * played. They make a batch; who serves the call commits it before the answer goes. */
#include <stdlib.h>

#include "base/num.h"
#include "base/url.h"
#include "dlna/dlna_priv.h"
#include "dlna/handlers.h"
#include "dlna/property.h"
#include "dlna/soap.h"
#include "dlna/tag_value.h"
#include "library/bookmarks.h"
#include "schema/media_fb.h"

#define UPDATE_TAGS_MAX 32 /* in one call */

/* ---- what both share ------------------------------------------------------------------------- */

/** An object id as clients send it back: Kodi encodes it as a URL and puts a slash behind. */
static enum err id_decode(struct span sent, struct buf *out)
{
	if (span_find(sent, '%') < sent.n) {
		enum err e = url_add_decoded(out, sent);
		if (e != ERR_OK)
			return e;
	} else {
		buf_add(out, sent);
	}
	if (out->n > 1 && out->p[out->n - 1] == '/')
		out->n--;
	return buf_err(out);
}

/** The file that an object id means, and what is stored of it (pos 0: nothing yet). */
static enum upnp_code file_find(const struct library_snap *sn, struct span object_id,
				uint64_t *out_media_id, struct fb_table *out_bookmark)
{
	struct object o;
	struct buf id;
	buf_init(&id, LIBRARY_ID_MAX);
	enum err e = id_decode(object_id, &id);

	if (e == ERR_OK)
		e = library_object_get(sn, buf_span(&id), &o);
	buf_fini(&id);
	if (e != ERR_OK)
		return e == ERR_NOMEM ? UPNP_CANNOT_PROCESS : UPNP_NO_SUCH_OBJECT;
	if (o.kind == OBJECT_CONTAINER)
		return UPNP_RESTRICTED_OBJECT;
	*out_media_id = o.media_id;
	if (library_bookmark_get(sn, o.media_id, out_bookmark) != ERR_OK)
		*out_bookmark = (struct fb_table){ 0 };
	return UPNP_OK;
}

/** Ends what the call changes; `anew`: what was stored is forgotten first. */
static enum upnp_code change_make(struct soap_call *call, const struct bookmark_change *change,
				  bool anew)
{
	struct soap_change *c = calloc(1, sizeof *c);
	enum err e = c ? batch_new(&c->batch) : ERR_NOMEM;

	if (e == ERR_OK && anew)
		e = batch_bookmark_remove(c->batch, change->media_id, &c->forgotten);
	if (e == ERR_OK)
		e = batch_bookmark_set(c->batch, change, &c->result);
	if (e != ERR_OK) {
		soap_change_free(c);
		return UPNP_CANNOT_PROCESS;
	}
	call->change = c;
	return UPNP_OK;
}

/* ---- X_SetBookmark --------------------------------------------------------------------------- */

/* The order of the in arguments in the action table; what category and RID mean nobody says. */
enum { BOOKMARK_CATEGORY, BOOKMARK_RID, BOOKMARK_OBJECT_ID, BOOKMARK_POSITION };

enum upnp_code content_directory_set_bookmark(struct soap_call *call)
{
	struct bookmark_change change = { .client = span_str(call->client->name) };
	struct fb_table stored;
	uint64_t position = (uint64_t)call->in[BOOKMARK_POSITION].number;
	CLEANUP(library_snap_endp)
	struct library_snap *sn = library_snap_begin(call->dlna->library);

	if (!sn)
		return UPNP_CANNOT_PROCESS;
	enum upnp_code code =
		file_find(sn, call->in[BOOKMARK_OBJECT_ID].text, &change.media_id, &stored);
	if (code != UPNP_OK)
		return code;
	if (!(call->client->quirks & CLIENT_BOOKMARK_MS))
		position *= 1000;
	change.position_ms = (uint32_t)MIN(position, (uint64_t)UINT32_MAX);
	return change_make(call, &change, false);
}

/* ---- UpdateObject ---------------------------------------------------------------------------- */

enum { UPDATE_OBJECT_ID, UPDATE_CURRENT, UPDATE_NEW };

/* What becomes of the bookmark. */
struct update {
	struct bookmark_change change;
	bool anew; /* fewer plays than before: no addition says that */
};

static enum upnp_code count_read(struct span text, uint64_t *out)
{
	*out = 0;
	return text.n == 0 || num_parse_u64(span_trim(text), 0, UINT32_MAX, out) == ERR_OK
		       ? UPNP_OK
		       : UPNP_INVALID_NEW_TAG;
}

/** What was added is added to what is stored: two players that both count one play make two, and
 * one whose listing is old loses none. So the current value only has to be a number, and the
 * standard's 702 for one that has changed meanwhile is not given. */
static enum upnp_code count_update(struct span current, struct span text, struct update *u)
{
	uint64_t before, after;
	enum upnp_code code = count_read(text, &after);

	if (code != UPNP_OK)
		return code;
	if (count_read(current, &before) != UPNP_OK)
		return UPNP_INVALID_CURRENT_TAG;
	if (after < before || after == 0) {
		u->anew = true;
		u->change.played_n = (uint32_t)after;
	} else {
		u->change.played_n = (uint32_t)(after - before);
	}
	return UPNP_OK;
}

static enum upnp_code position_update(struct span current, struct span text, struct update *u)
{
	uint32_t ignored;

	if (current.n > 0 && tag_duration_parse(current, &ignored) != ERR_OK)
		return UPNP_INVALID_CURRENT_TAG;
	u->change.position_ms = 0;
	return text.n == 0 || tag_duration_parse(text, &u->change.position_ms) == ERR_OK
		       ? UPNP_OK
		       : UPNP_INVALID_NEW_TAG;
}

static enum upnp_code time_update(struct span current, struct span text, struct update *u)
{
	int64_t ignored;

	if (current.n > 0 && tag_date_parse(current, &ignored) != ERR_OK)
		return UPNP_INVALID_CURRENT_TAG;
	return text.n == 0 || tag_date_parse(text, &u->change.last_played) == ERR_OK
		       ? UPNP_OK
		       : UPNP_INVALID_NEW_TAG;
}

/** One pair: the property's value now, and the one that it is to have. */
static enum upnp_code pair_update(const struct tag_value *current, const struct tag_value *new_tag,
				  struct update *u)
{
	static const struct {
		struct span name;
		enum upnp_code (*run)(struct span current, struct span text, struct update *u);
	} tags[] = {
		{ { "upnp:playbackCount", 18 }, count_update },
		{ { "upnp:playCount", 14 }, count_update }, /* Kodi's name for it */
		{ { "upnp:lastPlaybackPosition", 25 }, position_update },
		{ { "upnp:lastPlaybackTime", 21 }, time_update },
	};
	struct span name = new_tag->name.n > 0 ? new_tag->name : current->name;

	if (current->name.n > 0 && !span_eq(current->name, name))
		return UPNP_PARAMETER_MISMATCH;
	for (size_t i = 0; i < ARRAY_LEN(tags); i++)
		if (span_eq(tags[i].name, name))
			return tags[i].run(current->value, new_tag->value, u);
	if (span_starts(name, SPAN("xbmc:"))) /* Kodi always tells what state its player is in */
		return UPNP_OK;
	return property_find(name) != PROPERTY_UNKNOWN ? UPNP_READ_ONLY_TAG : UPNP_INVALID_NEW_TAG;
}

static enum upnp_code pairs_update(struct span current_list, struct span new_list, struct update *u)
{
	unsigned n = tag_values_n(current_list);

	if (n != tag_values_n(new_list) || n > UPDATE_TAGS_MAX)
		return UPNP_PARAMETER_MISMATCH;
	for (unsigned i = 0; i < n; i++) {
		struct tag_value current, new_tag;
		if (tag_value_cut(&current_list, &current) != ERR_OK)
			return UPNP_INVALID_CURRENT_TAG;
		if (tag_value_cut(&new_list, &new_tag) != ERR_OK)
			return UPNP_INVALID_NEW_TAG;
		enum upnp_code code = pair_update(&current, &new_tag, u);
		if (code != UPNP_OK)
			return code;
	}
	return UPNP_OK;
}

enum upnp_code content_directory_update_object(struct soap_call *call)
{
	struct update u = { .change = { .client = span_str(call->client->name) } };
	struct fb_table stored;
	CLEANUP(library_snap_endp)
	struct library_snap *sn = library_snap_begin(call->dlna->library);

	if (!sn)
		return UPNP_CANNOT_PROCESS;
	enum upnp_code code =
		file_find(sn, call->in[UPDATE_OBJECT_ID].text, &u.change.media_id, &stored);
	if (code != UPNP_OK)
		return code;
	if (stored.pos != 0)
		u.change.position_ms = bookmark_position_ms(stored);
	code = pairs_update(call->in[UPDATE_CURRENT].text, call->in[UPDATE_NEW].text, &u);
	if (u.anew && u.change.last_played == 0 && stored.pos != 0)
		u.change.last_played = bookmark_last_played(stored);
	return code == UPNP_OK ? change_make(call, &u.change, u.anew && stored.pos != 0) : code;
}
