"""Confinement of one session, inside the bubble that bubblewrap made: own namespaces, own scratch folder, limits, no privileges, few system calls.

Linux only. Python has no call for most of this before 3.12, so that it goes through libc.
"""

import contextlib
import ctypes
import errno
import os
import resource

LIBC = ctypes.CDLL(None, use_errno=True)
NEW = {"user": 0x10000000, "pid": 0x20000000, "mount": 0x00020000}
"""The network, messages and the host name are those of the bubble, which has none of its own; to make them anew takes time."""
CLONE_THREAD = 0x00010000
READ_ONLY, NO_SUID, NO_DEV, NO_EXEC = 1, 2, 4, 8
SET_NO_NEW_PRIVILEGES, DROP_CAPABILITY, SET_SECURE_BITS, SET_SUBREAPER = 38, 24, 28, 36
LOCKED_WITHOUT_ROOT = 0b101111
"""Secure bits: nobody gets capabilities for being root, and nobody changes that."""
CAPABILITIES = 64
OPEN_FILES, THREADS, INODES, PAGE = 256, 512, 10_000, 4096
REFUSED = """
    execve execveat fork vfork ptrace process_vm_readv process_vm_writev process_madvise kcmp pidfd_open pidfd_getfd pidfd_send_signal
    mount umount umount2 move_mount fsopen fsconfig fsmount fspick open_tree mount_setattr pivot_root chroot unshare setns
    socket bind connect listen accept accept4 io_uring_setup io_uring_enter io_uring_register
    bpf perf_event_open userfaultfd fanotify_init keyctl add_key request_key open_by_handle_at name_to_handle_at
    memfd_create memfd_secret shmget shmat msgget semget mq_open
    init_module finit_module delete_module kexec_load kexec_file_load reboot swapon swapoff acct quotactl quotactl_fd uselib
    personality modify_ldt ioperm iopl syslog settimeofday clock_settime clock_adjtime adjtimex sethostname setdomainname
    move_pages migrate_pages vhangup lookup_dcookie nfsservctl
""".split()
"""Processes, other processes, mounts, namespaces, the network, kernel interfaces, and memory that no limit counts."""


class CannotConfine(Exception):
    """A step of the confinement was refused. The message names it."""


def prepare():
    """In the zygote: load what children need, and become the parent of the children's children."""
    import pyseccomp  # noqa: F401 - its search for the library starts a process, which no child may

    _do("prctl(PR_SET_CHILD_SUBREAPER)", LIBC.prctl, SET_SUBREAPER, 1, 0, 0, 0)


def fork_apart(live):
    """Run live() in a process that is the first of its own namespaces, so that what it leaves behind ends with it. Returns its pid."""
    read, write = os.pipe()
    between = os.fork()
    if not between:
        try:
            os.close(read)
            _new_namespaces()
            pid = os.fork()
            if not pid:
                os.close(write)
                live()
            os.write(write, b"%d" % pid)
        except BaseException as error:
            os.write(write, f"{error}".encode())
        finally:
            os._exit(0)
    os.close(write)
    with open(read, "rb") as answer:
        said = answer.read()
    os.waitpid(between, 0)
    if not said.isdigit():
        raise CannotConfine(said.decode())
    return int(said)


def _new_namespaces():
    uid, gid = os.getuid(), os.getgid()
    flags = 0
    for flag in NEW.values():
        flags |= flag
    _do(f"unshare({', '.join(NEW)})", LIBC.unshare, flags)
    for name, text in (("setgroups", "deny"), ("uid_map", f"{uid} {uid} 1"), ("gid_map", f"{gid} {gid} 1")):
        with open(f"/proc/self/{name}", "w") as file:
            file.write(text)


def confine(scratch, limits, files):
    """Everything else, in the child itself, before any student's code: the order matters, for each step takes away what the one before needed."""
    with contextlib.suppress(OSError), open("/proc/self/oom_score_adj", "w") as file:
        file.write("1000")  # when memory runs out, the system ends this process first, and not the grader's
    with open("/proc/self/statm") as file:
        used = int(file.read().split()[0]) * os.sysconf("SC_PAGE_SIZE")
    _mounts(scratch, limits["files"] + sum(len(data) + PAGE for data in files.values()))
    _limit({"AS": used + limits["memory"], "DATA": used + limits["memory"], **_small(limits)})  # what torch has mapped already is not the student's
    _no_privileges()
    _few_system_calls()


def _mounts(scratch, size):
    flags = NO_SUID | NO_DEV | NO_EXEC
    _mount(scratch, flags, f"size={size},nr_inodes={INODES},mode=700")
    _mount("/proc", flags | READ_ONLY, "size=4k,mode=555")  # that of the bubble: it shows the other sessions


def _mount(place, flags, options):
    _do(f"mount(tmpfs, {place})", LIBC.mount, b"tmpfs", place.encode(), b"tmpfs", ctypes.c_ulong(flags), options.encode())


def limit(limits):
    """Without a sandbox: the limits that any system has."""
    _limit({"FSIZE": limits["files"], "CORE": 0})


def _small(limits):
    return {
        "FSIZE": limits["files"],
        "NOFILE": OPEN_FILES,
        "CORE": 0,
        "NPROC": THREADS,
        "MEMLOCK": 0,
        "MSGQUEUE": 0,
        "CPU": int(os.cpu_count() * limits["total_seconds"]) + 60,
    }


def _limit(rows):
    for name, most in rows.items():
        kind = getattr(resource, f"RLIMIT_{name}")
        hard = resource.getrlimit(kind)[1]
        most = most if hard == resource.RLIM_INFINITY else min(most, hard)
        resource.setrlimit(kind, (most, most))


class _Header(ctypes.Structure):
    _fields_ = [("version", ctypes.c_uint32), ("pid", ctypes.c_int)]


class _Sets(ctypes.Structure):
    _fields_ = [("effective", ctypes.c_uint32), ("permitted", ctypes.c_uint32), ("inheritable", ctypes.c_uint32)]


def _no_privileges():
    """No capability, and no way back to one."""
    for capability in range(CAPABILITIES):
        LIBC.prctl(DROP_CAPABILITY, capability, 0, 0, 0)  # refused for those that this kernel does not know
    _do("prctl(PR_SET_SECUREBITS)", LIBC.prctl, SET_SECURE_BITS, LOCKED_WITHOUT_ROOT, 0, 0, 0)
    _do("capset", LIBC.capset, ctypes.byref(_Header(0x20080522, 0)), (_Sets * 2)())
    _do("prctl(PR_SET_NO_NEW_PRIVS)", LIBC.prctl, SET_NO_NEW_PRIVILEGES, 1, 0, 0, 0)


def _few_system_calls():
    """Refuse what makes processes, reaches others, or asks the kernel for more than a notebook needs. Threads stay allowed."""
    import pyseccomp as seccomp

    rules = seccomp.SyscallFilter(seccomp.ALLOW)
    for name in REFUSED:
        try:
            rules.add_rule(seccomp.ERRNO(errno.EPERM), name)
        except (OSError, ValueError):
            continue  # a call that this library does not know yet
    rules.add_rule(seccomp.ERRNO(errno.ENOSYS), "clone3")  # its flags cannot be looked at; libc then takes clone
    rules.add_rule(seccomp.ERRNO(errno.EPERM), "clone", seccomp.Arg(0, seccomp.MASKED_EQ, CLONE_THREAD, 0))
    rules.load()


def _do(what, function, *arguments):
    ctypes.set_errno(0)
    if function(*arguments) < 0:
        number = ctypes.get_errno()
        raise CannotConfine(f"{what}: {os.strerror(number)}")
