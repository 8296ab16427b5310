#include "CReport.h"

// #embed is of C23; the clang of Swift 6.2 and later has it in older C too, and rebuilds this file when one of those changes.
#pragma clang diagnostic ignored "-Wc23-extensions"

static const unsigned char template_text[] = {
#embed "page/report.mustache"
};

static const unsigned char style_text[] = {
#embed "page/report.css"
};

// The order is that of use; every file is a part of one function, so that no name leaves it.
static const unsigned char script_text[] = {
    '(', '(', ')', '=', '>', '{', '\n',
#embed "page/script/data.js"
    ,
#embed "page/script/values.js"
    ,
#embed "page/script/scale.js"
    ,
#embed "page/script/state.js"
    ,
#embed "page/script/header.js"
    ,
#embed "page/script/spine.js"
    ,
#embed "page/script/grid.js"
    ,
#embed "page/script/tip.js"
    ,
#embed "page/script/card.js"
    ,
#embed "page/script/kernel.js"
    ,
#embed "page/script/viewer.js"
    ,
#embed "page/script/explain.js"
    ,
#embed "page/script/table.js"
    ,
#embed "page/script/controls.js"
    ,
#embed "page/script/main.js"
    , '}', ')', '(', ')', ';', '\n',
};

h5conv_report_text h5conv_report_template(void) { return (h5conv_report_text){template_text, sizeof template_text}; }

h5conv_report_text h5conv_report_style(void) { return (h5conv_report_text){style_text, sizeof style_text}; }

h5conv_report_text h5conv_report_script(void) { return (h5conv_report_text){script_text, sizeof script_text}; }
