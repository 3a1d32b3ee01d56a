/* SPDX-License-Identifier: MIT */
/* The model: expected listings from first principles, compared with the library's. */
#include <stdlib.h>

#include "base/num.h"
#include "harness.h"
#include "library/object_id.h"
#include "model.h"

#define TEXT_MAX (1u << 20)

struct child {
	uint8_t key[COLLATE_KEY_MAX + 16];
	size_t key_n;
	uint64_t order; /* ties */
	char id[LIBRARY_ID_MAX];
	char text[400]; /* all but counts */
	char full[500]; /* with counts */
};

struct expected {
	struct child *children;
	size_t n, sorted_from;
};

static struct expected list_of(struct model *m, const char *id);

/* ---- the list of files ----------------------------------------------------------------------- */

struct model *model_new(void)
{
	struct model *m = calloc(1, sizeof *m);
	m->learned = calloc(MODEL_LEARNED_MAX, sizeof *m->learned);
	m->seen = calloc(MODEL_CONTAINERS_MAX, sizeof *m->seen);
	return m;
}

void model_free(struct model *m)
{
	for (size_t i = 0; i < m->seen_n; i++)
		free(m->seen[i].signature);
	free(m->seen);
	free(m->learned);
	free(m);
}

struct model_file *model_find(struct model *m, const char *path)
{
	for (size_t i = 0; i < MODEL_FILES_MAX; i++)
		if (m->files[i].used && strcmp(m->files[i].path, path) == 0)
			return &m->files[i];
	return NULL;
}

struct model_file *model_add(struct model *m)
{
	for (size_t i = 0; i < MODEL_FILES_MAX; i++)
		if (!m->files[i].used && m->files[i].grave != m->batch)
			return &m->files[i];
	test_skip("the model is full");
}

void model_remove(struct model *m, struct model_file *f)
{
	f->used = false;
	f->grave = f->id ? m->batch : 0;
}

struct model_file *model_grave(struct model *m, const char *path)
{
	for (size_t i = 0; i < MODEL_FILES_MAX; i++)
		if (!m->files[i].used && m->files[i].grave == m->batch &&
		    strcmp(m->files[i].path, path) == 0)
			return &m->files[i];
	return NULL;
}

/* A record that says what it said before keeps its serial. */
static void set_serial(struct model *m, struct model_file *f)
{
	struct model_file now = *f;
	now.serial = now.grave = 0;
	f->serial = 0;
	for (size_t i = 0; i < MODEL_FILES_MAX && f->id; i++) {
		struct model_file before = m->last[i];
		before.serial = before.grave = 0;
		if (memcmp(&now, &before, sizeof now) == 0)
			f->serial = m->last[i].serial;
	}
	if (f->serial == 0)
		f->serial = ++m->serial;
}

/* "202003 5": the fifth of March. */
static int64_t model_taken_s(const struct model_file *f)
{
	static const int64_t months[][4] = { { 0, 31, 60, 91 },
					     { 366, 397, 425, 456 } }; /* 2020, 2021 */
	if (!f->taken[0])
		return 0;
	int64_t day = months[f->taken[3] - '0'][f->taken[5] - '1'] + f->taken[7] - '1';
	return 1577836800 + day * 86400 + 3600;
}

void model_fill(const struct model_file *f, struct model_input *out)
{
	memset(out, 0, sizeof *out);
	for (unsigned i = 0; i < f->artists_n; i++)
		out->artists[i] = span_str(f->artists[i]);
	for (unsigned i = 0; i < f->genres_n; i++)
		out->genres[i] = span_str(f->genres[i]);
	struct media_file_in *in = &out->in;
	in->path = span_str(f->path);
	in->kind = f->kind;
	in->title = span_str(f->title);
	in->album = span_str(f->album);
	in->album_artist = span_str(f->album_artist);
	in->composer = span_str(f->composer);
	in->artists = out->artists;
	in->artists_n = f->artists_n;
	in->genres = out->genres;
	in->genres_n = f->genres_n;
	if (f->artists_n == 1 && f->genres_n <= 1) { /* as a scan gives it, mostly */
		in->artist = out->artists[0];
		in->genre = f->genres_n ? out->genres[0] : span_of(NULL, 0);
		in->artists_n = in->genres_n = 0;
	}
	in->track = f->track;
	in->disc = f->disc;
	in->year = f->year;
	in->compilation = f->compilation;
	in->art_embedded = f->art;
	in->inode = f->inode;
	in->device = 77;
	in->size = f->size;
	in->date_taken = model_taken_s(f);
	in->mime_type = SPAN("audio/mpeg");
}

static void dir_of(const char *path, char out[96])
{
	size_t n = (size_t)(strrchr(path, '/') - path);
	memmove(out, path, n);
	out[n] = '\0';
}

/* ---- learning ids ---------------------------------------------------------------------------- */

static uint64_t known_id(const struct model *m, char kind, const char *key)
{
	for (size_t i = 0; i < m->learned_n; i++)
		if (m->learned[i].kind == kind && strcmp(m->learned[i].key, key) == 0)
			return m->learned[i].id;
	return 0;
}

