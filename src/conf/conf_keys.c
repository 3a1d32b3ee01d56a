/* SPDX-License-Identifier: MIT */
/* The table of keys. A new key is a row here, a field in struct conf, and a use of it. */
#include "conf/conf_keys.h"

#include <string.h>

#define FIELD(f) offsetof(struct conf, f)

const struct conf_key conf_keys[] = {
	{ "server.name", CONF_STRING, FIELD(name), "\"\"", 0, 63, "",
	  "The name shown on TVs and in the browser. Empty: \"salver on HOST\"." },
	{ "network.port", CONF_PORT, FIELD(port), "8250", 0, 65535, "",
	  "The HTTP port for everything: TVs, streams, the web page. 0: any free one." },
	{ "network.interfaces", CONF_LIST, FIELD(interfaces), "[]", 0, CONF_INTERFACES_MAX, "",
	  "Serve and announce on these network interfaces only. Empty: on all." },
	{ "network.host_names", CONF_LIST, FIELD(host_names), "[]", 0, 64, "",
	  "Names under which browsers may reach the server, beside its addresses and its host\n"
	  "name. Requests with any other Host are refused (protection against DNS rebinding)." },
	{ "media.roots", CONF_LIST, FIELD(roots), "[]", 0, CONF_ROOTS_MAX, "",
	  "The directories to serve, with everything below them." },
	{ "database.directory", CONF_STRING, FIELD(database_dir), "\"\"", 0, 4000, "",
	  "Where the library is kept. Empty: $STATE_DIRECTORY, else $XDG_STATE_HOME/salver, else\n"
	  "~/.local/state/salver." },
	{ "database.memory", CONF_NUMBER, FIELD(memory_mib), "6", 2, 4096, "MiB",
	  "Private memory for the library: the store's work, and answers kept for the next who\n"
	  "asks, which give way to it. The files themselves are read through the page cache,\n"
	  "which the system takes back as it likes. SIGHUP applies a change." },
	{ "scanner.exclude", CONF_LIST, FIELD(exclude),
	  "[\"lost+found/\", \"$RECYCLE.BIN/\", \"System Volume Information/\", \"#recycle/\", "
	  "\"@eaDir/\"]",
	  0, CONF_PATTERNS_MAX, "",
	  "Files and directories to leave out, by patterns as in .gitignore: \"*.tmp\" is a name\n"
	  "anywhere, \"Series/Trash\" a path below a root, \"/srv/media/Trash\" a whole path;\n"
	  "\"**\" stands for any number of directories, a slash at the end for directories only.\n"
	  "\"/srv/inbox/*/\" leaves out every directory in /srv/inbox: only its own files stay.\n"
	  "What was served before goes at the next start. Names that begin with a dot, and\n"
	  "directories with a file .nomedia, are always left out." },
	{ "scanner.include", CONF_LIST, FIELD(include), "[]", 0, CONF_PATTERNS_MAX, "",
	  "Where there are any: only media files that match one of these patterns are served,\n"
	  "and those in directories that do: [\"*.flac\", \"Audiobooks/\"]." },
	{ "scanner.workers", CONF_NUMBER, FIELD(probe_workers), "0", 0, 8, "",
	  "Helper processes that read tags and video headers. 0: one for each processor." },
	{ "scanner.watch", CONF_BOOL, FIELD(watch), "true", 0, 0, "",
	  "Follow changes on disk as they happen. false: look at the start, and every\n"
	  "rescan_interval." },
	{ "scanner.poll_interval", CONF_NUMBER, FIELD(poll_s), "60", 1, 86400, "s",
	  "How often to look at what reports no changes: shares of other machines (NFS, SMB,\n"
	  "FUSE, ...), and directories beyond the system's limit of watches. A look that takes\n"
	  "long is taken less often." },
	{ "scanner.rescan_interval", CONF_NUMBER, FIELD(rescan_h), "24", 0, 8760, "h",
	  "Look at everything again after this time, whatever was reported. 0: never." },
	{ "scanner.grace_period", CONF_NUMBER, FIELD(grace_days), "0", 0, 3650, "days",
	  "Forget the files of a media root that is not there, or empty and was not, after so\n"
	  "long. 0: never, because a disk may only be unplugged; salver cleanup forgets them\n"
	  "when you say so. A root that may not be read is never forgotten." },
	{ "scanner.tag_encoding", CONF_ENCODING, FIELD(tag_encoding), "\"auto\"", 0, 0, "",
	  "What tags mean that say they are Latin-1 but are not: \"auto\" sees UTF-8, Shift-JIS,\n"
	  "Cyrillic and Greek in them; \"latin1\" takes them as they are; \"cp1250\" ...\n"
	  "\"cp1257\", \"cp874\", \"koi8-r\", \"shift-jis\", \"euc-jp\", \"euc-kr\", \"gbk\" and\n"
	  "\"big5\" decide. Applied to files as they are read: touch those that were. The same\n"
	  "for subtitle files." },
	{ "web.thumbnail_cache", CONF_NUMBER, FIELD(thumbnail_cache_mib), "256", 0, 65536, "MiB",
	  "Thumbnails are kept on disk, beside the library, up to this size; those that were not\n"
	  "shown for the longest time go first. 0: none are kept." },
	{ "logging.level", CONF_LOG_LEVEL, FIELD(log_level), "\"info\"", 0, 0, "",
	  "\"error\", \"warn\", \"info\" or \"debug\"; lines go to standard error." },
};

const size_t conf_keys_n = ARRAY_LEN(conf_keys);

const struct conf_key *conf_key_find(const char *name)
{
	for (size_t i = 0; i < conf_keys_n; i++)
		if (strcmp(conf_keys[i].name, name) == 0)
			return &conf_keys[i];
	return NULL;
}

/* Levenshtein distance of two short names; long ones count as far apart. */
static unsigned name_distance(const char *a, const char *b)
{
	enum { NAME_MAX_BYTES = 64 };
	size_t a_n = strlen(a), b_n = strlen(b);
	unsigned row[NAME_MAX_BYTES + 1];

	if (a_n > NAME_MAX_BYTES || b_n > NAME_MAX_BYTES)
		return NAME_MAX_BYTES;
	for (unsigned j = 0; j <= b_n; j++)
		row[j] = j;
	for (unsigned i = 1; i <= a_n; i++) {
		unsigned diagonal = row[0];

		row[0] = i;
		for (size_t j = 1; j <= b_n; j++) {
			unsigned replaced = diagonal + (a[i - 1] != b[j - 1]);

			diagonal = row[j];
			row[j] = MIN(replaced, MIN(row[j], row[j - 1]) + 1);
		}
	}
	return row[b_n];
}

const struct conf_key *conf_key_nearest(const char *name)
{
	const struct conf_key *best = NULL;
	unsigned best_distance = 6; /* further away is no help to anyone */

	for (size_t i = 0; i < conf_keys_n; i++) {
		const char *dot = strchr(conf_keys[i].name, '.');
		unsigned whole = name_distance(name, conf_keys[i].name);
		unsigned bare = name_distance(name, dot + 1); /* the section was forgotten */
		unsigned distance = MIN(whole, bare);

		if (distance < best_distance) {
			best_distance = distance;
			best = &conf_keys[i];
		}
	}
	return best;
}
