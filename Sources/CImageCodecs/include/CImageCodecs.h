// Pictures in and out: libpng and libjpeg behind functions that contain their setjmp.
#pragma once
#include "image_decode.h"
#include "png_encode.h"