static const char *known_key(const struct model *m, char kind, uint64_t id)
{
	for (size_t i = 0; i < m->learned_n; i++)
		if (m->learned[i].kind == kind && m->learned[i].id == id)
			return m->learned[i].key;
	return "";
}

/* An id once given to something is its for ever, and nobody else's. */
static void learn(struct model *m, char kind, const char *key, uint64_t id)
{
	uint64_t known = known_id(m, kind, key);
	EXPECT(id != 0);
	if (known) {
		EXPECT_U64(known, id);
		return;
	}
	EXPECT_STR("", known_key(m, kind, id));
	EXPECT(m->learned_n < MODEL_LEARNED_MAX);
	struct model_learned *l = &m->learned[m->learned_n++];
	l->kind = kind;
	l->id = id;
	snprintf(l->key, sizeof l->key, "%s", key);
}

static void term_key(char out[160], int kind, const char *name)
{
	snprintf(out, 160, "%d:%.120s", kind, name);
}

static void learn_term(struct model *m, int kind, const char *name, uint64_t id)
{
	char key[160];
	term_key(key, kind, name);
	learn(m, 't', key, id);
}

static const char *album_owner(const struct model_file *f)
{
	if (f->compilation)
		return "";
	return f->album_artist[0] ? f->album_artist : f->artists_n ? f->artists[0] : "";
}

static void album_key(const struct model_file *f, char out[160])
{
	char dir[96];
	dir_of(f->path, dir);
	const char *owner = album_owner(f);
	snprintf(out, 160, "%s%s|%s", owner[0] ? "A" : "D", owner[0] ? owner : dir, f->album);
}

static void learn_file(struct model *m, struct library_snap *sn, struct model_file *f)
{
	struct fb_table row;
	char key[160], path[96];
	EXPECT_OK(library_media_by_path(sn, span_str(f->path), &row));
	if (f->id == 0) {
		f->id = media_file_id(row);
		f->created_at = media_file_created_at(row);
		snprintf(key, sizeof key, "%u", (unsigned)f->id);
		learn(m, 'm', key, f->id); /* never given out before */
	}
	EXPECT_U64(f->id, media_file_id(row));
	EXPECT_I64(f->created_at, media_file_created_at(row));
	EXPECT_U64(f->size, media_file_size(row));
	EXPECT_SPAN(span_str(f->title), media_file_title(row));
	for (dir_of(f->path, path); path[0]; dir_of(path, path)) {
		uint64_t id;
		if (library_directory_find(sn, span_str(path), &id) != ERR_OK)
			break;
		learn(m, 'd', path, id);
	}
	if (f->kind != MEDIA_KIND_AUDIO)
		return;
	EXPECT_U64(f->artists_n, media_file_artist_ids(row).n);
	for (unsigned i = 0; i < f->artists_n; i++)
		learn_term(m, TERM_KIND_ARTIST, f->artists[i],
			   fb_vector_u32(media_file_artist_ids(row), i));
	EXPECT_U64(f->genres_n, media_file_genre_ids(row).n);
	for (unsigned i = 0; i < f->genres_n; i++)
		learn_term(m, TERM_KIND_GENRE, f->genres[i],
			   fb_vector_u32(media_file_genre_ids(row), i));
	if (f->album_artist[0])
		learn_term(m, TERM_KIND_ARTIST, f->album_artist, media_file_album_artist_id(row));
	if (f->composer[0])
		learn_term(m, TERM_KIND_COMPOSER, f->composer, media_file_composer_id(row));
	if (f->year) {
		snprintf(key, sizeof key, "%u", f->year);
		learn_term(m, TERM_KIND_YEAR, key, media_file_year_id(row));
	}
	if (f->album[0]) {
		album_key(f, key);
		learn(m, 'a', key, media_file_album_id(row));
	}
}

/* ---- what is in a container ------------------------------------------------------------------ */

static struct child *add_child(struct expected *e)
{
	e->children = realloc(e->children, (e->n + 1) * sizeof *e->children);
	memset(&e->children[e->n], 0, sizeof *e->children);
	return &e->children[e->n++];
}

static void key_add(struct child *c, uint32_t v, unsigned bytes)
{
	while (bytes--)
		c->key[c->key_n++] = (uint8_t)(v >> (8 * bytes));
}

static int child_cmp(const void *a, const void *b)
{
	const struct child *x = a, *y = b;
	int c = span_cmp(span_of(x->key, x->key_n), span_of(y->key, y->key_n));
	return c ? c : x->order < y->order ? -1 : x->order > y->order;
}

static void sort_rest(struct expected *e)
{
	if (e->n > e->sorted_from)
		qsort(e->children + e->sorted_from, e->n - e->sorted_from, sizeof *e->children,
		      child_cmp);
	e->sorted_from = e->n;
}

