#pragma once

/// The bundled font, a TrueType file in memory: DejaVu Sans with Latin, Greek, punctuation and arrows.
const unsigned char *h5conv_font_bytes(void);

/// Size of the bundled font in bytes.
long h5conv_font_size(void);
