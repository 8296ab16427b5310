#pragma once

// From here on this process and those it starts run on a kernel without Landlock. 0, or errno.
int h5t_refuse_landlock(void);