static void add_container(struct model *m, struct expected *e, const char *parent, const char *id,
			  const char *title, const char *order_by, uint64_t order)
{
	for (size_t i = e->sorted_from; i < e->n; i++)
		if (strcmp(e->children[i].id, id) == 0)
			return;
	struct child *c = add_child(e);
	snprintf(c->id, sizeof c->id, "%s", id);
	c->key_n = library_collate_key(span_str(order_by), c->key);
	c->order = order;
	snprintf(c->text, sizeof c->text, "%s|%s||%s|", id, parent, title);
	struct expected inside = list_of(m, id);
	snprintf(c->full, sizeof c->full, "%s%zu", c->text, inside.n);
	free(inside.children);
}

static struct child *add_item(struct expected *e, const struct model_file *f, const char *parent,
			      bool home)
{
	struct child *c = add_child(e);
	c->order = f->id;
	snprintf(c->id, sizeof c->id, home ? "i%u" : "%2$s/i%1$u", (unsigned)f->id, parent);
	char ref[LIBRARY_ID_MAX] = "";
	if (!home)
		snprintf(ref, sizeof ref, "i%u", (unsigned)f->id);
	snprintf(c->text, sizeof c->text, "%s|%s|%s|%s|", c->id, parent, ref, f->title);
	snprintf(c->full, sizeof c->full, "%s%u", c->text, f->serial);
	return c;
}

static bool is_below(const char *path, const char *dir)
{
	size_t n = strlen(dir);
	return strncmp(path, dir, n) == 0 && path[n] == '/';
}

/* Below, `kind` is a MediaKind, or 0 for all. */
static bool is_used(const struct model_file *f, uint8_t kind)
{
	return f->used && (kind == 0 || f->kind == kind);
}

static bool has_below(const struct model *m, const char *dir, uint8_t kind)
{
	bool has = false;
	for (size_t i = 0; i < MODEL_FILES_MAX; i++)
		has |= is_used(&m->files[i], kind) && is_below(m->files[i].path, dir);
	return has;
}

static const char *live_root(const struct model *m, uint8_t kind, unsigned *out_n)
{
	const char *root = NULL;
	*out_n = 0;
	for (unsigned r = 0; r < m->roots_n; r++) {
		bool live = has_below(m, m->roots[r], kind);
		if (live)
			root = m->roots[r];
		*out_n += live;
	}
	return *out_n == 1 ? root : NULL;
}

static void folder_id(uint8_t kind, uint64_t number, char out[LIBRARY_ID_MAX])
{
	static const char *const prefixes[] = { "d", "da", "dv", "di" };
	snprintf(out, LIBRARY_ID_MAX, "%s%u", prefixes[kind], (unsigned)number);
}

static void add_directory(struct model *m, struct expected *e, const char *parent, const char *dir,
			  uint8_t kind)
{
	size_t n = strlen(dir);
	char id[LIBRARY_ID_MAX], path[96];
	for (size_t i = 0; i < MODEL_FILES_MAX; i++) {
		const struct model_file *f = &m->files[i];
		if (!is_used(f, kind) || !is_below(f->path, dir) || !strchr(f->path + n + 1, '/'))
			continue;
		size_t below = strcspn(f->path + n + 1, "/");
		snprintf(path, sizeof path, "%.*s", (int)(n + 1 + below), f->path);
		uint64_t number = known_id(m, 'd', path);
		folder_id(kind, number, id);
		add_container(m, e, parent, id, path + n + 1, path + n + 1, number);
	}
	sort_rest(e);
	for (size_t i = 0; i < MODEL_FILES_MAX; i++) {
		const struct model_file *f = &m->files[i];
		if (!is_used(f, kind) || !is_below(f->path, dir) || strchr(f->path + n + 1, '/'))
			continue;
		struct child *c = add_item(e, f, parent, kind == 0);
		c->key_n = library_collate_key(span_str(f->path + n + 1), c->key);
	}
	sort_rest(e);
}

static bool has_term(const struct model_file *f, int kind, const char *name)
{
	char year[8];
	if (f->kind != MEDIA_KIND_AUDIO)
		return false;
	snprintf(year, sizeof year, "%u", f->year);
	if (kind == TERM_KIND_YEAR)
		return f->year && strcmp(year, name) == 0;
	if (kind == TERM_KIND_COMPOSER)
		return strcmp(f->composer, name) == 0;
	bool is_artist = kind == TERM_KIND_ARTIST;
	unsigned n = is_artist ? f->artists_n : f->genres_n;
	for (unsigned i = 0; i < n; i++)
		if (strcmp(is_artist ? f->artists[i] : f->genres[i], name) == 0)
			return true;
	return is_artist && f->album_artist[0] && strcmp(f->album_artist, name) == 0;
}

static uint64_t album_number(const struct model *m, const struct model_file *f)
{
	char key[160];
	if (f->kind != MEDIA_KIND_AUDIO || !f->album[0])
		return 0;
	album_key(f, key);
	return known_id(m, 'a', key);
}

