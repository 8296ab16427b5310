#pragma once
#include <stddef.h>

/// UTF-8 text, not NUL-terminated.
typedef struct {
  const unsigned char *bytes;
  size_t size;
} h5conv_report_text;

/// The report's page for the template library (Mustache).
h5conv_report_text h5conv_report_template(void);

/// Its style sheet.
h5conv_report_text h5conv_report_style(void);

/// Its script: the files of `page/script`, one after the other, in a function of their own.
h5conv_report_text h5conv_report_script(void);
