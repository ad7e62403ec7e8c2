/* The kernel of contraction.c for one instruction set; included once for each, with these macros set:
 *     CP_TILE(name)         the name with the instruction set's suffix
 *     CP_TARGET             the function attribute that turns the instruction set on, or nothing
 *     CP_LANES, CP_VECTOR   doubles of a vector, and its type
 *     CP_LOAD(p) CP_SPLAT(x) CP_ADD(a, b) CP_FMA(a, b, c) CP_STORE(p, x)
 *     CP_STORE_APART(p, x)  to p[0], p[2], …; what lies between is not touched
 *     CP_CLEAN(x)           x with every NaN made the canonical one
 *     CP_HAS_NAN(x)         is there one?
 *     CP_WIDE_FILE          1 with 32 vector registers, 0 with 16
 * A tile is ROWS × WIDTH vectors that stay in registers for the whole sum: enough of them to hide the latency of the
 * multiply-add, and shaped so that each value loaded is used many times. No include guard. */

/* Strip v of a tile; past the last one it is repeated, which stores the same values again. */
static inline CP_TARGET __attribute__((always_inline)) int64_t CP_TILE(strip)(const struct tile_job *job, int64_t at,
                                                                              int v)
{
    return at + v < job->strip_count ? at + v : job->strip_count - 1;
}

/* Make every NaN canonical. Nearly always there is none, and then a sum over all of them, cheaper than looking at each,
 * is none either (infinities of both signs merely cost the look). */
static inline CP_TARGET __attribute__((always_inline)) void CP_TILE(clean)(CP_VECTOR sum[CP_TILE_ROWS][CP_TILE_WIDTH],
                                                                           const int rows, const int width)
{
    CP_VECTOR all = sum[0][0];
    CP_UNROLL for (int v = 1; v < width; v++) all = CP_ADD(all, sum[0][v]);
    CP_UNROLL for (int m = 1; m < rows; m++)
    {
        CP_VECTOR row = sum[m][0];
        CP_UNROLL for (int v = 1; v < width; v++) row = CP_ADD(row, sum[m][v]);
        all = CP_ADD(all, row);
    }
    if (__builtin_expect(!CP_HAS_NAN(all), 1)) return;
    CP_UNROLL for (int m = 0; m < rows; m++)
    {
        CP_UNROLL for (int v = 0; v < width; v++) sum[m][v] = CP_CLEAN(sum[m][v]);
    }
}

/* The sums of strips `at` and following. */
static inline CP_TARGET __attribute__((always_inline)) void CP_TILE(tile)(const struct tile_job *job, int64_t at,
                                                                          const int rows, const int width)
{
    CP_VECTOR sum[CP_TILE_ROWS][CP_TILE_WIDTH];
    const double *cells[CP_TILE_WIDTH];
    CP_UNROLL for (int v = 0; v < width; v++) cells[v] = job->b + job->strips[CP_TILE(strip)(job, at, v)].b;
    CP_UNROLL for (int m = 0; m < rows; m++)
    {
        CP_UNROLL for (int v = 0; v < width; v++) sum[m][v] =
            job->is_first ? CP_SPLAT(job->initial ? job->initial[m] : 0.0)
                          : CP_LOAD(job->partial + (CP_TILE(strip)(job, at, v) * rows + m) * CP_LANES);
    }
    const double *a = job->packed;
    const int64_t *end = job->b_term + job->terms;
    for (const int64_t *term = job->b_term; term < end; term++, a += rows) {
        CP_VECTOR x[CP_TILE_WIDTH];
        CP_UNROLL for (int v = 0; v < width; v++) x[v] = CP_LOAD(cells[v] + *term);
        CP_UNROLL for (int m = 0; m < rows; m++)
        {
            CP_VECTOR w = CP_SPLAT(a[m]);
            CP_UNROLL for (int v = 0; v < width; v++) sum[m][v] = CP_FMA(w, x[v], sum[m][v]);
        }
    }
    /* Opaque from here, so that no address of what follows takes a register of the loop above. */
    __asm__("" : "+r"(job), "+r"(at));
    if (job->is_last) CP_TILE(clean)(sum, rows, width);
    if (job->is_plain) {
        CP_UNROLL for (int v = 0; v < width; v++)
        {
            double *out = job->out + job->strips[CP_TILE(strip)(job, at, v)].out;
            CP_UNROLL for (int m = 0; m < rows; m++, out += job->out_row)
            {
                if (job->out_step == 1)
                    CP_STORE(out, sum[m][v]);
                else
                    CP_STORE_APART(out, sum[m][v]);
            }
        }
        return;
    }
    CP_UNROLL for (int m = 0; m < rows; m++)
    {
        CP_UNROLL for (int v = 0; v < width; v++)
            CP_STORE(job->partial + (CP_TILE(strip)(job, at, v) * rows + m) * CP_LANES, sum[m][v]);
    }
}

/* All strips, `width` at a time. A rest is cheaper one by one only while it keeps the multipliers busy (8 sums in
 * flight). */
static inline CP_TARGET __attribute__((always_inline)) void CP_TILE(sweep)(const struct tile_job *job, const int rows,
                                                                           const int width)
{
    int64_t at = 0, left = job->strip_count;
    for (; left >= width || 8 * left > rows * width; at += width, left -= width) CP_TILE(tile)(job, at, rows, width);
    for (; left > 0; at++, left--) CP_TILE(tile)(job, at, rows, 1);
}

static CP_TARGET void CP_TILE(run)(const struct tile_job *job)
{
    switch (job->rows) {
#if CP_WIDE_FILE
    case 8: CP_TILE(sweep)(job, 8, 3); return;
    case 3: CP_TILE(sweep)(job, 3, 6); return;
    case 2: CP_TILE(sweep)(job, 2, 8); return;
#else
    case 3: CP_TILE(sweep)(job, 3, 3); return;
    case 2: CP_TILE(sweep)(job, 2, 5); return;
#endif
    case 4: CP_TILE(sweep)(job, 4, 3); return;
    default: CP_TILE(sweep)(job, 1, 8); return;
    }
}

#undef CP_TILE
#undef CP_TARGET
#undef CP_LANES
#undef CP_VECTOR
#undef CP_LOAD
#undef CP_SPLAT
#undef CP_ADD
#undef CP_FMA
#undef CP_STORE
#undef CP_STORE_APART
#undef CP_CLEAN
#undef CP_HAS_NAN
#undef CP_WIDE_FILE
