/* SPDX-License-Identifier: MIT */
/* Rows from numbers, without a table of them: about 100 ns each, because the generator's time must
 * be small beside an engine's. */
#include "rows_gen.h"

#include "base/attr.h"

#define PERMUTE_ROUNDS 4

/* A row's texts, one behind the other. */
struct text {
	char *p;
};

static const struct span words[64] = {
	SPAN("Blue"),	 SPAN("Night"),	    SPAN("Été"),    SPAN("River"),   SPAN("Gold"),
	SPAN("Straße"),	 SPAN("Moon"),	    SPAN("Fire"),   SPAN("Echo"),    SPAN("Dream"),
	SPAN("Stone"),	 SPAN("Light"),	    SPAN("Winter"), SPAN("Road"),    SPAN("Glass"),
	SPAN("Harbour"), SPAN("Ångström"),  SPAN("Signal"), SPAN("Paper"),   SPAN("Garden"),
	SPAN("Silver"),	 SPAN("Tide"),	    SPAN("Жизнь"),  SPAN("Velvet"),  SPAN("Ember"),
	SPAN("Lantern"), SPAN("Cloud"),	    SPAN("Mirror"), SPAN("Canyon"),  SPAN("Señorita"),
	SPAN("Thunder"), SPAN("Meadow"),    SPAN("Copper"), SPAN("Orbit"),   SPAN("Shadow"),
	SPAN("Über"),	 SPAN("Anthem"),    SPAN("Desert"), SPAN("Pilot"),   SPAN("Sparrow"),
	SPAN("Crystal"), SPAN("Voyage"),    SPAN("Naïve"),  SPAN("Engine"),  SPAN("Horizon"),
	SPAN("Whisper"), SPAN("Marble"),    SPAN("Forest"), SPAN("Déjà"),    SPAN("Island"),
	SPAN("Parade"),	 SPAN("Satellite"), SPAN("Autumn"), SPAN("Rain"),    SPAN("Kingdom"),
	SPAN("Løve"),	 SPAN("Static"),    SPAN("Hollow"), SPAN("Prairie"), SPAN("Ocean"),
	SPAN("Comet"),	 SPAN("Ritual"),    SPAN("Sunday"), SPAN("Temple"),
};

static const struct span genres[20] = {
	SPAN("Rock"),  SPAN("Jazz"),	SPAN("Classical"),   SPAN("Electronic"), SPAN("Folk"),
	SPAN("Pop"),   SPAN("Blues"),	SPAN("Metal"),	     SPAN("Hip Hop"),	 SPAN("Soundtrack"),
	SPAN("Soul"),  SPAN("Ambient"), SPAN("Reggae"),	     SPAN("Country"),	 SPAN("Punk"),
	SPAN("Disco"), SPAN("Techno"),	SPAN("Alternative"), SPAN("Latin"),	 SPAN("World"),
};

static uint64_t mix(uint64_t v)
{
	v ^= v >> 33;
	v *= 0xff51afd7ed558ccdull;
	v ^= v >> 33;
	v *= 0xc4ceb9fe1a85ec53ull;
	return v ^ v >> 33;
}

/* ---- text ------------------------------------------------------------------------------------ */

static void add(struct text *t, struct span s)
{
	memcpy(t->p, s.p, s.n);
	t->p += s.n;
}

static void add_word(struct text *t, uint64_t number)
{
	add(t, words[number & 63]);
}

static void add_number(struct text *t, uint64_t v, unsigned digits)
{
	for (unsigned i = digits; i-- > 0; v /= 10)
		t->p[i] = (char)('0' + v % 10);
	t->p += digits;
}

static struct span since(const struct text *t, const char *start)
{
	return span_of(start, (size_t)(t->p - start));
}

/* Three words; every eighth title ends in a number. */
static struct span add_title(struct text *t, uint64_t seed)
{
	const char *start = t->p;
	add_word(t, seed);
	add(t, SPAN(" "));
	add_word(t, seed >> 6);
	add(t, SPAN(" "));
	add_word(t, seed >> 12);
	if ((seed >> 18 & 7) == 0) {
		add(t, SPAN(" "));
		add_number(t, seed >> 21 & 63, 2);
	}
	return since(t, start);
}

static struct span add_artist(struct text *t, uint64_t artist)
{
	const char *start = t->p;
	uint64_t seed = mix(artist + 1);
	add(t, SPAN("The "));
	add_word(t, seed);
	add(t, SPAN(" "));
	add_word(t, seed >> 6);
	add(t, SPAN(" "));
	add_number(t, artist, 5);
	return since(t, start);
}