static void add_tracks(struct model *m, struct expected *e, const char *parent, int kind,
		       const char *name, uint64_t album)
{
	for (size_t i = 0; i < MODEL_FILES_MAX; i++) {
		const struct model_file *f = &m->files[i];
		uint64_t of = f->used ? album_number(m, f) : 0;
		if (!f->used || (album ? of != album : !has_term(f, kind, name)))
			continue;
		struct child *c = add_item(e, f, parent, false);
		if (!album)
			key_add(c, (uint32_t)of, 4);
		key_add(c, f->disc, 2);
		key_add(c, f->track, 2);
	}
	sort_rest(e);
}

static void add_albums(struct model *m, struct expected *e, const char *parent, const char *artist)
{
	char id[LIBRARY_ID_MAX];
	for (size_t i = 0; i < MODEL_FILES_MAX; i++) {
		const struct model_file *f = &m->files[i];
		uint64_t album = f->used ? album_number(m, f) : 0;
		if (!album || (artist && strcmp(album_owner(f), artist) != 0))
			continue;
		snprintf(id, sizeof id, artist ? "%2$s/al%1$u" : "al%u", (unsigned)album, parent);
		add_container(m, e, parent, id, f->album, f->album, album);
	}
	sort_rest(e);
}

static bool is_owner(const struct model *m, const char *artist)
{
	bool owner = false;
	for (size_t i = 0; i < MODEL_FILES_MAX; i++) {
		const struct model_file *f = &m->files[i];
		owner |= is_used(f, MEDIA_KIND_AUDIO) && f->album[0] &&
			 strcmp(album_owner(f), artist) == 0;
	}
	return owner;
}

static void add_terms(struct model *m, struct expected *e, const char *parent, int kind,
		      const char *prefix)
{
	char id[LIBRARY_ID_MAX];
	for (size_t i = 0; i < m->learned_n; i++) {
		const struct model_learned *l = &m->learned[i];
		if (l->kind != 't' || l->key[0] != '0' + kind)
			continue;
		const char *name = l->key + 2;
		bool live = false;
		for (size_t k = 0; k < MODEL_FILES_MAX; k++)
			live |= m->files[k].used && has_term(&m->files[k], kind, name);
		if (!live || (prefix[1] == 'a' && !is_owner(m, name)))
			continue;
		if (kind == TERM_KIND_YEAR)
			snprintf(id, sizeof id, "y%s", name);
		else
			snprintf(id, sizeof id, "%s%u", prefix, (unsigned)l->id);
		add_container(m, e, parent, id, name, name, l->id);
	}
	sort_rest(e);
}

static void add_titles(struct model *m, struct expected *e, const char *parent, uint8_t kind)
{
	for (size_t i = 0; i < MODEL_FILES_MAX; i++) {
		const struct model_file *f = &m->files[i];
		if (!f->used || f->kind != kind)
			continue;
		struct child *c = add_item(e, f, parent, false);
		c->key_n = library_collate_key(span_str(f->title), c->key);
	}
	sort_rest(e);
}

/* What was added last. */
static void add_recent(struct model *m, struct expected *e, const char *parent, uint8_t kind)
{
	for (size_t i = 0; i < MODEL_FILES_MAX; i++) {
		const struct model_file *f = &m->files[i];
		if (is_used(f, kind))
			key_add(add_item(e, f, parent, false), ~(uint32_t)f->created_at, 4);
	}
	sort_rest(e);
}

static void add_years(struct model *m, struct expected *e)
{
	char id[LIBRARY_ID_MAX];
	for (size_t i = 0; i < MODEL_FILES_MAX; i++) {
		const struct model_file *f = &m->files[i];
		if (!is_used(f, MEDIA_KIND_IMAGE))
			continue;
		snprintf(id, sizeof id, "py%.4s", f->taken);
		add_container(m, e, "ID", id, id + 2, id + 2, 0);
	}
	sort_rest(e);
}

static void add_months(struct model *m, struct expected *e, const char *year)
{
	static const char *const names[] = { "January", "February", "March", "April" };
	char id[LIBRARY_ID_MAX];
	for (size_t i = 0; i < MODEL_FILES_MAX; i++) {
		const struct model_file *f = &m->files[i];
		if (!is_used(f, MEDIA_KIND_IMAGE) || strncmp(f->taken, year + 2, 4) != 0)
			continue;
		snprintf(id, sizeof id, "pm%.6s", f->taken);
		add_container(m, e, year, id, names[id[7] - '1'], id + 6, 0);
	}
	sort_rest(e);
}

static void add_month(struct model *m, struct expected *e, const char *month)
{
	for (size_t i = 0; i < MODEL_FILES_MAX; i++) {
		const struct model_file *f = &m->files[i];
		if (is_used(f, MEDIA_KIND_IMAGE) && strncmp(f->taken, month + 2, 6) == 0)
			key_add(add_item(e, f, month, false), (uint32_t)(f->taken[7] - '0'), 1);
	}
	sort_rest(e);
}

