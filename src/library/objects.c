/* SPDX-License-Identifier: MIT */
/* Objects by id: the same bytes as their entries in their parents' listings. */
#include <stdio.h>

#include "library/objects.h"
#include "library/tables.h"
#include "schema/media_fb.h"

bool item_describe(struct fb_table media, struct object *out)
{
	static const enum object_kind kinds[] = {
		[MEDIA_KIND_AUDIO] = OBJECT_AUDIO,
		[MEDIA_KIND_VIDEO] = OBJECT_VIDEO,
		[MEDIA_KIND_IMAGE] = OBJECT_IMAGE,
	};
	uint8_t kind = media_file_kind(media);
	if (kind == MEDIA_KIND_OTHER || kind >= ARRAY_LEN(kinds))
		return false;
	*out = (struct object){ .kind = kinds[kind],
				.title = media_file_title(media),
				.media_id = media_file_id(media),
				.media = media };
	return true;
}

bool item_object(const struct object_id *where, const char *parent_id, bool home,
		 struct fb_table media, struct object *out)
{
	struct object_id id = { .container = ID_HOME, .media_id = (uint32_t)media_file_id(media) };
	if (!item_describe(media, out))
		return false;
	snprintf(out->parent_id, sizeof out->parent_id, "%s", parent_id);
	if (!home) {
		object_id_format(&id, out->ref_id);
		uint32_t media_id = id.media_id;
		id = *where;
		id.media_id = id.entry_id ? 0 : media_id;
	}
	object_id_format(&id, out->id);
	return true;
}

bool item_at_home(uint64_t only_root, struct fb_table media, struct object *out)
{
	static const struct object_id home = { .container = ID_HOME };
	uint64_t dir = media_file_directory_id(media);
	char parent_id[LIBRARY_ID_MAX];
	struct object_id parent = object_id_container(ID_DIRECTORY, (uint32_t)dir);
	if (dir == only_root)
		parent = object_id_static(STATIC_FOLDERS);
	object_id_format(&parent, parent_id);
	return item_object(&home, parent_id, true, media, out);
}

static enum err reference_get(const struct db_snap *sn, const struct object_id *id,
			      struct fb_table media, struct object *out)
{
	struct container c;
	char parent_id[LIBRARY_ID_MAX];
	enum err e = container_open(sn, id, &c);
	if (e != ERR_OK)
		return e;
	if (!id->entry_id && !container_has_media(sn, &c, media))
		return ERR_NOTFOUND;
	object_id_format(&c.id, parent_id);
	return item_object(id, parent_id, false, media, out) ? ERR_OK : ERR_NOTFOUND;
}

/* An item of a playlist. */
static enum err entry_get(const struct db_snap *sn, const struct object_id *id, struct object *out)
{
	struct fb_table entry, media;
	enum err e = db_get(sn, TABLE_PLAYLIST_ENTRY, id->entry_id, &entry);
	if (e == ERR_OK && playlist_entry_playlist_id(entry) != id->number)
		e = ERR_NOTFOUND;
	if (e == ERR_OK)
		e = db_get(sn, TABLE_MEDIA, playlist_entry_media_id(entry), &media);
	return e == ERR_OK ? reference_get(sn, id, media, out) : e;
}

static enum err item_get(const struct db_snap *sn, const struct object_id *id, struct object *out)
{
	struct fb_table media;
	if (id->entry_id)
		return entry_get(sn, id, out);
	enum err e = db_get(sn, TABLE_MEDIA, id->media_id, &media);
	if (e != ERR_OK)
		return e;
	if (id->container != ID_HOME)
		return reference_get(sn, id, media, out);

	return item_at_home(single_root(sn), media, out) ? ERR_OK : ERR_NOTFOUND;
}

enum err library_object_get(const struct library_snap *snap, struct span object_id,
			    struct object *out)
{
	const struct db_snap *sn = snap_db(snap);
	struct object_id id;
	enum err e = object_id_parse(object_id, &id);
	if (e != ERR_OK)
		return e;
	if (object_id_is_item(&id))
		return item_get(sn, &id, out);
	struct container c;
	e = container_open(sn, &id, &c);
	if (e == ERR_OK) {
		container_object(sn, &c, out);
		container_parent_id(sn, &c, out->parent_id);
	}
	return e;
}

enum err container_named(const struct library_snap *snap, struct span container_id,
			 struct object_id *out_id, struct container *out)
{
	enum err e = object_id_parse(container_id, out_id);
	if (e != ERR_OK)
		return e;
	if (object_id_is_item(out_id)) {
		struct object item;
		e = library_object_get(snap, container_id, &item);
		return e == ERR_OK ? ERR_INVALID : e;
	}
	return container_open(snap_db(snap), out_id, out);
}
