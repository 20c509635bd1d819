#include "faf_linux.h"
