// An orderly end: what a crash or an interruption leaves behind, and what it says.
#pragma once

// From now on a crash (a signal such as SIGSEGV or SIGILL) ends in one line on stderr and exit code 70, and it, SIGINT, SIGTERM and
// SIGHUP remove the temporary files that are registered. Only the program calls this, never the library.
void h5c_end_orderly(void);

// The file that is being worked on, for the line of a crash.
void h5c_working_on(const char *file);

// Registers a temporary file or folder; gives its number, or -1 when there is no room. May be called from any thread.
int h5c_register_temporary(const char *path);

// Forgets a temporary file that was renamed or removed.
void h5c_forget_temporary(int number);
