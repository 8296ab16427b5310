#pragma once

// From here on this process and those it starts run on a kernel without Landlock. 0, or errno.
int h5t_refuse_landlock(void);

/// Makes a terminal of that many characters and pixels.
///
/// Returns the descriptor at which one reads what is written to `*terminal`, or -1.
int h5t_open_terminal(int columns, int rows, int width, int height, int *terminal);
