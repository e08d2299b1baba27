"""Not a candidate: starts a program as a container's default seccomp profile and capabilities would leave it.

Namespaces and mounts are refused, and clone3 seems unknown, as in the default profile of moby. Usage: container.py
PROGRAM ARGUMENTS.
"""

import ctypes
import os
import struct
import sys

EPERM, ENOSYS = 1, 38
ALLOW, ERRNO = 0x7FFF0000, 0x00050000
LOAD, EQUAL, ANY_BIT, RETURN = 0x20, 0x15, 0x45, 0x06
NUMBERS = {
    "x86_64": dict(clone=56, clone3=435, refused=[272, 165, 166, 308, 155, 161, 428, 429, 430, 431, 432, 433, 442]),
    "aarch64": dict(clone=220, clone3=435, refused=[97, 40, 39, 268, 41, 51, 428, 429, 430, 431, 432, 433, 442]),
}[os.uname().machine]
# All CLONE_NEW flags but that of time namespaces, which clone does not take.
NEW = 0x7E020000


def program():
    code = [(LOAD, 0, 0, 0)]
    for number, error in [(NUMBERS["clone3"], ENOSYS)] + [(number, EPERM) for number in NUMBERS["refused"]]:
        code += [(EQUAL, 0, 1, number), (RETURN, 0, 0, ERRNO | error)]
    code += [(EQUAL, 0, 3, NUMBERS["clone"]), (LOAD, 0, 0, 16), (ANY_BIT, 0, 1, NEW), (RETURN, 0, 0, ERRNO | EPERM)]
    code += [(RETURN, 0, 0, ALLOW)]
    return b"".join(struct.pack("HBBI", *instruction) for instruction in code), len(code)


libc = ctypes.CDLL(None, use_errno=True)
instructions, length = program()
buffer = ctypes.create_string_buffer(instructions)
description = ctypes.create_string_buffer(struct.pack("HxxxxxxP", length, ctypes.addressof(buffer)))
if os.getuid() != 0:
    libc.prctl(38, 1, 0, 0, 0)
if libc.prctl(22, 2, description, 0, 0) != 0:
    sys.exit(f"the filter is refused: errno {ctypes.get_errno()}")
command = sys.argv[1:]
if os.getuid() == 0:
    kept = "chown,dac_override,fowner,fsetid,kill,setgid,setuid,setpcap,net_bind_service,net_raw,sys_chroot,mknod," \
        "audit_write,setfcap"
    bounding = ",".join(["-all"] + ["+" + name for name in kept.split(",")])
    command = ["/usr/bin/setpriv", "--bounding-set", bounding, "--inh-caps=-all", "--"] + command
os.execv(command[0], command)