static struct span add_album(struct text *t, uint64_t album, unsigned year)
{
	const char *start = t->p;
	uint64_t seed = mix(album ^ 0xa1b0);
	add_word(t, seed >> 24);
	add(t, SPAN(" "));
	add_word(t, seed >> 30);
	add(t, SPAN(", Part "));
	add_number(t, album % 10 + 1, 2);
	add(t, SPAN(" ("));
	add_number(t, year, 4);
	add(t, SPAN(")"));
	return since(t, start);
}

/* ---- order ----------------------------------------------------------------------------------- */

void row_source_init(struct row_source *s, uint64_t n, enum row_order order)
{
	*s = (struct row_source){ .n = n, .order = order, .half_bits = 1 };
	while (1ull << 2 * s->half_bits < n)
		s->half_bits++;
}

/* A Feistel network is a permutation of its powers of two; walking on until the number is one of
 * the source's makes it one of those. */
static uint64_t permute(const struct row_source *s, uint64_t k)
{
	uint64_t mask = (1ull << s->half_bits) - 1;
	do {
		uint64_t left = k >> s->half_bits, right = k & mask;
		for (unsigned i = 0; i < PERMUTE_ROUNDS; i++) {
			uint64_t next = left ^ (mix(right + i * 0x9e3779b97f4a7c15ull) & mask);
			left = right;
			right = next;
		}
		k = left << s->half_bits | right;
	} while (k >= s->n);
	return k;
}

/* ---- rows ------------------------------------------------------------------------------------ */

static void make_path(struct row *out, struct text *t, uint64_t number)
{
	const char *start = t->p;
	add(t, SPAN("/srv/media/music/"));
	add(t, out->in.artist);
	add(t, SPAN("/"));
	add(t, out->in.album);
	add(t, SPAN("/Disc "));
	add_number(t, number / ROWS_PER_DIRECTORY % 2 + 1, 1);
	out->directory = since(t, start);
	add(t, SPAN("/"));
	const char *name = t->p;
	add_number(t, number % ROWS_PER_DIRECTORY + 1, 2);
	add(t, SPAN(" - "));
	add(t, out->in.title);
	add(t, SPAN(".flac"));
	out->in.path = out->in.canonical_path = since(t, start);
	out->in.filename = since(t, name);
}

static void make_ids(struct row *out, uint64_t number, uint64_t genre)
{
	struct media_file_in *in = &out->in;
	out->artist_id = (uint32_t)(number / ROWS_PER_ARTIST) + 1;
	out->genre_id = (uint32_t)genre + 2000000;
	in->directory_id = number / ROWS_PER_DIRECTORY + 1;
	in->album_id = (uint32_t)(number / ROWS_PER_ALBUM) + 1;
	in->album_artist_id = out->artist_id;
	in->year_id = in->year + 3000000u;
	in->artist_ids = &out->artist_id;
	in->genre_ids = &out->genre_id;
	in->artist_ids_n = in->genre_ids_n = 1;
}

void row_make(const struct row_source *s, uint64_t k, struct row *out)
{
	uint64_t number = s->order == ROWS_RANDOM && k < s->n ? permute(s, k) : k;
	uint64_t album = number / ROWS_PER_ALBUM, seed = mix(number), album_seed = mix(album ^ 77);
	uint64_t genre = (album_seed >> 16) % ARRAY_LEN(genres);
	struct text t = { out->text };
	out->in = (struct media_file_in){
		.size = 20000000 + (seed >> 40),
		.modified = 1600000000000000000 + (int64_t)(seed >> 16 & 0xffffffff) * 1000000,
		.mime_type = SPAN("audio/flac"),
		.duration_ms = 120000 + (uint32_t)(seed & 0x1ffff),
		.genre = genres[genre],
		.track = (uint16_t)(number % ROWS_PER_DIRECTORY + 1),
		.year = (uint16_t)(1960 + album_seed % 64),
		.created_at = 1700000000,
		.updated_at = 1700000000,
		.device = 77,
		.inode = 1000000 + number,
		.kind = MEDIA_KIND_AUDIO,
	};
	out->in.title = add_title(&t, seed);
	out->in.artist = out->in.album_artist = add_artist(&t, number / ROWS_PER_ARTIST);
	out->in.album = add_album(&t, album, out->in.year);
	make_path(out, &t, number);
	make_ids(out, number, genre);
}

/* Every text but the last, the path, stands before it: the new title goes behind. */
void row_retag(struct row *r)
{
	struct text t = { r->text + (r->in.path.p - r->text) + r->in.path.n };
	uint64_t seed = mix(r->in.inode ^ 0x7a6);
	r->in.title = add_title(&t, seed);
	r->in.year = (uint16_t)(r->in.year == 2023 ? 1960 : r->in.year + 1);
	r->in.year_id = r->in.year + 3000000u;
	r->in.modified += 1000000000;
}
