"""Recurses until its stack ends, in C, where no interpreter counts."""
import ctypes

CALLBACK = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_void_p, ctypes.c_void_p)
libc = ctypes.CDLL(None)
array = (ctypes.c_int * 2)(2, 1)


@CALLBACK
def deeper(_one, _other):
    libc.qsort(array, ctypes.c_size_t(2), ctypes.c_size_t(4), deeper)
    return 0


import sys
sys.setrecursionlimit(10**9)
deeper(None, None)
