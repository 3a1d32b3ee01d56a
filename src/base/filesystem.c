/* SPDX-License-Identifier: MIT */
/* What statfs tells of a file system. */
#include "base/filesystem.h"

#include <linux/magic.h>
#include <string.h>
#include <sys/vfs.h>

#include "base/attr.h"

#ifndef FUSE_SUPER_MAGIC
#define FUSE_SUPER_MAGIC 0x65735546
#endif
#ifndef SMB2_MAGIC_NUMBER
#define SMB2_MAGIC_NUMBER 0xfe534d42
#endif
#ifndef CIFS_MAGIC_NUMBER
#define CIFS_MAGIC_NUMBER 0xff534d42
#endif

static bool is_remote(const struct statfs *fs)
{
	switch ((unsigned)fs->f_type) {
	case NFS_SUPER_MAGIC:
	case SMB_SUPER_MAGIC:
	case CIFS_MAGIC_NUMBER:
	case SMB2_MAGIC_NUMBER:
	case FUSE_SUPER_MAGIC:
	case AFS_SUPER_MAGIC:
	case V9FS_MAGIC:
	case 0x00c36400: /* Ceph */
	case 0x73757245: /* Coda */
	case 0x7461636f: /* OCFS2 */
	case 0x01161970: /* GFS2 */
	case 0x0bd00bd0: /* Lustre */
	case 0x19830326: /* BeeGFS */
	case 0x47504653: /* GPFS */
	case 0x786f4256: /* VirtualBox shared folders */
		return true;
	default:
		return false;
	}
}

uint64_t filesystem_id(struct filesystems *f, int fd, dev_t device, bool *out_remote)
{
	struct statfs fs;
	uint64_t id = 0;

	for (unsigned i = 0; i < f->n; i++)
		if (f->known[i].device == device) {
			*out_remote = f->known[i].remote;
			return f->known[i].id;
		}
	*out_remote = false;
	if (fstatfs(fd, &fs) != 0)
		return (uint64_t)device;
	_Static_assert(sizeof fs.f_fsid == sizeof id, "f_fsid is 64 bits");
	memcpy(&id, &fs.f_fsid, sizeof id);
	if (id == 0)
		id = (uint64_t)device; /* some file systems have none */
	*out_remote = is_remote(&fs);
	f->known[f->next].device = device;
	f->known[f->next].id = id;
	f->known[f->next].remote = *out_remote;
	f->next = (f->next + 1) % FILESYSTEMS_MAX;
	f->n = MIN(f->n + 1, (unsigned)FILESYSTEMS_MAX);
	return id;
}
