// CRC-32 of zip archives: the polynomial 0x04c11db7, reflected.
//
// Where the processor multiplies without carry, 64 bytes at a time are folded: V. Gopal et al., "Fast CRC Computation for Generic
// Polynomials Using PCLMULQDQ Instruction", Intel 2009; the constants are x^n mod P for the distances folded over.
#include "CSystem.h"

static uint32_t table[8][256];

__attribute__((constructor)) static void make_table(void) {
  for (uint32_t byte = 0; byte < 256; byte++) {
    uint32_t value = byte;
    for (int bit = 0; bit < 8; bit++) value = value & 1 ? value >> 1 ^ 0xedb88320u : value >> 1;
    table[0][byte] = value;
  }
  for (int row = 1; row < 8; row++)
    for (int byte = 0; byte < 256; byte++) table[row][byte] = table[row - 1][byte] >> 8 ^ table[0][table[row - 1][byte] & 255];
}

static uint32_t by_table(uint32_t crc, const uint8_t *bytes, size_t count) {
  for (; count >= 8; bytes += 8, count -= 8) {
    uint32_t low = crc ^ ((uint32_t)bytes[0] | (uint32_t)bytes[1] << 8 | (uint32_t)bytes[2] << 16 | (uint32_t)bytes[3] << 24);
    crc = table[7][low & 255] ^ table[6][low >> 8 & 255] ^ table[5][low >> 16 & 255] ^ table[4][low >> 24] ^
          table[3][bytes[4]] ^ table[2][bytes[5]] ^ table[1][bytes[6]] ^ table[0][bytes[7]];
  }
  while (count--) crc = crc >> 8 ^ table[0][(crc ^ *bytes++) & 255];
  return crc;
}

#if defined(__x86_64__)
#include <immintrin.h>

__attribute__((target("pclmul,sse4.1"))) static __m128i fold(__m128i value, __m128i next, __m128i constants) {
  return _mm_xor_si128(
      _mm_xor_si128(_mm_clmulepi64_si128(value, constants, 0x00), _mm_clmulepi64_si128(value, constants, 0x11)), next);
}

// The whole 16-byte blocks of `count` >= 64 bytes.
__attribute__((target("pclmul,sse4.1"))) static uint32_t by_folding(uint32_t crc, const uint8_t *bytes, size_t count) {
  const __m128i over_64 = _mm_set_epi64x(0x01c6e41596, 0x0154442bd4);
  const __m128i over_16 = _mm_set_epi64x(0x00ccaa009e, 0x01751997d0);
  const __m128i *blocks = (const __m128i *)bytes;
  __m128i sums[4];
  for (int lane = 0; lane < 4; lane++) sums[lane] = _mm_loadu_si128(blocks + lane);
  sums[0] = _mm_xor_si128(sums[0], _mm_cvtsi32_si128((int)crc));
  for (blocks += 4, count -= 64; count >= 64; blocks += 4, count -= 64)
    for (int lane = 0; lane < 4; lane++) sums[lane] = fold(sums[lane], _mm_loadu_si128(blocks + lane), over_64);
  __m128i sum = sums[0];
  for (int lane = 1; lane < 4; lane++) sum = fold(sum, sums[lane], over_16);
  for (; count >= 16; blocks++, count -= 16) sum = fold(sum, _mm_loadu_si128(blocks), over_16);
  // 128 bits that are congruent to all of it: their CRC is the CRC.
  uint8_t rest[16];
  _mm_storeu_si128((__m128i *)rest, sum);
  return by_table(0, rest, 16);
}
#endif

uint32_t h5c_crc32(uint32_t crc, const void *data, size_t count) {
  const uint8_t *bytes = data;
  crc = ~crc;
#if defined(__x86_64__)
  if (count >= 64 && __builtin_cpu_supports("pclmul") && __builtin_cpu_supports("sse4.1")) {
    size_t whole = count & ~(size_t)15;
    crc = by_folding(crc, bytes, whole);
    bytes += whole;
    count -= whole;
  }
#endif
  return ~by_table(crc, bytes, count);
}

// The product of two polynomials modulo P, the highest power in the lowest bit.
static uint32_t product(uint32_t a, uint32_t b) {
  uint32_t sum = 0;
  for (uint32_t bit = 0x80000000u; bit; bit >>= 1) {
    if (a & bit) sum ^= b;
    b = b & 1 ? b >> 1 ^ 0xedb88320u : b >> 1;
  }
  return sum;
}

uint32_t h5c_crc32_combined(uint32_t first, uint32_t second, size_t second_count) {
  // The first is followed by `second_count` bytes: times x^(8 count), by squares of x^8.
  uint32_t power = 1u << 23;
  for (size_t rest = second_count; rest; rest >>= 1) {
    if (rest & 1) first = product(first, power);
    power = product(power, power);
  }
  return first ^ second;
}
