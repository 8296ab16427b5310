#define _GNU_SOURCE
#include <fcntl.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

#include "CTestSupport.h"

int h5t_open_terminal(int columns, int rows, int width, int height, int *terminal) {
  int master = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
  if (master < 0) return -1;
  const char *name = grantpt(master) == 0 && unlockpt(master) == 0 ? ptsname(master) : NULL;
  *terminal = name ? open(name, O_RDWR | O_NOCTTY | O_CLOEXEC) : -1;
  struct winsize size = {
      .ws_row = (unsigned short)rows,
      .ws_col = (unsigned short)columns,
      .ws_xpixel = (unsigned short)width,
      .ws_ypixel = (unsigned short)height};
  struct termios settings;
  if (*terminal < 0 || ioctl(*terminal, TIOCSWINSZ, &size) != 0 || tcgetattr(*terminal, &settings) != 0) {
    close(master);
    return -1;
  }
  // Bytes arrive as they are written.
  cfmakeraw(&settings);
  tcsetattr(*terminal, TCSANOW, &settings);
  return master;
}
