/* SPDX-License-Identifier: MIT */
/* Facts of pictures: the size from their headers, date, orientation and camera from EXIF. */
#pragma once

#include "probe/helper/facts.h"

/** Fill in the facts; the status says where the headers make no sense. Decodes no pixel. */
void image_probe(struct facts *f, const struct source *s, enum media_format format);
