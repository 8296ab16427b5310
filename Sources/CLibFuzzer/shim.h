#pragma once
#include <stddef.h>
#include <stdint.h>

// libFuzzer as a library: its own main function would be in the way of Swift's.
int LLVMFuzzerRunDriver(int *count, char ***arguments, int (*run)(const uint8_t *bytes, size_t size));
