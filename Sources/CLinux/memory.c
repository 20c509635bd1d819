#define _GNU_SOURCE
#include "faf_daemon.h"

#include <link.h>
#include <malloc.h>
#include <stdint.h>
#include <sys/mman.h>
#include <unistd.h>

/* The program itself comes first, libraries after it. */
static int give_back_program(struct dl_phdr_info *info, size_t size, void *unused) {
    (void)size, (void)unused;
    uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE);
    for (int i = 0; i < info->dlpi_phnum; i++) {
        const ElfW(Phdr) *part = &info->dlpi_phdr[i];
        /* Whatever may be written holds what the dynamic linker has put there, and would lose it. */
        if (part->p_type != PT_LOAD || part->p_flags & PF_W) continue;
        uintptr_t begin = (info->dlpi_addr + part->p_vaddr) & ~(page - 1);
        uintptr_t end = (info->dlpi_addr + part->p_vaddr + part->p_filesz) & ~(page - 1);
        if (begin < end) (void)madvise((void *)begin, end - begin, MADV_DONTNEED);
    }
    return 1;
}

void fafd_give_back_program(void) { (void)dl_iterate_phdr(give_back_program, NULL); }

void fafd_limit_heaps(int n) { (void)mallopt(M_ARENA_MAX, n); }

void fafd_give_back_heap(void) { (void)malloc_trim(0); }
