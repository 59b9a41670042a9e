/* fuzz.h - what fuzz targets share. A target is LLVMFuzzerTestOneInput and a directory of examples in corpus/; it may
 * assume nothing of its input, and aborts when a promise is broken. To add one: three lines in Makefile.am, the file, the
 * directory. To run it: configure --enable-fuzz CC=clang, make fuzz, ./fuzz_json -max_total_time=60 DIRECTORY. */
#ifndef GRAPNEL_FUZZ_H
#define GRAPNEL_FUZZ_H

#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

/* assert() that stays in every build. */
#define must(promise) ((promise) ? (void)0 : abort())

#endif
