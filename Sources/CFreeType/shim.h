#pragma once
#include <ft2build.h>
#include FT_FREETYPE_H

/// Load flags for a glyph drawn as 8-bit coverage with light (vertical only) hinting.
///
/// FreeType's own hinter is asked for, so that pictures do not depend on which interpreters the library was built with.
static inline FT_Int32 h5conv_ft_load_flags(void) {
  return FT_LOAD_RENDER | FT_LOAD_FORCE_AUTOHINT | FT_LOAD_TARGET_LIGHT;
}

/// Load flags for a glyph's measures in the font's own units.
static inline FT_Int32 h5conv_ft_unscaled(void) { return FT_LOAD_NO_SCALE; }