static void add_roots(struct model *m, struct expected *e, const char *parent, uint8_t kind)
{
	unsigned n;
	char id[LIBRARY_ID_MAX];
	const char *single = live_root(m, kind, &n);
	if (single) {
		add_directory(m, e, parent, single, kind);
		return;
	}
	for (unsigned r = 0; n && r < m->roots_n; r++) {
		uint64_t number = known_id(m, 'd', m->roots[r]);
		char title[32];
		snprintf(title, sizeof title, "Root %s", m->roots[r] + 1);
		folder_id(kind, number, id);
		if (has_below(m, m->roots[r], kind))
			add_container(m, e, parent, id, title, title, number);
	}
	sort_rest(e);
}

static void add_static(struct model *m, struct expected *e, const char *parent, const char *id,
		       const char *title)
{
	add_container(m, e, parent, id, title, "", 0);
	e->sorted_from = e->n;
}

/* Only where it is not empty. */
static void add_hiding(struct model *m, struct expected *e, const char *parent, const char *id,
		       const char *title)
{
	struct expected inside = list_of(m, id);
	if (inside.n)
		add_static(m, e, parent, id, title);
	free(inside.children);
}

/* The number at the start of an id's part; 0 for the fixed containers, which have none. */
static uint64_t number_at(const char *part)
{
	struct span rest = span_str(part);
	uint64_t number = 0;
	enum err e = num_parse_u64(span_cut(&rest, '/'), 0, UINT64_MAX, &number);
	return e == ERR_OK ? number : 0;
}

static void list_artist(struct model *m, struct expected *e, const char *id)
{
	const char *name = known_key(m, 't', number_at(id + 2)) + 2;
	const char *below = strchr(id, '/');
	char all[LIBRARY_ID_MAX];
	if (below && strcmp(below, "/all") == 0) {
		add_tracks(m, e, id, TERM_KIND_ARTIST, name, 0);
	} else if (below) {
		add_tracks(m, e, id, 0, "", number_at(below + 3));
	} else {
		snprintf(all, sizeof all, "%s/all", id);
		if (id[1] == 'r')
			add_static(m, e, id, all, "All Tracks");
		add_albums(m, e, id, name);
	}
}

/* "A?", "V?" and "I?" */
static void list_category(struct model *m, struct expected *e, const char *id)
{
	uint8_t kind = id[0] == 'A'   ? MEDIA_KIND_AUDIO
		       : id[0] == 'V' ? MEDIA_KIND_VIDEO
				      : MEDIA_KIND_IMAGE;
	if (id[1] == 'T')
		add_titles(m, e, id, kind);
	else if (id[1] == 'N')
		add_recent(m, e, id, kind);
	else if (id[1] == 'F')
		add_roots(m, e, id, kind);
	else if (id[1] == 'D')
		add_years(m, e);
	else if (id[1] == 'R')
		add_terms(m, e, id, TERM_KIND_ARTIST, "ar");
	else if (id[1] == 'A')
		add_terms(m, e, id, TERM_KIND_ARTIST, "aa");
	else if (id[1] == 'C')
		add_terms(m, e, id, TERM_KIND_COMPOSER, "c");
	else if (id[1] == 'G')
		add_terms(m, e, id, TERM_KIND_GENRE, "g");
	else if (id[1] == 'Y')
		add_terms(m, e, id, TERM_KIND_YEAR, "y");
	else
		add_albums(m, e, id, NULL);
}

static void list_fixed(struct model *m, struct expected *e, const char *id)
{
	if (strcmp(id, "0") == 0) {
		add_static(m, e, id, "A", "Music");
		add_static(m, e, id, "V", "Video");
		add_static(m, e, id, "I", "Pictures");
		add_static(m, e, id, "F", "Browse Folders");
	} else if (strcmp(id, "A") == 0) {
		add_static(m, e, id, "AT", "All Music");
		add_static(m, e, id, "AR", "Artists");
		add_hiding(m, e, id, "AA", "Album Artists");
		add_static(m, e, id, "AL", "Albums");
		add_static(m, e, id, "AG", "Genres");
		add_hiding(m, e, id, "AC", "Composers");
		add_static(m, e, id, "AY", "Years");
		add_hiding(m, e, id, "AN", "Recently Added");
		add_hiding(m, e, id, "AF", "Folders");
	} else if (strcmp(id, "V") == 0) {
		add_static(m, e, id, "VT", "All Videos");
		add_hiding(m, e, id, "VN", "Recently Added");
		add_hiding(m, e, id, "VF", "Folders");
	} else if (strcmp(id, "I") == 0) {
		add_static(m, e, id, "IT", "All Pictures");
		add_hiding(m, e, id, "ID", "By Date");
		add_hiding(m, e, id, "IN", "Recently Added");
		add_hiding(m, e, id, "IF", "Folders");
	} else if (strcmp(id, "F") == 0) {
		add_roots(m, e, id, 0);
	} else {
		list_category(m, e, id);
	}
}

