// Only the reader and the formatter are used: the codec of a protocol whose sockets belong to SwiftNIO.
#pragma once
#include <stdlib.h>
#include <hiredis/hiredis.h>
