// What a process has mapped of its own code once it runs.
#include "CLinux.h"

#include <link.h>

// Code is mapped from files and never written, so the pages are still there for whoever faults them in again.
static int release(struct dl_phdr_info *info, size_t size, void *count) {
    (void)size;
    (void)count;
    uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE);
    for (int i = 0; i < info->dlpi_phnum; i++) {
        const ElfW(Phdr) *segment = &info->dlpi_phdr[i];
        if (segment->p_type != PT_LOAD || !(segment->p_flags & PF_X) || (segment->p_flags & PF_W)) continue;
        uintptr_t begin = info->dlpi_addr + segment->p_vaddr;
        uintptr_t end = begin + segment->p_filesz;
        begin &= ~(page - 1);
        end &= ~(page - 1);
        if (begin < end) madvise((void *)begin, end - begin, MADV_DONTNEED);
    }
    return 0;
}

void sl_release_start_pages(void) { dl_iterate_phdr(release, NULL); }