static uint8_t directory_kind(const char *id)
{
	return id[1] == 'a'   ? MEDIA_KIND_AUDIO
	       : id[1] == 'v' ? MEDIA_KIND_VIDEO
	       : id[1] == 'i' ? MEDIA_KIND_IMAGE
			      : 0;
}

static uint64_t container_number(const char *id)
{
	return number_at(id + (id[1] >= 'a' ? 2 : 1));
}

static struct expected list_of(struct model *m, const char *id)
{
	struct expected e = { 0 };
	uint64_t number = container_number(id);
	if (id[0] == 'd')
		add_directory(m, &e, id, known_key(m, 'd', number), directory_kind(id));
	else if (id[0] == 'a' && (id[1] == 'r' || id[1] == 'a'))
		list_artist(m, &e, id);
	else if (id[0] == 'a')
		add_tracks(m, &e, id, 0, "", number);
	else if (id[0] == 'p' && id[1] == 'y')
		add_months(m, &e, id);
	else if (id[0] == 'p')
		add_month(m, &e, id);
	else if (id[0] == 'g')
		add_tracks(m, &e, id, TERM_KIND_GENRE, known_key(m, 't', number) + 2, 0);
	else if (id[0] == 'c')
		add_tracks(m, &e, id, TERM_KIND_COMPOSER, known_key(m, 't', number) + 2, 0);
	else if (id[0] == 'y')
		add_tracks(m, &e, id, TERM_KIND_YEAR, id + 1, 0);
	else
		list_fixed(m, &e, id);
	return e;
}

/* ---- comparing ------------------------------------------------------------------------------- */

static void show(const struct model *m, const struct object *o, char out[500])
{
	uint32_t serial = 0;
	for (size_t i = 0; i < MODEL_FILES_MAX && o->media_id; i++)
		if (m->files[i].used && m->files[i].id == o->media_id)
			serial = m->files[i].serial;
	snprintf(out, 500, "%s|%s|%s|%.*s|%u", o->id, o->parent_id, o->ref_id, SPAN_ARG(o->title),
		 o->kind == OBJECT_CONTAINER ? o->child_count : serial);
}

static bool same_object(const struct object *a, const struct object *b)
{
	return a->kind == b->kind && strcmp(a->id, b->id) == 0 &&
	       strcmp(a->parent_id, b->parent_id) == 0 && strcmp(a->ref_id, b->ref_id) == 0 &&
	       span_eq(a->title, b->title) && a->container_class == b->container_class &&
	       a->child_count == b->child_count && a->update_id == b->update_id &&
	       span_eq(a->artist, b->artist) && a->art_media_id == b->art_media_id &&
	       a->media_id == b->media_id && a->media.pos == b->media.pos;
}

static void check_page(const struct model *m, struct listing *li, const struct expected *e,
		       size_t start, size_t count)
{
	struct object o;
	char text[500];
	listing_seek(li, start);
	for (size_t i = start; i < start + count; i++) {
		bool more = listing_next(li, &o);
		if (more != (i < e->n))
			printf("container %s, child %zu of %zu\n", li->container_id, i, e->n);
		EXPECT(more == (i < e->n));
		if (!more)
			return;
		show(m, &o, text);
		EXPECT_STR(e->children[i].full, text);
	}
}

static struct model_seen *seen_of(struct model *m, const char *id)
{
	for (size_t i = 0; i < m->seen_n; i++)
		if (strcmp(m->seen[i].id, id) == 0)
			return &m->seen[i];
	EXPECT(m->seen_n < MODEL_CONTAINERS_MAX);
	struct model_seen *s = &m->seen[m->seen_n++];
	snprintf(s->id, sizeof s->id, "%s", id);
	return s;
}

/* What the record of a directory says, beside its name. */
/* What the record of a directory says: which kinds are in it and below it, and how many files there
 * are of each kind but the one that most are of. */
static void sign_directory(const struct model *m, const char *dir, struct buf *out)
{
	unsigned n[MEDIA_KIND_IMAGE + 1] = { 0 };
	uint8_t most = 0;
	for (uint8_t kind = MEDIA_KIND_AUDIO; kind <= MEDIA_KIND_IMAGE; kind++) {
		for (size_t i = 0; i < MODEL_FILES_MAX; i++) {
			const struct model_file *f = &m->files[i];
			n[kind] += is_used(f, kind) && is_below(f->path, dir) &&
				   !strchr(f->path + strlen(dir) + 1, '/');
		}
		most = n[kind] > n[most] ? kind : most;
	}
	for (uint8_t kind = MEDIA_KIND_AUDIO; kind <= MEDIA_KIND_IMAGE; kind++) {
		if (kind == most)
			buf_add_str(out, " most");
		else
			buf_addf(out, " %u", n[kind]);
		buf_add_str(out, has_below(m, dir, kind) ? "+" : "");
	}
}

/* Containers of folders: their roots' records, and the files of other kinds in the same directory.
 */
