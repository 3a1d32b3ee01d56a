/* SPDX-License-Identifier: MIT */
/* What DLNA calls a file: its media format profile and the fourth field of protocolInfo. Pure:
 * facts of the record in, text out. One table also answers GetProtocolInfo. */
#pragma once

#include "base/buf.h"
#include "base/flatbuffer.h"
#include "base/picture.h"

/** The mime type to give out for a file: its own, but where its profile is called by another (MPEG
 * transport streams are "video/mpeg" then); never empty. Lifetime: the record's. */
struct span profile_mime(struct fb_table media_file);
/** A harmless file name extension for its URL, without the dot. */
struct span profile_extension(struct fb_table media_file);
/** DLNA.ORG_PN where the facts leave no doubt; NULL otherwise: players that go by the profile fail
 * on a wrong one, and do without where there is none. */
const char *profile_name(struct fb_table media_file);
/** "DLNA.ORG_PN=..;DLNA.ORG_OP=01;DLNA.ORG_CI=0;DLNA.ORG_FLAGS=..". Plain ASCII that needs no
 * escape, however deep. */
void profile_features_add(struct fb_table media_file, struct buf *out);
/** The same of a thumbnail, by the box that it fits: PICTURE_TN, PICTURE_SM (base/picture.h). */
void profile_thumb_features_add(struct picture_size box, struct buf *out);
/** Whether the file itself is of the profile that a thumbnail in this box would be. */
bool profile_is_thumb(struct fb_table media_file, struct picture_size box);
/** SourceProtocolInfo: all that profile_mime() and profile_name() can give, comma-separated. Needs
 * no escape. */
void profile_source_list(struct buf *out);
