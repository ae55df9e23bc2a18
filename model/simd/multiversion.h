#pragma once

/// A function compiled once for every x86-64 processor, once for AVX2 with FMA and once for AVX-512; the loader picks
/// at start. For plain functions over (pointer, count) with simple loops: parallel regions stay outside, because the
/// compiler's outlined bodies would not be multiversioned. Which version runs is part of what fixes a result's bits.
#if defined(__x86_64__) && !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
#define CHAINRULE_MULTIVERSION __attribute__((target_clones("default", "arch=x86-64-v3", "arch=x86-64-v4")))
#else
#define CHAINRULE_MULTIVERSION
#endif