static void sign_folders(struct model *m, const char *id, struct buf *out)
{
	uint8_t kind = id[0] == 'd'   ? directory_kind(id)
		       : id[0] == 'A' ? MEDIA_KIND_AUDIO
		       : id[0] == 'V' ? MEDIA_KIND_VIDEO
		       : id[0] == 'I' ? MEDIA_KIND_IMAGE
				      : 0;
	unsigned roots_n;
	const char *dir = id[0] == 'd' ? known_key(m, 'd', container_number(id))
				       : live_root(m, kind, &roots_n);
	if (id[0] != 'd') {
		buf_add_str(out, dir ? "single" : "several");
		for (unsigned r = 0; r < m->roots_n; r++)
			if (has_below(m, m->roots[r], kind))
				sign_directory(m, m->roots[r], out);
	}
	for (size_t i = 0; i < MODEL_FILES_MAX && dir && kind; i++) {
		const struct model_file *f = &m->files[i];
		if (is_used(f, 0) && is_below(f->path, dir) &&
		    !strchr(f->path + strlen(dir) + 1, '/'))
			buf_addf(out, " %u:%u", (unsigned)f->id, f->serial);
	}
}

/* What a container's UpdateID stands for: which children, and what their records are; not how much
 * the children hold, except for fixed children and dates, which stand for their content. */
static void sign(struct model *m, const char *id, struct buf *out)
{
	struct expected e = list_of(m, id);
	for (size_t i = 0; i < e.n; i++) {
		const struct child *c = &e.children[i];
		bool fixed = c->id[0] >= 'A' && c->id[0] <= 'Z' && !strchr(c->id, '/');
		size_t n = strlen(c->id);
		fixed |= n > 4 && strcmp(c->id + n - 4, "/all") == 0;
		bool item = c->id[0] == 'i' || strstr(c->id, "/i");
		if (fixed || (c->id[0] == 'p' && !item))
			sign(m, c->id, out);
		buf_add_str(out, item ? c->full : c->text);
		if (c->id[0] == 'd' && !item)
			sign_directory(m, known_key(m, 'd', container_number(c->id)), out);
		if (c->id[0] == 'a' && (c->id[1] == 'r' || c->id[1] == 'a') && !strchr(c->id, '/'))
			buf_add_str(out, is_owner(m, known_key(m, 't', number_at(c->id + 2)) + 2)
						 ? "owner"
						 : "");
		buf_add_str(out, "\n");
	}
	if (id[0] == 'd' || strcmp(id, "F") == 0 || (id[0] >= 'A' && id[0] <= 'Z' && id[1] == 'F'))
		sign_folders(m, id, out);
	free(e.children);
}

static bool is_root(const struct model *m, const char *id)
{
	for (unsigned r = 0; r < m->roots_n && id[0] == 'd'; r++)
		if (known_id(m, 'd', m->roots[r]) == container_number(id))
			return true;
	return false;
}

static void check_update_id(struct model *m, const char *id, uint32_t update_id)
{
	struct buf b;
	buf_init(&b, TEXT_MAX);
	buf_add_str(&b, "signature:"); /* never empty */
	sign(m, id, &b);
	EXPECT_OK(buf_err(&b));
	struct model_seen *s = seen_of(m, id);
	bool known = s->signature && s->was_alive;
	bool changed = known && strcmp(s->signature, buf_cstr(&b)) != 0;
	bool hides = id[0] != '0' && id[1] && (strchr("NFDC", id[1]) || strcmp(id, "AA") == 0);
	bool appeared = !s->was_alive && (hides || (id[0] >= 'a' && id[0] <= 'z'));
	/* the only root's content stands in F: its own container comes and goes unchanged */
	s->exempt = appeared && is_root(m, id);
	bool due = strcmp(id, "0") == 0 || ((changed || appeared) && !s->exempt);
	if (due && m->commit != update_id)
		printf("container %s should have changed its id: was\n%s\nis\n%s\n", id,
		       known ? s->signature : "not there", buf_cstr(&b));
	if (due)
		EXPECT_U64(m->commit, update_id);
	else if (known && s->update_id != update_id)
		printf("container %s changed its id without cause:\n%s\n", id, buf_cstr(&b));
	if (known && !changed && strcmp(id, "0") != 0)
		EXPECT_U64(s->update_id, update_id);
	s->changed = changed || appeared;
	s->alive = true;
	s->update_id = update_id;
	free(s->signature);
	s->signature = strdup(buf_cstr(&b));
	buf_fini(&b);
}

static void check_container(struct model *m, struct library_snap *sn, const char *id);

static void check_children(struct model *m, struct library_snap *sn, struct listing *li,
			   const struct expected *e)
{
	struct object listed, got;
	listing_seek(li, 0);
	for (size_t i = 0; i < e->n; i++) {
		EXPECT(listing_next(li, &listed));
		EXPECT_OK(library_object_get(sn, span_str(listed.id), &got));
		if (!same_object(&listed, &got))
			printf("listed %s in %s, got %s in %s\n", listed.id, listed.parent_id,
			       got.id, got.parent_id);
		EXPECT(same_object(&listed, &got));
		if (listed.kind == OBJECT_CONTAINER)
			check_container(m, sn, listed.id);
		else
			EXPECT_ERR(ERR_INVALID,
				   library_list(sn, span_str(listed.id), &(struct listing){ 0 }));
	}
	EXPECT(!listing_next(li, &listed));
}

