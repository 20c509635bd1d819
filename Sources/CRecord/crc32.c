#include "faf_record.h"

/* Four bytes at a time ("slicing-by-4"). An entry is the sum of those of its index' bits, so eight numbers make a table.
 * Constant data: all shims share its pages with the program's file. */
#define BITS(n, a, b, c, d, e, f, g, h)                                                                             \
    ((n) & 1 ? a : 0u) ^ ((n) & 2 ? b : 0u) ^ ((n) & 4 ? c : 0u) ^ ((n) & 8 ? d : 0u) ^ ((n) & 16 ? e : 0u) ^       \
        ((n) & 32 ? f : 0u) ^ ((n) & 64 ? g : 0u) ^ ((n) & 128 ? h : 0u)
#define T0(n) BITS(n, 0x77073096, 0xee0e612c, 0x076dc419, 0x0edb8832, 0x1db71064, 0x3b6e20c8, 0x76dc4190, 0xedb88320)
#define T1(n) BITS(n, 0x191b3141, 0x32366282, 0x646cc504, 0xc8d98a08, 0x4ac21251, 0x958424a2, 0xf0794f05, 0x3b83984b)
#define T2(n) BITS(n, 0x01c26a37, 0x0384d46e, 0x0709a8dc, 0x0e1351b8, 0x1c26a370, 0x384d46e0, 0x709a8dc0, 0xe1351b80)
#define T3(n) BITS(n, 0xb8bc6765, 0xaa09c88b, 0x8f629757, 0xc5b428ef, 0x5019579f, 0xa032af3e, 0x9b14583d, 0xed59b63b)
#define FOUR(t, n) t(n), t(n + 1), t(n + 2), t(n + 3)
#define SIXTEEN(t, n) FOUR(t, n), FOUR(t, n + 4), FOUR(t, n + 8), FOUR(t, n + 12)
#define SIXTY_FOUR(t, n) SIXTEEN(t, n), SIXTEEN(t, n + 16), SIXTEEN(t, n + 32), SIXTEEN(t, n + 48)
#define TABLE(t) {SIXTY_FOUR(t, 0), SIXTY_FOUR(t, 64), SIXTY_FOUR(t, 128), SIXTY_FOUR(t, 192)}

uint32_t faf_crc32(uint32_t crc, const void *bytes, size_t n) {
    static const uint32_t table[4][256] = {TABLE(T0), TABLE(T1), TABLE(T2), TABLE(T3)};
    const unsigned char *p = bytes;
    crc = ~crc;
    for (; n >= 4; p += 4, n -= 4) {
        crc ^= (uint32_t)p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
        crc = table[3][crc & 255] ^ table[2][crc >> 8 & 255] ^ table[1][crc >> 16 & 255] ^ table[0][crc >> 24];
    }
    for (; n > 0; p++, n--) crc = table[0][(crc ^ *p) & 255] ^ crc >> 8;
    return ~crc;
}
