/* SPDX-License-Identifier: MIT */
/* The embedded picture of every format that TagLib reads. For tag_shim.cc only. */
#pragma once

#include <tbytevector.h>

namespace TagLib {
class File;
}

/** The bytes of the front cover, else of the first picture; empty where there is none. */
TagLib::ByteVector tag_picture_of(TagLib::File *file);