static void check_container(struct model *m, struct library_snap *sn, const char *id)
{
	struct listing *li = calloc(1, sizeof *li);
	struct expected e = list_of(m, id);
	EXPECT_OK(library_list(sn, span_str(id), li));
	EXPECT_U64(e.n, li->total);
	check_page(m, li, &e, 0, e.n + 1);
	for (unsigned i = 0; i < 6; i++)
		check_page(m, li, &e, test_random() % (e.n + 2), test_random() % (e.n + 2));
	for (size_t size = 1; size < 4; size++)
		for (size_t start = 0; start < e.n; start += size)
			check_page(m, li, &e, start, size);
	EXPECT_U64(0, li->damaged_n);
	struct object self;
	EXPECT_OK(library_object_get(sn, span_str(id), &self));
	EXPECT_U64(li->update_id, self.update_id);
	EXPECT_U64(li->total, self.child_count);
	check_update_id(m, id, li->update_id);
	check_children(m, sn, li, &e);
	free(e.children);
	free(li);
}

/* ---- changes --------------------------------------------------------------------------------- */

static bool is_named(const struct model *m, const char *id)
{
	for (unsigned i = 0; i < m->change.containers_n; i++)
		if (strcmp(m->change.containers[i], id) == 0)
			return true;
	return false;
}

static void check_change(struct model *m, struct library_snap *sn)
{
	EXPECT_U64(m->commit, m->change.commit);
	for (size_t i = 0; i < m->seen_n; i++) {
		struct model_seen *s = &m->seen[i];
		if (!s->alive || s->exempt || strcmp(s->id, "0") == 0)
			continue;
		bool named = is_named(m, s->id);
		struct object up;
		snprintf(up.parent_id, sizeof up.parent_id, "%s", s->id);
		while (m->change.overflow && !named && strcmp(up.parent_id, "-1") != 0) {
			EXPECT_OK(library_object_get(sn, span_str(up.parent_id), &up));
			named = is_named(m, up.id);
		}
		if (s->changed ? !named : named && !m->change.overflow)
			printf("container %s: changed %d, named %d\n", s->id, s->changed, named);
		EXPECT(s->changed ? named : !named || m->change.overflow);
	}
	for (unsigned i = 0; i < m->change.containers_n; i++) {
		struct object o;
		EXPECT_OK(library_object_get(sn, span_str(m->change.containers[i]), &o));
		for (unsigned k = 0; k < i; k++)
			EXPECT(strcmp(m->change.containers[i], m->change.containers[k]) != 0);
	}
}

/* What is empty is not there. */
static void check_hidden(struct model *m, struct library_snap *sn)
{
	for (size_t i = 0; i < m->seen_n; i++) {
		struct object o;
		if (m->seen[i].alive)
			continue;
		enum err e = library_object_get(sn, span_str(m->seen[i].id), &o);
		static const char *const tops[] = { "F", "AF", "VF", "IF" };
		if (m->seen[i].id[0] == 'd' && e == ERR_OK) /* the only root's own id */
			EXPECT_STR(tops[directory_kind(m->seen[i].id)], o.id);
		else if (m->seen[i].id[0] >= 'A' && m->seen[i].id[0] <= 'Z')
			EXPECT_OK(e); /* fixed ones only hide */
		else
			EXPECT_ERR(ERR_NOTFOUND, e);
	}
}

void model_check(struct model *m, bool wrote)
{
	struct library_snap *sn = library_snap_begin(m->lib);
	bool first = m->seen_n == 0;
	if (!wrote && !first)
		EXPECT_U64(m->commit, library_snap_commit(sn));
	m->commit = library_snap_commit(sn);
	for (size_t i = 0; i < MODEL_FILES_MAX; i++) {
		if (!m->files[i].used)
			continue;
		set_serial(m, &m->files[i]);
		learn_file(m, sn, &m->files[i]);
	}
	memcpy(m->last, m->files, sizeof m->last);
	for (unsigned r = 0; r < m->roots_n; r++) {
		uint64_t id;
		EXPECT_OK(library_directory_find(sn, span_str(m->roots[r]), &id));
		learn(m, 'd', m->roots[r], id);
	}
	for (size_t i = 0; i < m->seen_n; i++) {
		m->seen[i].was_alive = m->seen[i].alive;
		m->seen[i].alive = false;
	}
	check_container(m, sn, "0");
	struct object root;
	EXPECT_OK(library_object_get(sn, SPAN("0"), &root));
	EXPECT_STR("-1", root.parent_id);
	if (wrote && !first)
		check_change(m, sn);
	check_hidden(m, sn);
	library_snap_end(sn);
}
