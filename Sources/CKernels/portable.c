// The loops for any processor: NEON on arm64, SSE2 on x86-64, both of which every such processor has.
#define H5K_SUFFIX portable
#define H5K_BYTES 16
#include "loops.inc"
